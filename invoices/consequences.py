"""What changes set off in documents: rows that wait to be issued, those that no longer are, those that wait again."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from invoices.doorbell import ring_for_documents
from invoices.models import PendingDocument
from orders.money import format_money
from orders.services.change import Paper
from orders.services.plan import Consequence, PanelItem, PlannedChange
from orders.services.writing import update_rows

KIND = PendingDocument.Kind
STATE = PendingDocument.State


def credit_key(event_id: int) -> str:
    """The issue key of the credit note that takes back the invoice which an edit replaces."""
    return f"event:{event_id}:{KIND.CREDIT_NOTE}"


@dataclass(kw_only=True)
class IssueDocument(Consequence):
    """An invoice or credit note will be issued once `release_at` has passed."""

    kind: str
    trigger: str
    amount: Decimal
    currency: str
    release_at: datetime
    is_held: bool
    details: dict[str, Any] = field(default_factory=dict)
    obstacles: tuple[str, ...] = ()
    paper: Paper | None = None  # how it will look, for the panel

    @property
    def papers(self) -> tuple[str, ...]:
        """Kinds of the documents that are issued, the one that counts from now on first."""
        return (self.kind,)

    def facts(self) -> tuple[Any, ...]:
        return (self.key, self.is_on, self.kind, str(self.amount.normalize()))

    def describe(self) -> PanelItem:
        title = _("An invoice is issued") if self.kind == KIND.INVOICE else _("A credit note is issued")
        lines: tuple[str, ...] = (format_money(self.amount, self.currency),)
        if self.obstacles:
            lines += (_("It will wait for you:"), *self.obstacles)
        return PanelItem(
            icon="file-text", title=title, lines=lines, when=_("after the undo time") if self.is_held else _("at once"), paper=self.paper
        )

    @classmethod
    def save_all(cls, items: Sequence[tuple[PlannedChange, "IssueDocument"]]) -> None:
        """Insert a waiting document per item; the worker is woken after commit for those that are due."""
        wanted = [(change, item) for change, item in items if item.is_on]
        PendingDocument.objects.bulk_create(
            [
                PendingDocument(
                    order=change.order,
                    event=change.event,
                    kind=item.kind,
                    trigger=item.trigger,
                    release_at=item.release_at,
                    amount=item.amount,
                    details=item.details,
                    issue_key=f"event:{change.event.pk}:{item.kind}",
                )
                for change, item in wanted
                if change.event is not None
            ],
            batch_size=500,
        )
        if any(not item.is_held for _change, item in wanted):
            transaction.on_commit(lambda: ring_for_documents())


@dataclass(kw_only=True)
class CancelDocument(Consequence):
    """A document that was still waiting is not issued."""

    pending_id: int
    kind: str
    optional: bool = False

    def describe(self) -> PanelItem:
        title = _("The waiting invoice is not issued") if self.kind == KIND.INVOICE else _("The waiting credit note is not issued")
        return PanelItem(icon="file-x", title=title, when=_("at once"))

    @classmethod
    def save_all(cls, items: Sequence[tuple[PlannedChange, "CancelDocument"]]) -> None:
        """Cancel the waiting rows and remember which event did it, so that undoing that event brings them back."""
        events = {item.pending_id: change.event.pk for change, item in items if change.event is not None}
        waiting = PendingDocument.objects.filter(pk__in=events, state__in=(STATE.WAITING, STATE.NEEDS_STAFF))
        ids = list(waiting.values_list("pk", flat=True))
        update_rows(PendingDocument, ["cancelled_by_id"], [PendingDocument(pk=pk, cancelled_by_id=events[pk]) for pk in ids])
        PendingDocument.objects.filter(pk__in=ids).update(state=STATE.CANCELLED)


@dataclass(kw_only=True)
class RestoreDocument(Consequence):
    """A document that the undone change had stopped waits again."""

    pending_id: int
    kind: str
    release_at: datetime
    optional: bool = False

    def describe(self) -> PanelItem:
        title = (
            _("The invoice that was stopped waits again")
            if self.kind == KIND.INVOICE
            else _("The credit note that was stopped waits again")
        )
        return PanelItem(icon="file-text", title=title, when=_("after the undo time"))

    @classmethod
    def save_all(cls, items: Sequence[tuple[PlannedChange, "RestoreDocument"]]) -> None:
        alike: dict[datetime, list[int]] = defaultdict(list)
        for _change, item in items:
            alike[item.release_at].append(item.pending_id)
        for release_at, ids in alike.items():
            PendingDocument.objects.filter(pk__in=ids, state=STATE.CANCELLED).update(
                state=STATE.WAITING, cancelled_by=None, release_at=release_at
            )


@dataclass(kw_only=True)
class ReplaceInvoice(IssueDocument):
    """A credit note takes an issued invoice back and a new one follows, in one transaction: an invoice is never edited."""

    number: str
    before: Decimal  # what of it is still to be credited
    credited: Decimal = Decimal(0)  # what refunds credited before

    @property
    def papers(self) -> tuple[str, ...]:
        return (self.kind, KIND.CREDIT_NOTE)

    def describe(self) -> PanelItem:
        amounts = [format_money(amount, self.currency) for amount in (self.before, self.amount)]
        lines: tuple[str, ...] = (
            _("Invoice %(number)s is never edited: a credit note takes it back.") % {"number": self.number},
            _("%(before)s is credited, %(after)s is invoiced.") % {"before": amounts[0], "after": amounts[1]},
        )
        if self.credited:
            words = _("%(amount)s of it was credited before: the new invoice leaves out what was given back.")
            lines += (words % {"amount": format_money(self.credited, self.currency)},)
        title = _("A credit note and a new invoice are issued")
        return PanelItem(icon="file-text", title=title, lines=lines, when=_("after the undo time") if self.is_held else _("at once"))
