"""The clock of the demo shop: its two months of life happen in seconds, in order, each change at its own hour."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from unittest import mock


@contextmanager
def set_clock(moment: datetime) -> Iterator[None]:
    """While this lasts, services and models believe that it is `moment`. Only the seeding of an empty shop may do so."""
    with mock.patch("django.utils.timezone.now", return_value=moment):
        yield
