"""Files that customers bought: which belong to an order, and the signed links that lead to them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.core import signing
from django.urls import reverse

from notifications.telling.story import Download
from notifications.telling.voice import safe_url
from orders.models import DigitalFile, Order, OrderLine

SALT = "notifications.file"


def load_files(lines: Iterable[OrderLine]) -> dict[int, list[DigitalFile]]:
    """Files of the products of digital lines, per product; one query."""
    products = {line.variant.product_id for line in lines if line.is_digital and line.variant is not None}
    files: dict[int, list[DigitalFile]] = defaultdict(list)
    for file in DigitalFile.objects.filter(product__in=products) if products else ():
        files[file.product_id].append(file)
    return dict(files)


def downloads_of(order: Order, lines: Sequence[OrderLine], files: Mapping[int, Sequence[DigitalFile]]) -> list[Download]:
    """The files of an order, each once: those of our catalogue behind signed links, imported ones behind their own."""
    found: dict[str, Download] = {}
    for line in lines:
        for row in line.downloads:
            url = safe_url(str(row.get("customerUrl") or row.get("url") or "")) if isinstance(row, dict) else ""
            if url:
                found.setdefault(url, Download(str(row.get("name") or line.name), url, _size(row.get("size"))))
        if line.is_digital and line.variant is not None:
            for file in files.get(line.variant.product_id, ()):
                found.setdefault(f"file:{file.pk}", Download(file.name, link_to(order, file), file.size))
    return list(found.values())


def link_to(order: Order, file: DigitalFile) -> str:
    """A link that opens one file for the customer of one order until the shop's time is over."""
    token = signing.dumps([str(order.public_id), file.pk], salt=SALT)
    return f"{settings.SITE_URL}{reverse('mail:file', args=[token])}"


def _size(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0
