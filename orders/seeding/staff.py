"""The people of the demo shop: one per role, invited and without a password, so that nobody can sign in as them by guessing."""

from django.contrib.auth.models import User
from django.utils import timezone

from orders.models import Role, StaffProfile
from orders.roles import ACCOUNTANT, CLERK, MANAGER, PACKER, READER

PEOPLE = (
    (MANAGER, "Solène", "Kerbrat", "fr"),
    (CLERK, "Inès", "Moreau", "fr"),
    (PACKER, "Paul", "Castel", "fr"),
    (ACCOUNTANT, "Hannah", "Weber", "en"),
    (READER, "Yann", "Le Goff", "fr"),
)


def fill_staff() -> None:
    """Make them where nobody with their address is there. To try a role: `manage.py changepassword NAME`, or the link of an invitation."""
    roles = {role.code: role for role in Role.objects.exclude(code="").select_related("group")}
    for code, first, last, language in PEOPLE:
        username = f"demo-{code}"
        if code not in roles or User.objects.filter(username=username).exists():
            continue
        person = User(username=username, email=f"{username}@example.com", first_name=first, last_name=last, is_staff=True)
        person.set_unusable_password()
        person.save()
        person.groups.add(roles[code].group)
        StaffProfile.objects.create(user=person, language=language, invited_at=timezone.now())
