"""Which mails a change sets off (domain, section 4), or why none goes. Reads a constant number of rows, writes nothing.

Statuses are asked by their columns. While a mail waits, a later change on the same axis replaces it; a return to what the
customer knows already sends none.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils.translation import gettext as _

from invoices.models import PendingDocument
from invoices.planner import IssueDocument
from notifications.composing import Composer
from notifications.consequences import CancelMail, RestoreMail, SendMail
from notifications.downloads import downloads_of, load_files
from notifications.kinds import STATUS_KINDS, Kind, Text
from notifications.models import MailSwitch, OutgoingEmail
from notifications.telling.facts import Crossing, facts_of, stock_facts
from notifications.telling.story import Download, Story
from notifications.wording import choose_language, shop_language
from orders.choices import Axis
from orders.errors import CannotUndo
from orders.models import DigitalFile, OrderEvent, PaymentMethod, Shipment, Status
from orders.services.plan import NotGoing, Plan, PlannedChange

SILENT = frozenset({OrderEvent.Kind.NOTE, OrderEvent.Kind.HOLD, OrderEvent.Kind.DETAILS})
AXES = (Axis.PAYMENT, Axis.FULFILMENT)
CUSTOMER, STAFF = OutgoingEmail.Audience.CUSTOMER, OutgoingEmail.Audience.STAFF
State = OutgoingEmail.State
WAITING = (State.HELD,)
STOPPED = (State.CANCELLED, State.SUPPRESSED)


@dataclass
class _Post:
    """What the plan's orders have in the outbox, and what the shop wants mailed."""

    plan: Plan
    render: bool
    switches: frozenset[str]
    composer: Composer
    held: dict[int, list[OutgoingEmail]] = field(default_factory=lambda: defaultdict(list))
    told: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))  # tracking numbers mailed before, per order
    undone: dict[int, list[OutgoingEmail]] = field(default_factory=lambda: defaultdict(list))  # by event
    stopped: dict[int, list[OutgoingEmail]] = field(default_factory=lambda: defaultdict(list))  # by the event that stopped them
    files: dict[int, list[DigitalFile]] = field(default_factory=dict)
    instructions: dict[str, str] = field(default_factory=dict)


@dataclass
class _Letter:
    """A mail to the customer before it is addressed and written."""

    kind: Kind
    text: Text
    told: dict[str, str] = field(default_factory=dict)  # what the customer knew before, per axis
    parcels: Sequence[Shipment] = ()
    about: str = ""
    documents: tuple[str, ...] = ()
    files: Sequence[Download] = ()
    replaces: bool = False


def plan_mails(plan: Plan, *, render: bool) -> None:
    """Add what every change of `plan` does to mails; refuse to undo what was mailed."""
    changes = [change for change in plan.changes if change.kind not in SILENT]
    if not changes:
        return
    post = _load(plan, changes, render=render)
    for change in changes:
        if change.kind == OrderEvent.Kind.UNDO:
            _plan_undo(post, change)
        elif change.kind == OrderEvent.Kind.DELETED:
            _cancel(change, post.held[change.order.pk], "deleted", _("The order is deleted."))
        else:
            _plan_customer(post, change)
            if change.kind == OrderEvent.Kind.PLACED:
                _plan_new_order(post, change)
        _plan_low_stock(post, change)


def _load(plan: Plan, changes: Sequence[PlannedChange], *, render: bool) -> _Post:
    post = _Post(plan, render, MailSwitch.on(), Composer.load(plan.world.shop))
    ids = [change.order.pk for change in changes if change.order.pk]
    undone = [change.undoes.pk for change in changes if change.undoes]
    numbers = {s.tracking_number for change in changes for s, _rows in change.new_shipments if s.tracking_number}
    if ids:
        wanted = Q(order__in=ids, state__in=WAITING) | Q(order__in=ids, kind=Kind.SHIPPED, about__in=numbers)
        mails = OutgoingEmail.objects.filter(wanted | Q(event__in=undone) | Q(cancelled_by__in=undone)).defer("html", "text").order_by("id")
        if not render:
            # Under the order's lock: nobody may release these mails between this look and the commit.
            mails = mails.select_for_update(of=("self",))
        for mail in mails:
            _sort(post, mail, undone)
    if any(_may_send_files(change) for change in changes):
        post.files = load_files(line for change in changes for line in change.lines)
    methods = {change.order.payment_method for change in changes if change.is_new and not change.payment.counts_as_paid}
    if render and methods:
        post.instructions = dict(PaymentMethod.objects.filter(name__in=methods).values_list("name", "instructions"))
    return post


