"""Rules of selling: orders placed at once or from drafts, and edits, made at once, as proposals, and taken back."""

import copy
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from orders.drafts import DraftDiscount, DraftLine, DraftSurcharge
from orders.edits import KEEP, RECOMPUTE, DiscountEdit, LineEdit, OrderEdit, SurchargeEdit
from orders.errors import NotEnoughStock, StaleOrder
from orders.models import Draft, Order, OrderEvent, OrderProposal, Variant
from orders.services.counter_edit import counter_edit
from orders.services.fulfilment import ShipmentWish
from orders.services.intake import place_draft, place_order
from orders.services.proposing import EditWish, accept_proposal, keep_proposal, withdraw_proposal
from orders.services.reserving import reserve
from tests.makers import CLERK, make_draft
from tests.orders.any_sequence.content import ZERO, Content, Item, Refused, cents
from tests.orders.any_sequence.model import ModelOrder
from tests.orders.any_sequence.shop import ANY, ARTICLES, MOST_ORDERS, SHORT, Shop, attempt, pick

money = st.integers(0, 4000).map(lambda coins: Decimal(coins) / 100)
percents = st.sampled_from(["10", "12.5", "33.33", "100"]).map(Decimal)
discounts = st.lists(st.tuples(st.just("ABS"), money) | st.tuples(st.just("PERCENT"), percents), max_size=1).map(tuple)
skus = st.sampled_from([*ARTICLES, ""])
items = st.tuples(skus, st.integers(1, 4), money.map(lambda amount: amount + 1), st.sampled_from(["0", "0", "0", "2.5"]).map(Decimal))


@dataclass(frozen=True)
class Wanted:
    """What an edit wants, in the machine's words."""

    line: int = 0
    change: tuple = ()  # ("quantity", 3), ("price", 4.20), ("discount", 1), ("is_removed", True)
    added: tuple = ()
    columns: tuple = ()  # ("shipping", 4.90), ("gift", 5), ("is_exempt", True), ("city", "Brest")
    discounts: tuple | None = None
    surcharges: tuple = ()  # ("surcharge", 2), ("tip", 1)
    is_anew: bool = False  # discounts in percent are worked out again
    from_catalogue: bool = False


changes = st.one_of(
    st.just(()),
    st.tuples(st.just("quantity"), st.integers(1, 3)),
    st.tuples(st.just("quantity"), st.integers(1, 6)),
    st.tuples(st.just("price"), money),
    st.tuples(st.just("discount"), money),
    st.tuples(st.just("is_removed"), st.just(True)),
)
columns = st.one_of(
    st.just(()),
    st.tuples(st.tuples(st.just("shipping"), money)),
    st.tuples(st.tuples(st.just("gift"), money)),
    st.tuples(st.tuples(st.just("is_exempt"), st.booleans())),
    st.tuples(st.tuples(st.just("city"), st.sampled_from(["Brest", "Nantes"]))),
)
surcharges = st.one_of(st.just(()), st.tuples(st.tuples(st.sampled_from(["surcharge", "tip"]), money)))
wanted = st.builds(
    Wanted,
    line=pick,
    change=changes,
    added=st.just(()) | st.tuples(items),
    columns=columns,
    discounts=st.one_of(st.none(), st.none(), discounts),
    surcharges=surcharges,
    is_anew=st.sampled_from([False, True, True]),
    from_catalogue=st.sampled_from([False, False, True]),
)


def item_of(row, *, net_of_vat=False):
    """The model's item of a drawn one; free text has its own price."""
    sku, quantity, price, off = row
    if not sku:
        return Item("", quantity, price, off=off)
    article = ARTICLES[sku]
    price = cents(article.price / (1 + article.rate / 100)) if net_of_vat else article.price
    return Item(sku, quantity, price, article.rate, off, article.is_digital, article.is_tracked)


def draft_line(row):
    sku, quantity, price, off = row
    if not sku:
        return DraftLine(name="Engraving", quantity=quantity, price=price, discount=off)
    return DraftLine(variant_id=Variant.objects.get(sku=sku).pk, quantity=quantity, discount=off)


