"""What happened to a person or a role, read from the audit trail in the reader's language."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from orders.people import name_of
from orders.roles import right_of, role_name

SHOWN = 50
WORDS = {
    "invited": ("mail", pgettext_lazy("what happened to a person", "Invited")),
    "invited_again": ("mail", gettext_lazy("A new link was mailed")),
    "changed": ("pencil", pgettext_lazy("what happened to a person", "Changed")),
    "disabled": ("lock", gettext_lazy("Disabled and signed out everywhere")),
    "enabled": ("circle-check", pgettext_lazy("what happened to a person", "Enabled")),
    "direct_rights_taken": ("x", gettext_lazy("Rights apart from roles were taken away")),
    "password_chosen": ("key-round", gettext_lazy("Password chosen")),
    "account_changed": ("circle-user", gettext_lazy("Changed their own account")),
    "role_created": ("plus", gettext_lazy("Role created")),
    "role_changed": ("pencil", gettext_lazy("Role changed")),
    "role_deleted": ("trash-2", gettext_lazy("Role deleted")),
}
LABELS = {
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("E-mail address"),
    "language": gettext_lazy("Language"),
    "roles": gettext_lazy("Roles"),
    "refund_limit": gettext_lazy("Refund up to"),
    "default_view": gettext_lazy("First view"),
}


@dataclass(frozen=True)
class TrailLine:
    """One change: who, when, what, and per field the old and the new value."""

    at: datetime
    who: str
    icon: str
    text: str
    changes: list[tuple[str, str, str]] = field(default_factory=list)


def trail_of(subject: Any) -> list[TrailLine]:
    """Newest first."""
    rows = LogEntry.objects.filter(content_type=ContentType.objects.get_for_model(subject), object_id=str(subject.pk))
    return [_line(row) for row in rows.select_related("user").order_by("-action_time", "-id")[:SHOWN]]


def _line(row: LogEntry) -> TrailLine:
    try:
        facts = json.loads(row.change_message)
        icon, text = WORDS[facts["what"]]
        changes = [words for name, pair in facts["changes"].items() for words in _words(name, *pair)]
    except (ValueError, KeyError, TypeError):  # a line that another page wrote
        return TrailLine(row.action_time, name_of(row.user), "pencil", row.get_change_message() or str(row))
    return TrailLine(row.action_time, name_of(row.user), icon, str(text), changes)


def _words(name: str, old: Any, new: Any) -> list[tuple[str, str, str]]:
    if name == "rights":  # what was taken and what was given, not two whole lists
        both = [(pgettext("rights", "Taken away"), _rights(old)), (pgettext("rights", "Given"), _rights(new))]
        return [(label, "", words) for label, words in both if words]
    return [(str(LABELS.get(name, name)), _value(name, old), _value(name, new))]


def _value(name: str, value: Any) -> str:
    if name == "roles":
        return ", ".join(role_name(group, code) for code, group in value) or "–"
    if name == "language":
        return str(dict(settings.LANGUAGES).get(value, _("As the browser")))
    if name == "refund_limit":
        return _("any amount") if value is None else str(value).rstrip("0").rstrip(".")
    return str(value) or "–"


def _rights(names: Iterable[str]) -> str:
    return ", ".join(str(right.label) if (right := right_of(name)) else name for name in names)
