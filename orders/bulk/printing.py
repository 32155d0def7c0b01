"""Order sheets or packing slips of many orders as one PDF, in the order of the selection.

Each handful of pages is kept as soon as it is made, so a turn, a stop or a killed worker costs at most one handful.
"""

import time
from collections.abc import Callable, Sequence
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from orders.bulk.asking import SHEETS
from orders.bulk.claiming import Claim, LeaseLost
from orders.bulk.jobs import parts_folder, parts_of, remove_parts
from orders.models import BulkItem, BulkJob, Order

CHUNK = 20  # pages or so in one child process: a few seconds
State, ItemState = BulkJob.State, BulkItem.State
Printer = Callable[[str, Sequence[Order], str], tuple[bytes, dict[int, str]]]


def print_orders(claim: Claim, deadline: float) -> bool:
    """Print the orders that wait; when none does, or somebody stops it, join what is there. Returns whether a turn is left to do."""
    while True:
        job = claim.look()
        items = list(job.items.filter(state=ItemState.WAITING).order_by("position")[:CHUNK])
        if job.stop_requested or not items:
            _join(claim, State.STOPPED if job.stop_requested else State.DONE)
            return False
        _print_chunk(claim, items)
        if time.monotonic() > deadline:
            claim.give_back()
            return True


def _print_chunk(claim: Claim, items: list[BulkItem]) -> None:
    job = claim.job
    found = Order.objects.present().with_statuses().in_bulk([item.order_id for item in items])
    orders = [found[item.order_id] for item in items if item.order_id in found]
    printer: Printer = import_string(settings.SHEET_PRINTER)
    content, failures = printer(job.wish["what"], orders, job.language)
    if content:
        # Named by its place: a handful that is made twice replaces itself.
        name = f"{parts_folder(job)}/{items[0].position:06d}.pdf"
        if default_storage.exists(name):
            default_storage.delete(name)
        default_storage.save(name, ContentFile(content))
    for item in items:
        if item.order_id not in found:
            item.state, item.message = ItemState.REFUSED, _("This order was deleted.")
        elif item.order_id in failures:
            item.state, item.message = ItemState.REFUSED, failures[item.order_id][:400]
        else:
            item.state = ItemState.DONE
    with transaction.atomic():
        BulkItem.objects.bulk_update(items, ["state", "message"])
        claim.extend(len(items))


def _join(claim: Claim, state: str) -> None:
    job, parts = claim.job, parts_of(claim.job)
    if not parts:
        claim.end(state)
        return
    merge: Callable[[Sequence[Any]], Any] = import_string(settings.SHEET_JOINER)
    opened = [default_storage.open(name) for name in parts]
    try:
        with merge(opened) as whole:
            store_file(claim, state, File(whole), "pdf")
    finally:
        for part in opened:
            part.close()
    if state == State.DONE:
        remove_parts(job)


def store_file(claim: Claim, state: str, content: File, suffix: str) -> None:
    """Keep the file and end the job; where another worker has it by now, no file of this one stays. Raises LeaseLost."""
    job = claim.job
    name = default_storage.save(f"bulk/{job.public_id}-{claim.token[:8]}.{suffix}", content)
    try:
        claim.end(state, file=name, file_name=f"{_file_word(job)}-{timezone.localtime():%Y-%m-%d-%H%M}.{suffix}")
    except LeaseLost:
        default_storage.delete(name)
        raise


def _file_word(job: BulkJob) -> str:
    if job.kind == BulkJob.Kind.PRINT:
        return _("order-sheets") if job.wish["what"] == SHEETS else _("packing-slips")
    return _("orders")
