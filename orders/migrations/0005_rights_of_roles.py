"""A right for the payment status alone, and what a role remembers of the rights it was given."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("orders", "0004_people_views_and_bulk"),
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
                ],
                "verbose_name": "order",
                "verbose_name_plural": "orders",
            },
        ),
        migrations.AddField(
            model_name="role",
            name="offered",
            field=models.JSONField(blank=True, default=list, editable=False),
        ),
    ]
