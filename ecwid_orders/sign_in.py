"""Signing in: by name or e-mail address, and the two pages that lead to a password: forgotten, and chosen by a mailed link."""

import time
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse_lazy
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from ecwid_orders.language import language_of
from orders.services.people import note, staff
from orders.services.welcome import FORGOTTEN, INVITATION, send_link, staff_tokens
from orders.services.wishes import Actor

ANSWER_SECONDS = 0.4  # longer than writing the mail takes: the clock must not tell whether there is an account


class StaffBackend(ModelBackend):
    """The name wins over the address: nobody takes another's place by calling themselves what the other's address is."""

    def authenticate(self, request: HttpRequest | None, username: Any = None, password: Any = None, **more: Any) -> Any:
        if username and "@" in username and not get_user_model().objects.filter(username=username).exists():
            found = list(staff().filter(email__iexact=username.strip(), is_active=True)[:2])
            # Two people with one address: neither is meant. The name given stays, so that the answer takes as long as ever.
            username = found[0].get_username() if len(found) == 1 else username
        return super().authenticate(request, username=username, password=password, **more)

    def get_user(self, user_id: Any) -> Any:
        """The person with their settings: what every page needs of them, in the one query there is anyway."""
        person = User._default_manager.select_related("staff_profile").filter(pk=user_id).first()
        return person if person is not None and self.user_can_authenticate(person) else None


class ForgottenForm(forms.Form):
    address = forms.CharField(
        label=gettext_lazy("E-mail address or name"),
        max_length=254,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false", "autofocus": True}),
    )


@never_cache
@require_http_methods(["GET", "POST"])
def forgotten_view(request: HttpRequest) -> HttpResponse:
    """Ask for the address and mail a link. The answer is the same whoever it is, known or not, and takes as long."""
    began = time.monotonic()
    form = ForgottenForm(request.POST if request.method == "POST" else None)
    is_sent = form.is_bound and form.is_valid()
    if is_sent:
        for person in _meant(form.cleaned_data["address"].strip()):
            send_link(person, FORGOTTEN if person.has_usable_password() else INVITATION)
        time.sleep(max(0.0, ANSWER_SECONDS - (time.monotonic() - began)))
    context = _gate(request) | {"form": form, "is_sent": is_sent, "title": _("Forgotten password")}
    return render(request, "registration/forgotten.html", context, status=422 if form.errors else 200)


class ChoosePasswordView(PasswordResetConfirmView):
    """The page behind the mailed link: in the person's language, and they are in once the password is chosen."""

    template_name = "registration/choose_password.html"
    token_generator = staff_tokens
    post_reset_login = True
    success_url = reverse_lazy("admin:index")

    def dispatch(self, *args: Any, **kwargs: Any) -> Any:
        person: Any = self.get_user(kwargs["uidb64"])
        if person is not None and (language := language_of(person)):
            translation.activate(language)
            self.request.LANGUAGE_CODE = language
        return super().dispatch(*args, **kwargs)

    def get_user(self, uidb64: str) -> Any:
        person: Any = super().get_user(uidb64)
        return person if person is not None and person.is_active and person.is_staff else None

    def form_valid(self, form: Any) -> HttpResponse:
        response = super().form_valid(form)
        note(self.user, Actor.clerk(self.user), "password_chosen", {})
        messages.success(self.request, _("Your password is set. Welcome."))
        return response

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return super().get_context_data(**kwargs) | _gate(self.request) | {"person": self.user, "title": _("Choose a password")}


def _meant(address: str) -> list[User]:
    """The one active person who is meant, with an address to write to; nobody where two share it."""
    found = list(staff().filter(email__iexact=address, is_active=True)[:2]) if "@" in address else []
    if not found:
        found = list(staff().filter(username=address, is_active=True))
    return [person for person in found if person.email] if len(found) == 1 else []


def _gate(request: HttpRequest) -> dict[str, Any]:
    return admin.site.each_context(request) | {"has_permission": False}
