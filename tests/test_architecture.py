"""Rules of the house that no linter knows: who may write what, and which file names say nothing."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
APPS = ("ecwid_orders", "orders", "invoices", "notifications")
MODULES = [path for app in APPS for path in sorted((ROOT / app).rglob("*.py")) if "migrations" not in path.parts]
NAMELESS = {"core", "common", "utils", "helpers", "mixins", "signals", "constants", "misc"}

STATUS_COLUMNS = {"payment_status", "payment_status_id", "fulfilment_status", "fulfilment_status_id"}
ATTACHING = {"orders/services/world.py", "orders/admin/list_columns.py"}  # set rows already read, save nothing
STATUS_WRITERS = {"orders/services/writing.py", "orders/services/intake.py"} | ATTACHING
STATUS_IMPORTERS = "orders/importers/"
STOCK_COLUMNS = {"on_hand", "committed", "consumed"}
STOCK_WRITERS = {"orders/services/stock.py"}


def written_names(tree):
    """Attributes assigned, and keywords of `.update(...)` calls, with their lines."""
    for node in ast.walk(tree):
        targets = [*getattr(node, "targets", []), *([node.target] if isinstance(node, (ast.AugAssign, ast.AnnAssign)) else [])]
        for target in targets:
            for part in ast.walk(target):
                if isinstance(part, ast.Attribute) and isinstance(part.ctx, ast.Store):
                    yield part.attr, node.lineno
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "update":
            for keyword in node.keywords:
                if keyword.arg:
                    yield keyword.arg, node.lineno


def writers_of(columns, allowed, *, folder=""):
    found = []
    for path in MODULES:
        name = path.relative_to(ROOT).as_posix()
        if name in allowed or (folder and name.startswith(folder)):
            continue
        found += [f"{name}:{line} writes {column}" for column, line in written_names(ast.parse(path.read_text())) if column in columns]
    return found


def test_only_the_services_write_a_status():
    assert writers_of(STATUS_COLUMNS, STATUS_WRITERS, folder=STATUS_IMPORTERS) == []


def test_only_one_file_writes_stock():
    assert writers_of(STOCK_COLUMNS, STOCK_WRITERS) == []


@pytest.mark.parametrize(
    "code", ["order.payment_status = paid", "Order.objects.update(payment_status=paid)", "order.payment_status_id += 1"]
)
def test_the_scan_finds_a_writer(code):
    assert [name for name, _line in written_names(ast.parse(code)) if name in STATUS_COLUMNS]


def test_no_file_name_says_nothing():
    assert [path for path in MODULES if path.stem in NAMELESS or NAMELESS & set(path.relative_to(ROOT).parent.parts)] == []


def test_modules_stay_readable():
    long = {path.relative_to(ROOT).as_posix(): count for path in MODULES if (count := len(path.read_text().splitlines())) > 400}
    assert long == {}


def test_every_module_says_what_it_knows():
    silent = [path for path in MODULES if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []
