"""Finds documents in files, folders and streams of any shape and size, one at a time, so that memory does not grow."""

import codecs
import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, BinaryIO

from django.utils.translation import gettext as _

DOCUMENT_LIMIT = 5 * 1024 * 1024  # characters of one document
CHUNK = 256 * 1024
SUFFIXES = (".json", ".jsonl", ".ndjson")
LINE_SUFFIXES = (".jsonl", ".ndjson")
_SPACE = re.compile(r"[ \t\n\r]*")
_ENVELOPE = re.compile(r'\{\s*(?:"(?:total|count|offset|limit)"\s*:\s*\d+\s*,\s*)*"items"\s*:\s*\[', re.IGNORECASE)
_ENVELOPE_KEYS = {"total", "count", "offset", "limit", "items"}


@dataclass(frozen=True)
class Upload:
    """A file that is open already, such as one sent through a form."""

    name: str
    stream: BinaryIO
    size: int = 0


Source = Path | Upload


@dataclass(frozen=True)
class Found:
    """A JSON value with the text it was read from. `position` counts the documents of one source from 1."""

    source: str
    position: int
    text: str
    value: Any


@dataclass(frozen=True)
class Unreadable:
    """Something that is no document, and why."""

    source: str
    position: int
    problem: str


class _Refused(Exception):
    """The rest of this source can't be read; the text says why."""


def read_documents(sources: Iterable[Source]) -> Iterator[Found | Unreadable]:
    """Every document of every source, in order. What can't be read is given back as `Unreadable`; the others go on."""
    for source in sources:
        if isinstance(source, Upload):
            yield from _read_stream(source.name, source.stream)
        elif source.is_dir():
            files = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
            if not files:
                yield Unreadable(str(source), 0, _("the folder holds no .json or .jsonl file"))
            for path in files:
                yield from _read_file(path)
        else:
            yield from _read_file(source)


