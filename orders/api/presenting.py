"""An order in the form of Ecwid's API: base codes of the statuses, amounts as JSON numbers."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from rest_framework.renderers import JSONRenderer

from orders.importers.ecwid.reading import as_text
from orders.models import Order, OrderAddress, OrderLine, Refund, Shipment


class ExactJSONRenderer(JSONRenderer):
    """Writes Decimals as JSON numbers, digit by digit; DRF's own would make texts of them."""

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None) -> bytes:
        return b"" if data is None else as_text(data).encode()


def order_as_ecwid(order: Order) -> dict[str, Any]:
    """Everything of an order that Ecwid's get-order answer has a name for."""
    addresses = {address.kind: address for address in order.addresses.all()}
    return {
        "id": order.number,
        "internalId": order.pk,
        "vendorOrderNumber": order.number,
        "externalOrderId": order.external_id,
        "paymentStatus": order.payment_status.base_code,
        "fulfillmentStatus": order.fulfilment_status.base_code,
        "createDate": _date(order.placed_at),
        "createTimestamp": int(order.placed_at.timestamp()),
        "updateDate": _date(order.updated_at),
        "updateTimestamp": int(order.updated_at.timestamp()),
        "pickupTime": _date(order.pickup_at),
        "pickupTimeEnd": _date(order.pickup_until),
        "deliveryDate": order.delivery_on.isoformat() if order.delivery_on else None,
        "email": order.email,
        "customerId": order.customer_id,
        "customerGroup": order.customer_group,
        "customerTaxId": order.tax_id,
        "customerTaxIdValid": order.tax_id_valid,
        "customerTaxExempt": order.tax_exempt,
        "reversedTaxApplied": order.reverse_charge,
        "acceptMarketing": order.accepts_marketing,
        "disableAllCustomerNotifications": order.no_customer_mail,
        "lang": order.language,
        "currency": order.currency,
        "pricesIncludeTax": order.prices_include_tax,
        "subtotal": order.subtotal,
        "discount": order.discount,
        "couponDiscount": order.coupon_discount,
        "tax": order.tax,
        "giftCardRedemption": order.gift_card_amount,
        "total": order.total,
        "refundedAmount": order.refunded_total,
        "paymentMethod": order.payment_method,
        "paymentModule": order.payment_module,
        "paymentMessage": order.payment_message,
        "externalTransactionId": order.transaction_id,
        "orderComments": order.customer_comment,
        "shippingOption": {
            "shippingMethodName": order.shipping_method,
            "shippingCarrierName": order.shipping_carrier,
            "shippingRate": order.shipping_cost,
            "fulfillmentType": order.delivery_kind,
            "isPickup": order.delivery_kind == "PICKUP",
            "pickupInstruction": order.delivery_instructions,
        },
        "handlingFee": {"value": order.handling_fee},
        "customSurcharges": [
            {"id": row.kind.upper(), "description": row.label, "total": row.amount} for row in order.surcharges.order_by("pk")
        ],
        "billingPerson": _person(addresses.get(OrderAddress.Kind.BILLING)),
        "shippingPerson": _person(addresses.get(OrderAddress.Kind.SHIPPING)),
        "items": [_item(line) for line in order.lines.filter(is_removed=False).order_by("position", "pk")],
        "refunds": _refunds(order.refunds.filter(reverses=None, reversed_by=None)),
        "shipments": _shipments(order.shipments.filter(voided_by=None)),
    }


def _item(line: OrderLine) -> dict[str, Any]:
    return {
        "id": line.pk,
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "price": line.price,
        "productPrice": line.product_price,
        "weight": line.weight,
        "tax": line.tax,
        "couponAmount": line.coupon_share,
        "digital": line.is_digital,
        "isShippingRequired": line.requires_shipping,
        "selectedOptions": line.options,
        "taxes": [{"name": "VAT", "value": line.vat_rate, "total": line.tax, "includeInPrice": line.price_includes_tax}]
        if line.vat_rate is not None and not line.other_taxes
        else line.other_taxes,
    }


def _person(address: OrderAddress | None) -> dict[str, str] | None:
    if address is None:
        return None
    return {
        "name": address.name,
        "companyName": address.company,
        "street": "\n".join(part for part in (address.street, address.street2) if part),
        "city": address.city,
        "countryCode": str(address.country),
        "postalCode": address.postcode,
        "stateOrProvinceCode": address.state,
        "phone": address.phone,
    }


def _refunds(refunds: Iterable[Refund]) -> list[dict[str, Any]]:
    return [{"date": _date(row.refunded_at), "reason": row.reason, "amount": row.amount} for row in refunds]


def _shipments(shipments: Iterable[Shipment]) -> list[dict[str, Any]]:
    return [
        {
            "id": row.pk,
            "created": _date(row.shipped_at),
            "shippingService": {"carrierName": row.carrier},
            "tracking": {"trackingNumber": row.tracking_number, "trackingUrl": row.tracking_url},
        }
        for row in shipments
    ]


def _date(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S +0000") if moment else None
