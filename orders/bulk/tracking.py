"""What the lines of a carrier's file mean for orders: matched, planned together, and kept as a job that waits for its button."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.bulk.jobs import Answer, propose
from orders.carrier_files import (
    Columns,
    candidates,
    guess_columns,
    is_carrier,
    is_heading,
    order_number_of,
)
from orders.models import BulkJob, Carrier, Order, Shipment
from orders.search import fold
from orders.services.plan import Actor, Plan, PlannedChange, plan
from orders.services.tracking import Given, TrackingNumbersWish, plain_number

BATCH = 500  # values of one IN (…)


@dataclass
class Line:
    """A line of the file and what becomes of it: `problem` says why nothing does."""

    position: int
    cells: Sequence[str]
    order_text: str = ""
    number: str = ""
    carrier: str = ""
    order: Order | None = None
    problem: str = ""
    effect: str = ""
    is_same: bool = False
    mails: bool = False
    remark: str = ""


@dataclass
class Look:
    """A file as it was understood, before anything is saved."""

    columns: Columns
    heading: Sequence[str]
    width: int
    lines: list[Line] = field(default_factory=list)
    planned: Plan | None = None
    job: BulkJob | None = None

    @property
    def changes(self) -> list[PlannedChange]:
        return self.planned.changes if self.planned else []

    @property
    def problems(self) -> list[Line]:
        return [line for line in self.lines if line.problem]

    @property
    def same(self) -> list[Line]:
        return [line for line in self.lines if line.is_same]


def look_at(rows: Sequence[Sequence[str]], *, user: Any, columns: Columns | None = None, carrier: str = "") -> Look:
    """Understand the rows, plan what they ask and keep it as a proposed job. `columns` where somebody chose them; `carrier` for
    lines that name none (empty: the order's own)."""
    carriers = {fold(name): name for name in Carrier.objects.values_list("name", flat=True)}
    orders = _orders_by_number(candidates(rows))
    columns = columns or guess_columns(rows, set(orders), set(carriers))
    has_heading = bool(rows) and is_heading(rows[0], columns, set(orders))
    look = Look(columns, rows[0] if has_heading else (), max(map(len, rows), default=0))
    look.lines = [
        _line(position, row, columns, carriers, carrier) for position, row in enumerate(rows, start=1) if position > 1 or not has_heading
    ]
    _match(look.lines, orders)
    _check_numbers(look.lines)
    wanted = {line.order.pk: line for line in look.lines if line.order and not line.problem and not line.is_same}
    given = {pk: Given(line.number, line.carrier) for pk, line in wanted.items()}
    look.planned = plan(TrackingNumbersWish(ids=list(given), actor=Actor.clerk(user), numbers=given), render=False) if given else None
    if look.planned:
        _tell(look.planned, wanted)
        look.job = _propose(look.planned, given, user)
    return look


def _orders_by_number(numbers: Iterable[str]) -> dict[str, list[Order]]:
    found: dict[str, list[Order]] = defaultdict(list)
    wanted = sorted(numbers)
    columns = ("pk", "number", "source", "customer_name", "is_held", "shipping_carrier")
    for start in range(0, len(wanted), BATCH):
        for order in Order.objects.present().filter(number__in=wanted[start : start + BATCH]).only(*columns):
            found[order.number].append(order)
    return dict(found)


def _line(position: int, row: Sequence[str], columns: Columns, carriers: Mapping[str, str], default: str) -> Line:
    def cell(place: int) -> str:
        return row[place] if 0 <= place < len(row) else ""

    line = Line(position, row, order_text=order_number_of(cell(columns.order)), number="".join(cell(columns.tracking).split())[:200])
    written = cell(columns.carrier)
    # "Colissimo Domicile" is the shop's Colissimo; a carrier that the shop does not know is kept as it is written.
    known = next((name for key, name in carriers.items() if is_carrier(written, {key})), "") if written else ""
    line.carrier = known or written[:200] or default
    return line


def _match(lines: Iterable[Line], orders: Mapping[str, Sequence[Order]]) -> None:
    first: dict[int, Line] = {}
    for line in lines:
        found = orders.get(line.order_text, ())
        if not line.order_text:
            line.problem = _("The line has no order number.")
        elif not found:
            line.problem = _("There is no order %(number)s.") % {"number": line.order_text}
        elif len(found) > 1:
            sources = ", ".join(order.source for order in found)
            line.problem = _("Several orders have this number (%(sources)s): record the parcel on its page.") % {"sources": sources}
        else:
            line.order = found[0]
        if line.order is None:
            continue
        if not line.number:
            line.problem = _("The line has no tracking number.")
        elif (before := first.setdefault(line.order.pk, line)) is not line:
            if plain_number(before.number) == plain_number(line.number):
                line.is_same, line.effect = True, _("Repeats line %(position)d") % {"position": before.position}
            else:
                line.problem = _("Line %(position)d gives this order another number: record the second parcel on its page.") % {
                    "position": before.position
                }
        if line.order.is_held:
            line.remark = _("The order is on hold.")


def _check_numbers(lines: Sequence[Line]) -> None:
    """A number belongs to one order: in the file, and among the parcels that are known."""
    live = [line for line in lines if line.order and not line.problem and not line.is_same]
    counted = Counter(plain_number(line.number) for line in live)
    numbers = sorted({spelling for line in live for spelling in (line.number, plain_number(line.number))})
    owners: dict[str, Shipment] = {}
    for start in range(0, len(numbers), BATCH):
        known = Shipment.objects.filter(tracking_number__in=numbers[start : start + BATCH], voided_by=None, order__deleted_at=None)
        for parcel in known.select_related("order").only("tracking_number", "order__number"):
            owners[plain_number(parcel.tracking_number)] = parcel
    for line in live:
        owner = owners.get(plain_number(line.number))
        if counted[plain_number(line.number)] > 1:
            line.problem = _("The file gives this tracking number to %(count)d orders.") % {"count": counted[plain_number(line.number)]}
        elif owner and line.order and owner.order_id != line.order.pk:
            line.problem = _("The number is already on order %(number)s.") % {"number": owner.order.number}


def _tell(planned: Plan, wanted: Mapping[int, Line]) -> None:
    for pk, error in planned.refusals.items():
        wanted[pk].problem = str(error)
    for pk in planned.unchanged:
        wanted[pk].is_same, wanted[pk].effect = True, _("The order has this number already")
    for change in planned.changes:
        line = wanted[change.order.pk]
        line.mails = any(consequence.describe().icon == "mail" for consequence in change.consequences)
        line.effect = _effect(change)
        parcel = change.new_shipments[0][0]
        line.carrier = parcel.carrier


def _effect(change: PlannedChange) -> str:
    if change.voided_shipments:
        old = change.voided_shipments[0].tracking_number
        return _("The number of its parcel changes, so far %(old)s") % {"old": old} if old else _("Its parcel gets the number")
    count = sum(row.quantity for row in change.new_shipments[0][1])
    words = ngettext("A parcel with %(count)d piece", "A parcel with %(count)d pieces", count) % {"count": count}
    return f"{words} → {change.fulfilment}" if change.fulfilment_changes else words


def _propose(planned: Plan, given: Mapping[int, Given], user: Any) -> BulkJob:
    answers = {pk: Answer(seen=digest) for pk, digest in planned.digests().items()}
    answers |= {pk: Answer(is_unchanged=True) for pk in planned.unchanged}
    answers |= {pk: Answer(refusal=str(error)) for pk, error in planned.refusals.items()}
    numbers = {str(pk): [one.number, one.carrier] for pk, one in given.items()}
    return propose(BulkJob.Kind.TRACKING, {"numbers": numbers}, list(given), user=user, answers=answers)