class Selling(Shop):
    """What orders are made of, twice: as the shop's and as the model's. Its orders are there when the shop opens."""

    def draft_of(self, rows, off, shipping, extra, gift):
        """The same order twice: as a draft of the shop and as a model, or None where the domain refuses it."""
        surcharges = (DraftSurcharge("Gift wrap", extra), DraftSurcharge("Tip", extra, kind="tip")) if extra else ()
        draft = make_draft(
            lines=tuple(draft_line(row) for row in rows),
            discounts=tuple(DraftDiscount("Less", kind, value) for kind, value in off),
            shipping_cost=shipping,
            surcharges=surcharges,
            gift_card_amount=gift,
        )
        content = Content([item_of(row) for row in rows], shipping=shipping, surcharge=extra, tip=extra, gift=gift)
        content.discounts = [(kind, value, value) for kind, value in off]
        content.work_out_percents(anew=True)
        return draft, ModelOrder(content, includes_tax=self.includes_tax)

    def placed(self, model, payment):
        """`model` as it is once placed. Raises Refused."""
        model.content.check()
        if not self.includes_tax:
            model.tax = cents(model.content.vat_bounds(includes_tax=False)[0])
        if model.total < 0:
            raise Refused("the gift card pays more than the total")
        model.payment = payment or ("AWAITING_PAYMENT" if model.total else "PAID")
        if model.payment == "PAID" and all(item.is_digital for item in model.content.items):
            model.fulfilment = "DELIVERED"
        return model

    def sell_first(self):
        for rows, payment, off in (
            ([("MUG", 3, ZERO, ZERO), ("POT", 2, ZERO, ZERO)], "PAID", (("PERCENT", Decimal(10)),)),
            ([("MUG", 1, ZERO, ZERO), ("", 2, Decimal(4), ZERO)], "", ()),
        ):
            draft, model = self.draft_of(rows, off, Decimal("4.90"), ZERO, ZERO)
            draft = replace(draft, payment_status=payment)
            self.place_with(model, payment, lambda draft=draft: place_order(draft, actor=CLERK))

    def place_with(self, model, payment, place):
        try:
            self.placed(model, payment)
            refused = SHORT if self.would_run_short(model) else ""
        except Refused as no:
            refused = str(no)
        order, error = attempt(place)
        assert bool(error) is bool(refused), f"{error!r} for {model}; the domain: {refused}"
        assert isinstance(error, NotEnoughStock) is (refused == SHORT)
        if order is None:
            return
        model.paid = order.paid_total
        self.keep(Order.objects.get(pk=order.pk), model)
        assert model.paid == (model.total if model.payment == "PAID" else 0)

    def would_run_short(self, model):
        now = self.stock()
        then = self.counters([*(kept.model for kept in self.orders), model])
        left = {sku: on_hand - committed for sku, (on_hand, committed) in then.items()}
        return any(left[sku] < 0 and left[sku] < now[sku] and not ARTICLES[sku].may_run_short for sku in left)

    def described(self, kept, wanted):
        """An edit twice: as the shop's, and as the content that it makes."""
        old, new = kept.model.content, copy.deepcopy(kept.model.content)
        set_columns = dict(wanted.columns)
        again = wanted.from_catalogue and "is_exempt" not in set_columns
        for name, value in set_columns.items():
            setattr(new, name, value)
        net_of_vat = new.is_exempt and self.includes_tax
        for item in new.sold if again else ():
            if item.sku:
                item.price = item_of((item.sku, 1, ZERO, ZERO), net_of_vat=net_of_vat).price
        lines = self.change_a_line(new, wanted)
        new.items += [item_of(row, net_of_vat=net_of_vat) for row in wanted.added]
        if wanted.discounts is not None:
            new.discounts = [(kind, value, value) for kind, value in wanted.discounts]
        new.work_out_percents(anew=wanted.is_anew or wanted.discounts is not None)
        for name, amount in wanted.surcharges:
            setattr(new, name, amount)
        names = {"shipping": "shipping_cost", "gift": "gift_card_amount", "is_exempt": "tax_exempt"}
        rows = (SurchargeEdit("Gift wrap", new.surcharge), SurchargeEdit("Tip", new.tip, kind="tip"))
        edit = OrderEdit(
            lines=lines,
            added=tuple(draft_line(row) for row in wanted.added),
            columns={names[name]: value for name, value in set_columns.items() if name in names and value != getattr(old, name)},
            addresses={"shipping.city": new.city} if new.city != old.city else {},
            discounts=None if wanted.discounts is None else tuple(DiscountEdit("Less", kind, value) for kind, value in wanted.discounts),
            surcharges=tuple(row for row in rows if row.amount) if wanted.surcharges else None,
            prices=RECOMPUTE if again else KEEP,
            discounts_by=RECOMPUTE if wanted.is_anew else KEEP,
            reason="The customer asked",
        )
        return edit, new

    def change_a_line(self, content, wanted):
        if not wanted.change:
            return ()
        name, value = wanted.change
        sold = content.items if wanted.line == ANY else content.sold
        item = sold[wanted.line % len(sold)]
        if item.is_removed:
            return ()
        setattr(item, "off" if name == "discount" else name, value)
        return (LineEdit(item.pk, **{name: value}),)

    def remember_edit(self, kept, before):
        kept.edits.append((kept.latest[0], before, copy.deepcopy(kept.model.content)))


