"""The steps of a return as forms: each asks only what its step decides."""

from typing import Any, ClassVar

from django import forms
from django.http import Http404, QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from orders.admin.wishes.base import AsksReason, Subject, Ticks, WishForm, pieces_field, text_input
from orders.models import OrderLine, ReturnCase, ReturnCaseLine
from orders.services.plan import Wish
from orders.services.returns import (
    ApproveReturnWish,
    CloseReturnWish,
    InspectReturnWish,
    ReceiveReturnWish,
    RefuseReturnWish,
    ReturnRequestWish,
    returnable,
)


class AskReturnForm(WishForm):
    """What the customer wants to send back."""

    icon = "rotate-ccw"
    light = frozenset({"note", "is_approved"})
    button = gettext_lazy("Open the return")
    columns = (gettext_lazy("To come back"), gettext_lazy("Reason"))
    has_word: ClassVar[bool] = False

    def title(self) -> str:
        return _("A return of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        can_come = returnable(self.order, self.lines)
        for line in self.lines:
            if left := can_come.get(line.pk, 0):
                reason = forms.ChoiceField(
                    label=_("Reason"),
                    choices=ReturnCaseLine.Reason.choices,
                    required=False,
                    widget=forms.Select(attrs={"class": "select auto"}),
                )
                self.add_row(line, _("of %(count)d") % {"count": left}, quantity=pieces_field(_("To come back"), left), reason=reason)
        self.fields["note"] = forms.CharField(
            label=_("What the customer says"), required=False, max_length=400, widget=text_input(autocomplete="off")
        )
        self.fields["is_approved"] = forms.BooleanField(
            label=_("The shop agrees at once"), help_text=_("Then the parcel is awaited."), required=False, initial=True
        )

    def wish(self, ticks: Ticks) -> ReturnRequestWish:
        data = self.cleaned_data
        return ReturnRequestWish(
            order_id=self.order.pk,
            actor=self.subject.actor,
            pieces={line.pk: self.number("quantity", line) for line, _remark, _names in self.rows},
            reasons={line.pk: data.get(f"reason-{line.pk}", "") for line, _remark, _names in self.rows},
            note=data["note"],
            is_approved=data["is_approved"],
            skip=ticks.skip,
        )


class _StepForm(WishForm):
    """A step of the return that the address names."""

    icon = "rotate-ccw"
    has_word: ClassVar[bool] = False

    def __init__(self, data: QueryDict, subject: Subject) -> None:
        case = ReturnCase.objects.filter(order=subject.order, pk=subject.part).first()
        if case is None:
            raise Http404
        self.case = case
        by_pk = {line.pk: line for line in subject.lines}
        self.case_rows = [(row, by_pk[row.line_id]) for row in case.lines.all() if row.line_id in by_pk]
        super().__init__(data, subject)

    def facts(self) -> dict[str, Any]:
        return {"order_id": self.order.pk, "actor": self.subject.actor, "case_id": self.case.pk}

    def numbers(self, name: str) -> dict[int, int]:
        return {line.pk: self.number(name, line) for line, _remark, _names in self.rows}


class ApproveReturnForm(_StepForm):
    """The shop agrees."""

    button = gettext_lazy("Approve the return")

    def title(self) -> str:
        return _("Approve the return of #%(number)s") % {"number": self.order.number}

    def wish(self, ticks: Ticks) -> Wish:
        return ApproveReturnWish(**self.facts(), skip=ticks.skip)


class RefuseReturnForm(_StepForm, AsksReason):
    """The shop does not agree."""

    light = frozenset({"reason"})
    button = gettext_lazy("Refuse the return")

    def title(self) -> str:
        return _("Refuse the return of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        self.add_reason(_("Reason"))

    def wish(self, ticks: Ticks) -> Wish:
        return RefuseReturnWish(**self.facts(), reason=self.reason(), skip=ticks.skip)


class ReceiveReturnForm(_StepForm):
    """The parcel is here."""

    icon = "package"
    columns = (pgettext_lazy("return", "Received"),)
    button = gettext_lazy("Record what came")

    def title(self) -> str:
        return _("Receive the return of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        for row, line in self.case_rows:
            self.add_row(line, _of(row.asked, row, line), received=pieces_field(pgettext("return", "Received"), row.asked, row.asked))

    def wish(self, ticks: Ticks) -> Wish:
        return ReceiveReturnWish(**self.facts(), pieces=self.numbers("received"), skip=ticks.skip)


class InspectReturnForm(_StepForm):
    """What becomes of the pieces."""

    icon = "package"
    columns = (gettext_lazy("On the shelf"), gettext_lazy("Lost or damaged"))
    button = gettext_lazy("Record the inspection")
    has_word = True

    def title(self) -> str:
        return _("Inspect the return of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        for row, line in self.case_rows:
            if row.received:
                is_broken = row.reason in (ReturnCaseLine.Reason.BROKEN, ReturnCaseLine.Reason.FAULTY)
                shelf, lost = (0, row.received) if is_broken else (row.received, 0)
                self.add_row(
                    line,
                    _of(row.received, row, line),
                    shelf=pieces_field(_("On the shelf"), row.received, shelf),
                    lost=pieces_field(_("Lost or damaged"), row.received, lost),
                )
        self.fields["set_returned"] = forms.BooleanField(label=_("Set the status Returned"), required=False)

    def wish(self, ticks: Ticks) -> Wish:
        shelf, lost = self.numbers("shelf"), self.numbers("lost")
        return InspectReturnWish(
            **self.facts(),
            pieces={pk: (shelf[pk], lost[pk]) for pk in shelf},
            set_returned=self.cleaned_data["set_returned"],
            skip=ticks.skip,
            oversell=ticks.oversell,
            personal_word=self.cleaned_data["personal_word"],
        )


class CloseReturnForm(_StepForm):
    """Nothing is given for it."""

    light = frozenset({"reason"})
    button = gettext_lazy("Close the return")

    def title(self) -> str:
        return _("Close the return of #%(number)s") % {"number": self.order.number}

    def build(self) -> None:
        self.fields["reason"] = forms.CharField(label=_("Reason"), required=False, max_length=400, widget=text_input())

    def wish(self, ticks: Ticks) -> Wish:
        return CloseReturnWish(**self.facts(), reason=self.cleaned_data["reason"], skip=ticks.skip)


def _of(count: int, row: ReturnCaseLine, line: OrderLine) -> str:
    words = _("of %(count)d") % {"count": count}
    return f"{words}, {row.get_reason_display().lower()}" if row.reason else words
