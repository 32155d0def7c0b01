"""Smaller changes: notes, hold, quantity of an item, tags and details."""

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.wishes.base import Ticks, WishForm, text_input
from orders.services.editing import NOTE_LENGTH, DetailsWish, HoldWish, NoteWish, QuantityWish


class NoteForm(WishForm):
    """A private note."""

    icon = "sticky-note"
    light = frozenset({"text"})
    button = gettext_lazy("Add the note")
    has_word = False
    text = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=NOTE_LENGTH,
        help_text=gettext_lazy("Customers never see it."),
        widget=forms.Textarea(attrs={"class": "textarea", "rows": 4}),
    )

    def title(self) -> str:
        return _("Note on #%(number)s") % {"number": self.order.number}

    def wish(self, ticks: Ticks) -> NoteWish:
        return NoteWish(
            order_id=self.order.pk,
            actor=self.subject.actor,
            text=self.cleaned_data["text"],
            parent_id=self.subject.part or None,
            skip=ticks.skip,
        )


class HoldForm(WishForm):
    """Put the order on hold, or take it off."""

    icon = "lock"
    light = frozenset({"reason"})
    has_word = False

    def title(self) -> str:
        if self.order.is_held:
            return _("Take #%(number)s off hold") % {"number": self.order.number}
        return _("Put #%(number)s on hold") % {"number": self.order.number}

    def build(self) -> None:
        if not self.order.is_held:
            self.fields["reason"] = forms.CharField(
                label=_("Reason"),
                max_length=400,
                help_text=_("A held order stays out of packing lists; no status changes."),
                widget=text_input(),
            )

    def wish(self, ticks: Ticks) -> HoldWish:
        return HoldWish(
            ids=[self.order.pk],
            actor=self.subject.actor,
            held=not self.order.is_held,
            reason=self.cleaned_data.get("reason", ""),
            skip=ticks.skip,
        )


class QuantityForm(WishForm):
    """Another quantity of one item."""

    light = frozenset({"reason"})

    def title(self) -> str:
        return _("Change a quantity of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        line = next((line for line in self.lines if line.pk == self.subject.part), None)
        self.fields["quantity"] = forms.IntegerField(
            label=line.name if line else _("Quantity"),
            min_value=1,
            max_value=1_000_000,
            initial=line.quantity if line else None,
            help_text=_("Price, discounts and shipping stay as they are."),
            widget=forms.NumberInput(attrs={"class": "input qty", "min": "1", "inputmode": "numeric"}),
        )
        self.fields["reason"] = forms.CharField(label=_("Reason"), required=False, max_length=400, widget=text_input())

    def wish(self, ticks: Ticks) -> QuantityWish:
        return QuantityWish(
            order_id=self.order.pk,
            line_id=self.subject.part,
            quantity=self.cleaned_data["quantity"],
            actor=self.subject.actor,
            reason=self.cleaned_data["reason"],
            skip=ticks.skip,
            oversell=ticks.oversell,
            personal_word=self.cleaned_data["personal_word"],
        )


class DetailsForm(WishForm):
    """Details that move neither money nor stock."""

    light = frozenset({"tags", "no_customer_mail", "follow_up_on"})
    button = gettext_lazy("Save")
    has_word = False

    def title(self) -> str:
        return _("Details of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        self.tag_names = sorted(self.order.tags.values_list("name", flat=True))
        self.fields["tags"] = forms.CharField(
            label=_("Tags"),
            required=False,
            max_length=600,
            initial=", ".join(self.tag_names),
            help_text=_("Separated by commas."),
            widget=text_input(),
        )
        self.fields["no_customer_mail"] = forms.BooleanField(
            label=_("Send this customer no mail about this order"), required=False, initial=self.order.no_customer_mail
        )
        self.fields["follow_up_on"] = forms.DateField(
            label=_("Follow up on"),
            required=False,
            initial=self.order.follow_up_on.isoformat() if self.order.follow_up_on else None,
            widget=forms.DateInput(attrs={"class": "input", "type": "date"}, format="%Y-%m-%d"),
        )

    def wish(self, ticks: Ticks) -> DetailsWish:
        wanted = list(dict.fromkeys(name.strip() for name in self.cleaned_data["tags"].split(",") if name.strip()))
        return DetailsWish(
            ids=[self.order.pk],
            actor=self.subject.actor,
            values={name: self.cleaned_data[name] for name in ("no_customer_mail", "follow_up_on")},
            add_tags=[name for name in wanted if name not in self.tag_names],
            remove_tags=[name for name in self.tag_names if name not in wanted],
            skip=ticks.skip,
        )