class Placing(Selling):
    """Orders come in, at once or by a draft."""

    @precondition(lambda self: len(self.orders) < MOST_ORDERS)
    @rule(
        rows=st.lists(items, min_size=1, max_size=3),
        payment=st.sampled_from(["", "PAID", "PAID"]),
        off=discounts,
        shipping=st.sampled_from(["0", "4.90"]).map(Decimal),
        extra=st.sampled_from(["0", "0", "1.50"]).map(Decimal),
        gift=st.sampled_from(["0", "0", "0", "5"]).map(Decimal),
    )
    def place(self, rows, payment, off, shipping, extra, gift):
        draft, model = self.draft_of(rows, off, shipping, extra, gift)
        draft = replace(draft, payment_status=payment)
        self.place_with(model, payment, lambda: place_order(draft, actor=CLERK))

    @precondition(lambda self: len(self.drafts) < 2)
    @rule(rows=st.lists(items, min_size=1, max_size=2), is_reserved=st.booleans())
    def keep_draft(self, rows, is_reserved):
        """A clerk begins an order, and may keep its pieces for an hour."""
        draft, model = self.draft_of(rows, (), ZERO, ZERO, ZERO)
        row = Draft.objects.create(body=draft.as_json(), created_at=timezone.now())
        self.drafts.append((row, model))
        pieces = {}
        for item in model.content.items:
            if item.sku and item.is_tracked:
                pieces[item.sku] = pieces.get(item.sku, 0) + item.quantity
        if not is_reserved or not pieces:
            return
        left = self.stock()
        short = any(left[sku] < count and not ARTICLES[sku].may_run_short for sku, count in pieces.items())
        _pieces, error = attempt(lambda: reserve(row, timezone.now() + timedelta(hours=1), actor=CLERK))
        assert isinstance(error, NotEnoughStock) is short
        if not short:
            self.reserved[row.pk] = pieces

    @precondition(lambda self: self.drafts and len(self.orders) < MOST_ORDERS)
    @rule(index=pick)
    def place_a_draft(self, index):
        """What the draft kept is its order's; placing it again gives the same order."""
        row, model = self.drafts[index % len(self.drafts)]
        row.refresh_from_db()
        kept = self.reserved.pop(row.pk, None)
        count = len(self.orders)
        self.place_with(model, "", lambda: place_draft(row, actor=CLERK))
        if len(self.orders) == count:
            if kept:
                self.reserved[row.pk] = kept
            return
        self.drafts.remove((row, model))
        assert place_draft(Draft.objects.get(pk=row.pk), actor=CLERK).pk == self.orders[-1].pk


