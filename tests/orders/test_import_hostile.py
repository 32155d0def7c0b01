"""Wrong documents: one clear line each, the others go on."""

import json
from io import StringIO

import pytest
from django.core.management import call_command

from orders.models import Order
from tests.orders.ecwid_documents import became, document, item, run

pytestmark = pytest.mark.django_db

WRONG = {
    "a quantity below one": (document(items=[item(quantity=-1)]), "$.items[0].quantity: expected a whole number above 0, got -1"),
    "half a piece": (document(items=[item(quantity=1.5)]), "$.items[0].quantity: expected a whole number above 0, got 1.5"),
    "no quantity": (document(items=[item(quantity=None)]), "$.items[0].quantity: missing"),
    "no lines": (document(items=[]), "$.items: the order has no items"),
    "lines that are no list": (document(items={"a": 1}), "$.items: expected a list of items, got an object"),
    "a line that is a text": (document(items=["Mug"]), '$.items[0]: expected an object, got "Mug"'),
    "a total that is a text": (document(total="24"), '$.total: expected a number, got "24"'),
    "a negative total": (document(total=-24), "$.total: expected an amount of 0 or more, got -24"),
    "a price out of range": (document(items=[item(price=10**15)]), "$.items[0].price: the number 1000000000000000 is out of range"),
    "a date of its own": (
        document(createDate="4 September"),
        '$.createDate: expected a date such as 2024-09-04 07:22:09 +0000, got "4 September"',
    ),
    "an unknown status": (document(paymentStatus="MAYBE"), '$.paymentStatus: there is no status "MAYBE"'),
    "a person that is a list": (document(billingPerson=[1]), "$.billingPerson: expected an object, got a list"),
    "NUL in a name": (document(items=[item(name="M\x00ug")]), "$.items[0].name: the text holds a NUL character"),
    "half a character": (document(email="l\ud83d@example.com"), "$.email: the text holds half a character (a lone surrogate)"),
    "a number for the whole": (7, "$: expected an order as an object, got 7"),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG, ids=list(WRONG))
def test_a_wrong_document_gets_one_clear_line_and_the_others_go_on(wrong):
    body, line = WRONG[wrong]
    report = run(document("before"), body, document("after"))
    assert became(report) == ["created", "failed", "created"]
    assert report.results[1].problems == (line,)
    assert sorted(Order.objects.values_list("number", flat=True)) == ["after", "before"]


@pytest.mark.parametrize(
    ("figure", "line"),
    [
        ("NaN", "$.total: NaN is not a number"),
        ("-Infinity", "$.total: -Infinity is not a number"),
        ("1e400", "$.total: the number 1E+400 is out of range"),
        ("1e99999999999999999999", "$.total: Infinity is not a number"),
    ],
)
def test_numbers_that_are_none_are_refused(figure, line):
    text = json.dumps([document(total="X")]).replace('"X"', figure)
    report = run(text=text)
    assert report.results[0].problems == (line,)


def test_what_is_no_json_is_named_with_its_place():
    report = run(text='{"id": 1,\n "total": }')
    assert report.results[0].problems == ("not JSON: line 2, column 11: Expecting value",)


def test_text_that_is_not_utf8_is_refused():
    report = run(text='[{"id": "é"}]'.encode("latin-1"))
    assert report.results[0].problems == ("not UTF-8 text: byte 0xE9 near position 9",)


def test_nesting_without_end_is_refused():
    deep = "[" * 100 + "]" * 100
    report = run(text='[{"items": [{}], "x": ' + deep + "}]")
    assert report.results[0].problems[0].endswith("nested too deep")
    report = run(text='{"x": ' + "[" * 200_000 + "]" * 200_000 + "}")
    assert report.results[0].problems == ("nested too deep",)


def test_more_than_a_thousand_lines_are_refused():
    report = run(document(items=[item()] * 1001))
    assert report.results[0].problems == ("$.items: 1001 items, at most 1000 are allowed",)


def test_a_document_of_more_than_five_megabytes_is_refused():
    report = run(text=json.dumps(document(note="x" * 6_000_000), indent=1))
    assert report.results[0].problems == ("larger than 5 MB",)


def test_the_command_ends_with_status_one_after_a_failure(tmp_path):
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "good.json").write_text(json.dumps(document()))
    out, err = StringIO(), StringIO()
    with pytest.raises(SystemExit) as stop:
        call_command("import_ecwid", str(tmp_path), stdout=out, stderr=err)
    assert stop.value.code == 1
    assert "bad.json: not JSON: line 1, column 2" in err.getvalue()
    assert out.getvalue() == "1 created, 0 updated, 0 unchanged, 0 older, 1 failed, 0 warnings\n"


def test_a_missing_file_is_reported(tmp_path):
    err = StringIO()
    with pytest.raises(SystemExit):
        call_command("import_ecwid", str(tmp_path / "none.json"), stdout=StringIO(), stderr=err)
    assert err.getvalue().rstrip().endswith("none.json: can't be opened: No such file or directory")
