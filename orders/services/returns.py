"""The steps of a return: requested, approved, received, inspected, closed. Each is a change of its order, with an event.

Only the inspection moves stock; money is a refund's or an exchange's business, which names the return it is for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Sum
from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.errors import InvalidWish
from orders.models import Order, OrderEvent, OrderLine, ReturnCase, ReturnCaseLine
from orders.models.returns import OPEN_STATES
from orders.services.change import PlannedReturn
from orders.services.plan import OneOrderWish, PlannedChange, World
from orders.services.return_rows import rows_of
from orders.services.status import decide_returned
from orders.services.stock import Pieces

State = ReturnCase.State
AWAITED = (State.REQUESTED, State.APPROVED, State.RECEIVED)  # pieces of these are still to be inspected


@dataclass(kw_only=True)
class _ReturnWish(OneOrderWish):
    def begin(self, order: Order, world: World) -> PlannedChange:
        self.check_version(order)
        self.require("orders.ship_order", _("You may not record returns."))
        change = world.change_of(order, OrderEvent.Kind.RETURN)
        change.personal_word = self.personal_word
        return change


@dataclass(kw_only=True)
class ReturnRequestWish(_ReturnWish):
    """A customer wants to send `pieces` (per line id) back, each line with its reason. `is_approved`: the shop agrees at once."""

    pieces: Mapping[int, int]
    reasons: Mapping[int, str] = field(default_factory=dict)
    note: str = ""
    is_approved: bool = False

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.ship_order, InvalidWish for nothing or more than the customer has."""
        change = self.begin(order, world)
        can_come = returnable(order, change.lines)
        by_pk = {line.pk: line for line in change.lines}
        rows = []
        for pk, asked in self.pieces.items():
            if not asked:
                continue
            line = by_pk.get(pk)
            if line is None:
                raise InvalidWish(_("This item is not on the order."), field=f"line-{pk}")
            if not 0 < asked <= can_come.get(pk, 0):
                raise InvalidWish(
                    _("%(name)s: %(left)d pieces can still come back.") % {"name": line.name, "left": can_come.get(pk, 0)},
                    field=f"line-{pk}",
                )
            row = ReturnCaseLine(line=line, asked=asked, reason=self.reasons.get(pk, ""))
            rows.append((row, {"asked": asked}))
        if not rows:
            raise InvalidWish(_("Say how many pieces are to come back."))
        case = ReturnCase(order=order, state="", note=self.note.strip()[:400], requested_at=world.now, actor=self.actor.user)
        change.reason = case.note
        state = State.APPROVED if self.is_approved else State.REQUESTED
        change.returns.append(PlannedReturn(case, {"state": state.value}, rows))
        return change


@dataclass(kw_only=True)
class _StepWish(_ReturnWish):
    """A step of a return that exists."""

    case_id: int

    def case_in(self, order: Order, *states: str) -> ReturnCase:
        return case_of(order, self.case_id, *states)


@dataclass(kw_only=True)
class ApproveReturnWish(_StepWish):
    """The shop agrees to a return."""

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed, InvalidWish for a return that is not just requested."""
        change = self.begin(order, world)
        case = self.case_in(order, State.REQUESTED)
        change.returns.append(PlannedReturn(case, {"state": State.APPROVED.value}))
        return change


@dataclass(kw_only=True)
class RefuseReturnWish(_StepWish):
    """The shop does not take the pieces back, with a reason."""

    reason: str

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed, InvalidWish without a reason or for a return whose pieces are here."""
        change = self.begin(order, world)
        case = self.case_in(order, State.REQUESTED, State.APPROVED)
        reason = self.reason.strip()[:400]
        if not reason:
            raise InvalidWish(_("Say why the return is refused."), field="reason")
        change.reason = reason
        change.returns.append(PlannedReturn(case, {"state": State.REFUSED.value, "refusal": reason}))
        return change


