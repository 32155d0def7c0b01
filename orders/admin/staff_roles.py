"""The roles pages: every role beside every right, and one role with its ticks, shown with what saving them would do to whom."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.models import Group
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from orders.admin.staff_forms import RoleForm, first_views
from orders.admin.staff_trail import trail_of
from orders.errors import OrderError
from orders.models import Role, Shop
from orders.people import name_of
from orders.roles import BY_CODE, OWNER, SECTIONS, role_name
from orders.services.limits import REFUND
from orders.services.people import may_give
from orders.services.role_changes import RolePlan, change_role, create_role, delete_role, permissions_in, plan_role
from orders.services.wishes import Actor

Page = Callable[[str, Callable[..., HttpResponse], str], URLPattern]
FOLDER = "admin/orders/staff"


def roles_urls(page: Page) -> list[URLPattern]:
    return [
        page("staff/roles/", roles_view, "staff_roles"),
        page("staff/roles/new/", new_role_view, "staff_role_new"),
        page("staff/roles/<int:pk>/", role_view, "staff_role"),
        page("staff/roles/<int:pk>/delete/", require_POST(delete_view), "staff_role_delete"),
    ]


def roles_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Roles across, rights down."""
    roles = list(_roles())
    held = [permissions_in(role) for role in roles]
    views = dict(first_views(""))
    columns = [
        {
            "role": role,
            "name": role_name(role.group.name, role.code),
            "purpose": BY_CODE[role.code].purpose if role.code else "",
            "people": role.people,
            "refunds": REFUND in names,
            "view": views.get(role.default_view, role.default_view),
        }
        for role, names in zip(roles, held, strict=True)
    ]
    sections = [
        (section.title, [(right.label, [right.is_in(names) for names in held]) for right in section.rights]) for section in SECTIONS
    ]
    context = site.each_context(request) | {"title": _("Roles"), "columns": columns, "sections": sections}
    return TemplateResponse(request, f"{FOLDER}/roles.html", context)


def role_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    """One role. What was shown is saved; what was not is shown first."""
    role = get_object_or_404(_roles(), pk=pk)
    form = RoleForm(request.POST if request.method == "POST" else None, role=role)
    planned = _planned(form, role, request)
    if "preview" in request.POST and request.headers.get("HX-Request"):
        return render(request, f"{FOLDER}/role_effect.html", {"plan": planned, "form": form, "role": role, "shop": Shop.current()})
    note = ""
    if request.method == "POST" and planned is not None and "preview" not in request.POST:
        if planned.changes_anything and request.POST.get("shown", "") != planned.key:
            note = _("Look at what this does, then save it. Nothing is saved yet.")
        elif _saved(form, lambda: change_role(role, form.facts(), Actor.clerk(request.user))):
            messages.success(request, _("Saved.") if planned.changes_anything else _("Nothing to change."))
            return redirect("admin:staff_role", pk)
    context = _context(request, site, form, role) | {"plan": planned if form.is_bound else None, "note": note, "trail": trail_of(role)}
    return TemplateResponse(request, f"{FOLDER}/role.html", context, status=422 if form.errors else 200)


def new_role_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """A role of one's own, begun as a copy of another (`?copy=`)."""
    wanted = request.GET.get("copy", "")
    copied = Role.objects.filter(pk=wanted).first() if wanted.isdecimal() and len(wanted) < 18 else None
    role = Role(group=Group())
    form = RoleForm(request.POST if request.method == "POST" else None, role=role, copied=copied)
    made: list[Role] = []
    is_valid = request.method == "POST" and form.is_valid()
    if is_valid and _saved(form, lambda: made.append(create_role(form.facts(), Actor.clerk(request.user)))):
        messages.success(request, _("The role is made. Nobody has it yet."))
        return redirect("admin:staff_role", made[0].pk)
    context = _context(request, site, form, role) | {
        "title": _("New role"),
        "copied": role_name(copied.group.name, copied.code) if copied else "",
        "sources": [(other.pk, role_name(other.group.name, other.code)) for other in _roles()],
    }
    return TemplateResponse(request, f"{FOLDER}/role.html", context, status=422 if form.errors else 200)


def delete_view(request: HttpRequest, site: AdminSite, pk: int) -> HttpResponse:
    role = get_object_or_404(Role, pk=pk)
    try:
        delete_role(role, Actor.clerk(request.user))
    except OrderError as error:
        messages.error(request, str(error))
        return redirect("admin:staff_role", pk)
    messages.success(request, _("The role is deleted."))
    return redirect("admin:staff_roles")


def _roles() -> Any:
    people = Count("group__user", filter=Q(group__user__is_active=True, group__user__is_staff=True))
    return Role.objects.select_related("group").annotate(people=people)


def _planned(form: RoleForm, role: Role, request: HttpRequest) -> RolePlan | None:
    if not form.is_bound or not form.is_valid():
        return None
    try:
        return plan_role(role, form.facts(), Actor.clerk(request.user))
    except OrderError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return None


def _saved(form: RoleForm, act: Callable[[], Any]) -> bool:
    try:
        act()
    except OrderError as error:
        form.add_error(error.field if error.field in form.fields else None, str(error))
        return False
    return True


def _context(request: HttpRequest, site: AdminSite, form: RoleForm, role: Role) -> dict[str, Any]:
    ticked = form.ticked()
    held = request.user.get_all_permissions()
    sections = [
        (
            section.title,
            [
                {"right": right, "is_ticked": right.key in ticked, "is_open": right.key in ticked or right.is_in(held)}
                for right in section.rights
            ],
        )
        for section in SECTIONS
    ]
    people = list(role.group.user_set.filter(is_staff=True, is_active=True).order_by("first_name", "username")) if role.pk else []
    return site.each_context(request) | {
        "title": role_name(role.group.name, role.code) if role.pk else "",
        "form": form,
        "role": role,
        "purpose": BY_CODE[role.code].purpose if role.code else "",
        "sections": sections,
        "people": [(person.pk, name_of(person)) for person in people],
        "is_owner_role": role.code == OWNER,
        "may_change": not role.pk or may_give(request.user, role),
        "may_delete": bool(role.pk) and not role.code and not role.group.user_set.exists(),
    }
