"""Carriers to begin with, by their public tracking pages. One that the shop has already, under any spelling, stays as it is."""

from django.db import migrations

CARRIERS = [
    ("Chronopost", "https://www.chronopost.fr/tracking-no-cms/suivi-page?listeNumerosLT={number}&langue=fr"),
    ("Colissimo", "https://www.laposte.fr/outils/suivre-vos-envois?code={number}"),
    ("DHL", "https://www.dhl.com/fr-fr/home/tracking.html?tracking-id={number}"),
    ("DPD", "https://trace.dpd.fr/fr/trace/{number}"),
    ("GLS", "https://gls-group.com/FR/fr/suivi-colis/?match={number}"),
    ("La Poste, lettre suivie", "https://www.laposte.fr/outils/suivre-vos-envois?code={number}"),
    ("Mondial Relay", "https://www.mondialrelay.fr/suivi-de-colis/?numeroExpedition={number}"),
    ("UPS", "https://www.ups.com/track?loc=fr_FR&tracknum={number}"),
]


def add_carriers(apps, schema_editor):
    carrier = apps.get_model("orders", "Carrier")
    known = {name.strip().lower() for name in carrier.objects.values_list("name", flat=True)}
    carrier.objects.bulk_create(carrier(name=name, tracking_url=url) for name, url in CARRIERS if name.lower() not in known)


class Migration(migrations.Migration):
    dependencies = [("orders", "0016_shipping_and_packing")]

    operations = [migrations.RunPython(add_carriers, migrations.RunPython.noop)]
