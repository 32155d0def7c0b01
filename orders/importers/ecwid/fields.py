"""Takes typed fields out of a JSON object: any spelling of case, one clear line per wrong value, and what was not asked for is kept."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django.utils.translation import gettext as _

DEPTH_LIMIT = 40
MOST_PROBLEMS = 10
MOST_MONEY = Decimal(10) ** 11
NOISE = Decimal("0.000001")
COLUMN = Decimal("0.0001")
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile(r"[\x01-\x08\x0b-\x1f\x7f]")
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?)?\s*(Z|[+-]\d{2}:?\d{2})?")


class Problems:
    """Lines that say what is wrong with one document, each with the path of the value."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def add(self, path: str, problem: str) -> None:
        if len(self.lines) < MOST_PROBLEMS:
            self.lines.append(f"{path}: {problem}")

    def expected(self, path: str, what: str, value: Any) -> None:
        self.add(path, _("expected %(what)s, got %(value)s") % {"what": what, "value": shown(value)})


def shown(value: Any) -> str:
    """A value as a problem names it, short."""
    if isinstance(value, dict):
        return _("an object")
    if isinstance(value, list):
        return _("a list")
    text = (
        str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=not isinstance(value, str) or not value.isprintable())
    )
    return text if len(text) <= 60 else text[:57] + "…"


def check_values(value: Any, problems: Problems) -> None:
    """Refuse what no column can hold, anywhere in a document: NUL, lone surrogates, numbers without end, endless nesting."""
    waiting: list[tuple[str, Any, int]] = [("$", value, 0)]
    while waiting:
        path, item, depth = waiting.pop()
        if isinstance(item, str):
            _check_text(path, item, problems)
        elif isinstance(item, Decimal):
            if not item.is_finite():
                problems.add(path, _("%(value)s is not a number") % {"value": item})
            elif item.adjusted() > 30 or item.adjusted() < -60:
                problems.add(path, _("the number %(value)s is out of range") % {"value": shown(item)})
        elif depth > DEPTH_LIMIT and isinstance(item, (dict, list)):
            problems.add(path[:80], _("nested too deep"))
            return
        elif isinstance(item, dict):
            for key in item:
                _check_text(path, key, problems)
            waiting += [(f"{path}.{key}", part, depth + 1) for key, part in item.items()]
        elif isinstance(item, list):
            waiting += [(f"{path}[{index}]", part, depth + 1) for index, part in enumerate(item)]


def _check_text(path: str, text: str, problems: Problems) -> None:
    if "\x00" in text:
        problems.add(path.replace("\x00", "?"), _("the text holds a NUL character"))
    elif _SURROGATE.search(text):
        problems.add(_SURROGATE.sub("?", path), _("the text holds half a character (a lone surrogate)"))


