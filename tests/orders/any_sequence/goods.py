"""Rules of goods: parcels, fulfilment, and returns from the request to their end."""

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from orders.models import ReturnCase, Shipment
from orders.services.fulfilment import ReturnWish, ShipmentWish, TrackingWish
from orders.services.returns import (
    ApproveReturnWish,
    CloseReturnWish,
    InspectReturnWish,
    ReceiveReturnWish,
    RefuseReturnWish,
    ReturnRequestWish,
)
from orders.services.status import StatusWish
from tests.makers import CLERK
from tests.orders.any_sequence.content import ZERO
from tests.orders.any_sequence.money import Refunding
from tests.orders.any_sequence.shop import ANY, Shop, few, fitting, pick

FULFILMENT = ["AWAITING_PROCESSING", "PROCESSING", "READY_FOR_PICKUP", "SHIPPED", "DELIVERED", "WILL_NOT_DELIVER", "RETURNED"]
sometimes = st.sampled_from([False, False, True])
has_returns = precondition(lambda self: any(kept.model.cases for kept in self.orders))


def of_lines(kept, pieces):
    """`pieces` by item of the model as pieces by id of the line."""
    return {kept.model.content.items[index].pk: value for index, value in pieces.items()}


def out_of(kept, item):
    return item.open if kept.model.has_left else item.with_customer


def fates(kept, index, pieces):
    """Drawn (shelf, lost) of an item's pieces that are out."""
    out = out_of(kept, kept.model.content.items[index])
    shelf = fitting(pieces[0], out)
    return {index: (shelf, fitting(pieces[1], max(0, out - shelf)))}


def is_out(model):
    return not model.is_released and any((item.open if model.has_left else item.with_customer) for item in model.content.sold)


class Shipping(Shop):
    @rule(index=pick, fulfilment=st.sampled_from(FULFILMENT), which=pick, pieces=st.tuples(few, few))
    def set_fulfilment(self, index, fulfilment, which, pieces):
        kept = self.order(index)
        which = self.item(kept, which, lambda item: out_of(kept, item))
        returned = fates(kept, which, pieces) if fulfilment == "RETURNED" else {}
        if returned and kept.model.is_released:
            returned[which] = (min(pieces[0], 1), min(pieces[1], 1))  # back already, so any piece is one too many
        wish = StatusWish(ids=[kept.pk], actor=CLERK, fulfilment=fulfilment, returned=of_lines(kept, returned))
        self.perform(kept, wish, lambda model: model.set_status("", fulfilment, lost=(), returned=returned, record=None))

    @rule(index=pick, which=pick, quantity=few)
    def ship_some(self, index, which, quantity):
        kept = self.order(index, lambda model: not model.is_released and any(item.unshipped for item in model.content.sold))
        which = self.item(kept, which, lambda item: item.unshipped and not item.is_digital)
        quantities = {which: fitting(quantity, kept.model.content.items[which].unshipped)}
        wish = ShipmentWish(order_id=kept.pk, actor=CLERK, quantities=of_lines(kept, quantities))
        self.perform(kept, wish, lambda model: model.ship(quantities))

    @rule(index=pick)
    def ship_rest(self, index):
        kept = self.order(index, lambda model: not model.is_released and any(item.unshipped for item in model.content.sold))
        self.perform(kept, ShipmentWish(order_id=kept.pk, actor=CLERK, tracking_number="1Z"), lambda model: model.ship(None))

    @precondition(lambda self: Shipment.objects.filter(voided_by=None).exists())
    @rule(index=pick, number=st.sampled_from(["1Z", "2Z", "3Z"]))
    def correct_the_number(self, index, number):
        """The parcel becomes void and another one names its pieces."""
        parcels = Shipment.objects.filter(voided_by=None).order_by("pk")
        parcel = parcels[index % len(parcels)]
        kept = next(kept for kept in self.orders if kept.pk == parcel.order_id)
        wish = TrackingWish(order_id=kept.pk, actor=CLERK, shipment_id=parcel.pk, tracking_number=number)
        self.perform(kept, wish, lambda model: model.begin())


