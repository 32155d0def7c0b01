"""The language of each person: the one of their account wins over that of the browser; the switch of the menu changes both."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import translation
from django.views.i18n import set_language

from orders.models import StaffProfile


class PersonLanguageMiddleware:
    """After the person is known: their language, where they have one. The profile came with the person, so it costs no query."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # Without a session nobody is signed in: not even looked up, so that public pages stay cacheable.
        if settings.SESSION_COOKIE_NAME in request.COOKIES and (language := language_of(request.user)):
            translation.activate(language)
            request.LANGUAGE_CODE = language
        return self.get_response(request)


def language_of(user: Any) -> str:
    """The language that a person chose; empty where none was, or where the back office no longer speaks it."""
    profile: StaffProfile | None = getattr(user, "staff_profile", None) if user.is_authenticated else None
    return profile.language if profile is not None and profile.language in dict(settings.LANGUAGES) else ""


def switch_language(request: HttpRequest) -> HttpResponseBase:
    """The switch of the menu and of the sign-in page: for this browser, and for the account of whoever is signed in."""
    language = request.POST.get("language", "")
    if request.method == "POST" and request.user.is_authenticated and language in dict(settings.LANGUAGES):
        StaffProfile.objects.update_or_create(user=request.user, defaults={"language": language})
    return set_language(request)
