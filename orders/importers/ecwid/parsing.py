"""Reads the fields of a document into facts (domain, section 3, Import); every wrong value gives one line with its path."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from orders.choices import DeliveryKind
from orders.drafts import Person
from orders.importers.ecwid.document import EcwidDocument, Row, StatedInvoice, StatedParcel, StatedRefund
from orders.importers.ecwid.fields import Fields, Problems, check_values, plain
from orders.importers.ecwid.lines import read_lines
from orders.importers.ecwid.reading import as_text, content_hash
from orders.models import OrderSurcharge

INCOMPLETE = "INCOMPLETE"
_PROVENANCE = ("refererUrl", "globalReferer", "refererId", "affiliateId", "utmDataSets", "utmData", "customerUserAgent")
_PRICING = {
    "CUSTOM": "",
    "ON_TOTAL": "volumeDiscount",
    "ON_MEMBERSHIP": "membershipBasedDiscount",
    "ON_TOTAL_AND_MEMBERSHIP": "totalAndMembershipBasedDiscount",
}


class InvalidDocument(Exception):
    """The document is refused; `problems` are lines such as `$.items[0].quantity: expected a whole number above 0, got -1`."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def parse_document(value: Any, *, is_wish: bool = False) -> EcwidDocument:
    """The facts of one decoded document. Raises InvalidDocument with every problem found.

    A wish is an order to be placed: what it leaves out (names and prices of known SKUs, whether prices include tax) is left to the
    service that places it.
    """
    problems = Problems()
    if not isinstance(value, dict):
        problems.expected("$", _("an order as an object"), value)
        raise InvalidDocument(problems.lines)
    check_values(value, problems)
    if problems.lines:
        raise InvalidDocument(problems.lines)
    document = _document(Fields(value, "$", problems), content_hash(value), is_wish=is_wish)
    if problems.lines:
        raise InvalidDocument(problems.lines)
    return document


def _document(fields: Fields, digest: str, *, is_wish: bool) -> EcwidDocument:
    warnings: list[str] = []
    number = fields.text("id", "vendorOrderNumber", limit=81) or fields.text("publicUid", limit=81)
    if not number and fields.peek("orderNumber"):
        number = fields.text("orderNumber", limit=81)
    if len(number) > 80:
        fields.problems.add("$.id", _("longer than 80 characters"))
    external_id = fields.text("externalOrderId", limit=120)
    cart_id = fields.text("cartId", limit=100)
    payment = fields.text("paymentStatus", limit=60).upper()
    fulfilment = fields.text("fulfillmentStatus", "fulfilmentStatus", limit=60).upper()
    updated = fields.moment("updateDate") if fields.peek("updateDate") else fields.moment("updateTimestamp")
    values: dict[str, Any] = {}
    _read_people(fields, values)
    addresses = _read_addresses(fields)
    _read_money(fields, values)
    _read_delivery(fields, values)
    discounts = _read_discounts(fields, values)
    surcharges = _read_surcharges(fields, values)
    lines = read_lines(fields, warnings, is_wish=is_wish)
    refunds = tuple(_read_refunds(fields))
    refunded = fields.amount("refundedAmount") or Decimal(0)
    parcels = tuple(_read_parcels(fields))
    invoices = tuple(_read_invoices(fields))
    if "prices_include_tax" not in values and not is_wish:
        values["prices_include_tax"] = _guess_included_tax(values, lines)
    note = fields.text("privateAdminNotes", limit=10_000)
    customer = fields.text("customerId", limit=80)
    recovered = fields.text("recoveredOrderId", limit=120)
    reminded = fields.moment("recoveryEmailSentTimestamp")
    values["provenance"] = {name: plain(fields.take(name)[1]) for name in _PROVENANCE if fields.take(name)[1]}
    values["additional"] = fields.rest()
    if external_id and number:
        values["additional"]["externalOrderId"] = external_id
    return EcwidDocument(
        content_hash=digest,
        number=number,
        external_id=external_id,
        cart_id=cart_id,
        is_cart=payment == INCOMPLETE or bool(cart_id and not payment),
        payment_code=payment,
        fulfilment_code=fulfilment,
        updated_at=updated,
        customer_external_id="" if customer == "0" else customer,
        values=values,
        lines=lines,
        addresses=addresses,
        discounts=discounts,
        surcharges=surcharges,
        refunded_amount=refunded,
        refunds=refunds,
        parcels=parcels,
        invoices=invoices,
        staff_note=note,
        recovered_order_id="" if recovered == "0" else recovered,
        reminded_at=reminded,
        warnings=tuple(warnings),
    )


