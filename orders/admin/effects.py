"""A planned change in words and numbers: what the consequence panel shows before anything is saved."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.admin.edit_history import planned_parts
from orders.models import Order, OrderAddress, Shipment, ShipmentLine, Variant
from orders.money import format_money
from orders.people import name_of
from orders.services.change import Paper
from orders.services.plan import Consequence, NotGoing, Plan, PlannedChange

UNSAID = ("is_oversold", "deleted_at", "deleted_reason")  # told in sentences of their own
AMOUNTS = ("subtotal", "discount", "coupon_discount", "shipping_cost", "surcharges_total", "tax", "total")


@dataclass(frozen=True)
class StockRow:
    """The counters of one variant before and after."""

    variant: Variant
    on_hand: tuple[int, int]
    committed: tuple[int, int]

    @property
    def available(self) -> tuple[int, int]:
        return self.on_hand[0] - self.committed[0], self.on_hand[1] - self.committed[1]


@dataclass
class Effect:
    """One thing that a change sets off. With `key` and `is_optional` it has a tick."""

    icon: str
    title: str
    when: str = ""
    lines: tuple[str, ...] = ()
    key: str = ""
    is_optional: bool = False
    is_on: bool = True
    subject: str = ""
    has_body: bool = False
    stock: list[StockRow] = field(default_factory=list)
    differences: list[tuple[str, str, str]] = field(default_factory=list)
    is_absent: bool = False
    paper: Paper | None = None


def effects_of(plan: Plan, change: PlannedChange) -> list[Effect]:
    """Everything the change does, in the order a clerk asks: who hears of it, stock, parcels, money, papers, what stays away."""
    told = [_told(consequence) for consequence in change.consequences]
    mails = [effect for effect in told if effect.has_body]
    others = [effect for effect in told if not effect.has_body and not effect.is_absent]
    absent = [effect for effect in told if effect.is_absent]
    itself = [*_ending(change), *_steps(change), *_order_itself(change)]
    return [*mails, *_stock(plan, change), *_parcels(change), *_money(change), *others, *itself, *absent]


def _told(consequence: Consequence) -> Effect:
    item = consequence.describe()
    return Effect(
        icon=item.icon,
        title=item.title,
        when=item.when,
        lines=item.lines,
        key=consequence.key,
        is_optional=consequence.optional,
        is_on=consequence.is_on,
        subject=item.subject,
        has_body=bool(item.html or item.text),
        is_absent=isinstance(consequence, NotGoing),
        paper=item.paper,
    )


def stock_rows(change: PlannedChange) -> list[StockRow]:
    """The counters that the change moves, one row per variant however many items share it."""
    rows: dict[int, StockRow] = {}
    for m in change.movements:
        before = rows.get(m.variant.pk)
        on_hand, committed = (before.on_hand, before.committed) if before else ((m.on_hand_before,) * 2, (m.committed_before,) * 2)
        rows[m.variant.pk] = StockRow(
            m.variant, (on_hand[0], on_hand[1] + m.delta_on_hand), (committed[0], committed[1] + m.delta_committed)
        )
    return list(rows.values())


def _stock(plan: Plan, change: PlannedChange) -> Iterator[Effect]:
    if not plan.world.shop.stock_control:
        yield Effect("boxes", _("No stock moves"), lines=(_("Stock control is switched off in the settings."),), is_absent=True)
        return
    if change.movements:
        yield Effect("boxes", _stock_title(change), when=_("at once"), lines=tuple(_decisions(change)), stock=stock_rows(change))
    elif decided := tuple(_decisions(change)):
        yield Effect("boxes", _("Where the pieces are"), when=_("at once"), lines=decided)
    if change.stock_ignored and (change.status_changes or change.decisions or change.quantities):
        names = ", ".join(line.name for line in change.stock_ignored[:3]) + ("…" if len(change.stock_ignored) > 3 else "")
        yield Effect(
            "boxes", _("Stock does not follow %(names)s") % {"names": names}, lines=(_("Imported without moving stock."),), is_absent=True
        )


def _stock_title(change: PlannedChange) -> str:
    on_hand = sum(m.delta_on_hand for m in change.movements)
    committed = sum(m.delta_committed for m in change.movements)
    if not on_hand and (back := sum(m.delta_on_hand for m in change.movements if m.delta_on_hand > 0)):
        return _("Back to the stock: %(back)d. Leaving it: %(back)d.") % {"back": back}
    if not on_hand and not committed and (kept := sum(m.delta_committed for m in change.movements if m.delta_committed > 0)):
        return _("Reserved: %(count)d. Free again: %(count)d.") % {"count": kept}
    if on_hand < 0:
        return ngettext("%(count)d piece leaves the stock", "%(count)d pieces leave the stock", -on_hand) % {"count": -on_hand}
    if on_hand > 0:
        return ngettext("%(count)d piece comes back to the stock", "%(count)d pieces come back to the stock", on_hand) % {"count": on_hand}
    if committed < 0:
        return ngettext("%(count)d piece is free again", "%(count)d pieces are free again", -committed) % {"count": -committed}
    return ngettext("%(count)d piece is reserved", "%(count)d pieces are reserved", committed) % {"count": committed}


def _decisions(change: PlannedChange) -> Iterator[str]:
    for takeover in change.takeovers:
        words = {"count": takeover.pieces, "sku": takeover.variant.sku}
        yield (
            ngettext("%(count)d × %(sku)s was kept by this draft.", "%(count)d × %(sku)s were kept by this draft.", takeover.pieces) % words
        )
    for decision in change.decisions:
        name = decision.line.name
        if decision.shelf > 0:
            yield _("%(count)d × %(name)s: back on the shelf") % {"count": decision.shelf, "name": name}
        if decision.lost > 0:
            yield _("%(count)d × %(name)s: lost or damaged, not back in stock") % {"count": decision.lost, "name": name}
        if decision.shelf + decision.lost < 0:
            yield _("%(count)d × %(name)s: taken from the stock again") % {"count": -decision.shelf - decision.lost, "name": name}


def _parcels(change: PlannedChange) -> Iterator[Effect]:
    for shipment in change.voided_shipments:
        yield Effect("truck", _("The parcel %(name)s is replaced") % {"name": shipment}, when=_("at once"))
    for shipment, rows in change.new_shipments:
        yield Effect("truck", _parcel_title(shipment), when=_("at once"), lines=tuple(_contents(rows)))


def _parcel_title(shipment: Shipment) -> str:
    if shipment.tracking_number:
        name = " ".join(part for part in (shipment.carrier, shipment.tracking_number) if part)
        return _("A parcel: %(name)s") % {"name": name}
    return _("A parcel without a tracking number")


def _contents(rows: list[ShipmentLine]) -> Iterator[str]:
    return (f"{row.quantity} × {row.line.name}" for row in rows)


def _money(change: PlannedChange) -> Iterator[Effect]:
    order = change.order
    for payment in change.payments:
        if payment.amount < 0:
            amount = format_money(-payment.amount, order.currency)
            title = _("The payment of %(amount)s no longer counts") % {"amount": amount}
            yield Effect(
                "undo-2", title, when=_("at once"), lines=(_("It stays in the history, with a row that takes it back."), _balance(change))
            )
            continue
        words = {"amount": format_money(payment.amount, order.currency), "method": payment.method or _("no method")}
        yield Effect(
            "credit-card",
            _("A payment of %(amount)s") % words,
            when=_("at once"),
            lines=(_("%(method)s; recorded as received, no money is moved.") % words, _balance(change)),
        )
    for refund, rows in change.refunds:
        if refund.amount < 0:
            title = _("The refund of %(amount)s no longer counts") % {"amount": format_money(-refund.amount, order.currency)}
            yield Effect("undo-2", title, when=_("at once"), lines=(_balance(change),))
            continue
        words = {"amount": format_money(refund.amount, order.currency), "method": refund.method or _("no method")}
        lines = [
            _("%(count)d × %(name)s: %(amount)s")
            % {"count": row.quantity, "name": row.line.name, "amount": format_money(row.amount, order.currency)}
            for row in rows
        ]
        if refund.shipping:
            lines.append(_("Shipping: %(amount)s") % {"amount": format_money(refund.shipping, order.currency)})
        title = _("A refund of %(amount)s") % words
        if refund.amount:
            lines.append(_("%(method)s; recorded as given back, no money is moved.") % words)
        else:
            title = _("%(amount)s is taken off for an exchange") % {"amount": format_money(refund.credited, order.currency)}
        yield Effect("undo-2", title, when=_("at once"), lines=(*lines, _balance(change)))
    if not change.payments and not change.refunds and change.status_changes:
        yield Effect("lock", _("No money is recorded"), lines=(_balance(change),), is_absent=True)


def _balance(change: PlannedChange) -> str:
    left = change.balance_after
    kept = change.paid_after - change.refunded_after
    if change.payment.releases and kept > 0:
        return _("%(amount)s was received and is still to be given back.") % {"amount": format_money(kept, change.order.currency)}
    if change.payment.releases or not left:
        return _("Nothing is left to pay.")
    amount = format_money(abs(left), change.order.currency)
    if left > 0:
        return _("Left to pay: %(amount)s.") % {"amount": amount}
    return _("Paid too much: %(amount)s.") % {"amount": amount}


def _order_itself(change: PlannedChange) -> Iterator[Effect]:
    order = change.order
    amounts = [
        (column_label(name), format_money(old, order.currency), format_money(new, order.currency))
        for name, (old, new) in change.fields.items()
        if name in AMOUNTS
    ]
    quantities = [
        (line.name, f"× {line.quantity}", f"× {change.quantities[line.pk]}") for line in change.lines if line.pk in change.quantities
    ]
    items = [*quantities, *planned_parts(change)]
    if items or amounts:
        yield Effect("receipt", _("The order changes"), when=_("at once"), differences=[*items, *amounts], lines=(_balance(change),))
    if change.after("is_oversold") and not order.is_oversold:
        yield Effect("triangle-alert", _("The order is marked oversold"), lines=(_("More pieces are sold than there are."),))
    details = [
        (column_label(name), person_or_value(name, old), person_or_value(name, new))
        for name, (old, new) in change.fields.items()
        if name not in AMOUNTS and name not in UNSAID
    ]
    details += [(column_label(name), old, new) for name, (old, new) in change.address_fields.items()]
    tags = [(_("Tag"), "", name) for name in change.facts.get("add_tags", [])]
    tags += [(_("Tag"), name, "") for name in change.facts.get("remove_tags", [])]
    if details or tags:
        yield Effect("pencil", _("Details"), when=_("at once"), differences=[*details, *tags])


def _ending(change: PlannedChange) -> Iterator[Effect]:
    """The order leaves, or comes back."""
    if "deleted_at" not in change.fields:
        return
    if change.is_deleted_after:
        lines = [_("It leaves the lists, the search and the figures. Its history stays, and it can be restored.")]
        if change.paid_after > change.refunded_after:
            kept = format_money(change.paid_after - change.refunded_after, change.order.currency)
            lines.append(_("%(amount)s was received for it and is not given back.") % {"amount": kept})
        yield Effect("trash-2", _("The order is deleted"), when=_("at once"), lines=tuple(lines))
    else:
        yield Effect("rotate-ccw", _("The order is back as it was"), when=_("at once"), lines=(_balance(change),))


def _steps(change: PlannedChange) -> Iterator[Effect]:
    """A step of a return: what it means, and what it leaves alone."""
    for step in change.returns:
        state = str(step.values.get("state", ""))
        pieces = tuple(f"{count} × {row.line.name}" for row, new in step.lines if (count := sum(new.values())))
        yield Effect("rotate-ccw", step_title(state), when=_("at once"), lines=(*pieces, *_next_step(state)))


def step_title(state: str) -> str:
    """A step of a return as a sentence, by the state it leads to."""
    return {
        "requested": _("A return is opened"),
        "approved": _("The return is approved"),
        "received": _("The returned parcel is here"),
        "inspected": _("The return is inspected"),
        "closed": _("The return is closed"),
        "refused": _("The return is refused"),
        "withdrawn": _("The return is withdrawn"),
    }.get(state, _("The return moves back"))


def _next_step(state: str) -> tuple[str, ...]:
    words = {
        "requested": _("Next: approve or refuse it. No stock moves, no e-mail goes."),
        "approved": _("Next: the parcel arrives. No stock moves, no e-mail goes."),
        "received": _("Next: inspect the pieces. No stock moves before."),
        "inspected": _("Next: refund them, exchange them, or close the return."),
    }
    return (words[state],) if state in words else ()


def column_label(name: str) -> str:
    """The name of an order's column in the reader's language; columns of old histories may be gone."""
    kind, dot, part = name.partition(".")
    if dot and kind in OrderAddress.Kind.values:
        columns = {column.name: str(column.verbose_name) for column in OrderAddress._meta.fields}
        return f"{OrderAddress.Kind(kind).label}, {columns.get(part, part)}"
    labels = {column.name: str(column.verbose_name) for column in Order._meta.fields}
    return labels.get(name.removesuffix("_id"), name.replace("_", " "))


def person_or_value(name: str, value: Any) -> str:
    """A column's value in words; of an assignee the name."""
    if name != "assignee_id":
        return in_words(value)
    person = get_user_model()._default_manager.filter(pk=value).first() if value else None
    return name_of(person) if person else _("nobody")


def in_words(value: Any) -> str:
    """A column's value as a reader says it."""
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, date):
        return date_format(value, "DATE_FORMAT")
    return "" if value is None else str(value)
