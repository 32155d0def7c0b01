"""What staff do with a draft before it is an order: keep its pieces for a time, fix a quote's prices, copy it, throw it away."""

import uuid
from collections import Counter
from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.db.models import ProtectedError
from django.db.models.deletion import Collector
from django.utils import timezone
from django.utils.translation import gettext as _

from orders.drafts import OrderDraft
from orders.errors import DraftPlaced, InvalidWish, NotAllowed, StaleOrder
from orders.models import Draft, DraftReservation, Shop, Variant
from orders.services.plan import Actor
from orders.services.stock import hold_for_draft

RIGHT = "orders.add_order"
BATCH = 100


def reserve(row: Draft, until: datetime, *, actor: Actor) -> int:
    """Keep the pieces of the draft's items until then; again after the draft changed brings what is kept to its items.

    All pieces or none. Returns how many are kept. Raises NotAllowed, DraftPlaced, NotEnoughStock naming the article, and
    InvalidWish for a time that has passed or where there is nothing to keep.
    """
    _require(actor)
    if until <= timezone.now():
        raise InvalidWish(_("Choose a time that is still to come."), field="reserved_until")
    if not Shop.current().stock_control:
        raise InvalidWish(_("Stock control is switched off in the settings."), field="reserved_until")
    pieces = _hold(row, pieces_of(OrderDraft.from_json(row.body)), until, actor)
    if not pieces:
        raise InvalidWish(_("None of the items has a stock that is counted."), field="reserved_until")
    return pieces


def release(row: Draft, *, actor: Actor) -> None:
    """Give back whatever the draft keeps; nothing happens where it keeps nothing."""
    _hold(row, Counter(), None, actor)


def release_expired() -> int:
    """Give back what drafts keep past their time, and what a draft kept that became an order meanwhile. Returns how many drafts."""
    kept = Draft.objects.filter(reservations__isnull=False)
    late = kept.filter(reserved_until__lte=timezone.now()) | kept.exclude(order=None)
    actor = Actor.task()
    rows = list(late.distinct().order_by("pk")[:BATCH])
    for row in rows:
        _hold(row, Counter(), None, actor, only_late=True)
    return len(rows)


def pieces_of(draft: OrderDraft) -> Counter[int]:
    """Pieces that the draft asks of each article."""
    asked: Counter[int] = Counter()
    for line in draft.lines:
        if line.variant_id:
            asked[line.variant_id] += line.quantity
    return asked


def with_catalogue_prices(draft: OrderDraft, *, keep: bool) -> OrderDraft:
    """The draft with the catalogue's prices written down; with `keep` those written down before stand."""
    ids = {line.variant_id for line in draft.lines if line.variant_id}
    prices = dict(Variant.objects.filter(pk__in=ids).values_list("pk", "price"))
    lines = []
    for line in draft.lines:
        price = prices.get(line.variant_id or 0) if line.catalogue_price is None or not keep else line.catalogue_price
        lines.append(replace(line, catalogue_price=price))
    return replace(draft, lines=tuple(lines))


def make_quote(row: Draft, until: datetime, *, actor: Actor) -> None:
    """Make a quote of the draft: valid until then, at the prices that the catalogue has now. Raises as `reserve` does."""
    _require(actor)
    _require_open(row)
    if until <= timezone.now():
        raise InvalidWish(_("Choose a day that is still to come."), field="expires_at")
    row.kind, row.expires_at, row.prices_settled_at = Draft.Kind.QUOTE, until, None
    row.body = with_catalogue_prices(OrderDraft.from_json(row.body), keep=True).as_json()
    row.save(update_fields=["kind", "expires_at", "prices_settled_at", "body", "updated_at"])


def back_to_draft(row: Draft, *, actor: Actor) -> None:
    """The quote is a draft again: its prices follow the catalogue. Quotes handed out before stay readable."""
    _require(actor)
    _require_open(row)
    row.kind, row.expires_at, row.prices_settled_at = Draft.Kind.DRAFT, None, None
    row.body = _without_prices(OrderDraft.from_json(row.body)).as_json()
    row.save(update_fields=["kind", "expires_at", "prices_settled_at", "body", "updated_at"])


