"""The seller as a frozen copy for documents, with the logo kept under its own hash."""

import hashlib
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from invoices.models import SellerProfile
from invoices.wording import clean
from orders.models import Shop
from orders.models.store import name_in_language

LARGEST_LOGO = 500_000
_LOGO_TYPES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg"}
_FIELDS = [
    "legal_name",
    "legal_form",
    "capital",
    "street",
    "postcode",
    "city",
    "siren",
    "siret",
    "rcs_city",
    "vat_id",
    "vat_regime",
    "tax_registration_id",
    "einvoice_address",
    "einvoice_scheme",
    "paper",
]


def seller_facts(seller: SellerProfile, shop: Shop) -> dict[str, Any]:
    """Everything a document says about the seller, as plain values."""
    facts: dict[str, Any] = {name: clean(getattr(seller, name)) for name in _FIELDS}
    facts |= {
        "trade_name": clean(seller.trade_name or shop.name),
        "country": str(seller.country),
        "email": clean(seller.email or shop.email),
        "phone": clean(seller.phone or shop.phone),
        "website": clean(shop.website),
        "accent": shop.accent_color,
        "window": seller.window_side,
        "show_sku": seller.show_sku,
        "intro": _texts(seller.intro_text),
        "thanks": _texts(seller.thanks_text),
        "foot": _texts(seller.footer_text),
        "logo": shop.logo.name if shop.logo else "",
    }
    return facts


def freeze_logo(facts: dict[str, Any]) -> None:
    """Keep the logo of `facts` under its hash, so that a later logo never shows on what was issued. Does not raise without one."""
    content = read_logo(facts.get("logo", ""))
    facts["logo"] = ""
    if content:
        digest = hashlib.sha256(content).hexdigest()
        name = f"invoices/logos/{digest}.{logo_type(content)}"
        if not default_storage.exists(name):
            default_storage.save(name, ContentFile(content))
        facts["logo"] = name


def read_logo(name: str) -> bytes:
    """Bytes of a logo that a document can show; nothing where there is none, it is too large or of another kind."""
    if not name:
        return b""
    try:
        with default_storage.open(name) as stored:
            content = stored.read(LARGEST_LOGO + 1)
    except OSError:
        return b""
    return content if len(content) <= LARGEST_LOGO and logo_type(content) else b""


def logo_type(content: bytes) -> str:
    return next((kind for start, kind in _LOGO_TYPES.items() if content.startswith(start)), "")


def _texts(texts: dict[str, str]) -> dict[str, str]:
    return {language: clean(text) for language, text in (texts or {}).items() if clean(text)}


def text_in(texts: dict[str, str], language: str) -> str:
    return name_in_language(texts, language, "")
