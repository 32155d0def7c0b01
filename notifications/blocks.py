"""The blocks that mails are made of: parsed from the notation, written as HTML and as text from the same values."""

import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.template.loader import render_to_string
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from notifications.templating import CLOSE, OPEN, BadText, Lines, Skeleton

COLUMNS = 72
_PLACEHOLDER = re.compile(f"{OPEN}([0-9]+){CLOSE}")
_ALONE = re.compile(f"^{OPEN}([0-9]+){CLOSE}$")
_LINK = re.compile(r"^\[([^\[\]]*)\]\(([^()\s]*)\)$")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ue000\ue001]")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_LATIN = re.compile("[A-Za-z0-9\u00c0-\u024f]")


@dataclass(frozen=True)
class Block:
    """A block that stands for itself in a template, such as the table of items. False when there is nothing to show."""

    name: str
    values: dict[str, Any] = field(default_factory=dict)
    shows: bool = True

    def __bool__(self) -> bool:
        return self.shows

    def __str__(self) -> str:
        return ""


@dataclass(frozen=True)
class Frame:
    """Direction, colours and joints of a mail in one language."""

    is_rtl: bool
    colon: str
    accent: str

    @property
    def values(self) -> dict[str, Any]:
        start, end = ("right", "left") if self.is_rtl else ("left", "right")
        return {"dir": "rtl" if self.is_rtl else "ltr", "start": start, "end": end, "accent": self.accent}


def read_blocks(skeleton: Skeleton) -> list[Block]:
    """The blocks of a rendered text, their values still as placeholders or as values of their own. Raises BadText without a title."""
    blocks: list[Block] = []
    has_button = False
    for paragraph in re.split(r"\n[ \t]*\n", skeleton.text.replace("\r\n", "\n")):
        for chunk in _chunks(paragraph):
            block = _block_of(chunk, skeleton, has_button=has_button)
            if block is None:
                continue
            has_button = has_button or block.name == "button"
            last = blocks[-1] if blocks else None
            if block.name == "text" and last is not None and last.name == "heading":
                last.values["paragraphs"].append(block.values["text"])
            else:
                blocks.append(block)
    if not blocks or blocks[0].name != "heading":
        raise BadText("no title")
    return blocks


def write_html(blocks: list[Block], skeleton: Skeleton, frame: Frame) -> SafeString:
    """The blocks as HTML. Values are escaped; the only markup is what the block templates make."""

    def fill(text: str) -> SafeString:
        return _fill_html(text, skeleton, frame)

    return format_html_join("", "{}", ((_html_of(block, fill, frame),) for block in blocks))


def write_text(blocks: list[Block], skeleton: Skeleton, frame: Frame) -> str:
    """The blocks as plain text of 72 columns; every fact of the HTML is in it."""

    def fill(text: str) -> str:
        return fill_plain(text, skeleton, frame)

    parts = (_TEXT[block.name](block.values, fill, frame) for block in blocks)
    return "\n\n".join(part for part in parts if part)


def fill_plain(text: str, skeleton: Skeleton, frame: Frame | None = None) -> str:
    """Literal text with its values, unescaped."""
    return _PLACEHOLDER.sub(lambda found: _plain(skeleton.values[int(found[1])], frame), text).strip()


def wrap(text: str) -> str:
    """Text in lines of 72 columns; addresses of the web are never broken."""
    return "\n".join(
        textwrap.fill(line, COLUMNS, break_long_words=False, break_on_hyphens=False) if line.strip() else "" for line in text.splitlines()
    )


def _chunks(paragraph: str) -> Iterator[str]:
    """Parts of a paragraph that stand alone on their line, and the text between them."""
    kept: list[str] = []
    for line in paragraph.split("\n"):
        bare = line.strip()
        stands_alone = bare.startswith("# ") or _LINK.match(bare) or _ALONE.match(bare)
        if kept and (stands_alone or kept[0].startswith(">") != bare.startswith(">")):
            yield "\n".join(kept)
            kept = []
        if stands_alone:
            yield bare
        elif bare:
            kept.append(bare)
    if kept:
        yield "\n".join(kept)


def _block_of(chunk: str, skeleton: Skeleton, *, has_button: bool) -> Block | None:
    if alone := _ALONE.match(chunk):
        value = skeleton.values[int(alone[1])]
        if isinstance(value, Block):
            return value or None
    if chunk.startswith("# "):
        return Block("heading", {"title": chunk[2:], "paragraphs": []})
    if chunk.startswith(">"):
        lines = [line.removeprefix(">").strip() for line in chunk.split("\n")]
        title = lines.pop(0)[2:] if lines[0].startswith("# ") else ""
        text = " ".join(line for line in lines if line)
        return Block("quote", {"title": title, "text": text}) if fill_plain(text, skeleton) else None
    if link := _LINK.match(chunk):
        if not fill_plain(link[2], skeleton):
            return None
        return Block("link" if has_button else "button", {"label": link[1], "url": link[2]})
    text = " ".join(chunk.split("\n"))
    if len(text) >= 2 and text.startswith("*") and text.endswith("*"):
        text, name = text[1:-1], "note"
    else:
        name = "text"
    return Block(name, {"text": text}) if fill_plain(text, skeleton) else None


