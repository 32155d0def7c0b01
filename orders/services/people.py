"""People of the back office: who may invite, change and stop whom. Every change stands in the audit trail with old and new."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from django.conf import settings
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import gettext as _

from orders.errors import InvalidWish, NotAllowed
from orders.models import Role, StaffProfile
from orders.roles import MANAGE_STAFF, OWNER, role_name
from orders.services.limits import REFUND, refund_limit
from orders.services.welcome import FORGOTTEN, INVITATION, send_link
from orders.services.wishes import Actor


@dataclass(frozen=True)
class PersonFacts:
    """What staff may say about a person."""

    name: str
    email: str
    roles: Sequence[Role]
    language: str = ""


def staff() -> QuerySet[User]:
    """Everybody of the back office, disabled people too."""
    people: Any = get_user_model().objects
    return people.filter(is_staff=True)


def owners() -> QuerySet[User]:
    """Active people with every right: the role Owner, or a superuser."""
    return staff().filter(Q(is_superuser=True) | Q(groups__role__code=OWNER), is_active=True).distinct()


def is_owner(user: Any) -> bool:
    return bool(user.is_superuser or user.groups.filter(role__code=OWNER).exists())


def may_give(user: Any, role: Role) -> bool:
    """Nobody gives what they don't have: neither rights nor a larger refund limit; only an owner makes an owner."""
    if user.is_superuser:
        return True
    if role.code == OWNER:
        return is_owner(user)
    held = {f"{app}.{name}" for app, name in role.group.permissions.values_list("content_type__app_label", "codename")}
    return held <= user.get_all_permissions() and (REFUND not in held or _limit_is_within(user, role))


def may_manage(user: Any, person: Any) -> bool:
    """Who may change a person: whoever has every right that the person has, and manages staff."""
    if not user.has_perm(MANAGE_STAFF) or (is_owner(person) and not is_owner(user)):
        return False
    roles = Role.objects.filter(group__user=person).select_related("group")
    return all(may_give(user, role) for role in roles) and direct_rights(person) <= user.get_all_permissions()


def direct_rights(person: Any) -> set[str]:
    """Rights that were given to the person alone, apart from roles."""
    return {f"{app}.{name}" for app, name in person.user_permissions.values_list("content_type__app_label", "codename")}


def invite(facts: PersonFacts, actor: Actor) -> User:
    """Make the account, without a password, and mail the link that chooses one.

    Raises NotAllowed without orders.manage_staff or for a role above one's own rights, InvalidWish naming the field.
    """
    with transaction.atomic():
        _lock()
        _check(facts, None, actor)
        first, last = _split(facts.name)
        person: Any = get_user_model()(
            username=_free_username(facts.email), email=facts.email.strip(), first_name=first, last_name=last, is_staff=True
        )
        person.set_unusable_password()
        person.save(force_insert=True)
        person.groups.set([role.group for role in facts.roles])
        StaffProfile.objects.create(user=person, language=facts.language, invited_at=timezone.now(), invited_by=actor.user)
        changes = {"name": ["", facts.name], "email": ["", person.email], "roles": [[], _names(facts.roles)]}
        note(person, actor, "invited", changes, flag=ADDITION)
        send_link(person, INVITATION, sender=actor.name)
    return person


def invite_again(person: Any, actor: Actor) -> None:
    """Mail a new link; the one before stops working. Raises NotAllowed, InvalidWish for somebody disabled or without an address."""
    with transaction.atomic():
        _lock()
        _require(actor, person)
        if not person.is_active:
            raise InvalidWish(_("This person is disabled. Enable them first."))
        if not person.email:
            raise InvalidWish(_("This person has no e-mail address."), field="email")
        StaffProfile.objects.update_or_create(user=person, defaults={"invited_at": timezone.now(), "invited_by": actor.user})
        note(person, actor, "invited_again", {"email": ["", person.email]})
        send_link(person, FORGOTTEN if person.has_usable_password() else INVITATION, sender=actor.name)


def change_person(person: Any, facts: PersonFacts, actor: Actor) -> bool:
    """Write what changed; whether anything did.

    Raises NotAllowed as `invite` does, for somebody with more rights than the actor, and where the last owner or oneself would
    stop being one.
    """
    with transaction.atomic():
        _lock()
        _require(actor, person)
        _check(facts, person, actor)
        known = list(Role.objects.filter(group__user=person).select_related("group"))
        profile = StaffProfile.of(person)
        old = {"name": person.get_full_name(), "email": person.email, "language": profile.language, "roles": _names(known)}
        new = {"name": " ".join(facts.name.split()), "email": facts.email.strip(), "language": facts.language, "roles": _names(facts.roles)}
        changes = {name: [old[name], new[name]] for name in new if old[name] != new[name]}
        stays_owner = any(role.code == OWNER for role in facts.roles)
        loses_owner = is_owner(person) and not stays_owner
        if loses_owner:
            _refuse_to_lose(person, actor)
        if not changes and not loses_owner:
            return False
        person.first_name, person.last_name = _split(facts.name)
        person.email = new["email"]
        person.is_superuser = person.is_superuser and stays_owner
        person.save(update_fields=["first_name", "last_name", "email", "is_superuser"])
        person.groups.set([role.group for role in facts.roles])
        StaffProfile.objects.update_or_create(user=person, defaults={"language": facts.language})
        note(person, actor, "changed", changes)
    return True


def disable(person: Any, actor: Actor) -> None:
    """Sign the person out everywhere, at once, and let nobody sign in as them. Raises NotAllowed; never the last owner, never oneself."""
    with transaction.atomic():
        _lock()
        _require(actor, person)
        if person.pk == getattr(actor.user, "pk", None):
            raise NotAllowed(_("You can't disable yourself."))
        if is_owner(person):
            _refuse_to_lose(person, actor)
        if person.is_active:
            person.is_active = False
            person.save(update_fields=["is_active"])
            note(person, actor, "disabled", {})
        end_sessions(person)


