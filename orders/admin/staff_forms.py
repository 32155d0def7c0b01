"""The forms of the staff pages: a person, a role, one's own account."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.amounts import AmountField
from orders.admin.list_result import ALL, builtin_tabs
from orders.models import Role, SavedView, StaffProfile, Status
from orders.roles import OWNER, RIGHTS, role_name
from orders.services.limits import REFUND
from orders.services.people import PersonFacts, may_give
from orders.services.role_changes import NAME_LENGTH, RoleFacts, permissions_in


def language_choices() -> list[tuple[str, Any]]:
    return [("", gettext_lazy("As the browser")), *settings.LANGUAGES]


class PersonForm(forms.Form):
    """Who somebody is and what they may do. Roles above the editor's own rights are shown and can't be ticked."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    email = forms.CharField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("They sign in with it, and links to choose a password go there."),
    )
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False, choices=language_choices)
    roles = forms.ModelMultipleChoiceField(
        queryset=Role.objects.none(),
        required=False,
        error_messages={
            "invalid_choice": gettext_lazy("Choose roles of the list."),
            "invalid_pk_value": gettext_lazy("Choose roles of the list."),
        },
    )

    def __init__(self, data: Any = None, *, editor: Any, person: Any = None) -> None:
        self.known = list(Role.objects.filter(group__user=person)) if person else []
        profile = StaffProfile.of(person) if person else StaffProfile()
        initial = (
            {"name": person.get_full_name(), "email": person.email, "language": profile.language, "roles": [role.pk for role in self.known]}
            if person
            else {"language": ""}
        )
        super().__init__(data, initial=initial)
        self.editor = editor
        self.fields["roles"].queryset = Role.objects.select_related("group")  # type: ignore[attr-defined]

    def role_rows(self) -> list[dict[str, Any]]:
        """Every role with its purpose, whether it is ticked, and whether the editor may change the tick."""
        ticked = {str(pk) for pk in (self["roles"].value() or ())}
        known = {role.pk for role in self.known}
        rows = []
        for role in Role.objects.select_related("group"):
            rows.append({"role": role, "is_ticked": str(role.pk) in ticked, "is_open": role.pk in known or may_give(self.editor, role)})
        return rows

    def facts(self) -> PersonFacts:
        data = self.cleaned_data
        return PersonFacts(name=data["name"], email=data["email"], roles=list(data["roles"]), language=data["language"])


class RoleForm(forms.Form):
    """A role: its name, its rights, up to which amount it refunds, and which orders it sees first."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=NAME_LENGTH, widget=forms.TextInput(attrs={"autocomplete": "off"}))
    refund_limit = AmountField(
        label=gettext_lazy("Refund up to"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
        help_text=gettext_lazy("Largest single refund, in the order's currency. Empty: any amount."),
    )
    default_view = forms.ChoiceField(label=gettext_lazy("First view of the orders"), required=False)
    rights = forms.MultipleChoiceField(required=False, choices=[(right.key, right.label) for right in RIGHTS])

    def __init__(self, data: Any = None, *, role: Role, copied: Role | None = None) -> None:
        source = copied or role
        held = permissions_in(source) if source.pk else frozenset()
        name = role_name(role.group.name, role.code) if role.pk else ""
        initial = {
            "name": name,
            "refund_limit": source.refund_limit,
            "default_view": source.default_view,
            "rights": [right.key for right in RIGHTS if right.is_in(held)],
        }
        super().__init__(data, initial=initial)
        self.role = role
        self.fields["default_view"].choices = first_views(source.default_view)  # type: ignore[attr-defined]
        if role.code == OWNER:
            for field in ("refund_limit", "rights"):
                self.fields[field].disabled = True

    def ticked(self) -> set[str]:
        return set(self["rights"].value() or ())

    def facts(self) -> RoleFacts:
        data = self.cleaned_data
        limit = data["refund_limit"] if REFUND in data["rights"] else None
        return RoleFacts(name=data["name"], keys=frozenset(data["rights"]), refund_limit=limit, default_view=data["default_view"])


class AccountForm(forms.Form):
    """What people say about themselves."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=200, widget=forms.TextInput(attrs={"autocomplete": "name"}))
    language = forms.ChoiceField(label=gettext_lazy("Language"), required=False, choices=language_choices)

    def clean_name(self) -> str:
        name = " ".join(str(self.cleaned_data["name"]).split())
        if not name:
            raise forms.ValidationError(_("Enter a name."))
        return name


def first_views(present: str) -> list[tuple[str, str]]:
    """Views of the orders that a role can open first: those of every shop, and shared ones."""
    built_in = [(tab.key, str(tab.label)) for tab in builtin_tabs(Status.objects.all()) if tab.key != ALL]
    shared = [(view.key, view.name) for view in SavedView.objects.filter(is_shared=True)]
    found = [("", _("All orders")), *built_in, *shared]
    return found if present in {key for key, _label in found} else [*found, (present, present)]
