"""How one language says an order: amounts, days, counts, options, and addresses that may stand behind a link."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from babel.dates import format_time
from django.conf import settings
from django.urls import reverse

from invoices.wording import long_date
from notifications.telling.story import Story
from notifications.wording import WORDS
from orders.models import OrderLine
from orders.money import format_money


class Voice:
    """Tells one story in one language."""

    def __init__(self, story: Story, language: str) -> None:
        self.story, self.language = story, language
        self.order, self.shop = story.order, story.shop
        self.words = WORDS[language]
        self.zone = ZoneInfo(story.shop.time_zone)
        self.pays_by = story.order.payment_method.strip()

    def money(self, amount: Decimal) -> str:
        return format_money(amount, self.order.currency, self.language)

    def day(self, moment: datetime) -> str:
        return long_date(moment.astimezone(self.zone).date(), self.language)

    def clock(self, moment: datetime) -> str:
        return format_time(moment.astimezone(self.zone), "HH:mm", locale=self.language)

    def slot(self, begin: datetime | None, end: datetime | None) -> str:
        """A time that was agreed, with its end: "26 November 2026, 14:00 – 16:00"."""
        if begin is None:
            return ""
        until = "" if end is None else f" – {self.clock(end)}"
        if end is not None and end.astimezone(self.zone).date() != begin.astimezone(self.zone).date():
            until = f" – {self.day(end)}, {self.clock(end)}"
        return f"{self.day(begin)}, {self.clock(begin)}{until}"

    def pieces(self, line: OrderLine) -> int:
        """Pieces of a line after the change."""
        return self.story.quantities.get(line.pk, line.quantity)

    @property
    def count(self) -> str:
        pieces = sum(self.pieces(line) for line in self.story.lines)
        return count_of(self.words, "item", pieces, self.language)


def count_of(words: Mapping[str, str], noun: str, count: int, language: str) -> str:
    """One item, 13 items; French says one for none as well."""
    is_one = count == 1 or (language == "fr" and count == 0)
    return words[f"one_{noun}"].replace("1", str(count)) if is_one else words[f"some_{noun}s"].format(count=count)


def options_of(line: Any, language: str) -> str:
    """Options of an item as one line, joined as the language joins."""
    colon = WORDS[language]["colon"]
    pairs = [(str(option.get("name", "")), str(option["value"])) for option in line.options if option.get("value")]
    return " · ".join(f"{name}{colon}{value}" if name else value for name, value in pairs)


def rows_of(*pairs: tuple[str, str]) -> list[dict[str, Any]]:
    """Rows of facts; those without a value leave no trace."""
    return [{"label": label, "value": value} for label, value in pairs if value]


def safe_url(url: str) -> str:
    """An address that may stand behind a link: http or https, without blanks; else nothing."""
    url = (url or "").strip()
    try:
        scheme = urlsplit(url).scheme.lower()
    except ValueError:
        return ""
    return url if scheme in ("http", "https") and not set(url) & set(' \t\n"<>()') else ""


def office_url(name: str, *args: object) -> str:
    """Address of a page of the back office."""
    return str(settings.SITE_URL) + reverse(name, args=args)