def settle_prices(row: Draft, *, renew: bool, actor: Actor) -> None:
    """Say of an expired quote whether its prices still hold or are those of the catalogue today; it can be placed then."""
    _require(actor)
    _require_open(row)
    draft = OrderDraft.from_json(row.body)
    if renew:
        row.body = with_catalogue_prices(draft, keep=False).as_json()
    row.prices_settled_at = timezone.now()
    row.save(update_fields=["body", "prices_settled_at", "updated_at"])


def duplicate(row: Draft, *, actor: Actor) -> Draft:
    """A new draft with the same content, without reservation, date or answer; its prices follow the catalogue."""
    _require(actor)
    draft = replace(_without_prices(OrderDraft.from_json(row.body)), external_id="", placed_at=None, payment_reference="", paid_at=None)
    name = row.name or row.customer_name
    return Draft.objects.create(
        public_id=uuid.uuid4(),
        kind=Draft.Kind.DRAFT,
        name=(_("Copy of %(name)s") % {"name": name})[:200] if name else "",
        customer_name=row.customer_name,
        email=row.email,
        language=row.language,
        body=draft.as_json(),
        total=row.total,
        currency=row.currency,
        created_by=actor.user,
        created_at=timezone.now(),
    )


def throw_away(row: Draft, *, actor: Actor) -> bool:
    """Delete a draft, giving back what it keeps. Raises DraftPlaced for one that became an order.

    A draft of which a customer was handed a quote or a mail stays readable with them: it is closed instead. Says whether it is gone.
    """
    with transaction.atomic():
        release(row, actor=actor)
        _require_open(Draft.objects.get(pk=row.pk))
        try:
            with transaction.atomic():
                row.delete()
        except ProtectedError:
            row.closed_at = timezone.now()
            Draft.objects.filter(pk=row.pk).update(closed_at=row.closed_at)
            return False
    return True


def was_handed_out(row: Draft) -> bool:
    """Whether something of the draft went to a customer: who keeps it (quotes, mails) does not let the draft go."""
    collector = Collector(using=row._state.db or "default", origin=row)
    try:
        collector.collect([row])
    except ProtectedError as error:
        return any(not isinstance(item, DraftReservation) for item in error.protected_objects)
    return False


def take_up(row: Draft, *, actor: Actor) -> None:
    """Open a closed draft again. Raises NotAllowed without orders.add_order."""
    _require(actor)
    row.closed_at = None
    Draft.objects.filter(pk=row.pk).update(closed_at=None)


def _hold(row: Draft, wanted: Counter[int], until: datetime | None, actor: Actor, *, only_late: bool = False) -> int:
    with transaction.atomic():
        # Variants before the draft, and by id, as placing locks them.
        ids = set(wanted) | set(DraftReservation.objects.filter(draft=row).values_list("variant", flat=True))
        variants = {v.pk: v for v in Variant.objects.select_for_update().filter(pk__in=ids).order_by("pk")}
        locked = Draft.objects.select_for_update(of=("self",)).get(pk=row.pk)
        if wanted:
            _require_open(locked)
        kept = set(DraftReservation.objects.filter(draft=row).values_list("variant", flat=True))
        if not kept <= variants.keys():
            raise StaleOrder(_("This draft changed meanwhile. Nothing was saved; look at it again."))
        if only_late and locked.order_id is None and (locked.reserved_until is None or locked.reserved_until > timezone.now()):
            return 0  # its time was moved on meanwhile
        pieces = hold_for_draft(locked, {pk: count for pk, count in wanted.items() if pk in variants}, variants, actor=actor)
        row.reserved_until = until if pieces else None
        Draft.objects.filter(pk=row.pk).update(reserved_until=row.reserved_until)
    return pieces


def _without_prices(draft: OrderDraft) -> OrderDraft:
    return replace(draft, lines=tuple(replace(line, catalogue_price=None) for line in draft.lines))


def _require(actor: Actor) -> None:
    if not actor.may(RIGHT):
        raise NotAllowed(_("You may not create orders."))


def _require_open(row: Draft) -> None:
    if row.order_id:
        raise DraftPlaced(_("This draft was placed already."))