def _sort(post: _Post, mail: OutgoingEmail, undone: Sequence[int]) -> None:
    if mail.state in WAITING:
        post.held[mail.order_id or 0].append(mail)
    elif mail.kind == Kind.SHIPPED and mail.about and mail.state not in STOPPED:
        post.told[mail.order_id or 0].add(mail.about)
    if mail.event_id in undone:
        post.undone[mail.event_id or 0].append(mail)
    if mail.cancelled_by_id in undone:
        post.stopped[mail.cancelled_by_id or 0].append(mail)


def _plan_undo(post: _Post, change: PlannedChange) -> None:
    assert change.undoes is not None
    mails = post.undone[change.undoes.pk]
    if any(mail.audience == CUSTOMER and mail.state not in (*WAITING, *STOPPED) for mail in mails):
        post.plan.refuse(change, CannotUndo(_("The customer's mail about this change has left already.")))
        return
    _cancel(change, [mail for mail in mails if mail.state in WAITING], "undone", _("The change is taken back."))
    for mail in post.stopped[change.undoes.pk]:
        if mail.state == State.CANCELLED:
            change.add(
                RestoreMail(
                    key=f"mail:restore:{mail.pk}",
                    mail_id=mail.pk,
                    subject=mail.subject,
                    name=mail.recipient_name or mail.recipient,
                    release_at=max(mail.release_at, post.plan.release_at),
                )
            )


def _plan_customer(post: _Post, change: PlannedChange) -> None:
    replaced, known = _replaced(post, change)
    letters: list[_Letter] = []
    if change.is_new:
        letters += _confirmation(post, change)
    refund = any(refund.amount > 0 for refund, _rows in change.refunds)
    if refund and _is_on(post, change, Kind.REFUND_RECORDED):
        letters.append(_Letter(Kind.REFUND_RECORDED, Text.REFUND_RECORDED))
    files = _files(post, change)
    if not change.is_new:
        letters += _status_letter(post, change, known, sends_files=bool(files), told_by_refund=bool(letters))
        letters += _tracking_letter(post, change, letters, replaced)
    if files:
        letters.append(_Letter(Kind.DOWNLOADS, Text.DOWNLOADS, files=files))
    _attach(post, change, letters)
    why_not = _unreachable(change)
    if why_not and letters:
        for letter in letters:
            _not_going(change, letter.kind, why_not)
        letters = []
    reason = _("A later change says more.") if letters else _("The customer need not be told: the order is as they know it.")
    _cancel(change, replaced, "replaced" if letters else "taken_back", reason)
    for letter in letters:
        letter.replaces = bool(replaced) and letter.kind in STATUS_KINDS
        _send(post, change, letter)


def _replaced(post: _Post, change: PlannedChange) -> tuple[list[OutgoingEmail], dict[str, str]]:
    """Waiting mails that this change makes pointless, and what the customer knows on each axis that differs now."""
    held = post.held[change.order.pk or 0]
    changed = {axis for axis in AXES if _moves(change, axis)}
    replaced = [mail for mail in held if _axes_of(mail) & changed]
    if change.payment_changes and not change.payment.counts_as_paid:
        replaced += [mail for mail in held if mail.kind == Kind.DOWNLOADS]
    voided = {s.tracking_number for s in change.voided_shipments if s.tracking_number}
    replaced += [mail for mail in held if mail.kind == Kind.SHIPPED and mail.about in voided and mail not in replaced]
    known: dict[str, str] = {}
    for axis in AXES:
        before, after = _before(change, axis), _after(change, axis)
        earlier = next((mail.known_before[axis] for mail in replaced if axis in mail.known_before), None)
        code = earlier or (before.code if before is not None and axis in changed else "")
        if code and code != after.code:
            known[axis] = code
    return replaced, known


