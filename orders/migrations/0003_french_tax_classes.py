"""Tax classes to begin with, and their rates in mainland France (CGI art. 278 to 281, as in force in 2026)."""

from decimal import Decimal

from django.db import migrations

CLASSES = [
    ("standard", "Standard rate", "Taux normal", "20"),
    ("intermediate", "Intermediate rate", "Taux intermédiaire", "10"),
    ("reduced", "Reduced rate", "Taux réduit", "5.5"),
    ("super-reduced", "Super-reduced rate", "Taux particulier", "2.1"),
]


def add_classes(apps, schema_editor):
    tax_class, tax_rate = apps.get_model("orders", "TaxClass"), apps.get_model("orders", "TaxRate")
    for position, (code, english, french, rate) in enumerate(CLASSES):
        made = tax_class.objects.create(code=code, names={"en": english, "fr": french}, position=position)
        tax_rate.objects.create(tax_class=made, country="FR", rate=Decimal(rate))


class Migration(migrations.Migration):
    dependencies = [("orders", "0002_builtin_statuses")]

    operations = [migrations.RunPython(add_classes, migrations.RunPython.noop)]
