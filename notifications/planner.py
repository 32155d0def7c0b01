"""Which mails a change sets off, to whom and when, or why none goes. Reads a constant number of rows, writes nothing.

The rules of the customer's mails are in letters.py; here they are addressed and written, and staff are told.
"""

from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q
from django.utils.translation import gettext as _

from notifications.composing import Composer
from notifications.consequences import CancelMail, RestoreMail, SendMail
from notifications.downloads import load_files
from notifications.kinds import STATUS_KINDS, Kind, Text
from notifications.letters import (
    Letter,
    Post,
    attach_documents,
    confirmation,
    files_to_send,
    is_on,
    may_send_files,
    not_going,
    replaced_mails,
    status_letter,
    tracking_letter,
)
from notifications.mentions import plan_mentions
from notifications.models import MailSwitch, OutgoingEmail
from notifications.telling.facts import Crossing, facts_of, stock_facts
from notifications.telling.story import Story
from notifications.wording import choose_language, shop_language
from orders.choices import Axis
from orders.errors import CannotUndo
from orders.models import OrderEvent, PaymentMethod
from orders.services.plan import Plan, PlannedChange

SILENT = frozenset({OrderEvent.Kind.NOTE, OrderEvent.Kind.HOLD, OrderEvent.Kind.DETAILS})
CUSTOMER, STAFF = OutgoingEmail.Audience.CUSTOMER, OutgoingEmail.Audience.STAFF
State = OutgoingEmail.State
WAITING = (State.HELD,)
STOPPED = (State.CANCELLED, State.SUPPRESSED)


def plan_mails(plan: Plan, *, render: bool) -> None:
    """Add what every change of `plan` does to mails; refuse to undo what was mailed."""
    plan_mentions(plan, [change for change in plan.changes if change.mentions], render=render)
    changes = [change for change in plan.changes if change.kind not in SILENT or _silences(change)]
    if not changes:
        return
    post = _load(plan, changes, render=render)
    for change in changes:
        if change.kind == OrderEvent.Kind.UNDO:
            _plan_undo(post, change)
        elif change.kind == OrderEvent.Kind.RESTORED:
            _restore(post, change)
        elif _silences(change):
            waiting = [mail for mail in post.held[change.order.pk] if mail.audience == CUSTOMER]
            _cancel(change, waiting, "silenced", _("The order wants no mail to the customer."))
        elif change.kind == OrderEvent.Kind.DELETED:
            _cancel(change, post.held[change.order.pk], "deleted", _("The order is deleted."))
        else:
            _plan_customer(post, change)
            if change.kind == OrderEvent.Kind.PLACED:
                _plan_new_order(post, change)
        _plan_low_stock(post, change)


def _silences(change: PlannedChange) -> bool:
    """Whether the change sets "no customer mail": what waits for the customer is stopped too."""
    return change.kind == OrderEvent.Kind.DETAILS and "no_customer_mail" in change.fields and change.after("no_customer_mail")


def _load(plan: Plan, changes: Sequence[PlannedChange], *, render: bool) -> Post:
    post = Post(plan, render, MailSwitch.on(), Composer.load(plan.world.shop))
    ids = [change.order.pk for change in changes if change.order.pk]
    undone = [change.undoes.pk for change in changes if change.undoes]
    named = [change for change in changes if change.fulfilment_changes or change.new_shipments]
    numbers = {parcel.tracking_number for change in named for parcel in change.current_shipments() if parcel.tracking_number}
    if ids:
        wanted = Q(order__in=ids, state__in=WAITING) | Q(order__in=ids, kind=Kind.SHIPPED, about__in=numbers)
        mails = OutgoingEmail.objects.filter(wanted | Q(event__in=undone) | Q(cancelled_by__in=undone)).defer("html", "text").order_by("id")
        if plan.is_locked:
            # Under the order's lock: nobody may release these mails between this look and the commit.
            mails = mails.select_for_update(of=("self",))
        for mail in mails:
            _sort(post, mail, undone)
    if any(may_send_files(change) for change in changes):
        post.files = load_files(line for change in changes for line in change.lines)
    methods = {change.order.payment_method for change in changes if change.is_new and not change.payment.counts_as_paid}
    if render and methods:
        post.instructions = dict(PaymentMethod.objects.filter(name__in=methods).values_list("name", "instructions"))
    return post


