"""Saving, sharing and arranging the views of the orders list, and choosing its columns."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.auth.models import Group
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from orders.admin.list_columns import BY_KEY, FIXED, chosen_columns
from orders.admin.list_result import SORTS, result_of
from orders.admin.list_tabs import MOST_VIEWS, ListTab, canonical, tabs_of, views_of
from orders.admin.order_list import kept_words, may_change_view
from orders.models import Role, SavedView, StaffProfile

LIST = "admin:orders_order_changelist"


class ViewForm(forms.ModelForm):
    """The name of a view, and whether everybody sees it."""

    class Meta:
        model = SavedView
        fields = ("name", "is_shared")
        widgets = {"name": forms.TextInput(attrs={"class": "input", "autocomplete": "off"})}
        labels = {"is_shared": gettext_lazy("Everybody sees it")}

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not user.has_perm("orders.share_savedview"):
            del self.fields["is_shared"]
        self.user = user
        self.same_name: SavedView | None = None  # the person's view that has the name already

    def clean_name(self) -> str:
        name = str(self.cleaned_data["name"]).strip()
        owner = self.instance.owner if self.instance.pk else self.user
        self.same_name = SavedView.objects.filter(owner=owner, name__iexact=name).exclude(pk=self.instance.pk).first()
        if self.same_name:
            raise forms.ValidationError(_("You have a view of this name already."))
        return name


@require_POST
def save_view(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Keep the address of the list as a new view of the person, or in the view that `saved` names.

    A name that the person used already is answered with what that view keeps, and with `replace` by replacing it. Filters that
    make no sense are not kept.
    """
    query = canonical(QueryDict(request.POST.get("query", "")[:4000]))
    result = result_of(request.user, QueryDict(query))
    wrong = [_("A filter makes no sense: %(label)s, %(why)s.") % {"label": chip.label, "why": chip.value} for chip in result.wrong]
    if request.POST.get("saved"):
        view = _own_view(request, request.POST["saved"])
        if wrong:
            messages.error(request, " ".join(wrong))
            return redirect(f"{reverse(LIST)}?saved={view.pk}&{query}")
        return _keep(request, view, query)
    form = ViewForm(request.POST, user=request.user)
    if len(views_of(request.user)) >= MOST_VIEWS:
        form.add_error(None, _("There are %(count)d views; delete one first.") % {"count": MOST_VIEWS})
    for error in wrong:
        form.add_error(None, error)
    if form.is_valid():
        view = form.save(commit=False)
        view.owner, view.query = request.user, query
        view.save()
        messages.success(request, _("The view “%(name)s” is a tab now.") % {"name": view.name})
        return redirect(f"{reverse(LIST)}?saved={view.pk}&{query}")
    same = form.same_name
    if same and "replace" in request.POST and not wrong:
        return _keep(request, same, query)
    context = {
        "title": _("Save this view"),
        "form": form,
        "query": query,
        "text": QueryDict(query).get("q", ""),
        "chips": result.chips,
        "same": same,
        "same_keeps": kept_words(same.query, request.user, result) if same else "",
        "back_url": f"{reverse(LIST)}?{query}",
    }
    return TemplateResponse(request, "admin/orders/order/save_view.html", site.each_context(request) | context, status=422)


def _keep(request: HttpRequest, view: SavedView, query: str) -> HttpResponse:
    """Let a view open with the filters and the sort of `query`."""
    view.query = query
    view.save(update_fields=["query"])
    messages.success(request, _("“%(name)s” keeps the filters and the sort that you see now.") % {"name": view.name})
    return redirect(f"{reverse(LIST)}?saved={view.pk}&{query}")


