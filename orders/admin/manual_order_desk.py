"""What the form does with its draft beside placing it: name, copy, reservation, quote, expired prices, items left out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from functools import cached_property
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.drafts import OrderDraft
from orders.errors import InvalidWish
from orders.models import Draft, Variant
from orders.services.intake import has_expired
from orders.services.plan import Actor
from orders.services.reordering import line_left_out
from orders.services.reserving import back_to_draft, duplicate, make_quote, pieces_of, release, reserve, settle_prices, take_up

RESERVED_FOR = timedelta(days=2)
VALID_FOR = timedelta(days=30)
MOMENT = "%Y-%m-%dT%H:%M"


class DeskForm(forms.Form):
    """The fields that belong to the draft, not to the order."""

    draft_name = forms.CharField(label=gettext_lazy("Name of the draft"), max_length=200, required=False)
    reserve_until = forms.DateTimeField(
        label=gettext_lazy("Reserve until"), required=False, widget=forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT)
    )
    valid_until = forms.DateField(
        label=gettext_lazy("Quote valid until"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )


@dataclass
class Desk:
    """The draft as its card shows it."""

    row: Draft | None
    draft: OrderDraft
    form: DeskForm

    @cached_property
    def kept(self) -> dict[int, int]:
        """Pieces kept now, by article."""
        return dict(self.row.reservations.values_list("variant", "pieces")) if self.row and self.row.reserved_until else {}

    @property
    def kept_pieces(self) -> int:
        return sum(self.kept.values())

    @cached_property
    def differences(self) -> list[str]:
        """Where what is kept is not what the items ask, in words."""
        asked = pieces_of(self.draft)
        if not self.kept:
            return []
        ids = asked.keys() | self.kept.keys()
        variants = Variant.objects.filter(pk__in=ids, is_tracked=True).order_by("sku")
        return [
            _("%(sku)s: %(kept)d kept, %(asked)d asked") % {"sku": v.sku, "kept": self.kept.get(v.pk, 0), "asked": asked[v.pk]}
            for v in variants
            if self.kept.get(v.pk, 0) != asked[v.pk]
        ]

    @property
    def is_quote(self) -> bool:
        return self.row is not None and self.row.kind == Draft.Kind.QUOTE

    @property
    def has_expired(self) -> bool:
        return self.row is not None and has_expired(self.row, timezone.now())

    @property
    def is_over(self) -> bool:
        """The day until which the quote holds has passed, whatever was said of its prices."""
        return self.row is not None and self.row.is_over

    @cached_property
    def moved_prices(self) -> list[dict[str, Any]]:
        """Articles whose catalogue price is another one now than when the quote was made."""
        fixed = {
            line.variant_id: line.catalogue_price for line in self.draft.lines if line.catalogue_price is not None and line.price is None
        }
        rows = Variant.objects.filter(pk__in=[pk for pk in fixed if pk]).select_related("product") if self.is_quote and fixed else []
        return [{"name": str(v), "then": fixed[v.pk], "now": v.price} for v in rows if v.price != fixed[v.pk]]

    @property
    def left_out(self) -> list[dict[str, Any]]:
        return list(self.row.left_out) if self.row else []


def desk_data(row: Draft | None) -> dict[str, str]:
    """What the card's fields hold when a draft is opened."""
    now = timezone.localtime()
    until = row.reserved_until if row and row.reserved_until else now + RESERVED_FOR
    valid = row.expires_at if row and row.expires_at else now + VALID_FOR
    return {
        "draft_name": row.name if row else "",
        "reserve_until": timezone.localtime(until).strftime(MOMENT),
        "valid_until": timezone.localdate(valid).isoformat(),
    }


def desk_of(row: Draft | None, draft: OrderDraft, data: QueryDict) -> Desk:
    form = DeskForm(data)
    form.is_valid()
    return Desk(row, draft, form)