def _read_people(fields: Fields, values: dict[str, Any]) -> None:
    placed = fields.moment("createDate") if fields.peek("createDate") else fields.moment("createTimestamp")
    if placed is not None:
        values["placed_at"] = placed
    pickup = fields.moment("pickupTime")
    if pickup is not None:
        values["pickup_at"] = pickup
    # Ecwid's documents have neither; shops name them in the orders that they create.
    until, promised = fields.moment("pickupTimeEnd"), fields.day("deliveryDate")
    if until is not None:
        values["pickup_until"] = until
    if promised is not None:
        values["delivery_on"] = promised
    for column, limit, names in (
        ("email", 254, ("email", "customerEmail")),
        ("customer_group", 120, ("customerGroup",)),
        ("tax_id", 60, ("customerTaxId",)),
        ("ip_address", 60, ("ipAddress",)),
        ("customer_comment", 20_000, ("orderComments",)),
        ("payment_method", 400, ("paymentMethod",)),
        ("payment_module", 200, ("paymentModule",)),
        ("payment_message", 4_000, ("paymentMessage",)),
        ("transaction_id", 200, ("externalTransactionId", "transactionId")),
        ("transaction_url", 600, ("externalTransactionUrl", "transactionUrl")),
    ):
        if fields.has(*names):
            values[column] = fields.text(*names, limit=limit)
    for column, name in (
        ("tax_id_valid", "customerTaxIdValid"),
        ("tax_exempt", "customerTaxExempt"),
        ("reverse_charge", "reversedTaxApplied"),
        ("accepts_marketing", "acceptMarketing"),
        ("no_customer_mail", "disableAllCustomerNotifications"),
    ):
        flag = fields.flag(name)
        if flag is not None:
            values[column] = flag
    _read_extra_fields(fields, values)
    parameters = fields.peek("paymentParams")
    if isinstance(parameters, dict):
        order = next((str(part) for key, part in parameters.items() if key.casefold() == "po number" and isinstance(part, (str, int))), "")
        if order:
            values["po_number"] = order[:120]


def _read_extra_fields(fields: Fields, values: dict[str, Any]) -> None:
    rows = []
    for extra in fields.objects("orderExtraFields"):
        row = {
            "id": extra.text("id", limit=200),
            "title": extra.text("title", "name", limit=400),
            "value": extra.text("value", limit=4_000),
            "section": extra.text("orderDetailsDisplaySection", limit=100),
            "in_mails": bool(extra.flag("showInNotifications")),
            "on_paper": bool(extra.flag("showInInvoice")),
        }
        rows.append({**row, "title": row["title"] or row["id"], "additional": extra.rest()})
    known = {row["id"] for row in rows}
    simple = fields.object("extraFields")
    language = fields.text("lang", "customerLanguage", "language", limit=10)
    if simple is not None:
        language = language or (str(simple.peek("lang")) if _is_language(simple.peek("lang")) else "")
        for name, value in simple.rest().items():
            if name not in known:
                rows.append(
                    {
                        "id": name,
                        "title": name,
                        "value": value if isinstance(value, str) else as_text(value),
                        "section": "",
                        "in_mails": False,
                        "on_paper": False,
                    }
                )
    if rows:
        values["extra_fields"] = rows
    if language:
        values["language"] = language.lower().replace("_", "-")


def _is_language(value: Any) -> bool:
    return isinstance(value, str) and 2 <= len(value) <= 7 and value.replace("-", "").replace("_", "").isalpha()


def _read_addresses(fields: Fields) -> dict[str, Person]:
    found = {}
    for kind, names in (("billing", ("billingPerson",)), ("shipping", ("shippingPerson", "shippingAddress"))):
        person = fields.object(*names)
        if person is not None:
            found[kind] = _person(person)
            if rest := person.rest():
                fields.clipped[names[0]] = rest
    return found


