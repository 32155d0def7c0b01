"""How orders are written on pages: status pills, moments, names of events."""

from collections.abc import Iterable
from datetime import date, datetime, time
from functools import lru_cache
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from babel import Locale
from babel.dates import format_date
from django import template
from django.templatetags.static import static
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language, get_language_info
from django.utils.translation import gettext as _

from orders.models import Status
from orders.search import fold

register = template.Library()


@register.simple_tag
def pill(status: Status, *, quiet: bool = True) -> SafeString:
    """A status as tone, glyph and word. Only a status that waits for somebody keeps its tint, unless `quiet` is off."""
    settled = "" if status.waits_for_staff or not quiet else " settled"
    return format_html(
        '<span class="pill {}{}"><svg class="icon" aria-hidden="true"><use href="{}#i-{}"/></svg>{}</span>',
        status.tone,
        settled,
        static("icons.svg"),
        status.glyph,
        status,
    )


@register.filter
def moment(at: datetime | None) -> str:
    """When something happened, as short as it is clear: "Today 09:26", "Yesterday 17:09", "22 Nov 16:26", "3 Mar 2024".

    Midnight to the microsecond is what a field for a day saves: nobody said a time, so none is shown.
    """
    if at is None:
        return ""
    local, today = timezone.localtime(at), timezone.localdate()
    clock = f"{local:%H:%M}"
    days = (today - local.date()).days
    if local.time() == time.min:
        return _date(local.date(), "d MMM" if local.year == today.year else "d MMM y")
    if days == 0:
        return _("Today %(time)s") % {"time": clock}
    if days == 1:
        return _("Yesterday %(time)s") % {"time": clock}
    if local.year == today.year:
        return f"{_date(local.date(), 'd MMM')} {clock}"
    return _date(local.date(), "d MMM y")


@register.filter
def full_moment(at: datetime | None) -> str:
    """Date and time in full, for titles."""
    return "" if at is None else _full_in(get_language() or "en", timezone.localtime(at).replace(tzinfo=None))


@register.filter
def slot(begin: datetime | None, end: datetime | None = None) -> str:
    """A moment that was agreed, with its end: "Thu 26 Nov, 14:00 to 16:00"."""
    if begin is None:
        return ""
    first = timezone.localtime(begin)
    words = {"day": day(first.date()), "from": date_format(first, "H:i")}
    if end is None:
        return _("%(day)s, %(from)s") % words
    last = timezone.localtime(end)
    until = date_format(last, "H:i") if last.date() == first.date() else f"{day(last.date())} {date_format(last, 'H:i')}"
    return _("%(day)s, %(from)s to %(until)s") % (words | {"until": until})


@register.filter
def day(value: date | None) -> str:
    """A date with its weekday: "Thu 26 Nov"."""
    if value is None:
        return ""
    return _date(value, "EEE d MMM" if value.year == timezone.localdate().year else "EEE d MMM y")


def _date(value: date, pattern: str) -> str:
    """A date as the reader's language abbreviates it; Django's own short months are capitals everywhere."""
    return _date_in(get_language() or "en", value, pattern)


@lru_cache(maxsize=4096)
def _date_in(language: str, value: date, pattern: str) -> str:
    return str(format_date(value, pattern, locale=Locale.parse(language, sep="-")))


@lru_cache(maxsize=4096)
def _full_in(language: str, local: datetime) -> str:
    return str(date_format(local, "DATETIME_FORMAT"))


@register.filter
def language_name(code: str) -> str:
    """The name of a language in the reader's language; the code itself where it is not known."""
    if not code:
        return ""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


@register.filter
def web_address(link: str) -> str:
    """The link if it leads to a web page; nothing else may become a link (imported text could hold javascript:)."""
    try:
        return link if urlsplit(link.strip()).scheme in ("http", "https") else ""
    except ValueError:
        return ""


@register.filter
def marked(text: str, wanted: str) -> SafeString | str:
    """`text` with the words of a search marked, whatever their accents and case."""
    if not wanted:
        return text
    folded, places = "", []
    for place, char in enumerate(text):
        piece = fold(char)
        folded += piece
        places += [place] * len(piece)
    spans: set[int] = set()
    for word in fold(wanted).split():
        start = folded.find(word)
        while start >= 0:
            spans.update(places[start : start + len(word)])
            start = folded.find(word, start + len(word))
    if not spans:
        return text
    runs = [(is_hit, "".join(char for _place, char in run)) for is_hit, run in groupby(enumerate(text), lambda item: item[0] in spans)]
    return format_html_join("", "{}", ((format_html("<mark>{}</mark>", run) if is_hit else run,) for is_hit, run in runs))


@register.filter
def caused_by(rows: Iterable[Any], event_id: int) -> list[Any]:
    """Those of `rows` (mails as the order page lists them) that an event caused."""
    return [row for row in rows or () if row.mail.event_id == event_id]
