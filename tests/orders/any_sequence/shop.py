"""The shop that the machine drives: articles, orders beside their models, and what must hold after every step."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from invoices.models import Invoice, PendingDocument
from invoices.services.issuing import uncredited_invoices
from orders.errors import NotEnoughStock, OrderError
from orders.integrity import find_problems
from orders.models import Draft, Order, OrderEvent, TaxClass, Variant
from orders.services.plan import apply
from tests.invoices.makers import make_seller
from tests.makers import make_shop, make_variant
from tests.orders.any_sequence.content import Article, Content, Refused
from tests.orders.any_sequence.model import ModelOrder
from tests.replaying import Told, as_it_is, differences, replay

ARTICLES = {
    "MUG": Article(Decimal("12.35"), on_hand=8),
    "POT": Article(Decimal("29.99"), on_hand=6, rate=Decimal("5.5")),
    "CUP": Article(Decimal("7.00"), on_hand=2, may_run_short=True),
    "BAG": Article(Decimal("3.50"), is_tracked=False),
    "PDF": Article(Decimal("5.00"), is_tracked=False, is_digital=True),
}
SHORT = "not enough stock"
MOST_ORDERS = 4
ANY = 7
pick = st.integers(0, ANY)  # mostly one of those that a rule suits; ANY: one of all
TOO_MANY = 6
few = st.integers(0, TOO_MANY)


@dataclass
class Kept:
    """An order of the shop beside its model. `told` is how it was when the machine looked last, at the event `told_event`."""

    pk: int
    model: ModelOrder
    placed: Told
    placed_event: int
    told: Told
    told_event: int  # the latest event then
    latest: tuple[int, ModelOrder | None] = (0, None)  # the latest change, and what undoing it brings back
    edits: list[tuple[int, Content, Content]] = field(default_factory=list)  # event, before, after
    proposal: tuple[int, int, Content] | None = None  # row, version it was begun on, what it would make


def fitting(count, most):
    """A drawn `count` as one that the domain allows; TOO_MANY is one too many, so that refusals are met, too."""
    return most + 1 if count == TOO_MANY else min(count, most)


def attempt(job):
    """(result, refusal) of a service that raises its refusal: one of the two is None."""
    try:
        return job(), None
    except OrderError as error:
        return None, error


class Shop(RuleBasedStateMachine):
    """What every rule needs. All that a rule does goes through `perform`, which asks the model first."""

    def __init__(self):
        super().__init__()
        self.orders: list[Kept] = []
        self.closes = transaction.atomic()
        self.closes.__enter__()

    def teardown(self):
        """At the end every order is told again from when it was placed, by its whole history."""
        try:
            for kept in self.orders:
                assert differences(replay(kept.placed, kept.pk, after=kept.placed_event), as_it_is(kept.pk)) == []
            assert list(find_problems()) == []
        finally:
            transaction.set_rollback(True)
            self.closes.__exit__(None, None, None)

    @initialize(includes_tax=st.booleans(), issues=st.sampled_from(["never", "placed", "paid", "shipped"]))
    def open_shop(self, includes_tax, issues):
        make_seller(auto_issue=issues)
        make_shop(prices_include_tax=includes_tax)
        for sku, article in ARTICLES.items():
            fields = {"is_tracked": article.is_tracked, "digital": article.is_digital, "allows_oversell": article.may_run_short}
            variant = make_variant(sku, on_hand=article.on_hand, price=str(article.price), **fields)
            variant.product.tax_class = TaxClass.objects.get(rates__rate=article.rate, rates__country="FR")
            variant.product.save()
        self.includes_tax = includes_tax
        self.reserved: dict[int, dict[str, int]] = {}  # pieces that drafts keep
        self.drafts: list[tuple[Draft, ModelOrder]] = []
        self.touched: list[Kept] = []
        self.sell_first()

    def sell_first(self):
        """The orders that the shop has when it opens, so that no sequence is spent waiting for one."""

    def order(self, index, suits=lambda model: True):
        """One of the orders that a rule suits, so that few steps are refused."""
        found = [kept for kept in self.orders if not kept.model.is_deleted and suits(kept.model)]
        found = self.orders if index == ANY or not found else found
        return found[index % len(found)]

    def item(self, kept, which, suits):
        """The number of one of the items that a rule suits."""
        items = kept.model.content.items
        found = [number for number, item in enumerate(items) if not item.is_removed and suits(item)]
        found = range(len(items)) if which == ANY or not found else found
        return found[which % len(found)]

    def keep(self, order, model):
        """A placed order joins the shop."""
        for item, pk in zip(model.content.items, order.lines.order_by("position").values_list("pk", flat=True), strict=True):
            item.pk = pk
        told = as_it_is(order.pk)
        event = order.events.latest("pk").pk
        kept = Kept(order.pk, model, told, event, told, event)
        self.learn_tax(kept)
        self.orders.append(kept)
        self.touched.append(kept)

    def perform(self, kept, wish, verb, *, is_undoable=True, refused=""):
        """Do `wish` through the one door, `verb` on the model, and see that both say the same. True where it was done.

        `refused` says why it must not be done, where the model can't know.
        """
        before, after = kept.model, kept.model.copy()
        try:
            verb(after)
        except Refused as no:
            refused = refused or str(no)
        if not refused and self.runs_short(kept, after):
            refused = SHORT
        version = Order.objects.get(pk=kept.pk).version
        outcome = apply(wish)
        self.touched.append(kept)
        if error := outcome.refusals.get(kept.pk):
            assert refused, f"{wish} was refused ({error!r}), the domain allows it"
            assert isinstance(error, NotEnoughStock) is (refused == SHORT), (error, refused)
            assert (Order.objects.get(pk=kept.pk).version, differences(as_it_is(kept.pk), kept.told)) == (version, [])
            return False
        assert not refused, f"{wish} was done, the domain refuses it: {refused}"
        if outcome.event is None:
            assert after == before, f"{wish} changed nothing, the domain changes {before} to {after}"
            return False
        kept.model, kept.latest = after, (outcome.event.pk, before if is_undoable else None)
        self.learn_lines(kept)
        self.learn_tax(kept)
        return True

    def runs_short(self, kept, after):
        """Whether the change would take pieces that are not there."""
        now, then = self.stock(), self.stock(kept, after)
        return any(then[sku] < 0 and then[sku] < now[sku] and not ARTICLES[sku].may_run_short for sku in then)

    def stock(self, kept=None, instead=None):
        """Available pieces per tracked article, by the models; with `instead` for one of them."""
        models = [instead if other is kept else other.model for other in self.orders]
        return {sku: on_hand - committed for sku, (on_hand, committed) in self.counters(models).items()}

    def counters(self, models):
        found = {}
        for sku, article in ARTICLES.items():
            held = [model.holds(item) for model in models for item in model.content.items if item.sku == sku]
            kept = sum(pieces.get(sku, 0) for pieces in self.reserved.values())
            if article.is_tracked:
                found[sku] = (article.on_hand - sum(gone for _c, gone in held), kept + sum(committed for committed, _g in held))
        return found

    def learn_lines(self, kept):
        """Added items get the id of their line."""
        new = [item for item in kept.model.content.items if not item.pk]
        if new:
            known = {item.pk for item in kept.model.content.items if item.pk}
            pks = Order.objects.get(pk=kept.pk).lines.exclude(pk__in=known).order_by("pk").values_list("pk", flat=True)
            for item, pk in zip(new, pks, strict=True):
                item.pk = pk

    def learn_tax(self, kept):
        """The exact VAT, once it lies where the domain puts it."""
        tax = Order.objects.get(pk=kept.pk).tax
        expected, roundings = kept.model.content.vat_bounds(includes_tax=self.includes_tax)
        assert abs(tax - expected) <= roundings, f"VAT {tax} of {kept.model.content}, expected {expected}"
        kept.model.tax = tax

    @invariant()
    def the_counters_are_as_the_orders_ask(self):
        models = [kept.model for kept in self.orders]
        stock = {v.sku: (v.on_hand, v.committed) for v in Variant.objects.filter(is_tracked=True)}
        assert stock == self.counters(models)

    @invariant()
    def every_order_is_as_its_model_and_its_history_say(self):
        for kept in {id(kept): kept for kept in self.touched}.values():
            order = Order.objects.with_statuses().get(pk=kept.pk)
            self.compare(order, kept.model)
            now = as_it_is(kept.pk)
            assert differences(replay(kept.told, kept.pk, after=kept.told_event), now) == []
            kept.told, kept.told_event = now, order.events.latest("pk").pk
            assert order.version == 1 + OrderEvent.objects.filter(order=order).count()
            self.look_at_documents(order, kept)
        self.touched = []

    def compare(self, order, model):
        assert (order.payment_status.code, order.fulfilment_status.code) == (model.payment, model.fulfilment)
        assert (order.total, order.paid_total, order.refunded_total) == (model.total, model.paid, model.refunded)
        assert (order.credited_total, order.balance) == (model.credited, model.total - model.credited - model.paid + model.refunded)
        assert Decimal(0) <= order.refunded_total <= order.paid_total
        assert Decimal(0) <= order.credited_total <= order.total
        released = model.payment in ("CANCELLED", "REFUNDED")
        assert order.balance_due == (0 if released else max(model.balance, 0))
        assert order.refund_due == (model.paid - model.refunded if released else max(-model.balance, 0))
        assert (order.deleted_at is not None) is model.is_deleted
        lines = {line.pk: line for line in order.lines.all()}
        assert len(lines) == len(model.content.items)
        for item in model.content.items:
            line = lines[item.pk]
            assert (line.quantity, line.price, line.line_discount, line.is_removed) == (
                item.quantity,
                item.price,
                item.off,
                item.is_removed,
            )
            counts = (line.pieces_shelf, line.pieces_lost, line.pieces_back, line.pieces_shipped)
            assert counts == (item.shelf, item.lost, item.back, item.shipped)
            assert (line.committed, line.consumed) == model.holds(item)

    def look_at_documents(self, order, kept):
        """At most one uncredited invoice; never more credited than was invoiced; what is left of it is what the order is worth."""
        left = {invoice.pk: invoice.gross for invoice in Invoice.objects.invoices().filter(order=order)}
        for note in Invoice.objects.credit_notes().filter(order=order):
            left[note.refers_id] -= note.gross
        assert all(rest >= 0 for rest in left.values())
        standing = [pk for pk, rest in left.items() if rest]
        assert len(standing) <= 1
        assert [invoice.pk for invoice in uncredited_invoices([order.pk]).values() if invoice.gross] == standing
        waits = PendingDocument.objects.filter(order=order, state__in=(PendingDocument.State.WAITING, PendingDocument.State.NEEDS_STAFF))
        if standing and not kept.model.is_released and not waits.exists():
            worth = kept.model.total + kept.model.content.gift - kept.model.content.tip - kept.model.credited
            assert left[standing[0]] == max(worth, 0), f"{left[standing[0]]} of the invoice is left, the order is worth {worth}"