def _person(fields: Fields) -> Person:
    name = fields.text("name", limit=200)
    if not name:
        first, last = fields.text("firstName", limit=100), fields.text("lastName", limit=100)
        name = f"{first} {last}".strip()
    street, _newline, second = fields.text("street", limit=800).replace("\r\n", "\n").partition("\n")
    country = fields.text("countryCode", limit=40).upper()
    if country and not (len(country) == 2 and country.isalpha() and country.isascii()):
        fields.clipped["countryCode"], country = country, ""
    return Person(
        name=name,
        company=fields.text("companyName", "company", limit=200),
        street=street.strip()[:400],
        street2=second.replace("\n", ", ").strip()[:400],
        city=fields.text("city", limit=120),
        state=fields.text("stateOrProvinceCode", limit=120),
        state_name=fields.text("stateOrProvinceName", limit=120),
        postcode=fields.text("postalCode", limit=40),
        country=country,
        phone=fields.text("phone", limit=60),
    )


def _read_money(fields: Fields, values: dict[str, Any]) -> None:
    for column, names in (
        ("subtotal", ("subtotal",)),
        ("total", ("total",)),
        ("tax", ("tax",)),
        ("discount", ("discount",)),
        ("coupon_discount", ("couponDiscount",)),
        ("gift_card_amount", ("giftCardRedemption",)),
    ):
        amount = fields.amount(*names)
        if amount is not None:
            values[column] = amount
    currency = fields.text("currency", limit=40).upper()
    if currency:
        if len(currency) == 3 and currency.isalpha() and currency.isascii():
            values["currency"] = currency
        else:
            fields.problems.expected("$.currency", _("three letters such as EUR"), currency)
    included = fields.flag("pricesIncludeTax")
    if included is not None:
        values["prices_include_tax"] = included
    code = fields.text("giftCardCode", limit=120)
    if code:
        values["gift_card_code"] = code


def _read_delivery(fields: Fields, values: dict[str, Any]) -> None:
    option = fields.object("shippingOption")
    if option is not None:
        rate = option.amount("shippingRate")
        if rate is not None:
            values["shipping_cost"] = rate
        values["shipping_method"] = option.text("shippingMethodName", limit=400)
        values["shipping_carrier"] = option.text("shippingCarrierName", limit=200)
        values["delivery_instructions"] = option.text("pickupInstruction", limit=10_000)
        kind = option.text("fulfillmentType", "fulfilmentType", limit=40).upper()
        pickup = option.flag("isPickup")
        if kind not in DeliveryKind.values:
            kind = DeliveryKind.PICKUP if pickup else DeliveryKind.SHIPPING
        values["delivery_kind"] = kind
        if rest := option.rest():
            fields.clipped["shippingOption"] = rest
    fee = fields.object("handlingFee")
    if fee is not None:
        values["handling_fee"] = fee.amount("value") or Decimal(0)
        if rest := fee.rest():
            fields.clipped["handlingFee"] = rest
    if fields.has("taxesOnShipping"):
        taxes = [plain(row) for row in fields.values("taxesOnShipping") if isinstance(row, dict)]
        values["shipping_taxes"] = taxes
        rate = rate_of(taxes)
        if rate is not None:
            values["shipping_vat_rate"] = rate


def rate_of(taxes: list[Mapping[str, Any]]) -> Decimal | None:
    """The rate in percent where there is exactly one tax that a column can hold; two are never added up."""
    if len(taxes) != 1:
        return None
    try:
        rate = Decimal(str(taxes[0].get("value")))
    except ArithmeticError:
        return None
    return rate if rate.is_finite() and 0 <= rate < 1000 else None


def _read_discounts(fields: Fields, values: dict[str, Any]) -> tuple[Row, ...]:
    rows: list[dict[str, Any]] = []
    for info in fields.objects("discountInfo"):
        base = info.text("base", limit=40)
        kind = info.text("type", limit=20).upper()
        value = info.amount("value") or Decimal(0)
        rows.append(
            {"label": info.text("description", limit=200), "kind": "ABS" if kind == "ABSOLUTE" else kind, "base": base, "value": value}
        )
    left = values.get("discount", Decimal(0))
    for row in rows:
        stated = fields.peek(_PRICING.get(row["base"], "") or "-")
        amount = Decimal(stated) if isinstance(stated, (int, Decimal)) and not isinstance(stated, bool) else None
        if amount is None or not amount.is_finite():
            amount = row["value"] if row["kind"] == "ABS" else left if row is rows[-1] else Decimal(0)
        row["amount"] = max(min(amount, left), Decimal(0)).quantize(Decimal("0.0001"))
        left -= row["amount"]
    coupon = fields.object("discountCoupon")
    if coupon is not None:
        values["coupon_code"] = coupon.text("code", limit=120)
        label, value = coupon.text("name", limit=200), coupon.amount("discount") or Decimal(0)
        kind = coupon.text("discountType", limit=20)
        values["coupon"] = coupon.rest() | {"name": label, "discountType": kind, "discount": str(value)}
        if amount := values.get("coupon_discount"):
            rows.append({"label": label or values["coupon_code"], "kind": kind, "base": "COUPON", "value": value, "amount": amount})
    return tuple(Row(row) for row in rows)


