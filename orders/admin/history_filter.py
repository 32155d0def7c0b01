"""Which part of an order's history is shown: kinds of entries and where they came from, as links that work without a script."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from orders.choices import ChangeSource
from orders.models import BulkItem, Note, Order, OrderEvent, Payment, Refund, StockMovement

EVENTS = 30
EVERYTHING, STATUS, MONEY, STOCK, EDITS, NOTES, MAILS, DOCUMENTS = "", "status", "money", "stock", "edits", "notes", "mails", "documents"
NAMES: Mapping[str, Any] = {
    EVERYTHING: gettext_lazy("Everything"),
    STATUS: pgettext_lazy("history", "Status"),
    MONEY: gettext_lazy("Money"),
    STOCK: gettext_lazy("Stock"),
    EDITS: gettext_lazy("Edits"),
    NOTES: gettext_lazy("Notes"),
    MAILS: gettext_lazy("E-mails"),
    DOCUMENTS: gettext_lazy("Documents"),
}
K = OrderEvent.Kind
EDITED = (K.EDIT, K.DETAILS, K.HOLD, K.UPDATED, K.DELETED)


@dataclass(frozen=True)
class Choice:
    """A link of the filter."""

    name: str
    query: str
    is_current: bool


@dataclass(frozen=True)
class HistoryFilter:
    """What the address asks of the history: `t` a kind of entries, `src` a source, `events=all` without a limit."""

    kind: str = EVERYTHING
    source: str = ""
    shows_all: bool = False
    within: str = ""  # the list that the reader came from, kept in every link

    @classmethod
    def of(cls, query: QueryDict) -> "HistoryFilter":
        kind, source = query.get("t", ""), query.get("src", "")
        return cls(
            kind if kind in NAMES else EVERYTHING,
            source if source in ChangeSource.values else "",
            "events" in query,
            query.get("in", ""),
        )

    @property
    def is_set(self) -> bool:
        return bool(self.kind or self.source)

    @property
    def shows_mails(self) -> bool:
        return self.kind in (EVERYTHING, MAILS)

    @property
    def shows_documents(self) -> bool:
        return self.kind in (EVERYTHING, DOCUMENTS) and self.source in ("", ChangeSource.CLERK)

    def kinds(self) -> list[Choice]:
        return [Choice(str(name), self._query(t=key, src=self.source), key == self.kind) for key, name in NAMES.items()]

    def sources(self) -> list[Choice]:
        names = [("", _("Any source")), *((value, str(label)) for value, label in ChangeSource.choices)]
        return [Choice(name, self._query(t=self.kind, src=key), key == self.source) for key, name in names]

    def without_limit(self) -> str:
        return self._query(t=self.kind, src=self.source, events="all")

    def events(self, order: Order) -> list[OrderEvent]:
        """The events asked for, newest first, one more than is shown where there is a limit. One query."""
        if self.kind in (MAILS, DOCUMENTS):
            return []
        job = BulkItem.objects.filter(event=OuterRef("pk")).values("job__public_id")[:1]
        rows = self._of_kind(OrderEvent.objects.filter(order=order).order_by("-id")).annotate(bulk_job=Subquery(job))
        if self.source:
            rows = rows.filter(source=self.source)
        return list(rows if self.shows_all else rows[: EVENTS + 1])

    def mail_events(self, order: Order) -> set[int] | None:
        """The events whose mails are asked for; None: of all. No query unless a source is chosen."""
        if not self.source:
            return None
        return set(OrderEvent.objects.filter(order=order, source=self.source).values_list("pk", flat=True))

    def _of_kind(self, rows: QuerySet[OrderEvent]) -> QuerySet[OrderEvent]:
        here = {"event": OuterRef("pk")}
        conditions: dict[str, Any] = {
            STATUS: Q(kind=K.STATUS) | Q(changes__has_key="payment_status") | Q(changes__has_key="fulfilment_status"),
            MONEY: Q(kind__in=(K.PAYMENT, K.REFUND))
            | Q(changes__has_key="total")
            | Exists(Payment.objects.filter(**here))
            | Exists(Refund.objects.filter(**here)),
            STOCK: Exists(StockMovement.objects.filter(**here)),
            EDITS: Q(kind__in=EDITED),
            NOTES: Q(kind=K.NOTE) | Exists(Note.objects.filter(**here)),
        }
        return rows.filter(conditions[self.kind]) if self.kind in conditions else rows

    def _query(self, **values: str) -> str:
        query = QueryDict(mutable=True)
        for name, value in (*values.items(), ("in", self.within)):
            if value:
                query[name] = value
        return f"?{query.urlencode()}"
