"""Who hears of a staff note: the colleagues it names, at once, each in their own language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from notifications.composing import Composer
from notifications.consequences import SendMail
from notifications.kinds import Kind, Text
from notifications.models import MailSwitch, OutgoingEmail
from notifications.telling.facts import NOTE_ANCHOR, note_facts
from notifications.wording import WORDS, shop_language
from orders.models import OrderEvent, StaffProfile
from orders.people import name_of
from orders.services.plan import NotGoing, PanelItem, Plan, PlannedChange


@dataclass(kw_only=True)
class SendMention(SendMail):
    """The mail about a note. It is written before the note is saved and learns the note's address when it is."""

    def describe(self) -> PanelItem:
        return PanelItem(icon="mail", title=_("Mails %(name)s now") % {"name": self.recipient_name}, subject=self.subject, text=self.text)

    def rows(self, change: PlannedChange, event: OrderEvent) -> list[OutgoingEmail]:
        rows = super().rows(change, event)
        anchor = f"#note-{change.notes[0].pk}"
        for row in rows:
            row.html, row.text = row.html.replace(NOTE_ANCHOR, anchor), row.text.replace(NOTE_ANCHOR, anchor)
        return rows


def plan_mentions(plan: Plan, changes: Sequence[PlannedChange], *, render: bool) -> None:
    """Add a mail per colleague that a new note names, or say why none goes. A constant number of queries, none without a mention."""
    if not changes:
        return
    people = {mention.user.pk: mention.user for change in changes for mention in change.mentions}
    languages = dict(StaffProfile.objects.filter(user__in=people).values_list("user_id", "language"))
    composer, is_on = Composer.load(plan.world.shop), Kind.MENTION in MailSwitch.on()
    for change in changes:
        for mention in change.mentions:
            person = mention.user
            if not is_on:
                _not_told(change, person, _("This mail is switched off in the settings."))
            elif not person.email:
                _not_told(change, person, _("%(name)s has no e-mail address.") % {"name": name_of(person)})
            else:
                change.add(_mail(plan, change, person, languages.get(person.pk) or "", composer=composer, render=render))


def _not_told(change: PlannedChange, person: Any, reason: str) -> None:
    title = _("No e-mail to %(name)s") % {"name": name_of(person)}
    change.add(NotGoing(key=f"mail:{Kind.MENTION.value}:none:{person.pk}", icon="mail-x", title=title, reason=reason))


def _mail(plan: Plan, change: PlannedChange, person: Any, wanted: str, *, composer: Composer, render: bool) -> SendMention:
    shop = plan.world.shop
    language = wanted if wanted in WORDS else shop_language(shop)
    mail = SendMention(
        key=f"mail:{Kind.MENTION.value}:{person.pk}:{person.email}",
        kind=Kind.MENTION,
        text_name=Text.MENTION,
        audience=OutgoingEmail.Audience.STAFF,
        recipients=(person.email,),
        recipient_name=name_of(person),
        language=language,
        release_at=plan.world.now,
        is_held=False,
        version=composer.version(Text.MENTION, language),
        optional=False,
    )
    if render:
        facts = note_facts(change.notes[0], change.order, shop, language)
        composed = composer.compose(Text.MENTION, language, lambda _wanted: facts, to=person.email)
        mail.subject, mail.html, mail.text, mail.problem = composed.subject, composed.html, composed.text, composed.problem
    return mail
