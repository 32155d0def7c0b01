from django.db import migrations

from orders import searching
from orders.search import ONE_SPELLING

BATCH = 2000


def tell_one_spelling(apps, schema_editor):
    """Apostrophes, dashes and quotes of the search texts in the one spelling that questions have now; a bounded part at a time."""
    # A migration before this one may have rebuilt SQLite's table of orders: then its triggers are missing, and the index would not follow.
    searching.keep_triggers(schema_editor.connection)
    orders = apps.get_model("orders", "Order").objects.using(schema_editor.connection.alias)
    start = 0
    while texts := list(orders.filter(pk__gt=start).order_by("pk").values_list("pk", "search")[:BATCH]):
        start = texts[-1][0]
        for pk, text in texts:
            told = text.translate(ONE_SPELLING)
            if told != text:
                orders.filter(pk=pk).update(search=told)


class Migration(migrations.Migration):
    dependencies = [("orders", "0020_closed_drafts")]

    # Texts in one spelling serve the questions of before as well: there is nothing to take back.
    operations = [migrations.RunPython(tell_one_spelling, migrations.RunPython.noop, elidable=True)]
