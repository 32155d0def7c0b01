"""Direction of texts in documents: WeasyPrint ignores dir=auto, so it is worked out here."""

import unicodedata

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

register = template.Library()


def _direction(text: str) -> str:
    """Direction of the first letter that has one; numbers and codes read from left to right."""
    for character in text:
        kind = unicodedata.bidirectional(character)
        if kind in ("R", "AL"):
            return "rtl"
        if kind == "L":
            return "ltr"
    return "ltr"


@register.filter
def isolate(text: str, direction: str) -> SafeString:
    """A text of the other direction than the page's, isolated from what stands around it."""
    own = _direction(str(text))
    if own == direction or not str(text):
        return SafeString(conditional_escape(text))
    return format_html('<bdi dir="{}">{}</bdi>', own, text)


@register.filter
def isolate_plain(text: str, direction: str) -> str:
    """The same for attributes, which hold no elements: U+2066 or U+2067, and U+2069."""
    own = _direction(str(text))
    if own == direction or not str(text):
        return str(text)
    return f"{chr(0x2066) if own == 'ltr' else chr(0x2067)}{text}\u2069"
