"""An export as a bulk job: the selection is read while the file is written, chunk by chunk, and told how far it is."""

import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.files.base import File
from django.http import QueryDict
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from orders.bulk.claiming import Claim
from orders.bulk.printing import store_file
from orders.exporting import Row, columns_of, rows_of_orders, write_csv, write_xlsx
from orders.models import BulkJob, Shop

CLOSING = timedelta(minutes=5)  # a large workbook is packed after its last row, in one piece
CHUNK = 500  # orders read at once: memory stays flat whatever the selection
State = BulkJob.State


class _Stopped(Exception):
    """Somebody stopped the export: half a file is no file."""


def export_orders(claim: Claim, user: Any) -> bool:
    """Write the file from the first order on. Columns about people need their right at this moment, not only in the panel."""
    wish = claim.look().wish
    personal = bool(wish.get("personal")) and user.has_perm("orders.export_personal_data")
    columns = columns_of(wish["rows"], personal=personal)
    with tempfile.TemporaryDirectory(prefix="export-") as folder:
        target = Path(folder) / "orders"
        chunks = _chunks(claim, user)
        try:
            if wish["format"] == "xlsx":
                write_xlsx(target, columns, chunks, title=_("Orders"))
            else:
                write_csv(target, columns, chunks, separator=separator())
        except _Stopped:
            claim.end(State.STOPPED)
            return False
        with target.open("rb") as stream:
            store_file(claim, State.DONE, File(stream), wish["format"])
    return False


def separator() -> str:
    """What spreadsheets of the reader's language expect between the cells of a CSV file."""
    return "," if (get_language() or "en").startswith("en") else ";"


def _chunks(claim: Claim, user: Any) -> Iterator[Iterator[Row]]:
    wish, shop = claim.job.wish, Shop.current()
    ids = list(wish["ids"]) if wish.get("ids") is not None else list(ids_of_result(user, wish["result"]))
    for start in range(0, len(ids), CHUNK):
        if claim.look().stop_requested:
            raise _Stopped
        part = ids[start : start + CHUNK]
        yield rows_of_orders(part, wish["rows"], shop)
        claim.show(min(start + CHUNK, len(ids)))
    claim.show(len(ids), lease=CLOSING)


def ids_of_result(user: Any, result: str, most: int | None = None) -> Iterator[int]:
    """Orders that the list shows for this address, each once, as the list sorts them."""
    from orders.admin.list_result import result_of  # noqa: PLC0415 (the list's pages offer bulk actions)

    found = result_of(user, QueryDict(result))
    tie = "-id" if found.sort.startswith("-") else "id"
    ids: Any = found.orders.order_by(found.sort, tie).values_list("pk", flat=True)
    seen: set[int] = set()
    for pk in ids[:most] if most else ids.iterator(chunk_size=5_000):
        if pk not in seen:
            seen.add(pk)
            yield pk


def count_of_result(user: Any, result: str) -> int:
    """How many orders that is."""
    from orders.admin.list_result import result_of  # noqa: PLC0415 (as above)

    return result_of(user, QueryDict(result)).orders.order_by().values("pk").distinct().count()
