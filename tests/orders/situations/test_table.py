"""The table of situations is whole: thirty of them, each played by one test and told in the docs under the same title."""

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest

from tests.orders import situations
from tests.orders.situations.outcome import SITUATIONS

pytestmark = pytest.mark.django_db  # the fixtures of this folder set up a shop
TABLE = Path(__file__).parents[3] / "docs" / "situations.md"
COLUMNS = ["No", "Situation", "What staff do", "Money", "Stock", "Event", "Mail", "Document", "Test", "Clicks and keys"]


@pytest.fixture(scope="module")
def played():
    """Number: title and test, of every module of the package."""
    for module in iter_modules(situations.__path__):
        if module.name.startswith("test_"):
            import_module(f"{situations.__name__}.{module.name}")
    return SITUATIONS


def rows():
    lines = [line for line in TABLE.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_thirty_situations_are_played_once_each(played):
    assert sorted(played) == list(range(1, 31))


def test_the_docs_list_the_same_situations_and_tests(played):
    _head, _line, *told = rows()
    assert [(int(row[0]), row[1], row[8]) for row in told] == [
        (number, title, f"`{test}`") for number, (title, test) in sorted(played.items())
    ]


def test_every_row_says_something_of_everything():
    head, _line, *told = rows()
    assert head == COLUMNS
    assert [row[0] for row in told if len(row) != len(COLUMNS) or not all(row[:9])] == []
