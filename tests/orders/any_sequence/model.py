"""A shop in plain numbers, written from the domain's sections 1 to 3 and from nothing else.

Each verb changes a `ModelOrder` as the domain says, or raises `Refused`. What it can't know to the cent (VAT shares of several
rates) it bounds; the machine then takes the exact figure from the shop, once it lies within the bounds.
"""

import copy
from dataclasses import dataclass, field
from decimal import Decimal

from tests.orders.any_sequence.content import ZERO, Content, Refused, cents

LEFT = {"SHIPPED", "OUT_FOR_DELIVERY", "DELIVERED", "RETURNED"}
RELEASING = {"CANCELLED", "REFUNDED"}
PAID = {"PAID", "PARTIALLY_REFUNDED"}
AWAITED = {"requested", "approved", "received"}


@dataclass
class Case:
    state: str
    lines: dict[int, list[int]]  # item: asked, received
    pk: int = 0


@dataclass
class ModelOrder:
    content: Content
    payment: str = "AWAITING_PAYMENT"
    fulfilment: str = "AWAITING_PROCESSING"
    includes_tax: bool = True
    tax: Decimal = ZERO
    paid: Decimal = ZERO
    refunded: Decimal = ZERO
    credited: Decimal = ZERO
    shipping_back: Decimal = ZERO
    cases: list[Case] = field(default_factory=list)
    is_deleted: bool = False
    deletion: dict[int, tuple[int, int, int]] = field(default_factory=dict)

    @property
    def total(self):
        return self.content.parts() + (ZERO if self.includes_tax else self.tax)

    @property
    def balance(self):
        return self.total - self.credited - self.paid + self.refunded

    @property
    def is_released(self):
        return self.payment in RELEASING

    @property
    def has_left(self):
        return self.fulfilment in LEFT

    def copy(self):
        return copy.deepcopy(self)

    def holds(self, item):
        """(committed, consumed) of an item: section 2."""
        if not item.sku or not item.is_tracked or item.is_removed:
            return 0, 0
        if self.is_deleted or self.is_released:
            return 0, item.lost
        if self.has_left:
            return 0, item.lost + item.open
        waits = self.fulfilment == "WILL_NOT_DELIVER"
        return (0 if waits else item.unshipped), item.lost + item.with_customer

    def begin(self):
        if self.is_deleted:
            raise Refused("deleted")

    # Statuses

    def become_paid_status(self, payment, *, lost=(), fulfilment=""):
        """The other payment status, with what entering or leaving it does to the pieces."""
        before, self.payment = self.payment, payment
        left_before = self.has_left
        self.fulfilment = fulfilment or self.fulfilment
        if payment == before:
            return
        if payment in RELEASING and before not in RELEASING:
            self._give_back(left_before, lost)
        if payment not in RELEASING and before in RELEASING:
            for item in self.content.sold:
                item.decide(*(-count for count in item.given))
                item.given = (0, 0, 0)
        digital = all(item.is_digital for item in self.content.sold)
        if payment in PAID and digital and self.fulfilment == "AWAITING_PROCESSING":
            self.fulfilment = "DELIVERED"

    def _give_back(self, has_left, lost):
        for index, item in enumerate(self.content.items):
            if item.is_removed or not item.sku:
                continue
            gone = item.open if has_left else item.with_customer
            given = (0, gone) if index in lost else (gone, 0)
            item.given = (*given, min(gone, item.with_customer))
            item.decide(*item.given)

    def set_status(self, payment, fulfilment, *, lost, returned, record):
        self.begin()
        left_before = self.has_left
        before = self.payment
        self.become_paid_status(payment or before, lost=lost, fulfilment=fulfilment)
        if payment and payment != before:
            wants = payment == "PAID" if record is None else record
            if wants and payment == "PAID" and self.balance > 0:
                self.paid += self.balance
            rest = self.paid - self.refunded
            if wants and payment == "REFUNDED" and rest > 0:
                self.give_money(rest)
        if self.fulfilment == "RETURNED" and any(map(sum, returned.values())):
            if self.is_released:
                raise Refused("back already")
            self.take_back(returned, had_left=left_before)

    def cancel(self, *, refund, stops):
        self.begin()
        if self.is_released:
            raise Refused("cancelled already")
        nothing_left = not self.has_left and not any(item.shipped for item in self.content.sold)
        self.become_paid_status("CANCELLED", fulfilment="WILL_NOT_DELIVER" if stops and nothing_left else "")
        if refund and self.paid > self.refunded:
            self.give_money(self.paid - self.refunded)

    # Money

    def give_money(self, amount, *, credited=None):
        self.credited += max(ZERO, min(amount if credited is None else credited, self.total - self.credited))
        self.refunded += amount

    def pay(self, amount, *, set_paid):
        self.begin()
        self.paid += amount
        if set_paid and self.balance <= 0 and self.payment not in PAID | RELEASING:
            self.become_paid_status("PAID")

    def take_back_payment(self, amount, *, set_unpaid):
        """A payment that never came."""
        self.begin()
        if amount > self.paid - self.refunded:
            raise Refused("given back already")
        self.paid -= amount
        if set_unpaid and self.payment in PAID and self.balance > 0:
            self.become_paid_status("AWAITING_PAYMENT")

    def exchange(self, content, index, pieces, amount):
        """An edit that takes pieces back: what they cost is taken off, no money moves, one balance is left."""
        left, sold = self.total - self.credited, self.content.items[index].quantity
        self.put(content)
        if pieces[0] > sold - self.content.items[index].refunded:
            raise Refused("more than was sold")
        self.count_back(index, pieces)
        if not 0 < amount <= left:
            raise Refused("nothing, or more than the order was")
        self.credited += amount
        if self.credited > self.total:
            raise Refused("less than was given back")

    def count_back(self, index, pieces):
        """Pieces of an item that are refunded: (quantity, shelf, lost)."""
        item, (quantity, shelf, lost) = self.content.items[index], pieces
        if item.is_removed or not 0 < quantity <= item.quantity - item.refunded or shelf + lost > min(quantity, item.open):
            raise Refused("not so many pieces")
        decided = shelf + lost
        item.decide(shelf, lost, min(decided, item.with_customer) if self.has_left else max(0, decided - item.unshipped))
        item.refunded += quantity

    def refund(self, pieces, *, shipping, amount, is_exchange=False, case=None):
        """`pieces`: item index: (quantity, shelf, lost); `amount`: what all of it comes to."""
        self.begin()
        for index, wanted in pieces.items():
            self.count_back(index, wanted)
        if amount <= 0 or shipping > max(self.content.shipping - self.shipping_back, ZERO):
            raise Refused("nothing, or more shipping than was paid")
        if amount > (self.total - self.credited if is_exchange else self.paid - self.refunded):
            raise Refused("more than there is")
        if case is not None:
            self.step(case, "closed", "inspected")
        self.shipping_back += shipping
        too_much = max(ZERO, -self.balance)
        credited = amount if pieces or shipping else max(ZERO, amount - too_much)
        if is_exchange:
            self.credited += max(ZERO, min(credited, self.total - self.credited))
            return
        credited = max(ZERO, min(credited, self.total - self.credited))
        self.give_money(amount, credited=credited)
        everything = self.refunded >= self.paid
        if not credited and not (everything and self.total):
            return  # what was paid too much went back: the order is worth what it was
        if everything or not self.is_released:
            self.become_paid_status("REFUNDED" if everything else "PARTIALLY_REFUNDED")

    # Goods

    def ship(self, quantities):
        """`quantities`: item index: pieces; None: all that is left."""
        self.begin()
        if self.is_released:
            raise Refused("nothing is to be shipped")
        shipped = 0
        for index, item in enumerate(self.content.items):
            left = 0 if item.is_digital or item.is_removed else item.unshipped
            wanted = left if quantities is None else quantities.get(index, 0)
            if wanted > left and not item.is_removed:
                raise Refused("more than is left")
            if not item.is_removed:
                item.shipped += wanted
                shipped += wanted
        if not shipped:
            raise Refused("nothing is left")
        if not self.has_left and not any(item.unshipped for item in self.content.sold if not item.is_digital):
            self.fulfilment = "SHIPPED"

    def take_back(self, pieces, *, had_left):
        """Pieces come back, per item (shelf, lost): never more than are out."""
        for index, (shelf, lost) in pieces.items():
            item = self.content.items[index]
            if not shelf + lost:
                continue
            out = item.open if had_left or self.has_left else item.with_customer
            if item.is_removed or shelf + lost > out:
                raise Refused("more than is out")
            item.decide(shelf, lost, min(shelf + lost, item.with_customer))

    def take_return(self, pieces, *, set_returned):
        self.begin()
        if self.is_released:
            raise Refused("back already")
        if not any(shelf + lost for shelf, lost in pieces.values()):
            raise Refused("nothing came back")
        self.take_back(pieces, had_left=self.has_left)
        if set_returned:
            self.fulfilment = "RETURNED"

    def ask_back(self, pieces, *, is_approved):
        self.begin()
        if not any(pieces.values()):
            raise Refused("nothing asked")
        for index, asked in pieces.items():
            item = self.content.items[index]
            out = item.open if self.has_left else item.with_customer
            named = sum(case.lines[index][0] for case in self.cases if case.state in AWAITED and index in case.lines)
            if asked and (self.is_released or item.is_digital or item.is_removed or asked > out - named):
                raise Refused("more than the customer has")
        self.cases.append(Case("approved" if is_approved else "requested", {i: [n, 0] for i, n in pieces.items() if n}))

    def step(self, case, state, *before):
        self.begin()
        if self.cases[case].state not in before:
            raise Refused("not at this step")
        self.cases[case].state = state

    def receive(self, case, pieces):
        self.step(case, "received", "requested", "approved")
        lines = self.cases[case].lines
        if any(pieces.get(index, 0) > asked for index, (asked, _received) in lines.items()):
            raise Refused("more than was asked back")
        if not any(pieces.get(index, 0) for index in lines):
            raise Refused("nothing came")
        for index, line in lines.items():
            line[1] = pieces.get(index, 0)

    def inspect(self, case, pieces, *, set_returned):
        self.step(case, "inspected", "received")
        lines = self.cases[case].lines
        decided = {index: pieces.get(index, (0, 0)) for index in lines}
        if any(sum(decided[index]) > lines[index][1] for index in lines):
            raise Refused("more than was received")
        if not self.is_released:
            self.take_back(decided, had_left=self.has_left)
        if set_returned:
            self.fulfilment = "RETURNED"

    # Edits, deletion

    def put(self, content):
        """The content that an edit makes. Pieces and refunds bound it from below."""
        self.begin()
        content.check()
        for index, item in enumerate(content.items):
            was = self.content.items[index] if index < len(self.content.items) else None
            if was is None or was.is_removed:
                continue
            left = 0 if item.is_removed else item.quantity
            fixed = was.quantity if self.has_left and not was.is_digital else was.fixed
            if left < fixed and left < was.quantity:
                raise Refused("fewer than were shipped, returned or refunded")
        old, self.content = self.total, content
        if not self.includes_tax:
            self.tax = cents(content.vat_bounds(includes_tax=False)[0])
        if self.total < 0 or (self.total < self.credited and self.total < old):
            raise Refused("less than was given back")

    def delete(self, lost):
        if self.is_deleted:
            return
        self.deletion = {}
        if not self.is_released:
            kept = [item.given for item in self.content.items]
            self._give_back(self.has_left, lost)
            for index, given in enumerate(kept):
                self.deletion[index], self.content.items[index].given = self.content.items[index].given, given
        self.is_deleted = True

    def restore(self):
        for index, (shelf, lost, back) in self.deletion.items():
            self.content.items[index].decide(-shelf, -lost, -back)
        self.is_deleted, self.deletion = False, {}
