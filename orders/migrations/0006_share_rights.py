"""Payment statuses and notes get rights of their own; whoever might do so before goes on."""

from django.conf import settings
from django.db import migrations

# The new right, what it splits off from, and what the model of each is.
SPLIT = (
    ("change_payment_status", "order", "change_order_status", "Can change the payment status of an order"),
    ("add_note", "note", "change_order", "Can add note"),
)


def share_rights(apps, schema_editor):
    """Whoever might change statuses may go on with both; whoever might edit orders may go on writing notes."""
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    for codename, model, known, name in SPLIT:
        old = Permission.objects.filter(content_type__app_label="orders", codename=known).first()
        if old is None:
            continue  # a new database: nobody has rights yet
        kind, _made = ContentType.objects.get_or_create(app_label="orders", model=model)
        new, _made = Permission.objects.get_or_create(content_type=kind, codename=codename, defaults={"name": name})
        new.group_set.add(*old.group_set.exclude(role__code__gt=""))  # built-in roles get theirs from the table
        new.user_set.add(*old.user_set.all())


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("orders", "0005_rights_of_roles"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [migrations.RunPython(share_rights, migrations.RunPython.noop)]