def size_of(sources: Iterable[Source]) -> int:
    """Bytes in all, as far as they are known before reading."""
    total = 0
    for source in sources:
        if isinstance(source, Upload):
            total += source.size
        elif source.is_dir():
            total += sum(path.stat().st_size for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
        elif source.is_file():
            total += source.stat().st_size
    return total


def _read_file(path: Path) -> Iterator[Found | Unreadable]:
    try:
        with path.open("rb") as stream:
            yield from _read_stream(str(path), stream)
    except OSError as error:
        yield Unreadable(str(path), 0, _("can't be opened: %(reason)s") % {"reason": error.strerror or error})


def _read_stream(name: str, stream: BinaryIO) -> Iterator[Found | Unreadable]:
    text = _Text(stream)
    position = 0
    try:
        for piece, value in _values(name, text):
            position += 1
            if isinstance(value, _Refused):
                yield Unreadable(name, position, str(value))
            else:
                yield Found(name, position, piece, value)
    except _Refused as error:
        yield Unreadable(name, position + 1, str(error))


class _Text:
    """The text of a stream, fetched piece by piece."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        self.decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self.buffer = ""
        self.at_end = False
        self.bytes_read = 0

    def more(self) -> bool:
        """Fetch the next piece; False when there is none."""
        if self.at_end:
            return False
        chunk = self.stream.read(CHUNK)
        try:
            self.buffer += self.decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as error:
            at = self.bytes_read + error.start
            raise _Refused(
                _("not UTF-8 text: byte 0x%(byte)02X near position %(at)d") % {"byte": error.object[error.start], "at": at}
            ) from None
        self.bytes_read += len(chunk)
        self.at_end = not chunk
        return not self.at_end

    def skip_space(self) -> str:
        """Drop white space; the next character, or an empty text at the end."""
        while True:
            self.drop(_SPACE.match(self.buffer).end())  # type: ignore[union-attr]
            if self.buffer or not self.more():
                return self.buffer[:1]

    def drop(self, count: int) -> None:
        if count:
            self.buffer = self.buffer[count:]

    def line(self) -> str:
        """The next line without its end; refuses one longer than a document may be."""
        while "\n" not in self.buffer and len(self.buffer) <= DOCUMENT_LIMIT and self.more():
            pass
        line, found, rest = self.buffer.partition("\n")
        if len(line) > DOCUMENT_LIMIT:
            raise _too_large()
        self.buffer = rest if found else ""
        return line

    def value(self) -> tuple[str, Any]:
        """Decode the value that begins here; refuses what is not JSON."""
        while True:
            try:
                value, end = _DECODER.raw_decode(self.buffer)
            except json.JSONDecodeError as error:
                if len(self.buffer) <= DOCUMENT_LIMIT and self._double():
                    continue
                if len(self.buffer) > DOCUMENT_LIMIT:
                    raise _too_large() from None
                raise _not_json(error) from None
            except RecursionError:
                raise _Refused(_("nested too deep")) from None
            if end == len(self.buffer) and self._double():
                continue  # a number may go on in the next piece
            if end > DOCUMENT_LIMIT:
                raise _too_large()
            piece = self.buffer[:end]
            self.drop(end)
            return piece, value

    def _double(self) -> bool:
        """Fetch as much again as there is, so that a large document is decoded a few times at most."""
        wanted = max(2 * len(self.buffer), CHUNK)
        before = len(self.buffer)
        while len(self.buffer) < wanted and self.more():
            pass
        return len(self.buffer) > before


def _values(name: str, text: _Text) -> Iterator[tuple[str, Any]]:
    first = text.skip_space()
    if not first:
        raise _Refused(_("empty"))
    if first == "[":
        yield from _elements(text)
        _expect_end(text)
    elif name.lower().endswith(LINE_SUFFIXES):
        yield from _lines(text)
    elif first == "{" and (opening := _envelope(text)):
        text.drop(opening)
        yield from _elements_of_envelope(text)
    elif first == "{" and _has_lines(text):
        yield from _lines(text)
    else:
        yield from _opened(*text.value())
        _expect_end(text)


def _envelope(text: _Text) -> int:
    """Length of the opening of a search response, {"items": [ …, where the elements are orders and not the lines of one."""
    while len(text.buffer) < CHUNK and text.more():
        pass
    match = _ENVELOPE.match(text.buffer)
    if match is None:
        return 0
    start = _SPACE.match(text.buffer, match.end()).end()  # type: ignore[union-attr]
    if text.buffer[start : start + 1] == "]":
        return match.end() if '"count"' in match[0] or '"total"' in match[0] else 0
    probe = _Text(text.stream)
    probe.buffer, probe.decoder, probe.at_end, probe.bytes_read = text.buffer[start:], text.decoder, text.at_end, text.bytes_read
    head = text.buffer[:start]
    try:
        _piece, value = probe.value()
        is_order = isinstance(value, dict) and _looks_like_order(value)
    except _Refused:
        is_order = False
        _piece = ""
    text.buffer = head + _piece + probe.buffer
    text.at_end, text.bytes_read = probe.at_end, probe.bytes_read
    return match.end() if is_order else 0


def _looks_like_order(value: dict[str, Any]) -> bool:
    keys = {key.lower() for key in value}
    return bool(keys & {"items", "paymentstatus", "ordernumber", "vendorordernumber", "subtotal"})


def _has_lines(text: _Text) -> bool:
    """Whether the first line is a whole document and more lines follow."""
    while "\n" not in text.buffer and len(text.buffer) <= DOCUMENT_LIMIT and text.more():
        pass
    line, _found, rest = text.buffer.partition("\n")
    if not rest.strip() and not text.at_end:
        text.more()
        line, _found, rest = text.buffer.partition("\n")
    if not rest.strip():
        return False
    try:
        _DECODER.decode(line)
    except (ValueError, RecursionError):
        return False
    return True


def _lines(text: _Text) -> Iterator[tuple[str, Any]]:
    while text.skip_space():
        line = text.line().strip()
        try:
            value = _DECODER.decode(line)
        except json.JSONDecodeError as error:
            yield line, _not_json(error)
            continue
        except RecursionError:
            yield line, _Refused(_("nested too deep"))
            continue
        yield from _opened(line, value)


def _elements(text: _Text) -> Iterator[tuple[str, Any]]:
    text.drop(1)
    if text.skip_space() == "]":
        text.drop(1)
        return
    while True:
        text.skip_space()
        yield text.value()
        mark = text.skip_space()
        text.drop(1)
        if mark == "]":
            return
        if mark != ",":
            raise _Refused(_("the list is cut off or broken here") if mark else _("the list ends too early"))


def _elements_of_envelope(text: _Text) -> Iterator[tuple[str, Any]]:
    text.buffer = "[" + text.buffer
    yield from _elements(text)
    # What may follow the list: "count": 2, …}
    rest = text.line() if text.skip_space() else ""
    while text.skip_space():
        rest += text.line()
    try:
        _DECODER.decode('{"items": []' + rest)
    except (ValueError, RecursionError):
        raise _Refused(_("the list ends too early")) from None


def _opened(piece: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The documents inside a value: those of a list or a search response, else the value itself."""
    if isinstance(value, list):
        for element in value:
            yield as_text(element), element
    elif isinstance(value, dict) and _is_envelope(value):
        for element in value["items"]:
            yield as_text(element), element
    else:
        yield piece, value


def _is_envelope(value: dict[str, Any]) -> bool:
    items = value.get("items")
    if not isinstance(items, list) or not set(value) <= _ENVELOPE_KEYS:
        return False
    if not items:
        return "count" in value
    return any(isinstance(item, dict) and _looks_like_order(item) for item in items)


def _expect_end(text: _Text) -> None:
    if text.skip_space():
        raise _Refused(_("more text follows the end of the document"))


def _too_large() -> _Refused:
    return _Refused(_("larger than %(limit)d MB") % {"limit": DOCUMENT_LIMIT // 1024 // 1024})


def _not_json(error: json.JSONDecodeError) -> _Refused:
    return _Refused(
        _("not JSON: line %(line)d, column %(column)d: %(reason)s") % {"line": error.lineno, "column": error.colno, "reason": error.msg}
    )


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        return Decimal("Infinity")


def _integer(text: str) -> int | Decimal:
    # Beyond 18 digits nothing of ours fits, and int() of thousands of digits takes long.
    return int(text) if len(text) <= 18 else _decimal(text)


_DECODER = json.JSONDecoder(parse_float=_decimal, parse_int=_integer, parse_constant=_decimal)


def as_text(value: Any) -> str:
    """A value as JSON, numbers as they were written; equal values give equal texts."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(key)}:{as_text(value[key])}" for key in sorted(value)) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_text, value)) + "]"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f") if value.is_finite() and abs(value.adjusted()) < 40 else str(value)
    return json.dumps(value)


def content_hash(value: Any) -> str:
    """Identifies what a checked document says, whatever the order of its fields, its white space and its spelling of numbers."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), default=_spelled)
    return hashlib.sha256(text.encode()).hexdigest()


def _spelled(number: Decimal) -> int | list[str]:
    return int(number) if number == number.to_integral_value() else [format(number.normalize(), "f")]


def decode(text: str) -> Any:
    """One JSON value with exact numbers. Raises JSONDecodeError or RecursionError."""
    return _DECODER.decode(text)