def do_at_desk(verb: str, value: str, row: Draft, desk: Desk, *, user: Any) -> tuple[Draft, str] | None:
    """Do what a button of the card asks, on the stored draft. Returns the draft to show next and what to say; None for other verbs.

    Raises OrderError with the field that it names.
    """
    act = _VERBS.get(f"{verb}:{value}") or _VERBS.get(verb)
    return act(row, desk, value, Actor.clerk(user)) if act else None


def _reserve(row: Draft, desk: Desk, _value: str, actor: Actor) -> tuple[Draft, str]:
    until = desk.form.cleaned_data.get("reserve_until")
    if until is None:
        raise InvalidWish(_("Say until when the pieces are kept."), field="reserve_until")
    count = reserve(row, until, actor=actor)
    return row, ngettext("%(count)d piece is reserved.", "%(count)d pieces are reserved.", count) % {"count": count}


def _release(row: Draft, _desk: Desk, _value: str, actor: Actor) -> tuple[Draft, str]:
    release(row, actor=actor)
    return row, _("The pieces are free again.")


def _quote(row: Draft, desk: Desk, _value: str, actor: Actor) -> tuple[Draft, str]:
    day = desk.form.cleaned_data.get("valid_until")
    if day is None:
        raise InvalidWish(_("Say until which day the quote is valid."), field="valid_until")
    until = timezone.make_aware(datetime.combine(day, time(23, 59, 59)))
    make_quote(row, until, actor=actor)
    return row, _("This is a quote now. Print it or mail it.")


def _draft(row: Draft, _desk: Desk, _value: str, actor: Actor) -> tuple[Draft, str]:
    back_to_draft(row, actor=actor)
    return row, _("This is a draft again; its prices follow the catalogue.")


def _keep(row: Draft, _desk: Desk, _value: str, actor: Actor) -> tuple[Draft, str]:
    settle_prices(row, renew=False, actor=actor)
    return row, _("The prices of the quote are kept.")


def _renew(row: Draft, _desk: Desk, _value: str, actor: Actor) -> tuple[Draft, str]:
    settle_prices(row, renew=True, actor=actor)
    return row, _("The prices are those of the catalogue today.")


def _take_up(row: Draft, _desk: Desk, _value: str, actor: Actor) -> tuple[Draft, str]:
    take_up(row, actor=actor)
    return row, _("The draft is open again.")


def _duplicate(row: Draft, _desk: Desk, _value: str, actor: Actor) -> tuple[Draft, str]:
    return duplicate(row, actor=actor), _("This is the copy; the first draft is kept.")


def _take(row: Draft, desk: Desk, value: str, _actor: Actor) -> tuple[Draft, str]:
    item = _drop(row, value)
    if item is None:
        return row, ""
    draft = OrderDraft.from_json(row.body)
    row.body = replace(draft, lines=(*draft.lines, line_left_out(item))).as_json()
    row.save(update_fields=["body", "left_out", "updated_at"])
    return row, _("%(name)s is a free item of this draft now.") % {"name": item["name"]}


def _leave(row: Draft, _desk: Desk, value: str, _actor: Actor) -> tuple[Draft, str]:
    if _drop(row, value) is not None:
        row.save(update_fields=["left_out", "updated_at"])
    return row, ""


def _drop(row: Draft, value: str) -> dict[str, Any] | None:
    """Take one item from the list of what was left out; None where a second click finds it gone."""
    index = int(value) if value.isdecimal() and len(value) < 6 else -1
    if not 0 <= index < len(row.left_out):
        return None
    found: dict[str, Any] = row.left_out[index]
    row.left_out = [*row.left_out[:index], *row.left_out[index + 1 :]]
    return found


_VERBS: dict[str, Callable[[Draft, Desk, str, Actor], tuple[Draft, str]]] = {
    "reserve": _reserve,
    "release": _release,
    "quote": _quote,
    "unquote": _draft,
    "prices:keep": _keep,
    "prices:renew": _renew,
    "duplicate": _duplicate,
    "reopen": _take_up,
    "take": _take,
    "leave": _leave,
}
DESK_VERBS = frozenset(key.partition(":")[0] for key in _VERBS)
