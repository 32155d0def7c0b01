from django.db import migrations

from orders import searching


def make_index(apps, schema_editor):
    searching.make_index(schema_editor.connection)


def drop_index(apps, schema_editor):
    searching.drop_index(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("orders", "0009_search_texts")]

    operations = [migrations.RunPython(make_index, drop_index, elidable=False)]
