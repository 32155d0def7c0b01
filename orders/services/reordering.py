"""Order again: an old order as a new draft, at today's prices, with what is no longer sold listed beside it."""

import uuid
from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from orders.drafts import DraftLine, OrderDraft, Person
from orders.errors import NotAllowed
from orders.finding import on_sale
from orders.models import Draft, Order, OrderAddress, OrderLine, Shop, Variant
from orders.services.plan import Actor


def order_again(order: Order, *, actor: Actor) -> Draft:
    """A draft with the order's customer, addresses, delivery and items. Changes nothing of the order.

    Articles get today's catalogue price; items that never were articles keep theirs. What is not sold any more is not in the
    draft but in `left_out`, with its price of then. Discounts, payment, notes and dates belong to the old order and stay there.
    Raises NotAllowed without orders.add_order.
    """
    if not actor.may("orders.add_order"):
        raise NotAllowed(_("You may not create orders."))
    addresses = {row.kind: _person(row) for row in order.addresses.all()}
    lines, left_out = _items(order)
    draft = OrderDraft(
        lines=tuple(lines),
        customer_id=order.customer_id,
        customer_name=order.customer_name,
        email=order.email,
        phone=order.phone,
        customer_group=order.customer_group,
        language=order.language,
        tax_id=order.tax_id,
        tax_id_valid=order.tax_id_valid,
        tax_exempt=order.tax_exempt,
        reverse_charge=order.reverse_charge,
        no_customer_mail=order.no_customer_mail,
        billing=addresses.get(OrderAddress.Kind.BILLING),
        shipping=addresses.get(OrderAddress.Kind.SHIPPING),
        shipping_method=order.shipping_method,
        payment_method=order.payment_method,
    )
    return Draft.objects.create(
        public_id=uuid.uuid4(),
        name=(_("Again: %(order)s") % {"order": order})[:200],
        customer_name=order.customer_name[:200],
        email=order.email[:254],
        language=order.language,
        body=draft.as_json(),
        total=Decimal(0),
        currency=Shop.current().currency,
        created_by=actor.user,
        created_at=timezone.now(),
        reorder_of=order,
        left_out=left_out,
    )


def line_left_out(row: dict[str, Any]) -> DraftLine:
    """An item that is not sold any more, as a free item at the price of then."""
    return DraftLine(
        name=row["name"],
        quantity=row["quantity"],
        price=Decimal(row["price"]),
        vat_rate=Decimal(row["vat_rate"]) if row["vat_rate"] else None,
        options=tuple(row["options"]),
    )


def _items(order: Order) -> tuple[list[DraftLine], list[dict[str, Any]]]:
    old = list(order.lines.filter(is_removed=False).order_by("position", "id"))
    sold = _articles(old)
    lines, left_out = [], []
    for line in old:
        variant = sold.get(line.variant_id) or sold.get(line.sku)
        if variant is not None:
            lines.append(DraftLine(variant_id=variant.pk, quantity=line.quantity, options=tuple(line.options)))
        elif _was_article(line):
            left_out.append(_left_out(line))
        else:
            lines.append(
                DraftLine(
                    name=line.name,
                    quantity=line.quantity,
                    price=line.price,
                    vat_rate=line.vat_rate,
                    options=tuple(line.options),
                    price_includes_tax=line.price_includes_tax,
                    is_digital=line.is_digital,
                )
            )
    return lines, left_out


def _articles(lines: list[OrderLine]) -> dict[Any, Variant]:
    """Articles on sale by id, and by SKU for items that an import brought without one."""
    ids = {line.variant_id for line in lines if line.variant_id}
    skus = {line.sku for line in lines if line.sku and not line.variant_id}
    by_id = on_sale().filter(pk__in=ids)
    by_sku = on_sale().filter(sku__in=skus)
    return {variant.pk: variant for variant in by_id} | {variant.sku: variant for variant in by_sku if skus}


def _was_article(line: OrderLine) -> bool:
    return bool(line.variant_id or line.sku or line.product_external_id or line.stock_followed)


def _left_out(line: OrderLine) -> dict[str, Any]:
    return {
        "name": line.name,
        "sku": line.sku,
        "quantity": line.quantity,
        "price": str(line.price),
        "vat_rate": "" if line.vat_rate is None else str(line.vat_rate),
        "options": [option for option in line.options if isinstance(option, dict)],
    }


def _person(row: OrderAddress) -> Person:
    return Person(**{name: str(getattr(row, name) or "") for name in Person.__dataclass_fields__})
