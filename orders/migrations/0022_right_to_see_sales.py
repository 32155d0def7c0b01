"""Sales, payments and what customers spent get a right of their own; roles of the shop's own making that see orders keep seeing them."""

from django.conf import settings
from django.db import migrations

NEW = ("view_sales", "Can see sales, payments and what customers spent")


def share_right(apps, schema_editor):
    Permission = apps.get_model("auth", "Permission")
    ContentType = apps.get_model("contenttypes", "ContentType")
    old = Permission.objects.filter(content_type__app_label="orders", codename="view_order").first()
    if old is None:
        return  # a new database: nobody has rights yet
    kind, _made = ContentType.objects.get_or_create(app_label="orders", model="order")
    new, _made = Permission.objects.get_or_create(content_type=kind, codename=NEW[0], defaults={"name": NEW[1]})
    new.group_set.add(*old.group_set.exclude(role__code__gt=""))  # built-in roles get theirs from the table
    new.user_set.add(*old.user_set.all())


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("orders", "0021_one_spelling_of_marks"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="order",
            options={
                "ordering": ["-placed_at", "-id"],
                "permissions": [
                    ("change_order_status", "Can change the fulfilment status of an order"),
                    ("change_payment_status", "Can change the payment status of an order"),
                    ("record_payment", "Can record a payment"),
                    ("refund_order", "Can record a refund"),
                    ("cancel_order", "Can cancel an order"),
                    ("ship_order", "Can record a shipment"),
                    ("print_order", "Can print an order"),
                    ("export_order", "Can export orders"),
                    ("import_order", "Can import orders"),
                    ("export_personal_data", "Can export personal data"),
                    NEW,
                ],
                "verbose_name": "order",
                "verbose_name_plural": "orders",
            },
        ),
        migrations.RunPython(share_right, migrations.RunPython.noop),
    ]
