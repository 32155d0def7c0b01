"""What a change does to mails, as consequences of the plan: send, stop, bring back. Saved as rows, never sent from here."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from notifications.doorbell import ring
from notifications.kinds import Kind
from notifications.models import OutgoingEmail
from notifications.outbox import derived_message_id, new_row, thread_of
from notifications.wording import language_name
from orders.models import OrderEvent
from orders.services.plan import Consequence, PanelItem, PlannedChange
from orders.services.writing import update_rows

HELD = OutgoingEmail.State.HELD
STAFF = OutgoingEmail.Audience.STAFF


@dataclass(kw_only=True)
class SendMail(Consequence):
    """A mail to the recipients once `release_at` has passed and the documents it attaches are there."""

    kind: Kind
    text_name: str
    audience: str
    recipients: tuple[str, ...]
    recipient_name: str
    language: str
    release_at: datetime
    is_held: bool
    version: int = 0
    copies: tuple[str, ...] = ()  # staff who get the same mail
    why_language: str = ""
    replaces: str = ""
    reply_to: str = ""
    about: str = ""
    documents: tuple[str, ...] = ()  # kinds of documents to attach
    known_before: dict[str, str] = field(default_factory=dict)
    personal_word: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    problem: str = ""

    def facts(self) -> tuple[Any, ...]:
        return (self.key, self.is_on, self.kind, self.text_name, self.recipients, self.language, self.version, self.documents)

    def describe(self) -> PanelItem:
        to_staff = self.audience == STAFF
        title = _("An e-mail to staff") if to_staff else _("An e-mail to %(name)s") % {"name": self.recipient_name or self.recipients[0]}
        lines = [", ".join(self.recipients), _("Language: %(language)s") % {"language": language_name(self.language)}, self.why_language]
        if self.documents:
            lines.append(_("With the document as PDF; it goes when that is issued."))
        if self.copies:
            lines.append(_("Copy to %(addresses)s") % {"addresses": ", ".join(self.copies)})
        if self.problem:
            lines.append(_("The shop's own text can't be used, the built-in one is: %(problem)s") % {"problem": self.problem})
        lines.append(self.replaces)
        return PanelItem(
            icon="mail",
            title=title,
            lines=tuple(line for line in lines if line),
            when=_("after the undo time") if self.is_held else _("at once"),
            subject=self.subject,
            html=self.html,
            text=self.text,
        )

    @classmethod
    def save_all(cls, items: Sequence[tuple[PlannedChange, "SendMail"]]) -> None:
        """Insert a row per recipient; the worker is woken after commit for those that go at once."""
        rows = [row for change, item in items if item.is_on and change.event for row in item.rows(change, change.event)]
        OutgoingEmail.objects.bulk_create(rows, batch_size=200)
        if any(not item.is_held for _change, item in items if item.is_on):
            transaction.on_commit(lambda: ring())

    def rows(self, change: PlannedChange, event: OrderEvent) -> list[OutgoingEmail]:
        attachments = [{"kind": kind, "issue_key": f"event:{event.pk}:{kind}"} for kind in self.documents]
        waits = self.is_held or bool(attachments)
        thread = thread_of(change.order)
        made = []
        addresses = [(address, self.audience) for address in self.recipients] + [(address, str(STAFF)) for address in self.copies]
        for address, audience in addresses:
            key = ":".join((str(event.pk), self.key.removeprefix("mail:").removesuffix(f":{self.recipients[0]}"), address))
            is_first = self.kind == Kind.ORDER_CONFIRMATION and address == self.recipients[0]
            made.append(
                new_row(
                    kind=self.kind,
                    text_name=self.text_name,
                    template_version=self.version,
                    order=change.order,
                    event=event,
                    audience=audience,
                    recipient=address,
                    recipient_name=self.recipient_name if audience == self.audience else "",
                    reply_to=self.reply_to,
                    language=self.language,
                    dedupe_key=key[:300],
                    message_id=thread if is_first else derived_message_id(key),
                    in_reply_to="" if is_first or self.audience == STAFF else thread,
                    subject=self.subject,
                    html=self.html,
                    text=self.text,
                    attachments=attachments,
                    personal_word=self.personal_word,
                    about=self.about[:200],
                    known_before=self.known_before,
                    state=HELD if waits else OutgoingEmail.State.QUEUED,
                    release_at=self.release_at,
                    created_at=event.at,
                )
            )
        return made


@dataclass(kw_only=True)
class CancelMail(Consequence):
    """A mail that was still waiting does not go."""

    mail_id: int
    subject: str
    name: str
    reason: str
    why: str
    optional: bool = False

    def describe(self) -> PanelItem:
        title = _("The waiting e-mail to %(name)s does not go") % {"name": self.name}
        return PanelItem(icon="mail-x", title=title, lines=(self.subject, self.why), when=_("at once"))

    @classmethod
    def save_all(cls, items: Sequence[tuple[PlannedChange, "CancelMail"]]) -> None:
        """Stop the rows and remember which event did, so that undoing that event brings them back."""
        alike: dict[str, dict[int, int]] = defaultdict(dict)
        for change, item in items:
            if change.event is not None:
                alike[item.reason][item.mail_id] = change.event.pk
        for reason, events in alike.items():
            held = list(OutgoingEmail.objects.filter(pk__in=events, state=HELD).values_list("pk", flat=True))
            OutgoingEmail.objects.filter(pk__in=held).update(state=OutgoingEmail.State.CANCELLED, cancelled_reason=reason)
            update_rows(OutgoingEmail, ["cancelled_by_id"], [OutgoingEmail(pk=pk, cancelled_by_id=events[pk]) for pk in held])


@dataclass(kw_only=True)
class RestoreMail(Consequence):
    """A mail that the undone change had stopped waits again."""

    mail_id: int
    subject: str
    name: str
    release_at: datetime
    optional: bool = False

    def describe(self) -> PanelItem:
        title = _("The stopped e-mail to %(name)s waits again") % {"name": self.name}
        return PanelItem(icon="mail", title=title, lines=(self.subject,), when=_("after the undo time"))

    @classmethod
    def save_all(cls, items: Sequence[tuple[PlannedChange, "RestoreMail"]]) -> None:
        alike: dict[datetime, list[int]] = defaultdict(list)
        for _change, item in items:
            alike[item.release_at].append(item.mail_id)
        for release_at, ids in alike.items():
            OutgoingEmail.objects.filter(pk__in=ids, state=OutgoingEmail.State.CANCELLED).update(
                state=HELD, cancelled_by=None, cancelled_reason="", release_at=release_at
            )
