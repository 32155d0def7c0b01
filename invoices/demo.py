"""The seller of the demo shop; named by settings.DEMO_SEEDERS."""

from invoices.models import SellerProfile


def fill_seller() -> None:
    """A French seller with everything an invoice needs; a profile that somebody filled in stays as it is."""
    seller = SellerProfile.current()
    if seller.is_set_up:
        return
    values = {
        "legal_name": "Comptoir du Lierre SARL",
        "trade_name": "Comptoir du Lierre",
        "legal_form": "SARL",
        "capital": "10 000 €",
        "street": "14 rue des Olivettes",
        "postcode": "44000",
        "city": "Nantes",
        "country": "FR",
        "siren": "812345676",
        "siret": "81234567600017",
        "rcs_city": "Nantes",
        "vat_id": "FR19812345676",
        "iban": "FR7630006000011234567890189",
        "bic": "AGRIFRPPXXX",
        "thanks_text": {"fr": "Merci de votre confiance.", "en": "Thank you for your order."},
        "consumer_text": {
            "fr": "Médiateur de la consommation : Médiation Exemple, 1 place du Port, 44000 Nantes, www.mediation.example.",
            "en": "Consumer mediator: Médiation Exemple, 1 place du Port, 44000 Nantes, www.mediation.example.",
        },
    }
    for name, value in values.items():
        setattr(seller, name, value)
    seller.save()
