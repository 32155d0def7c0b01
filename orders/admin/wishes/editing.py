"""Smaller changes: hold, tags, assignee and other details."""

from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.effects import in_words
from orders.admin.wishes.base import Subject, Ticks, WishForm, text_input
from orders.models import Order
from orders.people import name_of, readers_of_orders
from orders.services.editing import DetailsWish, HoldWish


class HoldForm(WishForm):
    """Put the order on hold, change the reason, or take it off."""

    icon = "lock"
    light = frozenset({"reason"})
    has_word = False
    merges = True

    def __init__(self, data: QueryDict, subject: Subject) -> None:
        self.held = data["held"] == "1" if "held" in data else not subject.order.is_held
        super().__init__(data, subject)
        # What the order is, not what the form proposes.
        self.opened = {"held": "1" if self.order.is_held else "0", "reason": self.order.hold_reason}

    def title(self) -> str:
        if not self.held:
            return _("Take #%(number)s off hold") % {"number": self.order.number}
        return _("Put #%(number)s on hold") % {"number": self.order.number}

    def build(self) -> None:
        self.fields["held"] = forms.CharField(
            label=_("On hold"), required=False, initial="1" if self.held else "0", widget=forms.HiddenInput
        )
        self.fields["reason"] = forms.CharField(
            label=_("Reason"),
            max_length=400,
            required=self.held,
            initial=self.order.hold_reason,
            help_text=_("A held order stays out of packing lists; no status changes."),
            widget=text_input() if self.held else forms.HiddenInput,
        )

    def refused(self) -> str:
        """Who may ship may hold, not release."""
        rights = ("orders.change_order", "orders.ship_order") if self.held else ("orders.change_order",)
        return "" if any(self.subject.actor.may(right) for right in rights) else _("You may not edit orders.")

    def said(self, name: str, text: str) -> str:
        return in_words(text == "1") if name == "held" else super().said(name, text)

    def wish(self, ticks: Ticks) -> HoldWish:
        return HoldWish(
            ids=[self.order.pk],
            actor=self.subject.actor,
            held=self.held,
            reason=self.cleaned_data.get("reason", "") if self.held else "",
            skip=ticks.skip,
        )


class DetailsForm(WishForm):
    """Details that move neither money nor stock."""

    light = frozenset({"tags", "no_customer_mail", "follow_up_on", "assignee"})
    button = gettext_lazy("Save")
    has_word = False
    merges = True

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
        self.fields["assignee"] = forms.ChoiceField(
            label=_("Assignee"),
            required=False,
            choices=assignees(self.order),
            initial=str(self.order.assignee_id or ""),
            widget=forms.Select(attrs={"class": "select"}),
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
            versions={self.order.pk: self.order.version},
            values={name: self.cleaned_data[name] for name in ("no_customer_mail", "follow_up_on")}
            | {"assignee_id": int(self.cleaned_data["assignee"]) if self.cleaned_data["assignee"] else None},
            add_tags=[name for name in wanted if name not in self.tag_names],
            remove_tags=[name for name in self.tag_names if name not in wanted],
            skip=ticks.skip,
        )


def assignees(order: Order, people: list[Any] | None = None) -> list[tuple[str, str]]:
    """Who can have the order: nobody, the people who see orders, and who has it now even where they no longer do."""
    people = readers_of_orders() if people is None else people
    rows = [(str(person.pk), name_of(person)) for person in people]
    if order.assignee and str(order.assignee_id) not in dict(rows):
        rows.append((str(order.assignee_id), name_of(order.assignee)))
    return [("", _("nobody")), *rows]
