"""Why a document is not issued, changed or printed; every text is safe to show to staff."""

from collections.abc import Sequence
from dataclasses import dataclass

from orders.errors import OrderError


@dataclass(frozen=True)
class Problem:
    """One thing that stands against an invoice. `link` leads to where it is put right; a warning does not block."""

    code: str
    field: str
    text: str
    link: str = ""
    blocks: bool = True


class CannotIssue(OrderError):
    """The document can't be issued; `problems` says everything that stands against it. No number was drawn."""

    code = "cannot_issue"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(" ".join(problem.text for problem in problems), code=problems[0].code, field=problems[0].field)
        self.problems = list(problems)


class Immutable(Exception):
    """Somebody tried to change or delete what was issued. Correct it with a credit note."""


class PdfUnavailable(Exception):
    """PDF can't be made on this machine; `str(error)` says what is missing and how to get it."""


class RenderFailed(Exception):
    """A document could not be laid out, or took too long or too much memory."""


class FileChanged(Exception):
    """A stored file is missing, or its bytes are not those that were stored."""
