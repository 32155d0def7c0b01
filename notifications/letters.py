"""Which letters a change calls for, and which waiting ones it makes pointless (domain, section 4): the rules, without addresses.

Statuses are asked by their columns. While a mail waits, a later change on the same axis replaces it; a return to what the
customer knows already sends none.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils.translation import gettext as _

from invoices.consequences import CancelDocument, IssueDocument
from invoices.models import PendingDocument
from notifications.composing import Composer
from notifications.downloads import downloads_of
from notifications.kinds import STATUS_KINDS, Kind, Text
from notifications.models import OutgoingEmail
from notifications.telling.story import Download
from orders.choices import Axis
from orders.models import DigitalFile, OrderEvent, Shipment, Status
from orders.services.plan import NotGoing, Plan, PlannedChange

AXES = (Axis.PAYMENT, Axis.FULFILMENT)


@dataclass
class Post:
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
class Letter:
    """A mail to the customer before it is addressed and written."""

    kind: Kind
    text: Text
    told: dict[str, str] = field(default_factory=dict)  # what the customer knew before, per axis
    parcels: Sequence[Shipment] = ()
    about: str = ""
    documents: tuple[str, ...] = ()
    files: Sequence[Download] = ()
    replaces: bool = False


def replaced_mails(post: Post, change: PlannedChange) -> tuple[list[OutgoingEmail], dict[str, str]]:
    """Waiting mails that this change makes pointless, and what the customer knows on each axis that differs now."""
    held = post.held[change.order.pk or 0]
    changed = {axis for axis in AXES if _moves(change, axis)}
    replaced = [mail for mail in held if _axes_of(mail) & changed and not _tells_more(mail, change)]
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


def _tells_more(mail: OutgoingEmail, change: PlannedChange) -> bool:
    """A waiting mail that names a parcel still on its way, or brings a document still to come, is not made pointless by a status."""
    if mail.about:
        return change.fulfilment.goods_left and not change.payment.releases
    return bool(mail.attachments) and not change.payment.releases and not any(isinstance(c, CancelDocument) for c in change.consequences)


def _axes_of(mail: OutgoingEmail) -> set[str]:
    """Axes whose later change replaces this waiting mail."""
    axes = set(mail.known_before)
    return axes if mail.kind == Kind.STATUS_CHANGED else axes & {Axis.FULFILMENT.value}


def confirmation(post: Post, change: PlannedChange) -> Iterable[Letter]:
    """The confirmation of a placed order; none where it was cancelled at once, as after a failed payment."""
    if change.payment.releases:
        not_going(change, Kind.ORDER_CONFIRMATION, _("The order is %(status)s.") % {"status": change.payment})
    elif is_on(post, change, Kind.ORDER_CONFIRMATION):
        awaits = not change.payment.counts_as_paid and change.balance_after > 0
        yield Letter(Kind.ORDER_CONFIRMATION, Text.ORDER_AWAITING_PAYMENT if awaits else Text.ORDER_CONFIRMATION)


def status_letter(
    post: Post,
    change: PlannedChange,
    known: dict[str, str],
    *,
    sends_files: bool,
    told_by_refund: bool,
    replaced: Sequence[OutgoingEmail],
) -> Iterable[Letter]:
    """At most one: the fulfilment status's own mail, else the general one about the statuses that mail."""
    moved = [_after(change, axis) for axis in AXES if axis in known]
    if not moved:
        return
    own = next((status for status in moved if status.own_mail), None)
    if own is not None:
        kind = Kind(own.own_mail)
        if not own.mails_customer:
            not_going(change, kind, _("%(status)s is set to mail nobody.") % {"status": own})
        elif kind == Kind.DELIVERED and sends_files:
            return  # the mail with the files says so
        elif kind == Kind.SHIPPED and _all_told(post, change, replaced):
            not_going(change, kind, _("A mail tells the customer every parcel with its number already."))
            return
        elif is_on(post, change, kind):
            yield Letter(kind, Text(kind.value), told=known, parcels=_parcels(change) if kind == Kind.SHIPPED else ())
            return
    # A refund's mail says that the order is refunded, not that it is cancelled.
    general = [s for s in moved if not s.own_mail and not (told_by_refund and s.axis == Axis.PAYMENT and not _cancels(s))]
    mailing = [status for status in general if status.mails_customer]
    for status in general:
        if not mailing:
            not_going(change, Kind.STATUS_CHANGED, _("%(status)s is set to mail nobody.") % {"status": status})
            return
    if mailing and is_on(post, change, Kind.STATUS_CHANGED):
        yield Letter(Kind.STATUS_CHANGED, _general_text(change, mailing), told=known)


def _all_told(post: Post, change: PlannedChange, replaced: Sequence[OutgoingEmail]) -> bool:
    """Whether each parcel was mailed with its number before, or waits to be: a number is mailed once."""
    told = post.told[change.order.pk or 0] | _waiting_numbers(post, change, replaced)
    parcels = change.current_shipments()
    return bool(parcels) and not change.new_shipments and all(parcel.tracking_number in told for parcel in parcels)


