"""Who the customer is, where the parcel goes, when it is promised: what an order says beyond items and money."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext as _
from django_countries import countries

from orders.errors import InvalidWish
from orders.models import Order, OrderAddress, OrderEvent
from orders.services.plan import OneOrderWish, PlannedChange, World

PROMISED = ("delivery_on", "pickup_at", "pickup_until", "delivery_instructions")
CONTACT = ("customer_name", "email", "phone", "language", "tax_id", "customer_comment", "po_number", *PROMISED)
ADDRESS = ("name", "company", "street", "street2", "postcode", "city", "state", "state_name", "country", "phone")


@dataclass(kw_only=True)
class ContactWish(OneOrderWish):
    """Change contact data (`CONTACT` columns) and addresses ("billing.city": new text). Money, VAT and stock stay as they are."""

    values: Mapping[str, Any] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """Raises StaleOrder, NotAllowed without orders.change_order, InvalidWish for a field that is wrong, which it names."""
        self.check_version(order)
        self.require("orders.change_order", _("You may not edit orders."))
        change = world.change_of(order, OrderEvent.Kind.DETAILS)
        for name, value in self.values.items():
            if name not in CONTACT:
                raise InvalidWish(_("This can't be changed here."), field=name)
            new = value.strip() if isinstance(value, str) else value
            if getattr(order, name) != new:
                change.fields[name] = (getattr(order, name), new)
        if "tax_id" in change.fields and order.tax_id_valid:
            change.fields["tax_id_valid"] = (True, False)  # it was another number that was checked
        for name, text in self.addresses.items():
            self._plan_address(change, name, text.strip())
        self._check(change)
        return change

    def _plan_address(self, change: PlannedChange, name: str, new: str) -> None:
        kind, _dot, column = name.partition(".")
        if kind not in OrderAddress.Kind.values or column not in ADDRESS:
            raise InvalidWish(_("This can't be changed here."), field=name)
        if column == "country" and new and new not in countries:
            raise InvalidWish(_("Choose a country of the list."), field=name)
        address = change.address(kind)
        old = str(getattr(address, column)) if address else ""
        if old != new:
            change.address_fields[name] = (old, new)

    def _check(self, change: PlannedChange) -> None:
        if "email" in change.fields and (address := change.after("email")):
            try:
                validate_email(address)
            except ValidationError:
                raise InvalidWish(_("%(address)s is no e-mail address.") % {"address": address}, field="email") from None
        check_slot(change.after("pickup_at"), change.after("pickup_until"))
        if not any(change.after(name) for name in ("customer_name", "email", "phone")):
            raise InvalidWish(_("Keep a name, an e-mail address or a phone number."), field="customer_name")


def check_slot(begin: datetime | None, end: datetime | None) -> None:
    """Raises InvalidWish naming the field where a pickup has an end but no beginning, or ends before it begins."""
    if end and not begin:
        raise InvalidWish(_("Say from when the order can be collected."), field="pickup_at")
    if end and begin and end <= begin:
        raise InvalidWish(_("The pickup ends before it begins."), field="pickup_until")
