"""Why is this number 3? The arithmetic behind each figure of an order, each term with the row it comes from."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.errors import OrderError
from orders.models import Order, OrderDiscount, OrderLine, OrderSurcharge, Payment, Refund
from orders.money import exponent, format_money, format_number, format_percent, quantum, round_money
from orders.tax import vat_of_import, vat_of_order
from orders.vat import VatGroup

ZERO = Decimal(0)
MOST_TERMS = 12
MINUS, PLUS = "\u2212", "+"


@dataclass(frozen=True)
class Term:
    """One row of a sum: what, how much, and the anchor of the row it comes from."""

    label: str
    figure: str
    href: str = ""
    remark: str = ""


@dataclass(frozen=True)
class Why:
    """A figure with its sum. `differs` says in words where the sum gives another figure than the one that stands."""

    key: str
    title: str
    figure: str
    terms: list[Term]
    result: str
    differs: str = ""
    remarks: list[str] = field(default_factory=list)


@dataclass
class Figures:
    """The rows of one order that its figures are made of, read by the page already. Works out sums, reads nothing."""

    order: Order
    lines: Sequence[OrderLine]
    discounts: Sequence[OrderDiscount]
    surcharges: Sequence[OrderSurcharge]
    payments: Sequence[Payment]
    refunds: Sequence[Refund]

    def all(self) -> dict[str, Why]:
        """Every sum of the page by the name of its figure."""
        order = self.order
        found = [self._subtotal(), self._total(), self._balance()]
        found += [self._refund_due()] if order.refund_due else []
        found += [self._discount()] if order.discount else []
        found += [self._coupon()] if order.coupon_discount else []
        found += [self._tax()] if order.tax else []
        found += [self._paid()] if self.payments else []
        found += [self._refunded()] if self.refunds else []
        found += [self._weight()] if any(line.weight for line in self.lines) else []
        return {why.key: why for why in found}

    def before_placing(self) -> dict[str, Why]:
        """The sums of an order that is not saved yet: nothing is paid, and it has no status."""
        order = self.order
        found = [self._subtotal(), self._total()]
        found += [self._discount()] if order.discount else []
        found += [self._coupon()] if order.coupon_discount else []
        found += [self._tax()] if order.tax else []
        return {why.key: why for why in found}

    def of_line(self, line: OrderLine) -> Why:
        """The total of a line: price × quantity."""
        order = self.order
        terms = [
            Term(_("Price"), self._money(line.price)),
            Term(_("Quantity"), f"× {line.quantity}", remark=self._pieces(line)),
        ]
        remarks = []
        shares = line.line_discount + line.discount_share + line.coupon_share
        if shares:
            remarks.append(_("Its share of the discounts, %(amount)s, is taken off below.") % {"amount": self._money(shares)})
        if line.product_price is not None and line.product_price != line.price:
            remarks.append(_("The catalogue asked %(amount)s when it was sold.") % {"amount": self._money(line.product_price)})
        title = _("Why %(amount)s for %(name)s?") % {"amount": self._money(line.amount), "name": line.name}
        figure = format_money(line.amount, order.currency)
        return Why(f"line-{line.pk}", title, figure, terms, figure, remarks=remarks)

    def _subtotal(self) -> Why:
        terms = [Term(str(line), self._money(line.amount), f"#line-{line.pk}") for line in self.lines]
        return self._sum("subtotal", self.order.subtotal, terms, sum((line.amount for line in self.lines), ZERO))

    def _discount(self) -> Why:
        order, terms, total = self.order, [], ZERO
        for row in self.discounts:
            remark = _("%(rate)s of the items") % {"rate": format_percent(row.value)} if row.kind == "PERCENT" and row.value else ""
            terms.append(Term(str(row) or _("Discount"), self._money(row.amount), remark=remark))
            total += row.amount
        for line in self.lines:
            if line.line_discount:
                terms.append(Term(_("On %(name)s") % {"name": line.name}, self._money(line.line_discount), f"#line-{line.pk}"))
                total += line.line_discount
        return self._sum("discount", order.discount, terms, total)

    def _coupon(self) -> Why:
        order = self.order
        shared = [line for line in self.lines if line.coupon_share]
        terms = [Term(line.name, self._money(line.coupon_share), f"#line-{line.pk}") for line in shared]
        if terms:
            return self._sum("coupon", order.coupon_discount, terms, sum((line.coupon_share for line in shared), ZERO))
        terms = [
            Term(
                _("Coupon %(code)s") % {"code": order.coupon_code} if order.coupon_code else _("Coupon"), self._money(order.coupon_discount)
            )
        ]
        return self._sum("coupon", order.coupon_discount, terms, order.coupon_discount)

    def _tax(self) -> Why:
        order = self.order
        try:
            is_own = order.source == Order.OWN
            result = (vat_of_order if is_own else vat_of_import)(order, self.lines, self.surcharges)
        except (OrderError, ValueError) as error:
            terms = [Term(line.name, self._money(line.tax), f"#line-{line.pk}") for line in self.lines if line.tax]
            why = self._sum("tax", order.tax, terms, sum((line.tax for line in self.lines), ZERO))
            return Why(why.key, why.title, why.figure, why.terms, why.result, why.differs, [str(error)])
        countries = {group.country for group in result.groups}
        terms, is_rounded = [], False
        for group in result.groups:
            label = _("%(rate)s of %(base)s") % {"rate": format_percent(group.rate), "base": self._money(group.base)}
            remarks = [group.country] if len(countries) > 1 else []
            if rounding := self._rounding(group):
                is_rounded = True
                remarks.append(rounding)
            terms.append(Term(label, self._money(group.vat), remark=", ".join(remarks)))
        why = self._sum("tax", order.tax, terms, result.vat)
        remarks = [
            _("The prices include this VAT: it is a part of the total.")
            if order.prices_include_tax
            else _("The prices are without VAT: it is added.")
        ]
        if is_rounded:
            remarks.append(_("Fractions of a cent are shared out so that the parts make the total."))
        return replace(why, remarks=remarks)

    def _rounding(self, group: VatGroup) -> str:
        """Why a group's VAT is not its rate times its base, to the cent; empty where it is."""
        hundred = Decimal(100)
        if self._money(group.base * group.rate / hundred) == self._money(group.vat):
            return ""
        if not self.order.prices_include_tax:
            return _("exactly %(exact)s, rounded line by line") % {"exact": self._exact(group.base * group.rate / hundred)}
        exact = self._exact(group.gross * group.rate / (hundred + group.rate))
        return _("exactly %(exact)s of %(gross)s with VAT") % {"exact": exact, "gross": self._money(group.gross)}

    def _exact(self, amount: Decimal) -> str:
        digits = exponent(self.order.currency) + 2
        return format_number(amount.quantize(quantum(digits)).normalize())

    def _total(self) -> Why:
        order = self.order
        parts: list[tuple[str, Decimal, str]] = [
            (_("Subtotal"), order.subtotal, "#sum-subtotal"),
            (_("Discount"), -order.discount, "#sum-discount"),
            (_("Coupon"), -order.coupon_discount, "#sum-coupon"),
            (_("Shipping"), order.shipping_cost, "#sum-shipping"),
            (_("Handling fee"), order.handling_fee, ""),
            (_("Surcharges"), order.surcharges_total, ""),
            (_("Tips"), order.tips_total, ""),
            (_("Tax"), ZERO if order.prices_include_tax else order.tax, "#sum-tax"),
            (_("Gift card"), -order.gift_card_amount, ""),
        ]
        counted = [(label, amount, href) for label, amount, href in parts if amount or label == _("Subtotal")]
        terms = [Term(label, self._signed(amount, is_first=not position), href) for position, (label, amount, href) in enumerate(counted)]
        return self._sum("total", order.total, terms, sum((amount for _l, amount, _h in counted), ZERO))

    def _balance(self) -> Why:
        order = self.order
        terms = [Term(_("Total of the order"), self._money(order.total), "#sum-total")]
        for refund in self.refunds:
            if refund.credited:
                label = _("Taken off by a refund") if refund.amount else _("Taken off for an exchange")
                terms.append(Term(label, self._signed(-refund.credited), f"#refund-{refund.pk}"))
        for payment in self.payments:
            label = _("Received, %(method)s") % {"method": payment.method} if payment.method else _("Received")
            terms.append(Term(_("Taken back") if payment.reverses_id else label, self._signed(-payment.amount), f"#payment-{payment.pk}"))
        terms += [Term(_("Given back"), self._signed(refund.amount), f"#refund-{refund.pk}") for refund in self.refunds]
        parts = order.total - sum((refund.credited - refund.amount for refund in self.refunds), ZERO)
        recomputed = parts - sum((payment.amount for payment in self.payments), ZERO)
        why = self._sum("balance", order.balance, terms, recomputed)
        remarks = []
        if order.payment_status.releases and order.balance > 0:
            remarks.append(_("%(name)s: nothing is left to pay.") % {"name": order.payment_status})
        elif order.balance < 0:
            remarks.append(_("Below zero: the shop owes this to the customer."))
        return Why(why.key, why.title, why.figure, why.terms, why.result, why.differs, remarks)

    def _refund_due(self) -> Why:
        """What the shop owes: of a cancelled order what it keeps, else what was paid too much."""
        order = self.order
        received, given = order.paid_total, order.refunded_total
        terms = [Term(_("Received in all"), self._money(received), "#h-pay")]
        terms += [Term(_("Given back in all"), self._signed(-given), "#h-pay")] if given else []
        if order.payment_status.releases:
            remarks = [_("%(name)s: nothing is left to pay, so all of it is to be given back.") % {"name": order.payment_status}]
            return replace(self._sum("refund_due", order.refund_due, terms, received - given), remarks=remarks)
        terms.append(Term(_("Total of the order"), self._signed(-order.total), "#sum-total"))
        terms += [Term(_("Taken off by refunds"), self._signed(order.credited_total), "#h-pay")] if order.credited_total else []
        recomputed = received - given - order.total + order.credited_total
        return self._sum("refund_due", order.refund_due, terms, recomputed)

    def _paid(self) -> Why:
        terms = [
            Term(payment.method or _("Received"), self._signed(payment.amount, is_first=not position), f"#payment-{payment.pk}")
            for position, payment in enumerate(self.payments)
        ]
        return self._sum("paid", self.order.paid_total, terms, sum((payment.amount for payment in self.payments), ZERO))

    def _refunded(self) -> Why:
        terms = [
            Term(
                refund.reason or (_("Refund taken back") if refund.reverses_id else _("Given back")),
                self._signed(refund.amount, is_first=not position),
                f"#refund-{refund.pk}",
            )
            for position, refund in enumerate(self.refunds)
        ]
        return self._sum("refunded", self.order.refunded_total, terms, sum((refund.amount for refund in self.refunds), ZERO))

    def _weight(self) -> Why:
        weighed = [line for line in self.lines if line.weight]
        total = sum((line.weight * line.quantity for line in weighed if line.weight), ZERO)
        terms = [
            Term(line.name, f"{line.quantity} × {format_number(line.weight)} kg", f"#line-{line.pk}")
            for line in weighed
            if line.weight is not None
        ]
        remarks = [_("Some items have no weight.")] if len(weighed) < len(self.lines) else []
        figure = f"{format_number(total)} kg"
        return Why("weight", _("Why %(amount)s?") % {"amount": figure}, figure, self._short(terms), figure, remarks=remarks)

    def _sum(self, key: str, stands: Decimal, terms: list[Term], recomputed: Decimal) -> Why:
        figure, result = self._money(stands), self._money(recomputed)
        differs = ""
        if round_money(stands, self.order.currency) != round_money(recomputed, self.order.currency):
            words = {"sum": result, "figure": figure}
            differs = _("These rows give %(sum)s; the order says %(figure)s. The figure of the order stands as it came.") % words
        return Why(key, _("Why %(amount)s?") % {"amount": figure}, figure, self._short(terms), result, differs)

    def _short(self, terms: list[Term]) -> list[Term]:
        """A long sum names its first rows; the others are counted, they stand on the page."""
        if len(terms) <= MOST_TERMS:
            return terms
        rest = len(terms) - MOST_TERMS
        return [*terms[:MOST_TERMS], Term(ngettext("and %(count)d more", "and %(count)d more", rest) % {"count": rest}, "…")]

    def _pieces(self, line: OrderLine) -> str:
        given = line.pieces_shelf + line.pieces_lost
        return (
            ngettext("%(count)d of them came back or was lost", "%(count)d of them came back or were lost", given) % {"count": given}
            if given
            else ""
        )

    def _money(self, amount: Decimal) -> str:
        return format_money(amount, self.order.currency)

    def _signed(self, amount: Decimal, *, is_first: bool = False) -> str:
        text = self._money(abs(amount))
        if amount < 0:
            return f"{MINUS}{text}"
        return text if is_first else f"{PLUS}{text}"
