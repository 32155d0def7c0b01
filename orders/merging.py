"""Two people changed the same thing: what each of them wanted, put together field by field."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    """What became of one field."""

    SAME = "same"  # nobody changed it
    MINE = "mine"  # only I changed it
    THEIRS = "theirs"  # only somebody else changed it
    AGREED = "agreed"  # both changed it to the same value
    OVERLAP = "overlap"  # both changed it, to different values: somebody has to choose


@dataclass(frozen=True)
class MergedField:
    """One field as I saw it, as it is now, as I want it."""

    seen: str
    now: str
    wanted: str

    @property
    def outcome(self) -> Outcome:
        if self.wanted == self.now:
            return Outcome.SAME if self.seen == self.now else Outcome.AGREED
        if self.wanted == self.seen:
            return Outcome.THEIRS
        return Outcome.MINE if self.now == self.seen else Outcome.OVERLAP

    @property
    def value(self) -> str:
        """The value that loses nothing; where both changed it, theirs stands until somebody chooses."""
        return self.wanted if self.outcome == Outcome.MINE else self.now


def merge(seen: Mapping[str, str], now: Mapping[str, str], wanted: Mapping[str, str]) -> dict[str, MergedField]:
    """Every field that any of the three names. A field that `wanted` leaves out is not changed by me."""
    names = dict.fromkeys([*now, *wanted, *seen])
    found = {}
    for name in names:
        before = seen.get(name, now.get(name, ""))
        found[name] = MergedField(before, now.get(name, ""), wanted.get(name, before))
    return found


def merge_names(seen: str, now: str, wanted: str) -> str:
    """Names separated by commas, such as tags: what either added is there, what either took away is not. Never an overlap."""
    before, current, mine = (_names(text) for text in (seen, now, wanted))
    kept = [name for name in current if name in mine or name not in before]
    return ", ".join([*kept, *(name for name in mine if name not in before and name not in current)])


def _names(text: str) -> list[str]:
    return list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