def plain(value: Any) -> Any:
    """A value that a JSON column can hold; numbers keep their digits as text."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    if isinstance(value, Decimal):
        return format(value, "f") if abs(value.adjusted()) < 40 else str(value)
    return value


class Fields:
    """One JSON object at `path`. Every field that is taken counts as known; `rest()` gives the others."""

    def __init__(self, value: Mapping[str, Any], path: str, problems: Problems) -> None:
        self.path, self.problems = path, problems
        self._values: dict[str, tuple[str, Any]] = {}
        for key, part in value.items():
            folded = key.casefold()
            if folded not in self._values or self._values[folded][1] is None:
                self._values[folded] = (key, part)
        self._taken: set[str] = set()
        self.clipped: dict[str, Any] = {}

    def has(self, *names: str) -> bool:
        """Whether one of the names is there, be it null."""
        return any(name.casefold() in self._values for name in names)

    def take(self, *names: str) -> tuple[str, Any]:
        """Path and value of the first name that has a value; None where none has."""
        found: tuple[str, Any] = (f"{self.path}.{names[0]}", None)
        for name in names:
            key, value = self._values.get(name.casefold(), (name, None))
            self._taken.add(name.casefold())
            if value is not None and found[1] is None:
                found = (f"{self.path}.{key}", value)
        return found

    def peek(self, name: str) -> Any:
        """The value without counting it as known."""
        return self._values.get(name.casefold(), ("", None))[1]

    def text(self, *names: str, limit: int) -> str:
        """A text without control characters. A longer one is cut for its column and kept whole with the rest."""
        path, value = self.take(*names)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            self.problems.expected(path, _("a text"), value)
            return ""
        text = _CONTROL.sub(
            " ", value if isinstance(value, str) else format(value, "f") if isinstance(value, Decimal) else str(value)
        ).strip()
        if len(text) > limit:
            self.clipped[names[0]] = text
            return text[:limit]
        return text

    def number(self, *names: str) -> Decimal | None:
        """A number, noise beyond 1e-6 dropped."""
        path, value = self.take(*names)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            self.problems.expected(path, _("a number"), value)
            return None
        number = Decimal(value)
        if not number.is_finite():
            return None  # check_values says so
        if abs(number) >= MOST_MONEY:
            self.problems.add(path, _("the number %(value)s is out of range") % {"value": shown(number)})
            return None
        number = number.quantize(NOISE, rounding=ROUND_HALF_UP)
        return number + 0 if number else Decimal(0)

    def amount(self, *names: str, signed: bool = False) -> Decimal | None:
        """An amount of money in the four decimals of its column, 0 or more unless `signed`."""
        number = self.number(*names)
        if number is not None and number < 0 and not signed:
            self.problems.expected(self._path_of(*names), _("an amount of 0 or more"), number.normalize())
            return None
        return None if number is None else number.quantize(COLUMN, rounding=ROUND_HALF_UP)

    def count(self, *names: str) -> int | None:
        """A whole number above 0."""
        path, value = self.take(*names)
        if value is None:
            return None
        number = Decimal(value) if isinstance(value, (int, Decimal)) and not isinstance(value, bool) else None
        if number is None or not number.is_finite() or not 0 < number <= 1_000_000 or number != number.to_integral_value():
            self.problems.expected(path, _("a whole number above 0"), value)
            return None
        return int(number)

    def flag(self, *names: str) -> bool | None:
        path, value = self.take(*names)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, (int, Decimal)) and value in (0, 1):
            return bool(value)
        if isinstance(value, str) and value.strip().lower() in ("true", "false", ""):
            return value.strip().lower() == "true" if value.strip() else None
        self.problems.expected(path, _("true or false"), value)
        return None

    def moment(self, *names: str) -> datetime | None:
        """A point in time: YYYY-MM-DD HH:MM:SS +0000, or Unix seconds."""
        path, value = self.take(*names)
        if value is None or value == "":
            return None
        found = _moment(value)
        if found is None:
            self.problems.expected(path, _("a date such as 2024-09-04 07:22:09 +0000"), value)
        return found

    def day(self, *names: str) -> date | None:
        """A day: YYYY-MM-DD."""
        path, value = self.take(*names)
        if value is None or value == "":
            return None
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self.problems.expected(path, _("a day such as 2024-09-04"), value)
        return None

    def object(self, *names: str) -> "Fields | None":
        path, value = self.take(*names)
        if value is None:
            return None
        if not isinstance(value, dict):
            if value != "" and value != []:
                self.problems.expected(path, _("an object"), value)
            return None
        return Fields(value, path, self.problems)

    def values(self, *names: str) -> list[Any]:
        """A list as it is."""
        path, value = self.take(*names)
        if value is None:
            return []
        if not isinstance(value, list):
            self.problems.expected(path, _("a list"), value)
            return []
        return value

    def objects(self, *names: str) -> Iterator["Fields"]:
        """The objects of a list."""
        path, _value = self.take(*names)
        for index, part in enumerate(self.values(*names)):
            if isinstance(part, dict):
                yield Fields(part, f"{path}[{index}]", self.problems)
            else:
                self.problems.expected(f"{path}[{index}]", _("an object"), part)

    def rest(self) -> dict[str, Any]:
        """What nobody asked for and what was cut; empty values are left out."""
        found = {
            key: plain(value)
            for folded, (key, value) in self._values.items()
            if folded not in self._taken and value not in (None, "", [], {})
        }
        return found | self.clipped

    def _path_of(self, *names: str) -> str:
        return self.take(*names)[0]


def _moment(value: Any) -> datetime | None:
    try:
        if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
            return datetime.fromtimestamp(int(value), UTC) if 0 < value < 32_503_680_000 else None
        match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
        if match is None:
            return None
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        found = datetime(year, month, day, hour, minute, second, tzinfo=_offset(match[7]))
        return found.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _offset(text: str | None) -> timezone:
    if text is None or text == "Z":
        return UTC
    sign = -1 if text[0] == "-" else 1
    return timezone(sign * timedelta(hours=int(text[1:3]), minutes=int(text[-2:])))
