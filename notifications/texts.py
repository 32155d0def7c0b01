"""What staff do with the texts of mails: check, preview, save a version, go back to the built-in one."""

import re
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from notifications.composing import Composed, Composer, Source
from notifications.kinds import REQUIRED, Text
from notifications.models import EmailTemplate
from notifications.samples import sample_facts
from notifications.templating import BadText, check_names, compile_text
from orders.errors import InvalidWish
from orders.models import Shop

_LINKS = re.compile(r"^\s*\[[^\[\]]*\]\((.*)\)\s*$", re.MULTILINE)
_FACT = re.compile(r"^\{\{ *[a-z_]+\.[a-z_]*url *\}\}$")


def preview(name: Text, language: str, source: Source, shop: Shop) -> Composed:
    """The mail that `source` would make of a made-up order.

    Raises InvalidWish, naming the field: a mistake in the language, a name that the mail does not know, a required fact that is
    missing, a link to anywhere but the mail's own addresses, no title.
    """
    facts = sample_facts(name, language, shop)
    used: set[str] = set()
    for field, text in (("subject", source.subject), ("preheader", source.preheader), ("body", source.body)):
        try:
            used |= check_names(compile_text(text, language), facts)
        except BadText as error:
            raise InvalidWish(str(error), field=field) from error
    if not source.subject.strip():
        raise InvalidWish(_("A mail needs a subject."), field="subject")
    for fact in REQUIRED.get(name, ()):
        if fact not in used:
            raise InvalidWish(_("The text must show {{ %(name)s }}.") % {"name": fact}, field="body")
    for target in _LINKS.findall(source.body):
        if not _FACT.match(target.strip()):
            raise InvalidWish(
                _("A link leads to an address of the mail, such as {{ shipment.url }}; not to “%(url)s”.") % {"url": target}, field="body"
            )
    if not re.search(r"^# +\S", source.body.lstrip(), re.MULTILINE) or not source.body.lstrip().startswith("# "):
        raise InvalidWish(_("The text begins with a title: a line that begins with “# ”."), field="body")
    try:
        return Composer.load(shop).write(name, language, source, lambda _wanted: facts, ", ".join(shop.staff_address_list))
    except BadText as error:
        raise InvalidWish(str(error), field="body") from error


def save_text(name: Text, language: str, source: Source, *, user: Any) -> EmailTemplate:
    """Use this text from now on, as a new version; mails already written keep theirs. Raises InvalidWish as `preview` does."""
    preview(name, language, source, Shop.current())
    with transaction.atomic():
        # The shop's row serialises two people who save at the same moment.
        Shop.objects.select_for_update().get(pk=1)
        rows = EmailTemplate.objects.filter(name=name, language=language)
        last = rows.aggregate(last=Max("version"))["last"] or 0
        rows.filter(is_active=True).update(is_active=False)
        return EmailTemplate.objects.create(
            name=name,
            language=language,
            version=last + 1,
            subject=source.subject,
            preheader=source.preheader,
            body=source.body,
            created_by=user,
        )


def reset_text(name: Text, language: str) -> bool:
    """Use the built-in text again; saved versions are kept. Returns whether anything changed."""
    return bool(EmailTemplate.objects.filter(name=name, language=language, is_active=True).update(is_active=False))
