"""Colours of mails: the shop's accent made legible on light and dark grounds (WCAG contrast)."""

from dataclasses import dataclass

INK = "#1c1a17"
GROUND = "#ffffff"
DARK_GROUND = "#161513"
LEAST = 4.5
LEAST_DARK = 7.0


@dataclass(frozen=True)
class Palette:
    """What the frame needs: `accent` fills the button and draws rules, `accent_text` colours links and titles."""

    accent: str
    on_accent: str
    accent_text: str
    accent_dark: str
    on_accent_dark: str = DARK_GROUND


def palette_of(accent: str) -> Palette:
    """The colours for a shop's accent; an accent that can't be read on white is not used for text."""
    legible = contrast(accent, GROUND) >= LEAST
    return Palette(
        accent=accent,
        on_accent=GROUND if legible else INK,
        accent_text=accent if legible else INK,
        accent_dark=_lightened(accent),
    )


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two #rrggbb colours, 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _lightened(accent: str) -> str:
    """The accent mixed with white until it can be read on the dark ground."""
    for step in range(21):
        mixed = "#" + "".join(f"{round(part + (255 - part) * step / 20):02x}" for part in _parts(accent))
        if contrast(mixed, DARK_GROUND) >= LEAST_DARK:
            return mixed
    return GROUND


def _parts(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (part / 255 for part in _parts(colour))
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in (red, green, blue)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