def _axes_of(mail: OutgoingEmail) -> set[str]:
    """Axes whose later change replaces this waiting mail."""
    axes = set(mail.known_before)
    return axes if mail.kind == Kind.STATUS_CHANGED else axes & {Axis.FULFILMENT.value}


def _confirmation(post: _Post, change: PlannedChange) -> Iterable[_Letter]:
    if change.payment.releases:
        _not_going(change, Kind.ORDER_CONFIRMATION, _("The order is %(status)s.") % {"status": change.payment})
    elif _is_on(post, change, Kind.ORDER_CONFIRMATION):
        awaits = not change.payment.counts_as_paid and change.balance_after > 0
        yield _Letter(Kind.ORDER_CONFIRMATION, Text.ORDER_AWAITING_PAYMENT if awaits else Text.ORDER_CONFIRMATION)


def _status_letter(
    post: _Post, change: PlannedChange, known: dict[str, str], *, sends_files: bool, told_by_refund: bool
) -> Iterable[_Letter]:
    """At most one: the fulfilment status's own mail, else the general one about the statuses that mail."""
    moved = [_after(change, axis) for axis in AXES if axis in known]
    if not moved:
        return
    own = next((status for status in moved if status.own_mail), None)
    if own is not None:
        kind = Kind(own.own_mail)
        if not own.mails_customer:
            _not_going(change, kind, _("%(status)s is set to mail nobody.") % {"status": own})
        elif kind == Kind.DELIVERED and sends_files:
            return  # the mail with the files says so
        elif _is_on(post, change, kind):
            yield _Letter(kind, Text(kind.value), told=known, parcels=_parcels(change) if kind == Kind.SHIPPED else ())
            return
    general = [status for status in moved if not status.own_mail and not (told_by_refund and status.axis == Axis.PAYMENT)]
    mailing = [status for status in general if status.mails_customer]
    for status in general:
        if not mailing:
            _not_going(change, Kind.STATUS_CHANGED, _("%(status)s is set to mail nobody.") % {"status": status})
            return
    if mailing and _is_on(post, change, Kind.STATUS_CHANGED):
        yield _Letter(Kind.STATUS_CHANGED, _general_text(change, mailing), told=known)


def _general_text(change: PlannedChange, mailing: Sequence[Status]) -> Text:
    cancels = change.payment in mailing and change.payment.releases and change.payment.proposes_record != Status.Record.REFUND
    if not cancels:
        return Text.STATUS_CHANGED
    return Text.ORDER_CANCELLED_PAID if change.paid_after > change.refunded_after else Text.ORDER_CANCELLED


def _parcels(change: PlannedChange) -> Sequence[Shipment]:
    return [shipment for shipment, _rows in change.new_shipments] or change.current_shipments()


def _tracking_letter(
    post: _Post, change: PlannedChange, letters: Sequence[_Letter], replaced: Sequence[OutgoingEmail]
) -> Iterable[_Letter]:
    """A tracking number added or changed, once per number; a change to Shipped tells it anyway."""
    for letter in letters:
        if letter.kind == Kind.SHIPPED:
            letter.about = next((s.tracking_number for s in reversed(letter.parcels) if s.tracking_number), "")
            return
    fresh = [shipment for shipment, _rows in change.new_shipments if shipment.tracking_number]
    waiting = {mail.about for mail in post.held[change.order.pk or 0] if mail not in replaced}
    voided = {s.tracking_number for s in change.voided_shipments}
    known = voided or post.told[change.order.pk or 0] | waiting
    fresh = [shipment for shipment in fresh if shipment.tracking_number not in known]
    if not fresh or not _is_on(post, change, Kind.SHIPPED):
        return
    stopped = next((mail for mail in replaced if mail.kind == Kind.SHIPPED), None)
    is_new = stopped is not None or not any(voided)
    text = Text.SHIPPED if is_new and (stopped is None or stopped.text_name == Text.SHIPPED) else Text.TRACKING_CHANGED
    yield _Letter(
        Kind.SHIPPED,
        text,
        told=stopped.known_before if stopped else {},
        parcels=fresh,
        about=fresh[-1].tracking_number,
    )


