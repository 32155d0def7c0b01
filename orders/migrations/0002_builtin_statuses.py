"""The statuses and aliases that every shop starts with (codes as in Ecwid's API)."""

from django.db import migrations

PAYMENT = "payment"
FULFILMENT = "fulfilment"

STATUSES = [
    (PAYMENT, "AWAITING_PAYMENT", "Awaiting payment", "En attente de paiement", {"tone": "warning", "glyph": "s-clock", "is_initial": True, "waits_for_staff": True}),
    (
        PAYMENT,
        "PAID",
        "Paid",
        "Payé",
        {
            "tone": "success",
            "glyph": "s-paid",
            "counts_as_paid": True,
            "sends_downloads": True,
            "auto_delivers": True,
            "document_trigger": "paid",
            "proposes_record": "payment",
            "record_by_default": True,
        },
    ),
    (PAYMENT, "CANCELLED", "Cancelled", "Annulé", {"glyph": "s-cancelled", "stock_effect": "release", "proposes_credit": "full"}),
    (
        PAYMENT,
        "REFUNDED",
        "Refunded",
        "Remboursé",
        {"glyph": "s-refunded", "stock_effect": "release", "proposes_credit": "rest", "proposes_record": "refund"},
    ),
    (
        PAYMENT,
        "PARTIALLY_REFUNDED",
        "Partially refunded",
        "Partiellement remboursé",
        {"tone": "violet", "glyph": "s-partial", "counts_as_paid": True, "auto_delivers": True},
    ),
    (
        FULFILMENT,
        "AWAITING_PROCESSING",
        "Awaiting processing",
        "En attente de traitement",
        {"tone": "warning", "glyph": "s-todo", "is_initial": True, "waits_for_staff": True},
    ),
    (FULFILMENT, "PROCESSING", "Processing", "Traitement", {"tone": "info", "glyph": "s-doing", "waits_for_staff": True}),
    (
        FULFILMENT,
        "READY_FOR_PICKUP",
        "Ready for pickup",
        "Prêt pour le retrait",
        {"tone": "violet", "glyph": "store", "own_mail": "ready_for_pickup", "waits_for_staff": True},
    ),
    (
        FULFILMENT,
        "SHIPPED",
        "Shipped",
        "Expédié",
        {"tone": "info", "glyph": "package", "goods_left": True, "own_mail": "shipped", "document_trigger": "shipped", "asks": "tracking"},
    ),
    (
        FULFILMENT,
        "OUT_FOR_DELIVERY",
        "Out for delivery",
        "Livraison en cours",
        {"tone": "info", "glyph": "truck", "goods_left": True, "offered_when": "local_delivery", "waits_for_staff": True},
    ),
    (FULFILMENT, "DELIVERED", "Delivered", "Livré", {"tone": "success", "glyph": "s-delivered", "goods_left": True, "own_mail": "delivered"}),
    (
        FULFILMENT,
        "WILL_NOT_DELIVER",
        "Will not deliver",
        "Livraison annulée",
        {"glyph": "s-none", "releases_unshipped": True, "hint": "Meant for cancelled or refunded orders."},
    ),
    (FULFILMENT, "RETURNED", "Returned", "Retourné", {"tone": "violet", "glyph": "rotate-ccw", "goods_left": True, "asks": "returned"}),
]
ALIASES = [
    (PAYMENT, "QUEUED", "AWAITING_PAYMENT"),
    (PAYMENT, "CHARGEABLE", "AWAITING_PAYMENT"),
    (PAYMENT, "ACCEPTED", "PAID"),
    (PAYMENT, "DECLINED", "CANCELLED"),
    (FULFILMENT, "NEW", "AWAITING_PROCESSING"),
]


def add_statuses(apps, schema_editor):
    status = apps.get_model("orders", "Status")
    alias = apps.get_model("orders", "StatusAlias")
    made = {}
    for position, (axis, code, english, french, columns) in enumerate(STATUSES):
        made[axis, code] = status.objects.create(
            axis=axis, code=code, names={"en": english, "fr": french}, position=position, mails_customer=True, **columns
        )
    for axis, code, target in ALIASES:
        alias.objects.create(axis=axis, alias=code, status=made[axis, target])


class Migration(migrations.Migration):
    dependencies = [("orders", "0001_first_tables")]

    operations = [migrations.RunPython(add_statuses, migrations.RunPython.noop)]
