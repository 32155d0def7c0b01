from django.db import migrations

from orders.search import fact, together

BATCH = 500


def tell_numbers(apps, schema_editor):
    """Let orders be found by the numbers of the documents they have."""
    orders, invoices = apps.get_model("orders", "Order"), apps.get_model("invoices", "Invoice")
    start = 0
    while batch := list(invoices.objects.filter(pk__gt=start).order_by("pk").values_list("pk", "order_id", "number")[:BATCH]):
        start = batch[-1][0]
        facts = {}
        for _pk, order_id, number in batch:
            facts.setdefault(order_id, []).append(fact("I", number))
        rows = list(orders.objects.filter(pk__in=facts).only("search"))
        for order in rows:
            order.search = together(facts[order.pk], kept=order.search)
        orders.objects.bulk_update(rows, ["search"], batch_size=100)


class Migration(migrations.Migration):
    dependencies = [("invoices", "0003_default_series"), ("orders", "0010_search_index")]

    operations = [migrations.RunPython(tell_numbers, migrations.RunPython.noop, elidable=True)]
