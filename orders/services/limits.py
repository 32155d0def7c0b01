"""Up to which amount a person may refund: the largest limit among their roles that may refund at all."""

from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Permission
from django.db.models import Q
from django.utils.translation import gettext as _

from orders.errors import NotAllowed
from orders.models import Role
from orders.money import format_money
from orders.roles import role_name
from orders.services.wishes import Actor

REFUND = "orders.refund_order"
_OF_REFUNDS = Q(codename="refund_order", content_type__app_label="orders")


def refund_limit(user: Any) -> Decimal | None:
    """The largest single refund of a person who may refund; None for any amount.

    No limit: programs, superusers, people who were given the right directly, and those with a role that has no limit. Asked
    once per person and request, like their rights.
    """
    if user is None or user.is_superuser:
        return None
    if not hasattr(user, "_refund_limit"):
        user._refund_limit = _limit_of(user)
    return user._refund_limit


def check_refund(actor: Actor, amount: Decimal, currency: str) -> None:
    """Raises NotAllowed where `amount` (compared as a number, in whatever currency) is more than the actor may refund at once."""
    limit = refund_limit(actor.user)
    if limit is not None and amount > limit:
        raise NotAllowed(limit_words(limit, currency))


def limit_words(limit: Decimal, currency: str) -> str:
    """The limit, and which roles may give back more."""
    words = _("You may refund up to %(limit)s.") % {"limit": format_money(limit, currency)}
    names = [role_name(role.group.name, role.code) for role in _roles_above(limit)]
    more = _("More is for: %(roles)s.") % {"roles": ", ".join(names)}
    return f"{words} {more}" if names else words


def _limit_of(user: Any) -> Decimal | None:
    if Permission.objects.filter(_OF_REFUNDS, user=user).exists():
        return None
    refunding = Permission.objects.filter(_OF_REFUNDS)
    rows = list(user.groups.filter(permissions__in=refunding).values_list("role__pk", "role__refund_limit"))
    limits = [limit for _role, limit in rows if limit is not None]
    return max(limits) if rows and len(limits) == len(rows) else None


def _roles_above(limit: Decimal) -> list[Role]:
    refunding = Role.objects.filter(group__permissions__in=Permission.objects.filter(_OF_REFUNDS))
    return list(refunding.filter(Q(refund_limit=None) | Q(refund_limit__gt=limit)).select_related("group"))
