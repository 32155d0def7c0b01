"""Which characters the shipped fonts hold. A character they lack is replaced visibly: a missing glyph breaks PDF/A and says nothing."""

from functools import cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
REPLACEMENT = "\ufffd"  # REPLACEMENT CHARACTER, which the shipped fonts draw
_INVISIBLE = frozenset("\n\t\r\u200b\u200c\u200d\u200e\u200f\u2066\u2067\u2068\u2069\u00ad\ufeff")


@cache
def known_characters() -> frozenset[int]:
    """Code points that at least one shipped font draws."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415 (comes with WeasyPrint; takes a moment to load)

    known: set[int] = set()
    for path in sorted(FONTS.glob("*-Regular.woff2")):
        with TTFont(path, lazy=True) as font:
            known |= font.getBestCmap().keys()
    return frozenset(known)


def missing_characters(text: str) -> list[str]:
    """Characters of `text` that no shipped font draws, in the order they appear."""
    known = known_characters()
    return list(dict.fromkeys(c for c in text if ord(c) not in known and c not in _INVISIBLE))


def printable(text: str) -> str:
    """`text` with a visible sign in the place of every character that can't be drawn."""
    if text.isascii():
        return text
    known = known_characters()
    return "".join(c if ord(c) in known or c in _INVISIBLE else REPLACEMENT for c in text)
