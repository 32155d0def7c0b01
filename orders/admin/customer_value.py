"""What the orders of a customer came to: their totals without what was cancelled, refunded or taken off, and how that is worked out."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.expressions import Combinable
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.admin.why import MINUS, Term, Why
from orders.choices import StockEffect
from orders.models import Order
from orders.money import format_money, round_money

ZERO = Decimal(0)


def kept_sum(prefix: str = "") -> Sum:
    """What the orders came to, as an aggregate: a cancelled or refunded one counts nothing. `prefix` leads to the orders."""
    worth: Combinable = F(f"{prefix}total") - F(f"{prefix}credited_total")
    live = ~Q(**{f"{prefix}payment_status__stock_effect": StockEffect.RELEASE}) & Q(**{f"{prefix}deleted_at": None})
    return Sum(worth, filter=live)


@dataclass(frozen=True)
class CustomerValue:
    """The orders of a customer in one currency. `ended` are those cancelled or refunded, `credited` is what refunds took off the others."""

    currency: str
    count: int
    ordered: Decimal
    ended_count: int
    ended: Decimal
    credited: Decimal
    paid: Decimal
    since: datetime | None

    @property
    def kept(self) -> Decimal:
        return self.ordered - self.ended - self.credited

    @property
    def average(self) -> Decimal:
        """Per order that was neither cancelled nor refunded."""
        return round_money(self.kept / max(self.count - self.ended_count, 1), self.currency)

    @property
    def why(self) -> Why:
        """How much was kept, with its arithmetic."""
        figure = format_money(self.kept, self.currency)
        placed = ngettext("%(count)d order placed", "%(count)d orders placed", self.count) % {"count": self.count}
        ended = ngettext("%(count)d cancelled or refunded", "%(count)d cancelled or refunded", self.ended_count)
        terms = [Term(placed, format_money(self.ordered, self.currency))]
        if self.ended_count:
            terms.append(Term(ended % {"count": self.ended_count}, f"{MINUS}{format_money(self.ended, self.currency)}"))
        if self.credited:
            terms.append(Term(_("Taken off by refunds"), f"{MINUS}{format_money(self.credited, self.currency)}"))
        title = _("Why %(amount)s?") % {"amount": figure}
        return Why(f"customer-{self.currency}", title, figure, terms, figure)


def values_of(orders: QuerySet[Order]) -> list[CustomerValue]:
    """What these orders came to, a currency each, the most used first. One query."""
    is_ended = Q(payment_status__stock_effect=StockEffect.RELEASE)
    rows: Any = (
        orders.order_by()
        .values("currency")
        .annotate(
            count=Count("pk"),
            ordered=Sum("total"),
            ended_count=Count("pk", filter=is_ended),
            ended=Sum("total", filter=is_ended),
            credited=Sum("credited_total", filter=~is_ended),
            paid=Sum("paid_total"),
            since=Min("placed_at"),
        )
        .order_by("-count", "currency")
    )
    return [CustomerValue(**row | {name: row[name] or ZERO for name in ("ordered", "ended", "credited", "paid")}) for row in rows]
