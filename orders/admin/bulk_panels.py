"""The panels that ask for something before many orders change or a file is made: a tag, a name, a reason, a format."""

from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.db.models import Count
from django.http import QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from orders.bulk.asking import ITEMS, ORDERS, SHEETS, SLIPS
from orders.bulk.exporting import separator
from orders.bulk.wishing import wish_of
from orders.exporting import columns_of
from orders.models import BulkJob, Order, Tag
from orders.people import name_of, readers_of_orders
from orders.services.plan import Actor, plan

Kind = BulkJob.Kind
PERSONAL = "orders.export_personal_data"
TAG_LENGTH = 60
MOST_TAGS = 24  # ticks shown; the others are typed


class BulkForm(forms.Form):
    """What a panel asks. `choices()` is what of it becomes part of the job's wish."""

    template_name = "admin/orders/order/bulk_fields.html"

    def __init__(self, job: BulkJob, user: Any, data: QueryDict | None = None) -> None:
        super().__init__(data, auto_id="bulk-%s", label_suffix="")
        self.job, self.user = job, user

    def choices(self) -> dict[str, Any]:
        """Valid answers as the job keeps them."""
        return {}


class TagForm(BulkForm):
    known = forms.MultipleChoiceField(label=gettext_lazy("Tags in use"), widget=forms.CheckboxSelectMultiple, required=False)
    add = forms.CharField(
        label=gettext_lazy("Other tags"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Several with commas between. A tag that is new is made."),
    )

    def __init__(self, job: BulkJob, user: Any, data: QueryDict | None = None) -> None:
        super().__init__(job, user, data)
        used = Tag.objects.annotate(uses=Count("orders")).order_by("-uses", "name").values_list("name", flat=True)[:MOST_TAGS]
        box: Any = self.fields["known"]
        box.choices = [(name, name) for name in sorted(used)]
        if not box.choices:
            del self.fields["known"]

    def clean_add(self) -> list[str]:
        typed = [name.strip() for name in self.cleaned_data["add"].split(",") if name.strip()]
        names = list(dict.fromkeys([*self.cleaned_data.get("known", ()), *typed]))
        if not names:
            raise forms.ValidationError(_("Choose or write at least one tag."))
        if long := next((name for name in names if len(name) > TAG_LENGTH), None):
            raise forms.ValidationError(_("“%(name)s…” is longer than %(most)d characters.") % {"name": long[:20], "most": TAG_LENGTH})
        return names

    def choices(self) -> dict[str, Any]:
        return {"add": self.cleaned_data["add"]}


class UntagForm(BulkForm):
    remove = forms.MultipleChoiceField(label=gettext_lazy("Tags to remove"), widget=forms.CheckboxSelectMultiple)

    def __init__(self, job: BulkJob, user: Any, data: QueryDict | None = None) -> None:
        super().__init__(job, user, data)
        links = Order.tags.through.objects.filter(order__bulk_items__job=job)
        rows = links.values_list("tag__name").annotate(count=Count("pk")).order_by("tag__name")
        choices: Any = [
            (name, ngettext("%(name)s (%(count)d order)", "%(name)s (%(count)d orders)", count) % {"name": name, "count": count})
            for name, count in rows
        ]
        box: Any = self.fields["remove"]
        box.choices = choices
        box.error_messages["required"] = _("Tick at least one tag.")

    def choices(self) -> dict[str, Any]:
        return {"remove": self.cleaned_data["remove"]}


class AssignForm(BulkForm):
    assignee = forms.ChoiceField(label=gettext_lazy("Assign to"), required=False)

    def __init__(self, job: BulkJob, user: Any, data: QueryDict | None = None) -> None:
        super().__init__(job, user, data)
        box: Any = self.fields["assignee"]
        box.choices = [("", _("Nobody")), *((str(person.pk), name_of(person)) for person in readers_of_orders())]
        if user.pk and str(user.pk) in dict(box.choices):
            box.initial = str(user.pk)

    def choices(self) -> dict[str, Any]:
        pk = self.cleaned_data["assignee"]
        box: Any = self.fields["assignee"]
        return {"assignee": int(pk) if pk else None, "name": dict(box.choices)[pk]}


class HoldForm(BulkForm):
    reason = forms.CharField(
        label=gettext_lazy("Why the orders wait"),
        max_length=400,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=gettext_lazy("Staff read it on each order. Customers never do."),
        error_messages={"required": gettext_lazy("Say why the orders are put on hold.")},
    )

    def choices(self) -> dict[str, Any]:
        return {"reason": self.cleaned_data["reason"].strip()}


class ExportForm(BulkForm):
    format = forms.ChoiceField(
        label=gettext_lazy("File"),
        choices=[
            ("xlsx", gettext_lazy("Workbook (XLSX), for Excel and LibreOffice")),
            ("csv", gettext_lazy("Text (CSV), for other programs")),
        ],
        widget=forms.RadioSelect,
        initial="xlsx",
    )
    rows = forms.ChoiceField(
        label=gettext_lazy("One row per"),
        choices=[(ORDERS, gettext_lazy("order")), (ITEMS, gettext_lazy("item of an order"))],
        widget=forms.RadioSelect,
        initial=ORDERS,
    )
    personal = forms.BooleanField(label=gettext_lazy("With the customers’ names, addresses and contacts"), required=False)

    def __init__(self, job: BulkJob, user: Any, data: QueryDict | None = None) -> None:
        super().__init__(job, user, data)
        if not user.has_perm(PERSONAL):
            del self.fields["personal"]

    def choices(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("format", "rows")} | {"personal": bool(self.cleaned_data.get("personal"))}

    def columns(self) -> list[tuple[str, list[str]]]:
        """Headings of both tables, for the eye before the click."""
        named = ((_("One row per order"), ORDERS), (_("One row per item"), ITEMS))
        found = [(title, [str(column.title) for column in columns_of(rows, personal=False)]) for title, rows in named]
        if "personal" in self.fields:
            people_columns = [column for column in columns_of(ORDERS, personal=True) if column.is_personal]
            found.append((_("About the customer"), [str(column.title) for column in people_columns]))
        return found

    def separator_name(self) -> str:
        return _("commas") if separator() == "," else _("semicolons")


@dataclass
class Panel:
    """A panel with its words. `counted` is what a look at the orders found: changed, as they are, left out with why."""

    job: BulkJob
    form: BulkForm
    title: str
    button: str
    does: list[tuple[str, str]]  # icon and sentence
    counted: dict[str, Any] | None = None
    can_count: bool = False
    blocked: str = ""
    extra: dict[str, Any] = field(default_factory=dict)

    def context(self) -> dict[str, Any]:
        return {
            "panel_view": self,
            "job": self.job,
            "form": self.form,
            "title": self.title,
            "action": reverse("admin:orders_order_bulk_start", args=[self.job.public_id]),
            **self.extra,
        }

    def look(self) -> None:
        """Count what the orders would become. For a valid form."""
        job = BulkJob(kind=self.job.kind, wish=self.job.wish | self.form.choices())
        ids = list(self.job.items.order_by("position").values_list("order_id", flat=True))
        planned = plan(wish_of(job, ids, Actor.clerk(self.form.user)), render=False)
        self.counted = {
            "changed": len(planned.changes),
            "unchanged": len(planned.unchanged),
            "left_out": [(planned.world.orders.get(pk), str(error)) for pk, error in list(planned.refusals.items())[:8]],
            "left_out_count": len(planned.refusals),
        }


def panel_of(job: BulkJob, user: Any, data: QueryDict | None = None) -> Panel:
    """The panel of a proposed job that asks for something; filled with `data` where it was sent."""
    panel = _panel_for(job, user, data)
    if job.kind == Kind.HOLD and not job.wish["held"] and panel.form.is_bound is False:
        panel.form = BulkForm(job, user, QueryDict())
        panel.form.is_valid()
        panel.look()
    return panel


def _panel_for(job: BulkJob, user: Any, data: QueryDict | None) -> Panel:
    match job.kind:
        case Kind.TAG if "remove" in job.wish:
            form = UntagForm(job, user, data)
            blocked = "" if form.fields["remove"].choices else _("None of these orders has a tag.")  # type: ignore[attr-defined]
            return _change(job, form, _title(job, "Remove tags of"), _("Remove the tags"), blocked=blocked)
        case Kind.TAG:
            return _change(job, TagForm(job, user, data), _title(job, "Add tags to"), _("Add the tags"))
        case Kind.ASSIGN:
            return _change(job, AssignForm(job, user, data), _title(job, "Assign"), _("Assign"))
        case Kind.HOLD if job.wish["held"]:
            return _change(job, HoldForm(job, user, data), _title(job, "Put on hold"), _("Put on hold"))
        case Kind.HOLD:
            return _change(job, BulkForm(job, user, data), _title(job, "Take off hold"), _("Take off hold"))
        case Kind.PRINT:
            return _print_panel(job, BulkForm(job, user, data))
    return _export_panel(job, ExportForm(job, user, data))


def _title(job: BulkJob, what: str) -> str:
    count = job.total
    titles = {
        "Add tags to": ngettext("Add tags to %(count)d order", "Add tags to %(count)d orders", count),
        "Remove tags of": ngettext("Remove tags of %(count)d order", "Remove tags of %(count)d orders", count),
        "Assign": ngettext("Assign %(count)d order", "Assign %(count)d orders", count),
        "Put on hold": ngettext("Put %(count)d order on hold", "Put %(count)d orders on hold", count),
        "Take off hold": ngettext("Take %(count)d order off hold", "Take %(count)d orders off hold", count),
        SHEETS: ngettext("Print the sheet of %(count)d order", "Print the sheets of %(count)d orders", count),
        SLIPS: ngettext("Print the packing slip of %(count)d order", "Print the packing slips of %(count)d orders", count),
        "export": ngettext("Export %(count)d order", "Export %(count)d orders", count),
    }
    return titles[what] % {"count": count}


def _change(job: BulkJob, form: BulkForm, title: str, button: str, *, blocked: str = "") -> Panel:
    does = [
        ("mail-x", _("No e-mail goes out, no stock moves, no status changes.")),
        ("undo-2", _("It can be undone on the receipt.")),
    ]
    if job.kind == Kind.HOLD and job.wish["held"]:
        does.insert(0, ("circle-pause", _("Orders on hold stay out of “To process” and “To ship”.")))
    return Panel(job, form, title, button, does, can_count=bool(form.fields), blocked=blocked)


def _print_panel(job: BulkJob, form: BulkForm) -> Panel:
    is_sheets = job.wish["what"] == SHEETS
    does = [
        ("printer", _("One PDF, in the order of the list. You find it on the receipt as soon as it is made.")),
        ("globe", _("In your language.") if is_sheets else _("Each in its customer’s language, without prices.")),
        ("clock", _("The file is kept for 24 hours. Nothing about the orders changes.")),
    ]
    held = job.items.filter(order__is_held=True).count() if not is_sheets else 0
    if held:
        words = ngettext("%(count)d of them is on hold.", "%(count)d of them are on hold.", held) % {"count": held}
        does.insert(0, ("circle-pause", words))
    return Panel(job, form, _title(job, job.wish["what"]), _("Make the PDF"), does)


def _export_panel(job: BulkJob, form: ExportForm) -> Panel:
    does = [
        ("file-down", _("One file. You find it on the receipt as soon as it is made, and for 24 hours.")),
        ("clock", _("It holds the orders as they are when the file is made. Nothing about them changes.")),
    ]
    if "personal" not in form.fields:
        does.append(("lock", _("Without the customers’ names, addresses and contacts: you may not export personal data.")))
    return Panel(job, form, _title(job, "export"), _("Make the file"), does)
