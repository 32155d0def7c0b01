"""A large demo shop: orders of three years, written set by set, with the same statuses, money, parcels and ledger that clerks leave.

Everything happens in the order of time, as it would have: an order, its payment, its parcel days later, seldom a refund or a return.
The rows are those that the services write; `check_integrity` proves it, as do the tests.
"""

import heapq
from bisect import bisect
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Any
from uuid import UUID

from django.db import transaction

from orders.choices import ChangeSource, DeliveryKind, StockEffect
from orders.models import (
    Customer,
    LineDecision,
    NumberCounter,
    Order,
    Product,
    Status,
    Tag,
    TaxClass,
    Variant,
)
from orders.search import ADDRESS as STREET
from orders.search import (
    CITY,
    COMMENT,
    CUSTOMER,
    EMAIL,
    ITEM,
    NOTE,
    NUMBER,
    POSTCODE,
    SKU,
    TRACKING,
    TRANSACTION,
    fact,
    phone_fact,
    together,
)
from orders.seeding.crowd import COMMENTS, NOTES, TAGS, Someone, goods, someone
from orders.seeding.loading import Loader, settle_sequences, without_search_index
from orders.seeding.shop import ABROAD, CARD, HOME, PICKUP, RELAY, TRANSFER
from orders.seeding.tables import Tables
from orders.services.intake import COUNTER

YEARS = timedelta(days=3 * 365)
OPEN_DAYS = 10  # an order is on its way to the customer for so long
CHUNK = 2_000
CENT = Decimal("0.01")
CLERK, STOREFRONT = "Paul Castel", "Boutique en ligne"


@dataclass(frozen=True)
class Ware:
    """A variant of the crowd's catalogue."""

    pk: int
    sku: str
    name: str
    price: Decimal


@dataclass
class Placed:
    """An order and what is still to happen to it."""

    pk: int
    lines: list[tuple[int, Ware, int]]  # line, ware, pieces
    payment: str
    fulfilment: str
    total: Decimal
    shipping: Decimal
    carrier: str
    tracking: str
    number: str


def plant_many(count: int, *, seed: int, now: datetime) -> None:
    """Add `count` orders of the last three years with customers and articles of their own. The same seed gives the same rows."""
    rng = Random(seed)  # noqa: S311 (a believable shop, no secret)
    with transaction.atomic(), without_search_index():
        multitude = _Multitude(count, rng, now)
        multitude.live()
        settle_sequences(loader.model for loader in multitude.rows.loaders)


# Payment, fulfilment and weight: orders that are done, and those of the last days.
_DONE = (
    (("PAID", "DELIVERED"), 86),
    (("PAID", "SHIPPED"), 5),
    (("CANCELLED", "WILL_NOT_DELIVER"), 4),
    (("REFUNDED", "RETURNED"), 2),
    (("PARTIALLY_REFUNDED", "DELIVERED"), 3),
)
_OPEN = (
    (("AWAITING_PAYMENT", "AWAITING_PROCESSING"), 12),
    (("PAID", "AWAITING_PROCESSING"), 25),
    (("PAID", "PROCESSING"), 20),
    (("PAID", "READY_FOR_PICKUP"), 8),
    (("PAID", "SHIPPED"), 35),
)


