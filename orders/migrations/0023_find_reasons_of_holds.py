from django.db import migrations

from orders import searching
from orders.search import fact

BATCH = 500


def tell_reasons(apps, schema_editor):
    """Let the orders that are on hold now be found by the reason; a bounded part at a time."""
    searching.keep_triggers(schema_editor.connection)
    orders = apps.get_model("orders", "Order").objects.using(schema_editor.connection.alias)
    held, start = orders.filter(is_held=True).exclude(hold_reason=""), 0
    while texts := list(held.filter(pk__gt=start).order_by("pk").values_list("pk", "hold_reason", "search")[:BATCH]):
        start = texts[-1][0]
        for pk, reason, text in texts:
            line = fact("H", reason)
            if f"\n{line}" not in text:
                orders.filter(pk=pk).update(search=text + line)


class Migration(migrations.Migration):
    dependencies = [("orders", "0022_right_to_see_sales")]

    # A text that says more serves the code of before as well: there is nothing to take back.
    operations = [migrations.RunPython(tell_reasons, migrations.RunPython.noop, elidable=True)]
