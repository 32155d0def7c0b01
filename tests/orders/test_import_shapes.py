"""Files of every shape: lists, search responses, lines, of any size."""

import json
import tracemalloc
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.importers.ecwid.reading import Found, Upload, read_documents
from tests.orders.ecwid_documents import became, document, item, run

ORDERS = [document(f"N{index}", total=24 + index) for index in range(3)]


def numbers(text: str, name: str = "orders.json", chunk: int = 0) -> list:
    stream = BytesIO(text.encode()) if not chunk else Drips(text.encode(), chunk)
    return [found.value["id"] if isinstance(found, Found) else found.problem for found in read_documents([Upload(name, stream)])]


class Drips(BytesIO):
    """A stream that gives a few bytes at a time, as a slow network does."""

    def __init__(self, body: bytes, size: int) -> None:
        super().__init__(body)
        self.drip = size

    def read(self, size: int | None = -1) -> bytes:
        return super().read(self.drip)


SHAPES = {
    "a list": json.dumps(ORDERS),
    "an indented list": json.dumps(ORDERS, indent=2),
    "a search response": json.dumps({"total": 3, "count": 3, "offset": 0, "limit": 100, "items": ORDERS}),
    "a search response with its counts last": json.dumps({"items": ORDERS, "total": 3, "count": 3}, indent=1),
    "lines": "\n".join(json.dumps(order) for order in ORDERS) + "\n",
    "lines with empty ones and Windows ends": "\r\n\r\n".join(json.dumps(order) for order in ORDERS),
    "a byte order mark": "\ufeff" + json.dumps(ORDERS),
}


@pytest.mark.parametrize("shape", SHAPES, ids=list(SHAPES))
@pytest.mark.parametrize("chunk", [0, 7, 1000])
def test_every_shape_gives_the_same_orders(shape, chunk):
    assert numbers(SHAPES[shape], chunk=chunk) == ["N0", "N1", "N2"]


def test_one_order_is_one_document():
    assert numbers(json.dumps(ORDERS[0], indent=3)) == ["N0"]


def test_an_order_that_begins_with_its_items_is_no_search_response():
    order = {"items": [item()], "id": "N9", "total": 24}
    assert numbers(json.dumps(order)) == ["N9"]


def test_an_empty_search_response_holds_nothing():
    assert numbers('{"total": 0, "count": 0, "items": []}') == []


def test_a_bad_line_leaves_the_other_lines_alone():
    text = "\n".join([json.dumps(ORDERS[0]), "{oops", json.dumps(ORDERS[2])])
    assert numbers(text, name="orders.jsonl") == [
        "N0",
        "not JSON: line 1, column 2: Expecting property name enclosed in double quotes",
        "N2",
    ]


def test_a_list_that_is_cut_off_keeps_what_came_before():
    text = json.dumps(ORDERS)
    assert numbers(text[: text.index('"N2"')])[:2] == ["N0", "N1"]


def test_memory_does_not_grow_with_the_file():
    def peak_of(count: int) -> int:
        body = json.dumps([document(f"N{index}", orderComments="x" * 2000) for index in range(count)]).encode()
        tracemalloc.start()
        assert sum(1 for _found in read_documents([Upload("many.json", BytesIO(body))])) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert peak_of(2000) < peak_of(500) * 1.5


@pytest.mark.django_db
def test_a_batch_costs_the_same_queries_whatever_its_size():
    def queries_of(first: int, count: int) -> int:
        orders = [document(f"Q{first + index}", email=f"q{first + index}@example.com") for index in range(count)]
        with CaptureQueriesContext(connection) as found:
            assert set(became(run(*orders))) == {"created"}
        return len(found)

    # SQLite takes 999 parameters at a time, so that a few inserts of the larger batch come in pieces.
    assert queries_of(100, 80) <= queries_of(0, 5) + 15
