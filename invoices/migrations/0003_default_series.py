from django.db import migrations

SERIES = [
    ("F", "invoice", False, "F-{yyyy}-{n:04}"),
    ("AV", "credit_note", False, "AV-{yyyy}-{n:04}"),
    ("TESTF", "invoice", True, "TEST-F-{yyyy}-{n:04}"),
    ("TESTAV", "credit_note", True, "TEST-AV-{yyyy}-{n:04}"),
]


def add_series(apps, schema_editor):
    series = apps.get_model("invoices", "InvoiceSeries")
    for code, kind, is_test, pattern in SERIES:
        series.objects.get_or_create(
            code=code, defaults={"kind": kind, "is_test": is_test, "pattern": pattern, "reset": "yearly", "is_default": True}
        )


class Migration(migrations.Migration):
    dependencies = [("invoices", "0002_protect_issued")]

    operations = [migrations.RunPython(add_series, migrations.RunPython.noop)]
