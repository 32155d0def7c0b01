"""Quotes on paper: a draft at its prices of now, with the day until which they hold; no number, no tax document."""

import hashlib
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from django.core.files.base import ContentFile
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override, pgettext

from invoices import wording
from invoices.documents import Block, Fact, Page, job_of, letterhead
from invoices.errors import FileChanged
from invoices.models import Quote
from invoices.pdf import Job, print_apart
from invoices.sheets import address_of, letter_facts, order_sums, priced_rows
from invoices.wording import clean, long_date
from orders.choices import DeliveryKind, VatCategory
from orders.drafts import OrderDraft
from orders.errors import InvalidWish
from orders.models import Draft, Shop
from orders.money import format_money, format_percent
from orders.services.intake import PlaceWish
from orders.services.plan import Actor
from orders.services.pricing import PricedDraft, price_draft
from orders.services.world import load_world


def priced_quote(row: Draft) -> PricedDraft:
    """The quote's lines and totals. Raises InvalidWish for what is no quote, is expired, or can't be priced yet."""
    if row.kind != Draft.Kind.QUOTE or row.expires_at is None:
        raise InvalidWish(_("Make a quote of this draft first."), field="expires_at")
    if row.expires_at <= timezone.now():
        raise InvalidWish(_("This quote has expired. Choose a new day until which it is valid."), field="expires_at")
    draft = OrderDraft.from_json(row.body)
    world = load_world([], variant_ids=PlaceWish(draft=draft, actor=Actor.task()).variant_ids())
    return price_draft(draft, world, world.variants, {v.sku: v for v in world.variants.values()})


def quote_language(row: Draft, wanted: str = "") -> str:
    """The customer's language where documents have it, else the shop's."""
    return wording.document_language(wanted or row.language, Shop.current())


def quote_job(row: Draft, *, language: str) -> Job:
    """The quote as a print job. Raises InvalidWish as `priced_quote` does."""
    priced = priced_quote(row)
    facts = letter_facts()
    with override(language):
        page = _page(row, priced, facts, language)
    return job_of(page, "documents/quote.html", logo=facts["logo"], identifier="")


def print_quote(row: Draft, *, language: str, actor: Actor) -> Quote:
    """Print and keep the quote as it is handed out; the same page again is the same quote.

    Raises InvalidWish as `priced_quote` does, PdfUnavailable, RenderFailed.
    """
    job = quote_job(row, language=language)
    content_hash = hashlib.sha256(job.as_json()).hexdigest()
    if known := Quote.objects.filter(draft=row, content_hash=content_hash).first():
        return known
    content = print_apart(job)
    quote = Quote(
        draft=row,
        language=language,
        valid_until=row.expires_at,
        total=priced_quote(row).order.total,
        currency=row.currency,
        content_hash=content_hash,
        pdf_sha256=hashlib.sha256(content).hexdigest(),
        created_by_name=actor.name[:160],
    )
    quote.pdf.save(f"{quote.public_id}.pdf", ContentFile(content), save=False)
    kept, made = Quote.objects.get_or_create(
        draft=row,
        content_hash=content_hash,
        defaults={
            name: getattr(quote, name)
            for name in ("public_id", "language", "valid_until", "total", "currency", "pdf", "pdf_sha256", "created_by_name")
        },
    )
    if not made:
        quote.pdf.storage.delete(str(quote.pdf.name))
    return kept


def stored_quote(quote: Quote) -> bytes:
    """The file as it was handed out. Raises FileChanged where it is missing or another one."""
    try:
        with quote.pdf.open() as stored:
            content: bytes = stored.read()
    except (OSError, ValueError):
        content = b""
    if hashlib.sha256(content).hexdigest() != quote.pdf_sha256:
        raise FileChanged(_("The stored file of this quote is not the one that was handed out."))
    return content


def quote_file_name(quote: Quote) -> str:
    """What the file is called, in the quote's language and with its day."""
    with override(quote.language):
        return f"{_('Quote')}-{timezone.localtime(quote.created_at):%Y-%m-%d}.pdf"


def _page(row: Draft, priced: PricedDraft, facts: dict[str, Any], language: str) -> Page:
    shop, order = Shop.current(), priced.order
    zone = ZoneInfo(shop.time_zone)
    assert row.expires_at is not None
    until = long_date(row.expires_at.astimezone(zone).date(), language)
    taxed = any(group.vat for group in priced.vat.groups)
    unit = _("amounts in %(currency)s, VAT included") if order.prices_include_tax and taxed else _("amounts in %(currency)s, excluding VAT")
    letter = letterhead(facts, language) | {"window": "none", "thanks": "", "intro": ""}

    def bare(amount: Decimal) -> str:
        return format_money(amount, order.currency, language, symbol=False)

    return Page(
        **letter,
        title=_("Quote"),
        heading=_("Quote"),
        is_test=order.is_test,
        running_right=long_date(timezone.now().astimezone(zone).date(), language),
        statuses=(
            Fact(pgettext("document", "Date"), long_date(timezone.now().astimezone(zone).date(), language)),
            Fact(pgettext("document", "Valid until"), until),
            Fact(pgettext("document", "Seller"), letter["seller"][0] if letter["seller"] else shop.name),
        ),
        blocks=_blocks(priced, language, facts["country"]),
        caption=pgettext("document", "Items"),
        unit=unit % {"currency": wording.currency_name(order.currency, language)},
        unit_label=_("Unit price"),
        amount_label=_("Amount"),
        rows=priced_rows(priced.lines, order.currency, language),
        sums=order_sums(order, priced.surcharges, lambda amount: format_money(amount, order.currency, language)),
        vat_rows=tuple(
            (format_percent(group.rate, language), bare(group.base), bare(group.vat)) for group in priced.vat.groups if group.vat
        ),
        exemptions=tuple(dict.fromkeys(str(VatCategory(group.category).label) for group in priced.vat.groups if _is_exempt(group))),
        comment=clean(order.customer_comment),
        notes=(_("The prices hold until %(day)s. Reply to the shop to order.") % {"day": until},),
    )


def _is_exempt(group: Any) -> bool:
    return bool(group.category) and group.category not in (VatCategory.STANDARD, VatCategory.ZERO)


def _blocks(priced: PricedDraft, language: str, home: str) -> tuple[Block, ...]:
    order, addresses = priced.order, {row.kind: row for row in priced.addresses}
    billing = address_of(addresses.get("billing"), language, home) or tuple(filter(None, [clean(order.customer_name)]))
    contact = (clean(order.email), clean(order.phone), clean(order.tax_id))
    blocks = [Block(_("Customer"), tuple(line for line in (*billing, *contact) if line) or ("–",))]
    method = clean(order.shipping_method)
    if order.delivery_kind == DeliveryKind.PICKUP:
        blocks.append(Block(_("Pickup"), (method,)))
    else:
        shipping = address_of(addresses.get("shipping"), language, home) or (_("To the billing address"),)
        blocks.append(Block(_("Deliver to"), shipping))
        blocks += [Block(_("Delivery method"), (method,))] if method else []
    return tuple(blocks)
