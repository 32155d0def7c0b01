from django.db import migrations

from orders.search import build_search, fact, together

BATCH = 500


def tell_facts(apps, schema_editor):
    """Write each search text anew, a line per fact."""
    models = {name: apps.get_model("orders", name) for name in ("Order", "OrderLine", "OrderAddress", "Shipment", "Note", "ExternalDocument", "Payment")}
    order_rows = models["Order"].objects.only(
        "number", "external_id", "customer_name", "email", "phone", "transaction_id", "po_number", "coupon_code", "customer_comment", "tax_id", "hold_reason", "search"
    ).order_by("pk")
    start = 0
    while batch := list(order_rows.filter(pk__gt=start)[:BATCH]):
        start = batch[-1].pk
        ids = [order.pk for order in batch]
        parts = {}
        for name in ("OrderLine", "OrderAddress", "Shipment", "Note", "ExternalDocument", "Payment"):
            parts[name] = {}
            for row in models[name].objects.filter(order__in=ids).order_by("pk"):
                parts[name].setdefault(row.order_id, []).append(row)
        for order in batch:
            of = {name: rows.get(order.pk, []) for name, rows in parts.items()}
            order.search = ""
            order.search = build_search(
                order,
                [line for line in of["OrderLine"] if not line.is_removed],
                of["OrderAddress"],
                of["Shipment"],
                of["Note"],
                numbers=[document.number for document in of["ExternalDocument"]],
            )
            order.search = together([fact("X", payment.reference) for payment in of["Payment"]], kept=order.search)
        models["Order"].objects.bulk_update(batch, ["search"], batch_size=100)


class Migration(migrations.Migration):
    dependencies = [("orders", "0008_list_indexes")]

    operations = [migrations.RunPython(tell_facts, migrations.RunPython.noop, elidable=True)]
