"""The people of the back office: who may read orders, and whom a text names with @."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth import get_user_model

_NAME = re.compile(r"(?<![\w.@])@([\w][\w.@+-]*)")
_BACKEND = "django.contrib.auth.backends.ModelBackend"


def readers_of_orders() -> list[Any]:
    """Active staff who may see orders, by name. One query."""
    people = get_user_model()._default_manager.with_perm("orders.view_order", backend=_BACKEND)
    return sorted(people.filter(is_staff=True).distinct(), key=lambda person: (name_of(person).casefold(), person.pk))


def name_of(person: Any) -> str:
    """How a person is called on pages."""
    return str(person.get_full_name() or person.get_username())


def handle_of(person: Any, people: Iterable[Any]) -> str:
    """What to write after the @: the first name where nobody else answers to it, else the name they sign in with."""
    first = str(person.first_name).strip()
    if first and re.fullmatch(r"[\w-]+", first) and mentioned(f"@{first}", list(people)) == [person]:
        return first
    return str(person.get_username())


def mentioned(text: str, people: Sequence[Any]) -> list[Any]:
    """Those of `people` whom `text` names as "@username" or, where only one has it, "@First". Each once, in the order they are named."""
    by_name: dict[str, list[Any]] = {}
    for person in people:
        by_name.setdefault(str(person.get_username()).casefold(), []).insert(0, person)
    for person in people:
        first = str(person.first_name).strip().casefold()
        if first and first not in {str(other.get_username()).casefold() for other in people}:
            by_name.setdefault(first, []).append(person)
    found = []
    for match in _NAME.finditer(text):
        name = match.group(1).casefold()
        named = by_name.get(name) or by_name.get(name.rstrip(".-+@")) or by_name.get(name.split("@")[0].rstrip(".-+")) or []
        if len(named) == 1 and named[0] not in found:
            found.append(named[0])
    return found