class Editing(Selling):
    """What was sold is changed, and changed back."""

    @rule(index=pick, wanted=wanted)
    def edit(self, index, wanted):
        kept = self.order(index)
        before = copy.deepcopy(kept.model.content)
        edit, content = self.described(kept, wanted)
        if self.perform(kept, EditWish(order_id=kept.pk, edit=edit, actor=CLERK), lambda model: model.put(content)):
            self.remember_edit(kept, before)

    @precondition(lambda self: any(kept.proposal is None and not kept.model.is_deleted for kept in self.orders))
    @rule(index=pick, wanted=wanted)
    def propose(self, index, wanted):
        free = [kept for kept in self.orders if kept.proposal is None and not kept.model.is_deleted]
        kept = free[index % len(free)]
        edit, content = self.described(kept, wanted)
        order = Order.objects.get(pk=kept.pk)
        row = keep_proposal(order, edit, actor=CLERK, base_version=order.version, base_event=order.events.latest("pk").pk)
        kept.proposal = row.pk, order.version, content

    @precondition(lambda self: any(kept.proposal for kept in self.orders))
    @rule(index=pick)
    def accept(self, index):
        """A proposal is accepted as long as nobody changed the order meanwhile; twice is once."""
        waiting = [kept for kept in self.orders if kept.proposal]
        kept = waiting[index % len(waiting)]
        (pk, version, content), kept.proposal = kept.proposal, None
        row, before, after = OrderProposal.objects.get(pk=pk), kept.model, kept.model.copy()
        is_stale = Order.objects.get(pk=kept.pk).version != version
        try:
            after.put(content)
            refused = SHORT if self.runs_short(kept, after) else ""
        except Refused as no:
            refused = str(no)
        self.touched.append(kept)
        outcome, error = attempt(lambda: accept_proposal(row, actor=CLERK))
        assert bool(error) is bool(is_stale or refused), (error, is_stale, refused)
        assert isinstance(error, StaleOrder) is is_stale
        if error:
            withdraw_proposal(OrderProposal.objects.get(pk=pk), actor=CLERK)
        elif outcome.event:
            kept.model, kept.latest = after, (outcome.event.pk, before)
            self.learn_lines(kept)
            self.learn_tax(kept)
            self.remember_edit(kept, before.content)
            assert accept_proposal(row, actor=CLERK).unchanged == [kept.pk]
        else:
            assert after == before
            withdraw_proposal(OrderProposal.objects.get(pk=pk), actor=CLERK)

    @precondition(lambda self: any(kept.edits for kept in self.orders))
    @rule(index=pick)
    def take_an_edit_back(self, index):
        """The counter-proposal of the latest edit brings the content back, whatever else happened since, or is refused."""
        edited = [kept for kept in self.orders if kept.edits]
        self.put_back(edited[index % len(edited)])

    @rule(index=pick, row=items, leaves=st.booleans())
    def change_ones_mind(self, index, row, leaves):
        """An item is added, may be sent at once, and is to be taken off again."""
        kept = self.order(index, lambda model: not model.is_released and not model.has_left)
        edit, content = self.described(kept, Wanted(added=(row,)))
        before = copy.deepcopy(kept.model.content)
        if not self.perform(kept, EditWish(order_id=kept.pk, edit=edit, actor=CLERK), lambda model: model.put(content)):
            return
        self.remember_edit(kept, before)
        self.every_order_is_as_its_model_and_its_history_say()
        if leaves:
            self.perform(kept, ShipmentWish(order_id=kept.pk, actor=CLERK), lambda model: model.ship(None))
            self.every_order_is_as_its_model_and_its_history_say()
        self.put_back(kept)

    def put_back(self, kept):
        event, before, left = kept.edits[-1]
        if left_apart_from_pieces(kept.model.content) != left_apart_from_pieces(left):
            return
        content = with_pieces_of(kept.model.content, before)
        counter = replace(counter_edit(OrderEvent.objects.get(pk=event)), reason="It was right before")
        was = copy.deepcopy(kept.model.content)
        if self.perform(kept, EditWish(order_id=kept.pk, edit=counter, actor=CLERK), lambda model: model.put(content)):
            self.remember_edit(kept, was)


PIECES = ("shelf", "lost", "back", "shipped", "refunded", "given")


def left_apart_from_pieces(content):
    return replace(content, items=[replace(item, **dict.fromkeys(PIECES, 0)) for item in content.items])


def with_pieces_of(now, before):
    """The content `before`, each piece where it is now; what was added since is removed."""
    content = copy.deepcopy(before)
    for item in now.items[len(content.items) :]:
        content.items.append(replace(item, is_removed=True))
    for item, source in zip(content.items, now.items, strict=True):
        for name in PIECES:
            setattr(item, name, getattr(source, name))
    return content
