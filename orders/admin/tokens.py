"""API tokens: made once, the secret shown once, revoked when a program no longer needs them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from orders.admin.lists import ShopPages
from orders.api.tokens import issue_token, revoke_token
from orders.models import ApiToken


class TokenForm(forms.ModelForm):
    class Meta:
        model = ApiToken
        fields = ("name", "store_id")

    def clean_store_id(self) -> str:
        store = str(self.cleaned_data["store_id"]).strip()
        if not store.replace("-", "").replace("_", "").isalnum():
            raise forms.ValidationError(_("Use letters and digits."))
        return store


@admin.register(ApiToken)
class ApiTokenAdmin(ShopPages):
    """The online shop sends one with each order."""

    change_list_template = "admin/orders/apitoken/list.html"
    ordering = ("revoked_at", "-id")
    list_intro = gettext_lazy(
        "A token lets the online shop send orders. Its secret is shown once, when the token is made; only its hash is kept."
    )

    def get_urls(self) -> list[URLPattern]:
        return [path("<int:pk>/revoke/", self.admin_site.admin_view(self.revoke_view), name="orders_apitoken_revoke"), *super().get_urls()]

    def has_delete_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        """Revoked, not deleted: the answers given to it stay."""
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Ask for a name; answer with the secret, once."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = TokenForm(request.POST if request.method == "POST" else None)
        context = self.admin_site.each_context(request) | {"title": _("New API token"), "opts": self.opts, "form": form}
        if request.method == "POST" and form.is_valid():
            user: Any = request.user
            token, secret = issue_token(form.cleaned_data["name"], store_id=form.cleaned_data["store_id"], user=user)
            self.log_addition(request, token, "")
            address = request.build_absolute_uri(f"/api/v3/{token.store_id}/orders")
            shown = context | {"token": token, "secret": secret, "address": address}
            return TemplateResponse(request, "admin/orders/apitoken/made.html", shown)
        return TemplateResponse(request, "admin/orders/apitoken/form.html", context)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A token has nothing to edit; its page says what it is and revokes it."""
        token = self.get_object(request, object_id)
        if token is None:
            raise Http404
        if not self.has_view_or_change_permission(request, token):
            raise PermissionDenied
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET"])
        context = self.admin_site.each_context(request) | {
            "title": str(token),
            "opts": self.opts,
            "token": token,
            "may_revoke": self.has_change_permission(request, token) and not token.revoked_at,
        }
        return TemplateResponse(request, "admin/orders/apitoken/page.html", context)

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Refuse the token from now on."""
        token = self.get_object(request, str(pk))
        if token is None:
            raise Http404
        if not self.has_change_permission(request, token):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        revoke_token(token)
        self.log_change(request, token, _("Revoked"))
        messages.success(request, _("The token “%(name)s” is revoked: it is refused from now on.") % {"name": token})
        return HttpResponseRedirect(reverse("admin:orders_apitoken_changelist"))
