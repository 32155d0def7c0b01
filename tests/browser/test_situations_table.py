"""The table of situations says of each walk what it takes."""

from importlib import import_module
from pathlib import Path

from tests.browser.hand import WALKS

TABLE = Path(__file__).parents[2] / "docs" / "situations.md"
WALKED = ("before", "editing", "ending", "goods")


def test_the_docs_say_what_each_walk_took():
    for name in WALKED:
        import_module(f"tests.browser.test_situations_{name}")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in TABLE.read_text(encoding="utf-8").splitlines()]
    told = {int(row[0]): row[-1] for row in rows if row[0].isdecimal() and row[-1] != "–"}
    assert told == {number: str(effort) for number, effort in WALKS.items()}
    assert len(told) == 10
