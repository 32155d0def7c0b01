"""Template tags of the look; loaded in every template."""

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()


@register.simple_tag
def icon(name: str, extra_class: str = "") -> SafeString:
    """An icon of icons.svg, silent for screen readers: `{% icon "truck" %}`; the words stand beside it."""
    classes = f"icon {extra_class}".strip()
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}#i-{}"/></svg>', classes, static("icons.svg"), name)


@register.filter
def initials(name: str) -> str:
    """The letters of an avatar: "Inès Morel" gives "IM"."""
    words = name.split()
    return "".join(word[0] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()