def _cancels(status: Status) -> bool:
    return status.releases and status.proposes_record != Status.Record.REFUND


def _general_text(change: PlannedChange, mailing: Sequence[Status]) -> Text:
    if change.payment not in mailing or not _cancels(change.payment):
        return Text.STATUS_CHANGED
    return Text.ORDER_CANCELLED_PAID if change.paid_after > 0 else Text.ORDER_CANCELLED


def _parcels(change: PlannedChange) -> Sequence[Shipment]:
    return [shipment for shipment, _rows in change.new_shipments] or change.current_shipments()


def tracking_letter(post: Post, change: PlannedChange, letters: Sequence[Letter], replaced: Sequence[OutgoingEmail]) -> Iterable[Letter]:
    """A tracking number added or changed, once per number; a change to Shipped tells it anyway."""
    for letter in letters:
        if letter.kind == Kind.SHIPPED:
            letter.about = next((s.tracking_number for s in reversed(letter.parcels) if s.tracking_number), "")
            return
    fresh = [shipment for shipment, _rows in change.new_shipments if shipment.tracking_number]
    waiting = _waiting_numbers(post, change, replaced)
    voided = {s.tracking_number for s in change.voided_shipments}
    known = voided or post.told[change.order.pk or 0] | waiting
    fresh = [shipment for shipment in fresh if shipment.tracking_number not in known]
    if not fresh or not is_on(post, change, Kind.SHIPPED):
        return
    stopped = next((mail for mail in replaced if mail.kind == Kind.SHIPPED), None)
    is_new = stopped is not None or not any(voided)
    text = Text.SHIPPED if is_new and (stopped is None or stopped.text_name == Text.SHIPPED) else Text.TRACKING_CHANGED
    yield Letter(
        Kind.SHIPPED,
        text,
        told=stopped.known_before if stopped else {},
        parcels=fresh,
        about=fresh[-1].tracking_number,
    )


def _waiting_numbers(post: Post, change: PlannedChange, replaced: Sequence[OutgoingEmail]) -> set[str]:
    return {mail.about for mail in post.held[change.order.pk or 0] if mail.about and mail not in replaced}


def may_send_files(change: PlannedChange) -> bool:
    """Whether this change makes the order paid in a status that sends downloads."""
    becomes_paid = change.is_new or change.payment_changes
    return becomes_paid and change.payment.sends_downloads and change.payment.counts_as_paid and change.kind != OrderEvent.Kind.UNDO


def files_to_send(post: Post, change: PlannedChange) -> list[Download]:
    """Files that the customer may fetch from now on, where this change pays for them and their mail is on."""
    if not may_send_files(change):
        return []
    files = downloads_of(change.order, change.lines, post.files)
    return files if files and is_on(post, change, Kind.DOWNLOADS) else []


def attach_documents(post: Post, change: PlannedChange, letters: list[Letter]) -> None:
    """The document goes with the mail about the change; where there is none, or the mail can't wait, with a mail of its own."""
    issued = [c for c in change.consequences if isinstance(c, IssueDocument) and c.key not in post.plan.wish.skip]
    if not issued or not post.composer.seller.attach_to_mail:
        return
    for document in issued:
        is_credit = document.kind == PendingDocument.Kind.CREDIT_NOTE
        fitting = [letter for letter in letters if letter.kind in STATUS_KINDS or (is_credit and letter.kind == Kind.REFUND_RECORDED)]
        fitting.sort(key=lambda letter: letter.kind != Kind.REFUND_RECORDED)
        if fitting:
            fitting[0].documents += document.papers
        elif own := next((letter for letter in letters if letter.kind == Kind.INVOICE), None):
            own.documents += document.papers
        elif is_on(post, change, Kind.INVOICE):
            letters.append(Letter(Kind.INVOICE, Text.INVOICE, documents=document.papers))


def is_on(post: Post, change: PlannedChange, kind: Kind) -> bool:
    """Whether the shop sends this kind of mail; where not, the reader is told."""
    if kind in post.switches:
        return True
    not_going(change, kind, _("This mail is switched off in the settings."))
    return False


def not_going(change: PlannedChange, kind: Kind, reason: str) -> None:
    """Tell the reader that a mail does not go, and why."""
    title = _("No e-mail “%(name)s”") % {"name": kind.label}
    change.add(NotGoing(key=f"mail:none:{kind.value}", icon="mail-x", title=title, reason=reason))


def _before(change: PlannedChange, axis: str) -> Status | None:
    return change.payment_before if axis == Axis.PAYMENT else change.fulfilment_before


def _after(change: PlannedChange, axis: str) -> Status:
    return change.payment if axis == Axis.PAYMENT else change.fulfilment


def _moves(change: PlannedChange, axis: str) -> bool:
    return change.payment_changes if axis == Axis.PAYMENT else change.fulfilment_changes
