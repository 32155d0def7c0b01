"""The staff pages: who works here, inviting, changing, disabling; and one's own account. Rules are in orders/services/people.py."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.db.models import Prefetch, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy
from django.views.decorators.http import require_POST

from orders.admin.staff_forms import AccountForm, PersonForm
from orders.admin.staff_roles import roles_urls
from orders.admin.staff_trail import trail_of
from orders.errors import OrderError
from orders.models import Role, Shop, StaffProfile
from orders.people import name_of
from orders.rights import require
from orders.roles import MANAGE_STAFF, RIGHTS, Right, right_of, role_name
from orders.services import people
from orders.services.limits import REFUND, refund_limit
from orders.services.role_changes import permissions_in
from orders.services.wishes import Actor

View = Callable[..., HttpResponse]
SHOWN = 5
LINK_SECONDS = settings.PASSWORD_RESET_TIMEOUT
NO_PASSWORD = Q(password__in=[""]) | Q(("password__startswith", UNUSABLE_PASSWORD_PREFIX))
STATES: dict[str, tuple[Any, Q]] = {
    "": (pgettext_lazy("people", "All"), Q()),
    "active": (pgettext_lazy("person", "Active"), Q(is_active=True) & ~NO_PASSWORD),
    "invited": (pgettext_lazy("person", "Invited"), Q(is_active=True) & NO_PASSWORD),
    "disabled": (pgettext_lazy("person", "Disabled"), Q(is_active=False)),
}
LOOKS = {
    "active": ("success settled", "s-paid", pgettext_lazy("person", "Active")),
    "invited": ("info", "s-clock", pgettext_lazy("person", "Invited")),
    "disabled": ("neutral settled", "s-cancelled", pgettext_lazy("person", "Disabled")),
}


@dataclass(frozen=True)
class PersonRow:
    """One of the staff as the pages show them."""

    person: Any
    name: str
    roles: list[str]
    state: str
    language: str

    @property
    def look(self) -> tuple[str, str, Any]:
        return LOOKS[self.state]


def staff_urls(site: AdminSite) -> list[URLPattern]:
    """The pages under staff/, and one's own account."""

    def page(address: str, view: View, name: str) -> URLPattern:
        return path(address, site.admin_view(_for_managers(site, view)), name=name)

    return [
        page("staff/", list_view, "staff"),
        page("staff/invite/", invite_view, "staff_invite"),
        page("staff/<int:pk>/", person_view, "staff_person"),
        page("staff/<int:pk>/invite-again/", require_POST(invite_again_view), "staff_invite_again"),
        page("staff/<int:pk>/disable/", require_POST(disable_view), "staff_disable"),
        page("staff/<int:pk>/enable/", require_POST(enable_view), "staff_enable"),
        page("staff/<int:pk>/direct-rights/", require_POST(direct_rights_view), "staff_direct_rights"),
        *roles_urls(page),
        path("account/", site.admin_view(lambda request: account_view(request, site)), name="my_account"),
    ]


def list_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Everybody, by state and name."""
    state = request.GET.get("state", "") if request.GET.get("state", "") in STATES else ""
    text = request.GET.get("q", "").strip()[:100]
    found = people.staff().filter(STATES[state][1])
    for word in text.split()[:4]:
        found = found.filter(
            Q(first_name__icontains=word) | Q(last_name__icontains=word) | Q(email__icontains=word) | Q(username__icontains=word)
        )
    tabs = [(key, label, people.staff().filter(wanted).count()) for key, (label, wanted) in STATES.items()]
    rows = [row_of(person) for person in _with_parts(found).order_by("-is_active", "first_name", "last_name", "username")]
    context = site.each_context(request) | {"title": _("Staff"), "rows": rows, "tabs": tabs, "state": state, "text": text}
    return TemplateResponse(request, "admin/orders/staff/list.html", context)


def invite_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """A name, an address, roles and a language; the rest is a mail."""
    form = PersonForm(request.POST if request.method == "POST" else None, editor=request.user)
    if "preview" in request.POST:
        return _rights_fragment(request, form)
    if request.method == "POST" and form.is_valid():
        try:
            person = people.invite(form.facts(), Actor.clerk(request.user))
        except OrderError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, _invited_words(person))
            return redirect("admin:staff_person", person.pk)
    context = site.each_context(request) | {"title": _("Invite somebody"), "form": form} | rights_of(form)
    return TemplateResponse(request, "admin/orders/staff/invite.html", context, status=422 if form.errors else 200)


def _invited_words(person: Any) -> str:
    """That somebody is invited, and who brings the link where the installation sends no mail."""
    said = _("%(name)s is invited.") % {"name": name_of(person)}
    if settings.EMAIL_URL:
        return said
    return f"{said} {_('No mail server is set up, so nothing is sent: open the mail on this page and pass its link on yourself.')}"


def person_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    """Who somebody is, what they may do, what was changed about them."""
    person = _person_or_404(pk)
    may_change = people.may_manage(request.user, person)
    form = PersonForm(request.POST if request.method == "POST" else None, editor=request.user, person=person)
    if "preview" in request.POST:
        return _rights_fragment(request, form, person)
    if request.method == "POST" and form.is_valid():
        try:
            changed = people.change_person(person, form.facts(), Actor.clerk(request.user))
        except OrderError as error:
            form.add_error(error.field if error.field in form.fields else None, str(error))
        else:
            messages.success(request, _("Saved.") if changed else _("Nothing to change."))
            return redirect("admin:staff_person", pk)
        person = _person_or_404(pk)
    context = site.each_context(request) | {
        "title": name_of(person),
        "row": row_of(person),
        "person": person,
        "form": form,
        "may_change": may_change,
        "is_self": person.pk == request.user.pk,
        "direct": [str(right.label) if (right := right_of(name)) else name for name in sorted(people.direct_rights(person))],
        "trail": trail_of(person),
        "profile": (profile := StaffProfile.of(person)),
        "link_is_over": profile.invited_at is not None and profile.invited_at < timezone.now() - timedelta(seconds=LINK_SECONDS),
        "link_days": LINK_SECONDS // 86400,
    }
    context |= rights_of(form, person)
    return TemplateResponse(request, "admin/orders/staff/person.html", context, status=422 if form.errors else 200)


def invite_again_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    return _do(request, pk, people.invite_again, _("A new link is on its way; the one before works no longer."))


def disable_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    return _do(request, pk, people.disable, _("Disabled, and signed out everywhere."))


def enable_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    return _do(request, pk, people.enable, _("Enabled: they can sign in again."))


def direct_rights_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    return _do(request, pk, people.take_direct_rights, _("The rights apart from roles are taken away."))


def account_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """One's own name and language; the address and the roles are changed by who manages staff."""
    user: Any = request.user
    profile = StaffProfile.of(user)
    initial = {"name": user.get_full_name(), "language": profile.language}
    form = AccountForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        people.change_own_account(Actor.clerk(user), form.cleaned_data["name"], form.cleaned_data["language"])
        messages.success(request, _("Saved."))
        return redirect("admin:my_account")
    held = user.get_all_permissions()
    context = site.each_context(request) | {
        "title": _("My account"),
        "form": form,
        "row": row_of(_person_or_404(user.pk)) if user.is_staff else None,
        "rights": [right.label for right in RIGHTS if right.is_in(held)],
        "limit": refund_limit(user) if user.has_perm(REFUND) else None,
    }
    return TemplateResponse(request, "admin/orders/staff/account.html", context, status=422 if form.errors else 200)


