"""Changing what a role may do: planned first, so that the page tells who gains and who loses what before anything is saved."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from orders.errors import InvalidWish, NotAllowed
from orders.models import Role
from orders.roles import MANAGE_STAFF, OWNER, RIGHTS, Right, role_name
from orders.services.limits import REFUND, refund_limit
from orders.services.people import may_give, note, staff
from orders.services.wishes import Actor

NAME_LENGTH = 60


@dataclass(frozen=True)
class RoleFacts:
    """What staff may say about a role. `keys` name the ticked rights."""

    name: str
    keys: Collection[str]
    refund_limit: Decimal | None = None
    default_view: str = ""


@dataclass
class RolePlan:
    """What saving would do to whoever has the role."""

    role: Role
    facts: RoleFacts
    gained: list[Right] = field(default_factory=list)
    lost: list[Right] = field(default_factory=list)
    limit: tuple[Decimal | None, Decimal | None] | None = None
    other: list[str] = field(default_factory=list)
    people: Sequence[Any] = ()

    @property
    def changes_anything(self) -> bool:
        return bool(self.gained or self.lost or self.limit or self.other)

    @property
    def key(self) -> str:
        """Names the plan: what was shown is what is saved, or it is shown again."""
        parts = [*(f"+{r.key}" for r in self.gained), *(f"-{r.key}" for r in self.lost), str(self.limit or ""), *self.other]
        return " ".join([*parts, *(str(person.pk) for person in self.people)])


def permissions_in(role: Role) -> frozenset[str]:
    """The rights of a role, as "app.codename"."""
    return frozenset(f"{app}.{name}" for app, name in role.group.permissions.values_list("content_type__app_label", "codename"))


def plan_role(role: Role, facts: RoleFacts, actor: Actor) -> RolePlan:
    """Tell what saving would change. Reads only.

    Raises NotAllowed without orders.manage_staff, for a role above one's own rights or for a right one does not have, InvalidWish
    naming the field.
    """
    _require(actor, role if role.pk else None)
    name = " ".join(facts.name.split())
    if not name or len(name) > NAME_LENGTH:
        raise InvalidWish(_("Give the role a name of 1 to %(most)d characters.") % {"most": NAME_LENGTH}, field="name")
    if Group.objects.filter(name__iexact=name).exclude(pk=role.group_id).exists():
        raise InvalidWish(_("Another role has this name."), field="name")
    held = permissions_in(role) if role.pk else frozenset()
    planned = RolePlan(role, facts)
    for right in RIGHTS:
        if (right.key in facts.keys) != right.is_in(held):
            (planned.gained if right.key in facts.keys else planned.lost).append(right)
    limit = facts.refund_limit if REFUND in facts.keys else role.refund_limit
    if role.code == OWNER and (planned.gained or planned.lost or limit is not None):
        raise InvalidWish(_("An owner may do everything: these rights can't be changed."), field="rights")
    _check_gains(planned, limit, actor)
    if role.pk and limit != role.refund_limit:
        planned.limit = (role.refund_limit, limit)
    if role.pk and name != role_name(role.group.name, role.code):
        planned.other.append("name")
    if role.pk and facts.default_view != role.default_view:
        planned.other.append("default_view")
    planned.people = list(staff().filter(groups=role.group_id, is_active=True).order_by("first_name", "username")) if role.pk else []
    return planned


def change_role(role: Role, facts: RoleFacts, actor: Actor) -> RolePlan:
    """Do what `plan_role` tells; raises what it raises."""
    with transaction.atomic():
        role = Role.objects.select_for_update().get(pk=role.pk)
        planned = plan_role(role, facts, actor)
        if planned.changes_anything:
            old = {"name": role_name(role.group.name, role.code), "default_view": role.default_view}
            _write(role, planned)
            changes: dict[str, Any] = {name: [old[name], getattr(facts, name)] for name in planned.other}
            if planned.limit:
                changes["refund_limit"] = [None if value is None else str(value) for value in planned.limit]
            if planned.gained or planned.lost:
                changes["rights"] = [[right.key for right in planned.lost], [right.key for right in planned.gained]]
            note(role, actor, "role_changed", changes)
    return planned


def create_role(facts: RoleFacts, actor: Actor) -> Role:
    """A role of one's own. Raises what `plan_role` raises."""
    with transaction.atomic():
        position = (Role.objects.aggregate(last=Max("position"))["last"] or 0) + 1
        planned = plan_role(Role(group=Group(), position=position), facts, actor)
        group = Group.objects.create(name=" ".join(facts.name.split()))
        role = Role.objects.create(group=group, position=position)
        _write(role, planned)
        note(role, actor, "role_created", {"name": ["", group.name], "rights": [[], [right.key for right in planned.gained]]})
    return role


def delete_role(role: Role, actor: Actor) -> None:
    """Raises NotAllowed as `plan_role` does, InvalidWish for a built-in role and for one that somebody has."""
    with transaction.atomic():
        _require(actor, role)
        if role.code:
            raise InvalidWish(_("Built-in roles stay; they can be emptied."))
        if role.group.user_set.exists():
            raise InvalidWish(_("Somebody has this role. Give them another one first."))
        note(role, actor, "role_deleted", {"name": [role.group.name, ""]})
        role.group.delete()


def _require(actor: Actor, role: Role | None) -> None:
    if not actor.may(MANAGE_STAFF):
        raise NotAllowed(_("You may not manage roles."))
    if role is not None and actor.user is not None and not may_give(actor.user, role):
        raise NotAllowed(_("This role has rights that you don't have. Ask an owner."))


def _check_gains(planned: RolePlan, limit: Decimal | None, actor: Actor) -> None:
    missing = [str(right.label) for right in planned.gained if not all(actor.may(name) for name in right.permissions)]
    if missing:
        raise NotAllowed(_("You don't have these rights yourself: %(rights)s.") % {"rights": ", ".join(missing)}, field="rights")
    if limit is not None and limit < 0:
        raise InvalidWish(_("Enter zero or more."), field="refund_limit")
    own = refund_limit(actor.user)
    if REFUND in planned.facts.keys and own is not None and (limit is None or limit > own):
        raise NotAllowed(_("You can't give a larger refund limit than your own."), field="refund_limit")


def _write(role: Role, planned: RolePlan) -> None:
    facts, group = planned.facts, role.group
    if planned.gained:
        group.permissions.add(*_rows(planned.gained))
    if planned.lost:
        group.permissions.remove(*_rows(planned.lost))
    name = " ".join(facts.name.split())
    if name != role_name(group.name, role.code):
        group.name = name
        group.save(update_fields=["name"])
    role.refund_limit = facts.refund_limit if REFUND in facts.keys else role.refund_limit
    role.default_view = facts.default_view
    role.save(update_fields=["refund_limit", "default_view"])


def _rows(rights: Sequence[Right]) -> list[Permission]:
    names = {name for right in rights for name in right.permissions}
    codenames = {name.partition(".")[2] for name in names}
    found = Permission.objects.filter(codename__in=codenames).select_related("content_type")
    return [row for row in found if f"{row.content_type.app_label}.{row.codename}" in names]