def enable(person: Any, actor: Actor) -> None:
    """Let the person sign in again, with the roles they had. Raises NotAllowed, InvalidWish where somebody else uses the address."""
    with transaction.atomic():
        _lock()
        _require(actor, person)
        _check_address(person.email, person)
        if not person.is_active:
            person.is_active = True
            person.save(update_fields=["is_active"])
            note(person, actor, "enabled", {})


def take_direct_rights(person: Any, actor: Actor) -> None:
    """Take away what was given to the person apart from roles. Raises NotAllowed."""
    with transaction.atomic():
        _require(actor, person)
        if rights := sorted(direct_rights(person)):
            person.user_permissions.clear()
            note(person, actor, "direct_rights_taken", {"rights": [rights, []]})


def change_own_account(actor: Actor, name: str, language: str) -> None:
    """What everybody may say about themselves: how they are called, and in which language the back office speaks to them."""
    person: Any = actor.user
    profile = StaffProfile.of(person)
    old = {"name": person.get_full_name(), "language": profile.language}
    new = {"name": " ".join(name.split()), "language": language}
    if changes := {key: [old[key], new[key]] for key in new if old[key] != new[key]}:
        with transaction.atomic():
            person.first_name, person.last_name = _split(name)
            person.save(update_fields=["first_name", "last_name"])
            StaffProfile.objects.update_or_create(user=person, defaults={"language": language})
            note(person, actor, "account_changed", changes)


def end_sessions(person: Any) -> int:
    """End every session of the person; how many there were."""
    sessions = import_module(settings.SESSION_ENGINE).SessionStore.get_model_class()._default_manager
    found = [
        row.pk
        for row in sessions.filter(expire_date__gt=timezone.now()).iterator()
        if row.get_decoded().get("_auth_user_id") == str(person.pk)
    ]
    sessions.filter(pk__in=found).delete()
    return len(found)


def note(subject: Any, actor: Actor, what: str, changes: dict[str, Any], *, flag: int = CHANGE) -> None:
    """A line of the audit trail of a person or a role: what, and per field the old and the new value."""
    if actor.user is None:
        return
    LogEntry.objects.create(
        user=actor.user,
        content_type=ContentType.objects.get_for_model(subject),
        object_id=str(subject.pk),
        object_repr=str(subject)[:200],
        action_flag=flag,
        change_message=json.dumps({"what": what, "changes": changes}),
    )


def _lock() -> None:
    """One change of people at a time: two owners who demote each other must not both succeed."""
    list(Role.objects.select_for_update().filter(code=OWNER))


def _require(actor: Actor, person: Any) -> None:
    if actor.user is None:
        return
    if not actor.may(MANAGE_STAFF):
        raise NotAllowed(_("You may not manage staff."))
    if not may_manage(actor.user, person):
        raise NotAllowed(_("%(name)s has rights that you don't have. Ask an owner.") % {"name": person.get_full_name() or person})


def _refuse_to_lose(person: Any, actor: Actor) -> None:
    if person.pk == getattr(actor.user, "pk", None):
        raise InvalidWish(_("You can't stop being an owner yourself. Another owner can do it."), field="roles")
    if not owners().exclude(pk=person.pk).exists():
        raise InvalidWish(_("The shop needs an owner: this is the last one."), field="roles")


def _check(facts: PersonFacts, person: Any, actor: Actor) -> None:
    if not actor.may(MANAGE_STAFF):
        raise NotAllowed(_("You may not manage staff."))
    if not facts.name.strip():
        raise InvalidWish(_("Enter a name."), field="name")
    _check_address(facts.email, person)
    if not facts.roles:
        raise InvalidWish(_("Choose at least one role."), field="roles")
    if facts.language and facts.language not in dict(settings.LANGUAGES):
        raise InvalidWish(_("Choose a language of the list."), field="language")
    known = set(person.groups.values_list("pk", flat=True)) if person else set()
    for role in facts.roles:
        if actor.user is not None and role.group_id not in known and not may_give(actor.user, role):
            raise NotAllowed(
                _("You may not give the role %(name)s: it has rights that you don't have.")
                % {"name": role_name(role.group.name, role.code)},
                field="roles",
            )


def _check_address(email: str, person: Any) -> None:
    address = email.strip()
    try:
        validate_email(address)
    except ValidationError:
        raise InvalidWish(_("%(address)s is no e-mail address.") % {"address": address or "–"}, field="email") from None
    others = staff().filter(email__iexact=address, is_active=True)
    if (others.exclude(pk=person.pk) if person else others).exists():
        raise InvalidWish(_("Somebody else signs in with this address already."), field="email")


def _limit_is_within(user: Any, role: Role) -> bool:
    own = refund_limit(user)
    return own is None or (role.refund_limit is not None and role.refund_limit <= own)


def _split(name: str) -> tuple[str, str]:
    first, _blank, last = " ".join(name.split()).partition(" ")
    return first[:150], last[:150]


def _names(roles: Iterable[Role]) -> list[list[str]]:
    """Roles as the audit trail keeps them: the code translates, the name stays when the role is gone."""
    return [[role.code, role.group.name] for role in sorted(roles, key=lambda role: (role.position, role.pk))]


def _free_username(email: str) -> str:
    people: Any = get_user_model().objects
    base = slugify(email.partition("@")[0])[:100] or "staff"
    taken = set(people.filter(username__startswith=base).values_list("username", flat=True))
    return base if base not in taken else next(name for name in (f"{base}{n}" for n in range(2, len(taken) + 3)) if name not in taken)