def _may_send_files(change: PlannedChange) -> bool:
    becomes_paid = change.is_new or change.payment_changes
    return becomes_paid and change.payment.sends_downloads and change.payment.counts_as_paid and change.kind != OrderEvent.Kind.UNDO


def _files(post: _Post, change: PlannedChange) -> list[Download]:
    if not _may_send_files(change):
        return []
    files = downloads_of(change.order, change.lines, post.files)
    return files if files and _is_on(post, change, Kind.DOWNLOADS) else []


def _attach(post: _Post, change: PlannedChange, letters: list[_Letter]) -> None:
    """The document goes with the mail about the change; where there is none, or the mail can't wait, with a mail of its own."""
    issued = [c for c in change.consequences if isinstance(c, IssueDocument) and c.key not in post.plan.wish.skip]
    if not issued or not post.composer.seller.attach_to_mail:
        return
    for document in issued:
        is_credit = document.kind == PendingDocument.Kind.CREDIT_NOTE
        fitting = [letter for letter in letters if letter.kind in STATUS_KINDS or (is_credit and letter.kind == Kind.REFUND_RECORDED)]
        fitting.sort(key=lambda letter: letter.kind != Kind.REFUND_RECORDED)
        if fitting:
            fitting[0].documents += (document.kind,)
        elif own := next((letter for letter in letters if letter.kind == Kind.INVOICE), None):
            own.documents += (document.kind,)
        elif _is_on(post, change, Kind.INVOICE):
            letters.append(_Letter(Kind.INVOICE, Text.INVOICE, documents=(document.kind,)))


def _unreachable(change: PlannedChange) -> str:
    if change.after("no_customer_mail"):
        return _("“No customer mail” is set on this order.")
    address = change.after("email")
    if not address:
        return _("The order has no e-mail address.")
    try:
        validate_email(address)
    except ValidationError:
        return _("%(address)s is no e-mail address.") % {"address": address}
    return ""


def _send(post: _Post, change: PlannedChange, letter: _Letter) -> None:
    plan, shop, order = post.plan, post.plan.world.shop, change.order
    choice = choose_language(change.after("language"), shop)
    address = change.after("email")
    copies = shop.staff_address_list if MailSwitch.COPY_TO_STAFF in post.switches else []
    mail = SendMail(
        key=f"mail:{letter.kind.value}:{address}",
        kind=letter.kind,
        text_name=letter.text,
        audience=CUSTOMER,
        recipients=(address,),
        recipient_name=change.after("customer_name"),
        language=choice.language,
        why_language=choice.reason,
        release_at=plan.release_at,
        is_held=plan.is_held,
        version=post.composer.version(letter.text, choice.language),
        copies=tuple(copy for copy in copies if copy.casefold() != address.casefold()),
        replaces=_("Instead of the one that was waiting.") if letter.replaces else "",
        about=letter.about,
        documents=letter.documents,
        known_before=dict(letter.told),
        personal_word=change.personal_word,
    )
    if post.render:
        story = Story.of_change(change, shop, plan.world.now)
        for axis, name in ((Axis.PAYMENT, "payment_before"), (Axis.FULFILMENT, "fulfilment_before")):
            setattr(story, name, plan.world.status(axis, letter.told[axis]) if axis in letter.told else None)
        rows = {id(shipment): rows for shipment, rows in change.new_shipments}
        story.parcels = [(shipment, rows.get(id(shipment))) for shipment in letter.parcels]
        story.parcel_count = len(change.current_shipments())
        story.files, story.attached = letter.files, next(iter(letter.documents), "")
        story.instructions = post.instructions.get(order.payment_method, "")
        _write(mail, post.composer.compose(letter.text, choice.language, lambda wanted: facts_of(story, choice.language, wanted)))
    change.add(mail)


