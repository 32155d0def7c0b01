"""Home: the figures of the day, what has to be settled and what happened last, in a fixed number of queries."""

from typing import Any

from django.http import HttpRequest


def home_of(request: HttpRequest) -> dict[str, Any]:
    return {}
