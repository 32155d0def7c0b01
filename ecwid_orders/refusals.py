"""The page of a refusal: which right is missing, in words, and who of the owners can give it."""

import re

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from orders.people import name_of
from orders.rights import MissingRight
from orders.roles import right_of
from orders.services.people import owners

MOST_NAMED = 3
_ADMIN_PAGE = re.compile(r"^(orders|invoices|notifications)_([a-z]+)_(changelist|change|add|delete|history)$")
_VERBS = {"changelist": "view", "change": "view", "history": "view", "add": "add", "delete": "delete"}


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """What Django shows for every PermissionDenied. People who are not signed in as staff learn no names."""
    user = request.user
    is_staff = user.is_authenticated and user.is_active and user.is_staff
    permission = exception.permission if isinstance(exception, MissingRight) else _permission_of(request)
    right = right_of(permission) if is_staff else None
    words = str(exception) if isinstance(exception, PermissionDenied) and not isinstance(exception, MissingRight) else ""
    context = {
        "right": right.label if right else "",
        "owners": _names() if is_staff else "",
        "words": words if is_staff else "",
    }
    return render(request, "403.html", context, status=403)


def _permission_of(request: HttpRequest) -> str:
    """The permission behind a page of the admin, from its name."""
    match = _ADMIN_PAGE.match(request.resolver_match.url_name or "") if request.resolver_match else None
    return f"{match[1]}.{_VERBS[match[3]]}_{match[2]}" if match else ""


def _names() -> str:
    names = [name_of(person) for person in owners().order_by("first_name", "username")[: MOST_NAMED + 1]]
    return ", ".join([*names[:MOST_NAMED], *([_("others")] if len(names) > MOST_NAMED else [])])