def _plan_new_order(post: _Post, change: PlannedChange) -> None:
    plan, shop = post.plan, post.plan.world.shop
    addresses = tuple(shop.staff_address_list)
    if not addresses:
        _not_going(change, Kind.NEW_ORDER, _("The settings name no staff address."))
        return
    if not _is_on(post, change, Kind.NEW_ORDER):
        return
    mail = _staff_mail(post, Kind.NEW_ORDER, addresses, reply_to=change.after("email"))
    if post.render:
        story, language = Story.of_change(change, shop, plan.world.now), mail.language
        composed = post.composer.compose(
            Text.NEW_ORDER, language, lambda wanted: facts_of(story, language, wanted), to=", ".join(addresses)
        )
        _write(mail, composed)
    change.add(mail)


def _plan_low_stock(post: _Post, change: PlannedChange) -> None:
    """Once per crossing: from above the limit to the limit or below it."""
    shop = post.plan.world.shop
    addresses = tuple(shop.staff_address_list)
    crossed: dict[int, Crossing] = {}
    for m in change.movements:
        limit = m.variant.low_stock_limit
        if limit is not None and m.available_before > limit >= m.available_after:
            after = m.on_hand_before + m.delta_on_hand, m.committed_before + m.delta_committed
            crossed[m.variant.pk] = Crossing(m.variant, m.available_before, m.available_after, *after)
    if not crossed or not addresses or Kind.LOW_STOCK not in post.switches:
        return
    for crossing in crossed.values():
        mail = _staff_mail(post, Kind.LOW_STOCK, addresses, about=crossing.variant.sku)
        if post.render:
            facts = stock_facts(crossing, change.order.number, shop, mail.language)
            _write(mail, post.composer.compose(Text.LOW_STOCK, mail.language, lambda _w, f=facts: f, to=", ".join(addresses)))
        change.add(mail)


def _staff_mail(post: _Post, kind: Kind, addresses: tuple[str, ...], *, reply_to: str = "", about: str = "") -> SendMail:
    language = shop_language(post.plan.world.shop)
    return SendMail(
        key=":".join(part for part in ("mail", kind.value, about) if part),
        kind=kind,
        text_name=Text(kind.value),
        audience=STAFF,
        recipients=addresses,
        recipient_name="",
        language=language,
        release_at=post.plan.world.now,
        is_held=False,
        version=post.composer.version(Text(kind.value), language),
        reply_to=reply_to,
        about=about,
        optional=False,
    )


def _write(mail: SendMail, composed: Any) -> None:
    mail.subject, mail.html, mail.text, mail.problem = composed.subject, composed.html, composed.text, composed.problem


def _is_on(post: _Post, change: PlannedChange, kind: Kind) -> bool:
    if kind in post.switches:
        return True
    _not_going(change, kind, _("This mail is switched off in the settings."))
    return False


def _not_going(change: PlannedChange, kind: Kind, reason: str) -> None:
    title = _("No e-mail “%(name)s”") % {"name": kind.label}
    change.add(NotGoing(key=f"mail:none:{kind.value}", icon="mail-x", title=title, reason=reason))


def _cancel(change: PlannedChange, mails: Iterable[OutgoingEmail], reason: str, why: str) -> None:
    for mail in mails:
        name = mail.recipient_name or mail.recipient
        change.add(CancelMail(key=f"mail:cancel:{mail.pk}", mail_id=mail.pk, subject=mail.subject, name=name, reason=reason, why=why))


def _before(change: PlannedChange, axis: str) -> Status | None:
    return change.payment_before if axis == Axis.PAYMENT else change.fulfilment_before


def _after(change: PlannedChange, axis: str) -> Status:
    return change.payment if axis == Axis.PAYMENT else change.fulfilment


def _moves(change: PlannedChange, axis: str) -> bool:
    return change.payment_changes if axis == Axis.PAYMENT else change.fulfilment_changes