def _read_surcharges(fields: Fields, values: dict[str, Any]) -> tuple[Row, ...]:
    rows = []
    for extra in fields.objects("customSurcharges", "surcharges"):
        identity = extra.text("id", limit=100)
        amount = extra.amount("total", "amount")
        stated = extra.amount("value")
        label = extra.text("description", "name", limit=200)
        taxes = [plain(row) for row in extra.values("taxes") if isinstance(row, dict)]
        kind = OrderSurcharge.Kind.TIP if "TIP" in identity.upper().split("_") else OrderSurcharge.Kind.SURCHARGE
        amount = stated or Decimal(0) if amount is None else amount
        rows.append({"kind": kind, "label": label or identity, "amount": amount, "vat_rate": rate_of(taxes)})
        if rest := extra.rest():
            fields.clipped[f"customSurcharges[{len(rows) - 1}]"] = rest
    if tip := fields.amount("tipAmount", "tips"):
        rows.append({"kind": OrderSurcharge.Kind.TIP, "label": "", "amount": tip, "vat_rate": None})
    amounts: list[tuple[Any, Decimal]] = [(row["kind"], Decimal(str(row["amount"]))) for row in rows]
    for column, wanted in (("surcharges_total", OrderSurcharge.Kind.SURCHARGE), ("tips_total", OrderSurcharge.Kind.TIP)):
        values[column] = sum((amount for kind, amount in amounts if kind == wanted), Decimal(0))
    return tuple(Row(row) for row in rows)


def _read_refunds(fields: Fields) -> list[StatedRefund]:
    found = []
    for refund in fields.objects("refunds"):
        amount = refund.amount("amount")
        if amount is None:
            refund.problems.add(f"{refund.path}.amount", _("missing"))
        elif amount:
            found.append(StatedRefund(refund.moment("date"), amount, refund.text("reason", limit=400), refund.text("source", limit=40)))
    return found


def _read_parcels(fields: Fields) -> list[StatedParcel]:
    found = []
    for shipment in fields.objects("shipments"):
        tracking = shipment.object("tracking", "trackingInfo")
        service = shipment.object("shippingService", "carrier")
        number = (tracking.text("trackingNumber", "number", limit=200) if tracking else "") or shipment.text("trackingNumber", limit=200)
        url = (tracking.text("trackingUrl", "url", limit=800) if tracking else "") or shipment.text("trackingUrl", limit=800)
        carrier = service.text("carrierName", "carrier", "name", limit=200) if service else ""
        if number or carrier:
            found.append(StatedParcel(carrier, number, url, shipment.moment("created", "createDate")))
    number = fields.text("trackingNumber", limit=200)
    if number and number not in {parcel.number for parcel in found}:
        found.append(StatedParcel("", number, fields.text("trackingUrl", limit=800), None))
    return found


def _read_invoices(fields: Fields) -> list[StatedInvoice]:
    found: dict[str, StatedInvoice] = {}
    for invoice in fields.objects("invoices"):
        number = invoice.text("id", "number", "internalId", limit=120)
        if number:
            found[number] = StatedInvoice(
                number, invoice.text("link", limit=800), invoice.text("type", limit=40), invoice.moment("created")
            )
    return list(found.values())


def _guess_included_tax(values: Mapping[str, Any], lines: tuple[Row, ...]) -> bool:
    """Old documents do not say it: prices include tax where the stored total holds only without adding the tax."""
    tax = values.get("tax", Decimal(0))
    zero = Decimal(0)
    added = values.get("subtotal", zero) + values.get("shipping_cost", zero) + values.get("handling_fee", zero) + values["surcharges_total"]
    taken = values.get("discount", zero) + values.get("coupon_discount", zero) + values.get("gift_card_amount", zero)
    if not tax or "total" not in values:
        rows = [tax_row for line in lines for tax_row in line.values["other_taxes"]]
        return bool(rows) and all(row.get("includeInPrice") is True for row in rows)
    return bool(values["total"] == added + values["tips_total"] - taken)