def arrange_views(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """All tabs of the person: order, hidden or shown; own views renamed, shared, deleted; the first view of each role."""
    profile = StaffProfile.of(request.user)
    result = result_of(request.user, QueryDict())
    tabs = tabs_of(request.user, profile, result, QueryDict())
    if request.method == "POST":
        _arrange(request, profile, tabs)
        return redirect(reverse("admin:orders_order_views") + _moved_to(request.POST))
    rows = []
    for tab in tabs:
        view = tab.view
        form = ViewForm(instance=view, user=request.user, auto_id=f"{tab.key}-%s") if view and may_change_view(request.user, view) else None
        chips = result_of(request.user, QueryDict(view.query), known=result).filterset.chips() if view else []
        text = QueryDict(view.query).get("q", "") if view else ""
        rows.append((tab, form, chips, text))
    roles = list(Role.objects.select_related("group")) if request.user.has_perm("orders.manage_staff") else []
    shared = [tab for tab in tabs if tab.view is None or tab.view.is_shared]
    moved = {"moved": request.GET.get("moved", ""), "moved_by": request.GET.get("by", "")}
    context = {"title": _("Views of the orders"), "rows": rows, "roles": roles, "shared": shared} | moved
    return TemplateResponse(request, "admin/orders/order/views.html", site.each_context(request) | context)


@require_POST
def save_columns(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """Keep the columns and the sort that a person wants to see; "up" and "down" move one column."""
    profile = StaffProfile.of(request.user)
    wanted = [key for key in request.POST.getlist("columns") if key in BY_KEY]
    order = [key for key in request.POST.getlist("order") if key in BY_KEY]
    keys = [key for key in order if key in wanted or key in FIXED]
    moved = request.POST.get("up") or request.POST.get("down") or ""
    if moved in keys:
        keys = _moved(keys, moved, -1 if "up" in request.POST else 1)
    if "usual" in request.POST:
        keys = []
    sort = request.POST.get("list_sort", "")
    profile.list_columns = [column.key for column in chosen_columns(keys)] if keys else []
    profile.list_sort = sort if sort.removeprefix("-") in SORTS else ""
    profile.save()
    back = QueryDict(request.POST.get("query", "")[:4000])
    return redirect(f"{reverse(LIST)}?{back.urlencode()}")


def _arrange(request: HttpRequest, profile: StaffProfile, tabs: list[ListTab]) -> None:
    data = request.POST
    keys = [tab.key for tab in tabs]
    for name, step in (("up", -1), ("down", 1)):
        if data.get(name) in keys:
            profile.tab_order = _moved(keys, data[name], step)
            profile.save()
    if (key := data.get("hide")) in keys:
        profile.hidden_tabs = [*profile.hidden_tabs, key]
        profile.save()
    if (key := data.get("show")) in keys:
        profile.hidden_tabs = [hidden for hidden in profile.hidden_tabs if hidden != key]
        profile.save()
    if data.get("change"):
        view = _own_view(request, data["change"])
        form = ViewForm(data, instance=view, user=request.user)
        if form.is_valid():
            form.save()
            messages.success(request, _("Saved."))
        else:
            for errors in form.errors.values():
                messages.error(request, f"{view.name}: {' '.join(str(error) for error in errors)}")
    if data.get("delete"):
        view = _own_view(request, data["delete"])
        with transaction.atomic():
            Role.objects.filter(default_view=view.key).update(default_view="")
            view.delete()
        messages.success(request, _("The view “%(name)s” is deleted; no order changed.") % {"name": view.name})
    if data.get("roles") and request.user.has_perm("orders.manage_staff"):
        allowed = {tab.key for tab in tabs if tab.view is None or tab.view.is_shared} | {""}
        for role in Role.objects.filter(group__in=Group.objects.all()):
            key = data.get(f"first-{role.pk}", role.default_view)
            if key in allowed and key != role.default_view:
                role.default_view = key
                role.save(update_fields=["default_view"])
        messages.success(request, _("Saved."))


def _moved_to(data: QueryDict) -> str:
    """What the address says of the view that was moved: the next step finds the focus on its button."""
    by = "up" if data.get("up") else "down" if data.get("down") else ""
    return f"?{urlencode({'moved': data[by], 'by': by})}" if by else ""


def _own_view(request: HttpRequest, pk: str) -> SavedView:
    view = get_object_or_404(SavedView, pk=int(pk) if pk.isdecimal() and len(pk) < 18 else 0)
    if not may_change_view(request.user, view):
        raise Http404
    return view


def _moved(keys: list[str], key: str, step: int) -> list[str]:
    at = keys.index(key)
    to = min(max(at + step, 0), len(keys) - 1)
    keys = [other for other in keys if other != key]
    return [*keys[:to], key, *keys[to:]]
