"""What tests need to exist, stated in one line: only what matters to the test is named."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import count
from typing import Any

from django.contrib.auth.models import Permission, User

from orders.choices import ChangeSource
from orders.drafts import DraftLine, OrderDraft, Person
from orders.edits import LineEdit, OrderEdit
from orders.models import Order, Product, Shop, StockMovement, TaxClass, TaxRate, Variant
from orders.services.intake import place_order
from orders.services.plan import Actor, Outcome, apply
from orders.services.proposing import EditWish
from orders.services.status import StatusWish
from orders.services.stock import adjust_stock

ROBOT = Actor.task("test")
CLERK = Actor(ChangeSource.CLERK, None, "Inès")  # what this one causes waits out the undo window
_numbers = count(1)

LEA = Person(name="Léa Martin", street="4 rue des Lilas", postcode="44000", city="Nantes", country="FR", phone="+33 6 12 34 56 78")


def make_shop(**fields: Any) -> Shop:
    """The shop in French euros, with staff to mail."""
    shop = Shop.current()
    values = {
        "name": "Comptoir du Lierre",
        "email": "shop@example.com",
        "staff_addresses": "staff@example.com",
        "language": "fr",
        "currency": "EUR",
        "country": "FR",
    } | fields
    for name, value in values.items():
        setattr(shop, name, value)
    shop.save()
    return shop


def make_tax_class(code: str = "standard", rate: str = "20") -> TaxClass:
    tax_class, _made = TaxClass.objects.get_or_create(code=code, defaults={"names": {"en": code, "fr": code}})
    TaxRate.objects.get_or_create(tax_class=tax_class, country="FR", defaults={"rate": Decimal(rate)})
    return tax_class


def make_variant(sku: str = "MUG", on_hand: int = 10, price: str = "12.00", *, digital: bool = False, **fields: Any) -> Variant:
    """A tracked variant with stock on hand (in the ledger), taxed at 20 %."""
    product = Product.objects.create(name=fields.pop("name", f"Article {sku}"), tax_class=make_tax_class(), is_digital=digital)
    variant = Variant.objects.create(
        product=product, sku=sku, price=Decimal(price), is_tracked=fields.pop("is_tracked", not digital), **fields
    )
    if on_hand and variant.is_tracked:
        adjust_stock(variant.pk, on_hand, reason="opening", actor=ROBOT, kind=StockMovement.Kind.OPENING)
    variant.refresh_from_db()
    return variant


def make_draft(items: Mapping[str, int] | None = None, **fields: Any) -> OrderDraft:
    """A draft of Léa's for `items` (SKU: quantity); missing variants are made."""
    wanted = {"MUG": 1} if items is None else items
    for sku in wanted:
        if not Variant.objects.filter(sku=sku).exists():
            make_variant(sku)
    values: dict[str, Any] = {
        "lines": tuple(DraftLine(sku=sku, quantity=quantity) for sku, quantity in wanted.items()),
        "customer_name": "Léa Martin",
        "email": f"lea{next(_numbers)}@example.com",
        "language": "fr",
        "billing": LEA,
        "shipping": LEA,
    } | fields
    return OrderDraft(**values)


def make_order(payment: str = "", fulfilment: str = "", *, items: Mapping[str, int] | None = None, **fields: Any) -> Order:
    """A placed order with these first statuses (codes; empty: by the rules)."""
    order = place_order(make_draft(items, payment_status=payment, fulfilment_status=fulfilment, **fields), actor=ROBOT)
    return Order.objects.get(pk=order.pk)


def make_clerk(*permissions: str, username: str = "clerk", superuser: bool = False) -> User:
    """A person of the back office; "orders.change_order_status" and the like name the rights."""
    if superuser:
        return User.objects.create_superuser(username, f"{username}@example.com", "pass-word-123")
    clerk = User.objects.create_user(username, f"{username}@example.com", "pass-word-123", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        clerk.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return clerk


def set_status(order: Order, *, actor: Actor = ROBOT, **wish: Any) -> Outcome:
    """Change statuses through the door: `set_status(order, payment="PAID")`."""
    return apply(StatusWish(ids=[order.pk], actor=actor, **wish)).or_raise()


def stock_of(sku: str) -> tuple[int, int]:
    """(on hand, committed) of a SKU."""
    variant = Variant.objects.get(sku=sku)
    return variant.on_hand, variant.committed


def quantity_edit(order: Order, quantity: int, *, actor: Actor = ROBOT, sku: str = "", reason: str = "") -> EditWish:
    """The edit of one quantity: of the item `sku`, or of the only one."""
    line = order.lines.get(is_removed=False, **({"sku": sku} if sku else {}))
    return EditWish(order_id=order.pk, edit=OrderEdit(lines=(LineEdit(line.pk, quantity=quantity),), reason=reason), actor=actor)
