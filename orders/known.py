"""What the frame of a page and the page itself both need, read once per request: the shop, its statuses, the settings of the reader."""

from typing import Any

from django.http import HttpRequest

from orders.models import Shop, StaffProfile, Status


def shop_of(request: HttpRequest) -> Shop:
    """The shop, as it was when `request` first asked."""
    found: Shop | None = request.__dict__.get("_known_shop")
    if found is None:
        found = request.__dict__["_known_shop"] = Shop.current()
    return found


def statuses_of(request: HttpRequest) -> list[Status]:
    """All statuses with their base, as they were when `request` first asked."""
    found: list[Status] | None = request.__dict__.get("_known_statuses")
    if found is None:
        found = request.__dict__["_known_statuses"] = list(Status.objects.select_related("base"))
    return found


def profile_of(request: HttpRequest) -> StaffProfile:
    """The reader's settings as they came with the account, to be read: unsaved defaults where nothing was ever set."""
    person: Any = request.user
    return getattr(person, "staff_profile", None) or StaffProfile(user=person)