def _plain(value: Any, frame: Frame | None) -> str:
    text = _CONTROLS.sub("", str(value))
    text = text.strip() if isinstance(value, Lines) else re.sub(r"[ \t]*\n[ \t\n]*", " ", text)
    if frame is None:
        return text
    foreign = _LATIN if frame.is_rtl else _RIGHT_TO_LEFT
    return f"\u2068{text}\u2069" if foreign.search(text) else text


def _fill_html(text: str, skeleton: Skeleton, frame: Frame) -> SafeString:
    parts: list[tuple[Any]] = []
    position = 0
    for found in _PLACEHOLDER.finditer(text):
        parts.append((text[position : found.start()],))
        for number, line in enumerate(_plain(skeleton.values[int(found[1])], frame).split("\n")):
            parts.append((format_html("<br>{}", line) if number else line,))
        position = found.end()
    parts.append((text[position:],))
    return format_html_join("", "{}", parts)


def _html_of(block: Block, fill: Callable[[str], SafeString], frame: Frame) -> SafeString:
    values = dict(block.values)
    for name in ("title", "text", "label"):
        if isinstance(values.get(name), str):
            values[name] = fill(values[name])
    if block.name in ("button", "link"):
        values["url"] = fill(values["url"])
    if "paragraphs" in values:
        values["paragraphs"] = [fill(paragraph) for paragraph in values["paragraphs"]]
    rows = values.get("rows")
    if rows:
        values["rows"] = [*rows[:-1], {**rows[-1], "last": block.name == "files" or not values.get("totals_follow")}]
    return render_to_string(f"emails/blocks/{block.name}.html", frame.values | values)


def _titled(title: str, body: str) -> str:
    return f"{title}\n{'-' * len(title)}\n{body}" if title else body


def _text_heading(values: dict[str, Any], fill: Callable[[str], str], _frame: Frame) -> str:
    return "\n\n".join(wrap(fill(part)) for part in (values["title"], *values["paragraphs"]) if fill(part))


def _text_plain(values: dict[str, Any], fill: Callable[[str], str], _frame: Frame) -> str:
    return wrap(fill(values["text"]))


def _text_link(values: dict[str, Any], fill: Callable[[str], str], frame: Frame) -> str:
    return f"{fill(values['label'])}{frame.colon.rstrip(' ')}\n{fill(values['url'])}"


def _text_quote(values: dict[str, Any], fill: Callable[[str], str], _frame: Frame) -> str:
    return _titled(fill(values["title"]), wrap(fill(values["text"])))


def _text_status(values: dict[str, Any], _fill: Callable[[str], str], _frame: Frame) -> str:
    line = f"{values['payment_word']} {values['payment']} · {values['fulfilment_word']} {values['fulfilment']}"
    return "\n".join([line, *([wrap(values["was"])] if values.get("was") else [])])


def _text_facts(values: dict[str, Any], _fill: Callable[[str], str], frame: Frame) -> str:
    rows = [f"{row['label']}{frame.colon}{row['value']}" for row in values["rows"]]
    return _titled(values.get("title", ""), "\n".join(rows))


def _text_lines(values: dict[str, Any], _fill: Callable[[str], str], frame: Frame) -> str:
    rows = []
    for row in values["rows"]:
        head = f"{row['quantity']} × {row['name']}" if row["quantity"] else row["name"]
        rows.append(f"{head}{frame.colon}{row['amount']}" if row.get("amount") else head)
        if row.get("option"):
            rows.append(f"    {row['option']}")
    return _titled(values["title"], "\n".join(rows))


def _text_totals(values: dict[str, Any], _fill: Callable[[str], str], frame: Frame) -> str:
    rows = [f"{row['label']}{frame.colon}{row['amount']}" for row in values["rows"]]
    rows.append(f"{values['total_label']}{frame.colon}{values['total']}")
    return "\n".join([*rows, *([values["note"]] if values.get("note") else [])])


def _text_columns(values: dict[str, Any], _fill: Callable[[str], str], _frame: Frame) -> str:
    sides = ((values["a_title"], values["a_lines"]), (values["b_title"], values["b_lines"]))
    return "\n\n".join(_titled(title, "\n".join(lines)) for title, lines in sides if lines)


def _text_files(values: dict[str, Any], _fill: Callable[[str], str], _frame: Frame) -> str:
    rows = [f"{row['name']} ({row['detail']})" if row.get("detail") else row["name"] for row in values["rows"]]
    links = [row.get("url", "") for row in values["rows"]]
    return _titled(values["title"], "\n".join(f"{row}\n{url}" if url else row for row, url in zip(rows, links, strict=True)))


_TEXT: dict[str, Callable[[dict[str, Any], Callable[[str], str], Frame], str]] = {
    "heading": _text_heading,
    "text": _text_plain,
    "note": _text_plain,
    "button": _text_link,
    "link": _text_link,
    "quote": _text_quote,
    "status": _text_status,
    "facts": _text_facts,
    "lines": _text_lines,
    "totals": _text_totals,
    "columns": _text_columns,
    "files": _text_files,
}