def row_of(person: Any) -> PersonRow:
    """What the pages say about a person; `_with_parts` has read what it needs."""
    roles = sorted((group.role for group in person.groups.all() if hasattr(group, "role")), key=lambda role: role.position)
    names = [role_name(role.group.name, role.code) for role in roles]
    if person.is_superuser and not any(role.code == "owner" for role in roles):
        names.insert(0, _("All rights"))
    profile = getattr(person, "staff_profile", None)
    state = "disabled" if not person.is_active else "active" if person.has_usable_password() else "invited"
    return PersonRow(person, name_of(person), names, state, profile.language if profile else "")


def rights_of(form: PersonForm, person: Any = None) -> dict[str, Any]:
    """What the ticked roles allow together, in words, and what a save would give and take."""
    ticked = [row["role"] for row in form.role_rows() if row["is_ticked"]]
    held = frozenset(name for role in ticked for name in permissions_in(role)) | (people.direct_rights(person) if person else frozenset())
    before = frozenset(name for role in form.known for name in permissions_in(role)) | (
        people.direct_rights(person) if person else frozenset()
    )
    limits = [role.refund_limit for role in ticked if REFUND in permissions_in(role)]
    return {
        "rights": [right.label for right in RIGHTS if right.is_in(held)],
        "limit": max(known) if len(known := [limit for limit in limits if limit is not None]) == len(limits) and known else None,
        "gained": _some([right for right in RIGHTS if right.is_in(held) and not right.is_in(before)]) if person else "",
        "lost": _some([right for right in RIGHTS if right.is_in(before) and not right.is_in(held)]) if person else "",
    }


def _some(rights: list[Right]) -> str:
    """The first of these rights by name, and how many more."""
    words = [str(right.label) for right in rights[:SHOWN]]
    more = len(rights) - SHOWN
    return ", ".join([*words, *([ngettext("and %(count)d more", "and %(count)d more", more) % {"count": more}] if more > 0 else [])])


def _for_managers(site: AdminSite, view: View) -> View:
    def checked(request: HttpRequest, **places: Any) -> HttpResponse:
        require(request.user, MANAGE_STAFF)
        return view(request, site, **places)

    return checked


def _rights_fragment(request: HttpRequest, form: PersonForm, person: Any = None) -> HttpResponse:
    return render(request, "admin/orders/staff/rights.html", rights_of(form, person) | {"shop": Shop.current()})


def _do(request: HttpRequest, pk: int, act: Callable[[Any, Actor], None], done: str) -> HttpResponse:
    try:
        act(_person_or_404(pk), Actor.clerk(request.user))
    except OrderError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("admin:staff_person", pk)


def _person_or_404(pk: int) -> Any:
    person = _with_parts(people.staff()).filter(pk=pk).first()
    if person is None:
        raise Http404
    return person


def _with_parts(found: QuerySet[Any]) -> QuerySet[Any]:
    return found.select_related("staff_profile").prefetch_related(Prefetch("groups__role", Role.objects.select_related("group")))