class Returning(Refunding):
    """What was sent comes back."""

    @precondition(lambda self: any(is_out(kept.model) for kept in self.orders))
    @rule(index=pick, which=pick, pieces=st.tuples(few, few), set_returned=sometimes)
    def take_return(self, index, which, pieces, set_returned):
        kept = self.order(index, is_out)
        back = fates(kept, self.item(kept, which, lambda item: out_of(kept, item)), pieces)
        wish = ReturnWish(order_id=kept.pk, actor=CLERK, pieces=of_lines(kept, back), set_returned=set_returned)
        self.perform(kept, wish, lambda model: model.take_return(back, set_returned=set_returned))

    @precondition(lambda self: any(is_out(kept.model) for kept in self.orders))
    @rule(index=pick, which=pick, asked=few, is_approved=st.booleans())
    def ask_back(self, index, which, asked, is_approved):
        kept = self.order(index, is_out)
        which = self.item(kept, which, lambda item: out_of(kept, item) and not item.is_digital)
        pieces = {which: fitting(asked, out_of(kept, kept.model.content.items[which]))}
        wish = ReturnRequestWish(order_id=kept.pk, actor=CLERK, pieces=of_lines(kept, pieces), is_approved=is_approved)
        if self.perform(kept, wish, lambda model: model.ask_back(pieces, is_approved=is_approved)):
            kept.model.cases[-1].pk = ReturnCase.objects.filter(order=kept.pk).latest("pk").pk

    def case(self, index, *states):
        """One of the returns in one of these states, or of all."""
        found = [(kept, number) for kept in self.orders for number in range(len(kept.model.cases))]
        suited = [(kept, number) for kept, number in found if kept.model.cases[number].state in states]
        found = found if index == ANY or not suited else suited
        return found[index % len(found)]

    @has_returns
    @rule(index=pick, step=st.sampled_from(["approve", "refuse", "close"]))
    def answer_a_return(self, index, step):
        states = {"approve": ("requested",), "refuse": ("requested", "approved"), "close": ("inspected",)}[step]
        kept, case = self.case(index, *states)
        named = {"order_id": kept.pk, "actor": CLERK, "case_id": kept.model.cases[case].pk}
        wish, state = {
            "approve": (ApproveReturnWish(**named), "approved"),
            "refuse": (RefuseReturnWish(**named, reason="Too late"), "refused"),
            "close": (CloseReturnWish(**named), "closed"),
        }[step]
        self.perform(kept, wish, lambda model: model.step(case, state, *states))

    @has_returns
    @rule(index=pick, received=few)
    def receive(self, index, received):
        kept, case = self.case(index, "requested", "approved")
        pieces = {item: fitting(max(1, received), asked) for item, (asked, _received) in kept.model.cases[case].lines.items()}
        wish = ReceiveReturnWish(order_id=kept.pk, actor=CLERK, case_id=kept.model.cases[case].pk, pieces=of_lines(kept, pieces))
        self.perform(kept, wish, lambda model: model.receive(case, pieces))

    @has_returns
    @rule(index=pick, fate=st.tuples(few, few), set_returned=sometimes)
    def inspect(self, index, fate, set_returned):
        kept, case = self.case(index, "received")
        pieces = {}
        for item, (_asked, received) in kept.model.cases[case].lines.items():
            shelf = fitting(fate[0], received)
            pieces[item] = shelf, fitting(fate[1], max(0, received - shelf))
        wish = InspectReturnWish(
            order_id=kept.pk,
            actor=CLERK,
            case_id=kept.model.cases[case].pk,
            pieces=of_lines(kept, pieces),
            set_returned=set_returned,
        )
        self.perform(kept, wish, lambda model: model.inspect(case, pieces, set_returned=set_returned))

    @precondition(lambda self: any(case.state == "inspected" for kept in self.orders for case in kept.model.cases))
    @rule(index=pick, quantity=few, is_exchange=st.booleans())
    def pay_for_a_return(self, index, quantity, is_exchange):
        """The refund or exchange of an inspected return: money only, its pieces were decided."""
        kept, case = self.case(index, "inspected")
        which = next(iter(kept.model.cases[case].lines))
        item = kept.model.content.items[which]
        quantity = max(1, fitting(quantity, item.quantity - item.refunded))
        self.refund(kept, which, (quantity, 0, 0), shipping=ZERO, is_exchange=is_exchange, case=case)
