from django.db import migrations

from invoices.triggers import protect, unprotect_in_migration


class Migration(migrations.Migration):
    dependencies = [("invoices", "0001_first_tables")]

    operations = [migrations.RunPython(protect, unprotect_in_migration, elidable=False)]
