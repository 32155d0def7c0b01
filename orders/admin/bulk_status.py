"""The panel of a status for many orders: the plan's consequences counted, the orders left out named with their reason."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from orders.admin.cautions import OUT, Present, look_at
from orders.admin.effects import StockRow, stock_rows
from orders.bulk.jobs import Answer, propose, propose_again
from orders.bulk.wishing import group_of
from orders.choices import Axis
from orders.models import BulkJob, Status
from orders.money import format_money
from orders.services.plan import Actor, Consequence, NotGoing, Plan, PlannedChange, plan
from orders.services.status import StatusWish

SHOWN = 8
NAMED = 20  # orders left out that the panel names; the receipt names all


@dataclass
class Group:
    """Consequences of one kind over all orders, with one tick for all of them."""

    name: str
    icon: str
    title: str
    is_optional: bool
    is_on: bool
    is_absent: bool
    count: int = 0
    rows: list[str] = field(default_factory=list)
    when: str = ""
    example_url: str = ""  # the first mail as it will arrive

    @property
    def shown_rows(self) -> list[str]:
        more = self.count - len(self.rows)
        return self.rows + ([_("and %(count)d more") % {"count": more}] if more > 0 else [])


def propose_status(user: Any, wish: dict[str, Any], ids: list[int]) -> tuple[BulkJob, dict[str, Any]]:
    """Plan the status for these orders, keep what was planned as a job, and tell what its panel shows."""
    answers, planned, present = _look(user, wish, ids, OUT)
    kept = wish | {"records": present.target.record_by_default, "out": present.out}
    job = propose(BulkJob.Kind.STATUS, kept, ids, user=user, answers=answers)
    return job, _context(job, planned, present)


def propose_other(user: Any, job: BulkJob, out: Iterable[str], choices: dict[str, Any]) -> dict[str, Any]:
    """Plan a proposed job again with other groups left out, and tell what its panel shows with the ticks of `choices`."""
    ids = list(job.items.order_by("position").values_list("order_id", flat=True))
    answers, planned, present = _look(user, job.wish, ids, out)
    propose_again(job, job.wish | {"out": present.out}, ids, answers=answers)
    context = _context(job, planned, present)
    for group in context["groups"]:
        group.is_on = group.is_on and group.name not in choices.get("off", ())
    return context | {"records": choices.get("record", context["records"])}


def _look(user: Any, wish: dict[str, Any], ids: list[int], out: Iterable[str]) -> tuple[dict[int, Answer], Plan, Present]:
    target = Status.objects.select_related("base").get(axis=wish["axis"], code=wish["code"])
    present = look_at(ids, target, out)
    left_out = present.left_out()
    is_payment = wish["axis"] == Axis.PAYMENT
    planned = plan(
        StatusWish(
            ids=[pk for pk in ids if pk not in left_out],
            actor=Actor.clerk(user),
            payment=wish["code"] if is_payment else "",
            fulfilment="" if is_payment else wish["code"],
        ),
        render=False,  # hundreds of mails are counted, not written; the worker writes them
    )
    answers = {pk: Answer(seen=digest) for pk, digest in planned.digests().items()}
    answers |= {pk: Answer(is_unchanged=True) for pk in planned.unchanged}
    answers |= {pk: Answer(refusal=str(error)) for pk, error in planned.refusals.items()}
    answers |= {pk: Answer(refusal=reason) for pk, reason in left_out.items()}
    return answers, planned, present


def _context(job: BulkJob, planned: Plan, present: Present) -> dict[str, Any]:
    target = present.target
    count = len(planned.changes)
    left_out = [(pk, _number(planned, pk), str(error)) for pk, error in planned.refusals.items()]
    return {
        "title": ngettext("Change %(count)d order", "Change %(count)d orders", count) % {"count": count},
        "job": job,
        "target": target,
        "count": count,
        "present": present.statuses,
        "cautions": present.cautions,
        "untracked": _untracked(planned, present),
        "groups": groups_of(planned.changes),
        "stock": stock_of(planned.changes),
        "money": money_of(planned.changes),
        "can_record": bool(target.proposes_record),
        "records": target.record_by_default,
        "left_out": left_out[:NAMED],
        "left_out_count": len(left_out),
        "left_out_more": max(len(left_out) - NAMED, 0),
        "unchanged": len(planned.unchanged),
        "is_held": planned.is_held,
        "undo_minutes": planned.world.shop.undo_seconds // 60,
        "action": reverse("admin:orders_order_bulk_start", args=[job.public_id]),
    }


def groups_of(changes: Iterable[PlannedChange]) -> list[Group]:
    """Consequences by kind and title, most telling first: what happens, then what does not."""
    groups: dict[str, Group] = {}
    for change in changes:
        for consequence in change.consequences:
            item = consequence.describe()
            absent = isinstance(consequence, NotGoing)
            name = group_of(consequence, item.icon, item.lines[0] if absent and item.lines else "")
            if name not in groups:
                groups[name] = Group(name, item.icon, item.title, consequence.optional, consequence.is_on, absent, when=item.when)
                groups[name].example_url = _example_url(change, consequence) if item.icon == "mail" and change.status_changes else ""
            group = groups[name]
            group.count += 1
            group.is_on = group.is_on and consequence.is_on
            detail = item.subject or (
                item.lines[0] if item.icon in ("mail", "mail-x") and item.lines else ", ".join(item.lines) or item.title
            )
            if len(group.rows) < SHOWN:
                group.rows.append(f"#{change.order.number} {change.order.customer_name}" + (f": {detail}" if detail else ""))
    for group in groups.values():
        if group.count > 1:
            group.title = _group_title(group)
    return sorted(groups.values(), key=lambda group: group.is_absent)


def _example_url(change: PlannedChange, consequence: Consequence) -> str:
    axis, target = ("payment", change.payment) if change.payment_changes else ("fulfilment", change.fulfilment)
    query = urlencode({axis: target.code, "key": consequence.key})
    return f"{reverse('admin:orders_order_status_mail', args=[change.order.pk])}?{query}"


def _group_title(group: Group) -> str:
    count = group.count
    if group.is_absent:
        return ngettext("%(title)s: %(count)d order", "%(title)s: %(count)d orders", count) % {"title": group.title, "count": count}
    if group.icon == "mail":
        return ngettext("%(count)d e-mail", "%(count)d e-mails", count) % {"count": count}
    if group.icon == "mail-x":
        return ngettext("%(count)d waiting e-mail does not go", "%(count)d waiting e-mails do not go", count) % {"count": count}
    if group.icon == "file-x":
        return ngettext("%(count)d waiting document is not issued", "%(count)d waiting documents are not issued", count) % {"count": count}
    return ngettext("%(count)d document", "%(count)d documents", count) % {"count": count}


def stock_of(changes: Iterable[PlannedChange]) -> list[StockRow]:
    """The counters before the first and after the last order, per variant."""
    rows: dict[int, StockRow] = {}
    for change in changes:
        for row in stock_rows(change):
            first = rows.get(row.variant.pk, row)
            rows[row.variant.pk] = StockRow(row.variant, (first.on_hand[0], row.on_hand[1]), (first.committed[0], row.committed[1]))
    return list(rows.values())


def money_of(changes: Iterable[PlannedChange]) -> list[str]:
    """The payments and refunds that are recorded, as one sentence per currency."""
    payments: dict[str, list[Decimal]] = defaultdict(list)
    refunds: dict[str, list[Decimal]] = defaultdict(list)
    for change in changes:
        payments[change.order.currency] += [payment.amount for payment in change.payments]
        refunds[change.order.currency] += [refund.amount for refund, _rows in change.refunds]
    sentences = []
    for currency, amounts in payments.items():
        if amounts:
            words = {"count": len(amounts), "sum": format_money(sum(amounts, Decimal(0)), currency)}
            sentences.append(ngettext("%(count)d payment, %(sum)s", "%(count)d payments, %(sum)s together", len(amounts)) % words)
    for currency, amounts in refunds.items():
        if amounts:
            words = {"count": len(amounts), "sum": format_money(sum(amounts, Decimal(0)), currency)}
            sentences.append(ngettext("%(count)d refund, %(sum)s", "%(count)d refunds, %(sum)s together", len(amounts)) % words)
    return sentences


def _untracked(planned: Plan, present: Present) -> int:
    """Orders that would be shipped without a number for the customer to follow."""
    if present.target.asks != Status.Asks.TRACKING:
        return 0
    return sum(1 for change in planned.changes if change.order.pk in present.untracked)


def _number(planned: Plan, pk: int) -> str:
    order = planned.world.orders.get(pk)
    return order.number if order else str(pk)