class _Multitude:
    def __init__(self, count: int, rng: Random, now: datetime) -> None:
        self.count, self.rng, self.now = count, rng, now
        self.statuses = {status.code: status for status in Status.objects.all()}
        self.rows = Tables()
        self.wares = self._stocked()
        self.weights = list(accumulate(1 / (rank + 3) for rank in range(len(self.wares))))  # Zipf: few articles sell most
        self.people = self._people(max(count // 4, 10))
        self.counters: dict[int, list[int]] = {ware.pk: [0, 0] for ware in self.wares}
        self.tags = [Tag.objects.get_or_create(name=name)[0].pk for name in TAGS]
        self.later: list[tuple[datetime, int, str, Placed]] = []
        self.first = self._draw_numbers(count)

    def live(self) -> None:
        """Place every order and let happen what is due before the next."""
        moments = sorted(self.now - YEARS * (1 - self.rng.random() ** 0.85) for _index in range(self.count))
        for index, moment in enumerate(moments):
            self._settle_until(moment)
            self._place(self.first + index, moment)
            if index % CHUNK == CHUNK - 1:
                self.rows.write()
        self._settle_until(self.now)
        self.rows.write()
        rows = [Variant(pk=pk, on_hand=on_hand, committed=held) for pk, (on_hand, held) in self.counters.items()]
        Variant.objects.bulk_update(rows, ["on_hand", "committed"], batch_size=200)

    def _stocked(self) -> list[Ware]:
        tax_class = TaxClass.objects.get(code="standard")
        rows = goods()
        products = {name: Product(name=name, tax_class=tax_class) for _sku, name, _label, _price in rows}
        Product.objects.bulk_create(products.values())
        variants = [Variant(product=products[name], sku=sku, label=label, price=price) for sku, name, label, price in rows]
        Variant.objects.bulk_create(variants)
        wares = [Ware(variant.pk, variant.sku, f"{variant.product.name}, {variant.label}", variant.price) for variant in variants]
        self.rng.shuffle(wares)
        return wares

    def _people(self, count: int) -> list[tuple[int, Someone]]:
        loader = Loader(
            Customer, ["name", "email", "email_key", "phone", "phone_digits", "street", "postcode", "city", "country", "created_at"]
        )
        people = []
        for number in range(count):
            who = someone(number, self.rng)
            digits = "".join(char for char in who.phone if char.isdigit())
            values = (who.name, who.email, who.email, who.phone, digits, who.street, who.postcode, who.city, who.country)
            people.append((loader.add(*values, self.now - YEARS), who))
        loader.write()
        settle_sequences([Customer])
        return people

    def _draw_numbers(self, count: int) -> int:
        counter = NumberCounter.objects.select_for_update().get(name=COUNTER)
        first = counter.last + 1
        NumberCounter.objects.filter(pk=counter.pk).update(last=counter.last + count)
        return first

    def _place(self, number: int, at: datetime) -> None:
        rng = self.rng
        is_open = self.now - at < timedelta(days=OPEN_DAYS)
        mix = _OPEN if is_open else _DONE
        payment, fulfilment = rng.choices([pair for pair, _weight in mix], [weight for _pair, weight in mix])[0]
        customer_id, who = self.people[int(len(self.people) * rng.random() ** 1.8)]
        wares = {self.wares[bisect(self.weights, rng.random() * self.weights[-1])] for _line in range(rng.choice((1, 1, 2, 2, 3, 3, 4, 5)))}
        pieces = [(ware, rng.choice((1, 1, 1, 2, 2, 3))) for ware in sorted(wares, key=lambda ware: ware.pk)]
        pickup = fulfilment == "READY_FOR_PICKUP" or (who.city == "Nantes" and rng.random() < 0.3)
        method = PICKUP if pickup else ABROAD if who.country != "FR" else HOME if rng.random() < 0.6 else RELAY
        shipping = {PICKUP: Decimal(0), ABROAD: Decimal("14.90"), HOME: Decimal("6.90"), RELAY: Decimal("4.50")}[method]
        carrier = {PICKUP: "", ABROAD: "Chronopost", HOME: "Colissimo", RELAY: "Mondial Relay"}[method]
        subtotal = sum((ware.price * quantity for ware, quantity in pieces), Decimal(0))
        total = subtotal + shipping
        paid = total if payment in ("PAID", "PARTIALLY_REFUNDED", "REFUNDED") else Decimal(0)
        back = {"REFUNDED": total, "PARTIALLY_REFUNDED": pieces[0][0].price}.get(payment, Decimal(0))
        left = fulfilment in ("SHIPPED", "DELIVERED", "RETURNED")
        tracking = f"6A{rng.randrange(10**11):011d}" if carrier and left else ""
        transaction_id = f"ch_{rng.randrange(16**12):012x}" if paid else ""
        note = rng.choice(NOTES) if rng.random() < 0.04 else ""
        comment = rng.choice(COMMENTS) if rng.random() < 0.05 else ""
        is_held = is_open and not left and rng.random() < 0.06
        search = self._search(str(number), who, transaction_id, tracking, [ware for ware, _q in pieces], comment, note)
        imported = rng.random() < 0.1
        pk = self.rows.orders.add(
            UUID(int=rng.getrandbits(128), version=4),
            str(number),
            Order.ECWID if imported else Order.OWN,
            f"EC{number}" if imported else "",
            at,
            at,
            1,
            True,
            self.statuses[payment].pk,
            self.statuses[fulfilment].pk,
            customer_id,
            who.name,
            who.email,
            who.phone,
            "fr",
            "EUR",
            subtotal,
            shipping,
            _vat(total),
            total,
            paid,
            back,
            back,
            "S",
            Decimal(20),
            CARD if paid else TRANSFER,
            transaction_id,
            method,
            carrier,
            DeliveryKind.PICKUP if pickup else DeliveryKind.SHIPPING,
            comment,
            is_held,
            "Adresse à vérifier" if is_held else "",
            search,
        )
        for kind in ("billing",) if pickup else ("billing", "shipping"):
            self.rows.addresses.add(pk, kind, who.name, who.street, who.city, who.postcode, who.country, who.phone)
        placed = Placed(pk, [], payment, fulfilment, total, shipping, carrier, tracking, str(number))
        for position, (ware, quantity) in enumerate(pieces):
            returned = quantity if fulfilment == "RETURNED" else 0
            holds = not left and self.statuses[payment].stock_effect == StockEffect.HOLD and fulfilment != "WILL_NOT_DELIVER"
            line = self.rows.lines.add(
                pk,
                position,
                ware.pk,
                ware.sku,
                ware.name,
                quantity,
                ware.price,
                "S",
                Decimal(20),
                "FR",
                _vat(ware.price * quantity),
                quantity if holds else 0,
                quantity if left and not returned else 0,
                returned,
                returned,
                quantity if left else 0,
            )
            placed.lines.append((line, ware, quantity))
        self._begin(placed, at, note, paid, transaction_id)

    def _search(self, number: str, who: Someone, transaction_id: str, tracking: str, wares: Iterable[Ware], comment: str, note: str) -> str:
        facts = [fact(NUMBER, number), fact(CUSTOMER, who.name), fact(EMAIL, who.email), phone_fact(who.phone, who.country)]
        facts += [fact(TRANSACTION, transaction_id), fact(TRACKING, tracking), fact(POSTCODE, who.postcode), fact(CITY, who.city)]
        facts.append(fact(STREET, who.street))
        for ware in wares:
            facts += [fact(SKU, ware.sku), fact(ITEM, ware.name)]
        return together([*facts, fact(COMMENT, comment), fact(NOTE, note)])

    def _begin(self, placed: Placed, at: datetime, note: str, paid: Decimal, transaction_id: str) -> None:
        """The order's first event, its pieces reserved, its payment; and when the next thing is due."""
        first = "PAID" if paid else "AWAITING_PAYMENT"
        changes = {"payment_status": {"from": None, "to": first}, "fulfilment_status": {"from": None, "to": "AWAITING_PROCESSING"}}
        event = self._event(placed, "placed", at, changes, actor=STOREFRONT, source=ChangeSource.API)
        if paid:
            self.rows.payments.add(placed.pk, event, paid, CARD, transaction_id, at)
        for line, ware, quantity in placed.lines:
            on_hand, held = self.counters[ware.pk]
            if on_hand - held < quantity:
                self._move(ware, 500, 0, at, kind="receive")
            self._move(ware, 0, quantity, at, line=line, order=placed.pk, event=event)
        if note:
            said = self._event(placed, "note", at + timedelta(minutes=5), {})
            self.rows.notes.add(placed.pk, said, CLERK, note, at + timedelta(minutes=5))
        if self.rng.random() < 0.05:
            self.rows.tagged.add(placed.pk, self.rng.choice(self.tags))
        if placed.fulfilment != "AWAITING_PROCESSING":
            due = min(at + timedelta(hours=self.rng.uniform(4, 60)), self.now - timedelta(minutes=30))
            self._due(max(due, at), "go", placed)

    def _due(self, at: datetime, what: str, placed: Placed) -> None:
        heapq.heappush(self.later, (at, placed.pk, what, placed))

    def _settle_until(self, moment: datetime) -> None:
        while self.later and self.later[0][0] <= moment:
            at, _pk, what, placed = heapq.heappop(self.later)
            getattr(self, f"_{what}")(placed, at)

    def _go(self, placed: Placed, at: datetime) -> None:
        """The clerk's first click: packed, ready, shipped or cancelled."""
        if placed.payment == "CANCELLED":
            changes = {
                **_moved("payment", "AWAITING_PAYMENT", "CANCELLED"),
                **_moved("fulfilment", "AWAITING_PROCESSING", "WILL_NOT_DELIVER"),
            }
            event = self._event(placed, "status", at, changes)
            for line, ware, quantity in placed.lines:
                self._move(ware, 0, -quantity, at, line=line, order=placed.pk, event=event)
            return
        if placed.fulfilment in ("PROCESSING", "READY_FOR_PICKUP"):
            self._event(placed, "status", at, _moved("fulfilment", "AWAITING_PROCESSING", placed.fulfilment))
            return
        event = self._event(placed, "status", at, _moved("fulfilment", "AWAITING_PROCESSING", "SHIPPED"))
        shipment = self.rows.shipments.add(placed.pk, event, placed.carrier, placed.tracking, at)
        for line, ware, quantity in placed.lines:
            self.rows.shipped.add(shipment, line, quantity)
            self._move(ware, -quantity, -quantity, at, line=line, order=placed.pk, event=event)
        if placed.fulfilment != "SHIPPED":
            self._due(min(at + timedelta(days=self.rng.uniform(1.5, 4)), self.now), "arrive", placed)

    def _arrive(self, placed: Placed, at: datetime) -> None:
        self._event(placed, "status", at, _moved("fulfilment", "SHIPPED", "DELIVERED"))
        if placed.payment == "REFUNDED":
            self._due(min(at + timedelta(days=4), self.now), "return", placed)
        elif placed.payment == "PARTIALLY_REFUNDED":
            self._due(min(at + timedelta(days=2), self.now), "refund", placed)

    def _return(self, placed: Placed, at: datetime) -> None:
        """Everything comes back to the shelf and the money goes back."""
        event = self._event(placed, "return", at, _moved("fulfilment", "DELIVERED", "RETURNED"))
        for line, ware, quantity in placed.lines:
            self.rows.decisions.add(line, event, LineDecision.Source.RETURN, quantity, quantity)
            self._move(ware, quantity, 0, at, line=line, order=placed.pk, event=event)
        self._refund(placed, at)

    def _refund(self, placed: Placed, at: datetime) -> None:
        """All of the money, or one piece that arrived broken and stays with the customer."""
        event = self._event(placed, "refund", at, _moved("payment", "PAID", placed.payment))
        whole = placed.payment == "REFUNDED"
        amount = placed.total if whole else placed.lines[0][1].price
        refund = self.rows.refunds.add(placed.pk, event, amount, amount, placed.shipping if whole else Decimal(0), CARD, at)
        for line, ware, quantity in placed.lines if whole else placed.lines[:1]:
            pieces = quantity if whole else 1
            self.rows.refunded.add(refund, line, pieces, ware.price * pieces)

    def _event(
        self, placed: Placed, kind: str, at: datetime, changes: dict[str, Any], *, actor: str = CLERK, source: str = ChangeSource.CLERK
    ) -> int:
        return self.rows.events.add(placed.pk, kind, at, actor, source, changes, UUID(int=self.rng.getrandbits(128), version=4))

    def _move(
        self, ware: Ware, on_hand: int, held: int, at: datetime, *, kind: str = "settle", line: int | None = None, **of: int | None
    ) -> None:
        counter = self.counters[ware.pk]
        counter[0] += on_hand
        counter[1] += held
        reason = "" if line else "Livraison du fournisseur"
        self.rows.movements.add(
            ware.pk, kind, on_hand, held, counter[0], counter[1], line, of.get("order"), of.get("event"), CLERK, reason, at
        )


def _moved(axis: str, old: str, new: str) -> dict[str, Any]:
    return {f"{axis}_status": {"from": old, "to": new}}


def _vat(amount: Decimal) -> Decimal:
    return (amount / 6).quantize(CENT)
