"""How the history and the notes of an order are written: papers and mails among the events, names in notes."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from orders.admin.history_filter import HistoryFilter

register = template.Library()
_NAMED = re.compile(r"((?<![\w.@])@\w[\w.@+-]*)")


@dataclass(frozen=True)
class HistoryRow:
    """An entry of the history: what an event did, a mail of its own, or an issued document."""

    at: Any
    entry: Any = None
    mails: list[Any] = field(default_factory=list)
    mail: Any = None
    document: Any = None


@register.simple_tag
def history_rows(
    entries: Iterable[Any], mails: Iterable[Any], documents: Iterable[Any], chosen: HistoryFilter, mail_events: set[int] | None
) -> list[HistoryRow]:
    """Everything that is to be shown, newest first. A mail stands with the event that caused it, or alone where that is not shown.

    `mail_events` are the events whose mails are wanted; None: of all.
    """
    mails = [row for row in mails or () if mail_events is None or row.mail.event_id in mail_events]
    entries = list(entries)
    shown = {entry.event.pk for entry in entries}
    rows = [
        HistoryRow(entry.at, entry=entry, mails=[row for row in mails if chosen.shows_mails and row.mail.event_id == entry.event.pk])
        for entry in entries
    ]
    oldest = min((row.at for row in rows), default=None)
    if chosen.shows_mails:
        alone = [row for row in mails if row.mail.event_id not in shown]
        rows += [HistoryRow(row.mail.created_at, mail=row) for row in alone if _is_in_view(row.mail.created_at, oldest, chosen)]
    if chosen.shows_documents:
        issued = [row for row in documents or () if row.issued_at]
        rows += [HistoryRow(row.issued_at, document=row) for row in issued if _is_in_view(row.issued_at, oldest, chosen)]
    return sorted(rows, key=lambda row: row.at, reverse=True)


@register.filter
def with_names(text: str) -> SafeString:
    """A note's text with line breaks, the people it names marked."""
    lines = [format_html_join("", "{}", ((_marked(part),) for part in _NAMED.split(line))) for line in text.splitlines()]
    return format_html_join(format_html("<br>{}", ""), "{}", ((line,) for line in lines))


def _marked(part: str) -> SafeString | str:
    return format_html('<b class="named">{}</b>', part) if _NAMED.fullmatch(part) else part


def _is_in_view(at: Any, oldest: Any, chosen: HistoryFilter) -> bool:
    """Whether a paper is as young as the events that are shown; a part of the history without events shows all of its papers."""
    return bool(chosen.kind) or chosen.shows_all or oldest is None or at >= oldest