def _sort(post: Post, mail: OutgoingEmail, undone: Sequence[int]) -> None:
    if mail.state in WAITING:
        post.held[mail.order_id or 0].append(mail)
    elif mail.kind == Kind.SHIPPED and mail.about and mail.state not in STOPPED:
        post.told[mail.order_id or 0].add(mail.about)
    if mail.event_id in undone:
        post.undone[mail.event_id or 0].append(mail)
    if mail.cancelled_by_id in undone:
        post.stopped[mail.cancelled_by_id or 0].append(mail)


def _plan_undo(post: Post, change: PlannedChange) -> None:
    assert change.undoes is not None
    mails = post.undone[change.undoes.pk]
    if any(mail.audience == CUSTOMER and mail.state not in (*WAITING, *STOPPED) for mail in mails):
        post.plan.refuse(change, CannotUndo(_("The customer's mail about this change has left already.")))
        return
    _cancel(change, [mail for mail in mails if mail.state in WAITING], "undone", _("The change is taken back."))
    _restore(post, change)


def _restore(post: Post, change: PlannedChange) -> None:
    """Mails that the change which is taken back had stopped wait again."""
    for mail in post.stopped[change.undoes.pk] if change.undoes else ():
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


def _plan_customer(post: Post, change: PlannedChange) -> None:
    replaced, known = replaced_mails(post, change)
    letters: list[Letter] = []
    if change.is_new:
        letters += confirmation(post, change)
    refund = any(refund.amount > 0 for refund, _rows in change.refunds)
    if refund and is_on(post, change, Kind.REFUND_RECORDED):
        letters.append(Letter(Kind.REFUND_RECORDED, Text.REFUND_RECORDED))
    files = files_to_send(post, change)
    if not change.is_new:
        letters += status_letter(post, change, known, sends_files=bool(files), told_by_refund=bool(letters), replaced=replaced)
        letters += tracking_letter(post, change, letters, replaced)
    if files:
        letters.append(Letter(Kind.DOWNLOADS, Text.DOWNLOADS, files=files))
    attach_documents(post, change, letters)
    why_not = _unreachable(change)
    if why_not and letters:
        for letter in letters:
            not_going(change, letter.kind, why_not)
        letters = []
    reason = _("A later change says more.") if letters else _("The customer need not be told: the order is as they know it.")
    _cancel(change, replaced, "replaced" if letters else "taken_back", reason)
    for letter in letters:
        letter.replaces = bool(replaced) and letter.kind in STATUS_KINDS
        _send(post, change, letter)


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


def _send(post: Post, change: PlannedChange, letter: Letter) -> None:
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
        story.files, story.attached = letter.files, letter.documents
        story.instructions = post.instructions.get(order.payment_method, "")
        _write(mail, post.composer.compose(letter.text, choice.language, lambda wanted: facts_of(story, choice.language, wanted)))
    change.add(mail)


def _plan_new_order(post: Post, change: PlannedChange) -> None:
    plan, shop = post.plan, post.plan.world.shop
    addresses = tuple(shop.staff_address_list)
    if not addresses:
        not_going(change, Kind.NEW_ORDER, _("The settings name no staff address."))
        return
    if not is_on(post, change, Kind.NEW_ORDER):
        return
    mail = _staff_mail(post, Kind.NEW_ORDER, addresses, reply_to=change.after("email"))
    if post.render:
        story, language = Story.of_change(change, shop, plan.world.now), mail.language
        composed = post.composer.compose(
            Text.NEW_ORDER, language, lambda wanted: facts_of(story, language, wanted), to=", ".join(addresses)
        )
        _write(mail, composed)
    change.add(mail)


def _plan_low_stock(post: Post, change: PlannedChange) -> None:
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
            _write(mail, post.composer.compose(Text.LOW_STOCK, mail.language, partial(all_of, facts), to=", ".join(addresses)))
        change.add(mail)


def all_of(facts: dict[str, Any], _wanted: Collection[str]) -> dict[str, Any]:
    """Facts that are known at once, whichever a text asks for."""
    return facts


def _staff_mail(post: Post, kind: Kind, addresses: tuple[str, ...], *, reply_to: str = "", about: str = "") -> SendMail:
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


def _cancel(change: PlannedChange, mails: Iterable[OutgoingEmail], reason: str, why: str) -> None:
    for mail in mails:
        name = mail.recipient_name or mail.recipient
        change.add(CancelMail(key=f"mail:cancel:{mail.pk}", mail_id=mail.pk, subject=mail.subject, name=name, reason=reason, why=why))
