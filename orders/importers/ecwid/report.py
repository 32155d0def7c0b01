"""What became of the documents of an import."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Became(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    OLDER = "older"
    FAILED = "failed"


@dataclass(frozen=True)
class Result:
    """One document: where it stood, what became of it, and why."""

    source: str
    position: int
    became: Became
    number: str = ""
    kind: str = "order"  # order or cart
    order_id: int | None = None
    draft_id: int | None = None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "source": self.source,
            "position": self.position,
            "number": self.number,
            "kind": self.kind,
            "result": self.became.value,
            "problems": list(self.problems),
            "warnings": list(self.warnings),
        }


@dataclass
class Report:
    """Counts of all documents; their results are kept only where nobody takes them one by one."""

    counts: Counter[str] = field(default_factory=Counter)
    results: list[Result] = field(default_factory=list)
    is_dry_run: bool = False

    def count(self, result: Result) -> None:
        self.counts[result.became.value] += 1
        self.counts["warnings"] += len(result.warnings)

    @property
    def has_failures(self) -> bool:
        return bool(self.counts[Became.FAILED.value])

    def counts_as_json(self) -> dict[str, int]:
        return {name: self.counts[name] for name in (*(became.value for became in Became), "warnings")}