@dataclass(kw_only=True)
class ReceiveReturnWish(_StepWish):
    """The parcel of a return is here with `pieces` per line id. Nothing moves before they are inspected."""

    pieces: Mapping[int, int]

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed, InvalidWish for no pieces or more than were asked back."""
        change = self.begin(order, world)
        case = self.case_in(order, State.REQUESTED, State.APPROVED)
        rows = []
        for row in rows_of(case, change.lines):
            received = self.pieces.get(row.line_id, 0)
            if not 0 <= received <= row.asked:
                raise InvalidWish(
                    _("%(name)s: at most %(most)d pieces were to come back.") % {"name": row.line.name, "most": row.asked},
                    field=f"line-{row.line_id}",
                )
            rows.append((row, {"received": received}))
        if not any(values["received"] for _row, values in rows):
            raise InvalidWish(_("Say how many pieces came back."))
        change.returns.append(PlannedReturn(case, {"state": State.RECEIVED.value}, rows))
        return change


@dataclass(kw_only=True)
class InspectReturnWish(_StepWish):
    """What becomes of the received pieces, per line id as (shelf, lost); what is named in neither stays the customer's."""

    pieces: Mapping[int, tuple[int, int]]
    set_returned: bool = False

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed, InvalidWish where more is decided than was received or is out."""
        change = self.begin(order, world)
        case = self.case_in(order, State.RECEIVED)
        rows, decided = [], {}
        for row in rows_of(case, change.lines):
            shelf, lost = self.pieces.get(row.line_id, (0, 0))
            if min(shelf, lost) < 0 or shelf + lost > row.received:
                raise InvalidWish(
                    _("%(name)s: %(count)d pieces were received.") % {"name": row.line.name, "count": row.received},
                    field=f"line-{row.line_id}",
                )
            rows.append((row, {"shelf": shelf, "lost": lost}))
            decided[row.line_id] = (shelf, lost)
        if not change.payment.releases:  # a cancelled order gave its pieces back already
            decide_returned(change, decided)
        change.returns.append(PlannedReturn(case, {"state": State.INSPECTED.value}, rows))
        if self.set_returned:
            change.fulfilment = world.status(Axis.FULFILMENT, "RETURNED")
        return change


@dataclass(kw_only=True)
class CloseReturnWish(_StepWish):
    """End a return without giving anything for it."""

    reason: str = ""

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed, InvalidWish for a return that is not inspected."""
        change = self.begin(order, world)
        case = self.case_in(order, State.INSPECTED)
        change.reason = self.reason.strip()[:400]
        change.returns.append(PlannedReturn(case, {"state": State.CLOSED.value, "ending": ReturnCase.Ending.NOTHING.value}))
        return change


def case_of(order: Order, case_id: int, *states: str) -> ReturnCase:
    """The return of `order` in one of `states`. Raises InvalidWish that says where it stands instead."""
    case = ReturnCase.objects.filter(order=order, pk=case_id).first()
    if case is None:
        raise InvalidWish(_("This return is not on the order."))
    if case.state not in states:
        raise InvalidWish(_("This return is %(state)s already.") % {"state": str(case.get_state_display()).lower()})
    return case


def closing(order: Order, case_id: int, ending: str) -> PlannedReturn:
    """The end of an inspected return by the refund of the same change. Raises InvalidWish for another state."""
    case = case_of(order, case_id, State.INSPECTED)
    return PlannedReturn(case, {"state": State.CLOSED.value, "ending": ending}, takes_refund=True)


def returnable(order: Order, lines: Iterable[OrderLine]) -> dict[int, int]:
    """Pieces per line id that the customer has and that no open return names yet. One query."""
    lines = list(lines)
    if order.payment_status.releases:
        return {}
    awaited = ReturnCaseLine.objects.filter(case__order=order, case__state__in=AWAITED)
    asked = dict(awaited.values_list("line_id").annotate(pieces=Sum("asked")))
    gone = order.fulfilment_status.goods_left
    found = {}
    for line in lines:
        pieces = Pieces.of(line)
        out = 0 if line.is_digital else pieces.open if gone else pieces.shipped_open
        found[line.pk] = max(0, out - asked.get(line.pk, 0))
    return found


def open_cases(order: Order) -> list[ReturnCase]:
    return list(ReturnCase.objects.filter(order=order, state__in=OPEN_STATES))
