"""The words of mails outside their texts: labels of blocks, footers and joints, per language. A mail never mixes languages."""

from dataclasses import dataclass

from django.utils.translation import get_language_info
from django.utils.translation import gettext as _

from orders.models import Shop

ENGLISH = {
    "colon": ": ",
    "payment": "Payment:",
    "fulfilment": "Fulfilment:",
    "payment_was": "Payment: previously “{status}”, changed on {date}.",
    "fulfilment_was": "Fulfilment: previously “{status}”, changed on {date}.",
    "quantity": "Qty",
    "amount": "Amount",
    "amount_gross": "Amount incl. VAT",
    "your_order": "Your order",
    "items": "Items",
    "in_parcel": "In this parcel",
    "to_collect": "To collect",
    "refunded_items": "Refunded items",
    "in_cart": "In your cart",
    "in_quote": "In this quote",
    "more_item": "and one more item",
    "more_items": "and {count} more items",
    "one_item": "1 item",
    "some_items": "{count} items",
    "one_file": "1 file",
    "some_files": "{count} files",
    "subtotal": "Subtotal",
    "discount": "Discount",
    "discount_named": "Discount {name}",
    "shipping": "Shipping",
    "shipping_named": "Shipping, {name}",
    "pickup": "Pickup",
    "handling": "Handling",
    "surcharge": "Surcharge",
    "tip": "Tip",
    "tax": "VAT",
    "gift_card": "Gift card",
    "total": "Total",
    "total_gross": "Total",
    "including_tax": "including VAT {tax}",
    "deliver_to": "Deliver to",
    "collect_at": "Collect at",
    "paying": "Payment",
    "paid_on": "{amount} on {date}",
    "left_to_pay": "{amount} to be paid",
    "nothing_to_pay": "Nothing to pay",
    "parcel": "Parcel",
    "parcel_of": "Parcel {number} of {count}",
    "parcel_number": "Parcel {number}",
    "carrier": "Carrier",
    "tracking": "Tracking number",
    "destination": "Destination",
    "left_out": "Not in the parcel, because it is not shipped: {names}.",
    "pickup_place": "Pickup",
    "address": "Address",
    "slot": "Agreed time",
    "hours": "Opening hours",
    "bring": "Please bring",
    "bring_what": "The number {number} and an identity document",
    "pay_there": "To be paid there",
    "pay_nothing": "Nothing, the order is paid",
    "how_to_pay": "How to pay",
    "how": "How",
    "to_pay": "To be paid",
    "reference": "Reference",
    "method": "Means",
    "delay": "Reason",
    "refunded": "Refunded",
    "adjustment": "Adjustment",
    "refund_of": "of {paid} paid, {rest} remains",
    "files": "Files",
    "download": "Download",
    "attachment": "Attachment",
    "invoice": "Invoice",
    "credit_note": "Credit note",
    "customer_and_delivery": "Customer and delivery",
    "customer": "Customer",
    "email": "E-mail",
    "phone": "Phone",
    "delivery": "Delivery",
    "payment_method": "Payment",
    "stock_after": "Stock after this order",
    "available_limit": "{available} available, limit {limit}",
    "available": "{available} available",
    "sku": "SKU",
    "variant": "Variant",
    "on_hand": "On hand",
    "committed": "Committed",
    "available_label": "Available",
    "limit": "Limit",
    "at_zero": "At zero",
    "sale_refused": "No sale",
    "sale_allowed": "May be sold below zero",
    "order_reference": "Order {number}",
    "cart_reference": "Cart",
    "quote_reference": "Quote",
    "stock_reference": "Stock",
    "account_reference": "Account",
    "without_shipping": "without shipping",
    "help": "Any question? Reply to this message.",
    "help_phone": "Any question? Reply to this message, or call {phone}.",
    "help_only_phone": "Any question? Call {phone}.",
    "why_customer": "You receive this message because you placed an order with {shop}.",
    "why_quote": "You receive this message because you asked {shop} for a quote.",
    "why_cart": "You receive this message because you left your address when ordering. There will be no other about this cart.",
    "optout": "Stop reminders",
    "help_new_order": "To choose who receives this message: Settings, Staff addresses.",
    "help_low_stock": "To change the limit: Stock, the item’s page.",
    "help_mention": "To answer: open the order and answer the note there.",
    "help_invitation": "You did not expect this message? Ignore it: without the link nothing happens.",
    "help_forgotten": "You did not ask for this? Ignore it: your password stays as it is.",
    "why_staff": "Internal message of {shop}, sent to {addresses}.",
    "reply_goes_to": "Replying to this message writes to the customer: {address}.",
    "message_from": "Message from {shop}",
    "your_comment": "Your comment",
    "customer_comment": "Customer’s comment",
    "kilobytes": "{size} kB",
    "megabytes": "{size} MB",
    "word_email": "email",
}

FRENCH = {
    "colon": " : ",
    "payment": "Paiement :",
    "fulfilment": "Exécution :",
    "payment_was": "Paiement : auparavant « {status} », modifié le {date}.",
    "fulfilment_was": "Exécution : auparavant « {status} », modifié le {date}.",
    "quantity": "Qté",
    "amount": "Montant",
    "amount_gross": "Montant TTC",
    "your_order": "Votre commande",
    "items": "Articles",
    "in_parcel": "Dans ce colis",
    "to_collect": "À retirer",
    "refunded_items": "Articles remboursés",
    "in_cart": "Dans votre panier",
    "in_quote": "Dans ce devis",
    "more_item": "et un autre article",
    "more_items": "et {count} autres articles",
    "one_item": "1 article",
    "some_items": "{count} articles",
    "one_file": "1 fichier",
    "some_files": "{count} fichiers",
    "subtotal": "Sous-total",
    "discount": "Remise",
    "discount_named": "Remise {name}",
    "shipping": "Livraison",
    "shipping_named": "Livraison, {name}",
    "pickup": "Retrait",
    "handling": "Frais de préparation",
    "surcharge": "Supplément",
    "tip": "Pourboire",
    "tax": "TVA",
    "gift_card": "Carte cadeau",
    "total": "Total",
    "total_gross": "Total TTC",
    "including_tax": "dont TVA {tax}",
    "deliver_to": "Livraison",
    "collect_at": "Retrait",
    "paying": "Règlement",
    "paid_on": "{amount} le {date}",
    "left_to_pay": "{amount} à régler",
    "nothing_to_pay": "Rien à régler",
    "parcel": "Colis",
    "parcel_of": "Colis {number} sur {count}",
    "parcel_number": "Colis {number}",
    "carrier": "Transporteur",
    "tracking": "Numéro de suivi",
    "destination": "Destination",
    "left_out": "Ne se trouve pas dans le colis, car non expédié : {names}.",
    "pickup_place": "Retrait",
    "address": "Adresse",
    "slot": "Créneau convenu",
    "hours": "Horaires",
    "bring": "À présenter",
    "bring_what": "Le numéro {number} et une pièce d’identité",
    "pay_there": "À régler sur place",
    "pay_nothing": "Rien, la commande est payée",
    "how_to_pay": "Comment régler",
    "how": "Comment",
    "to_pay": "À régler",
    "reference": "Référence",
    "method": "Moyen",
    "delay": "Motif",
    "refunded": "Remboursé",
    "adjustment": "Ajustement",
    "refund_of": "sur {paid} réglés, reste {rest}",
    "files": "Fichiers",
    "download": "Télécharger",
    "attachment": "Pièce jointe",
    "invoice": "Facture",
    "credit_note": "Avoir",
    "customer_and_delivery": "Client et livraison",
    "customer": "Client",
    "email": "E-mail",
    "phone": "Téléphone",
    "delivery": "Livraison",
    "payment_method": "Règlement",
    "stock_after": "Stock après cette commande",
    "available_limit": "Disponible {available}, seuil {limit}",
    "available": "Disponible {available}",
    "sku": "Référence",
    "variant": "Déclinaison",
    "on_hand": "En main",
    "committed": "Réservé",
    "available_label": "Disponible",
    "limit": "Seuil",
    "at_zero": "À zéro",
    "sale_refused": "Vente refusée",
    "sale_allowed": "Vente sous zéro permise",
    "order_reference": "Commande {number}",
    "cart_reference": "Panier",
    "quote_reference": "Devis",
    "stock_reference": "Stock",
    "account_reference": "Compte",
    "without_shipping": "hors livraison",
    "help": "Une question ? Répondez à ce message.",
    "help_phone": "Une question ? Répondez à ce message ou appelez le {phone}.",
    "help_only_phone": "Une question ? Appelez le {phone}.",
    "why_customer": "Vous recevez ce message parce que vous avez passé une commande chez {shop}.",
    "why_quote": "Vous recevez ce message parce que vous avez demandé un devis à {shop}.",
    "why_cart": (
        "Vous recevez ce message parce que vous avez laissé votre adresse au moment de commander. "
        "Il n’y en aura pas d’autre pour ce panier."
    ),
    "optout": "Ne plus recevoir de rappel",
    "help_new_order": "Pour choisir qui reçoit ce message : Réglages, Adresses de l’équipe.",
    "help_low_stock": "Pour changer le seuil : Stock, page de l’article.",
    "help_mention": "Pour répondre : ouvrez la commande et répondez à la note.",
    "help_invitation": "Vous n’attendiez pas ce message ? Ignorez-le : sans le lien, il ne se passe rien.",
    "help_forgotten": "Vous n’avez rien demandé ? Ignorez ce message : votre mot de passe reste le même.",
    "why_staff": "Message interne de {shop}, envoyé à {addresses}.",
    "reply_goes_to": "Répondre à ce message écrit au client : {address}.",
    "message_from": "Message de {shop}",
    "your_comment": "Votre commentaire",
    "customer_comment": "Commentaire du client",
    "kilobytes": "{size} Ko",
    "megabytes": "{size} Mo",
    "word_email": "message",
}

WORDS = {"en": ENGLISH, "fr": FRENCH}
LANGUAGES = tuple(WORDS)


@dataclass(frozen=True)
class Choice:
    """The language of a mail, and why it is not the one that was wished for."""

    language: str
    reason: str = ""


def choose_language(wanted: str, shop: Shop) -> Choice:
    """The customer's language where there are texts in it, else the shop's, else English; the reason is in the reader's language."""
    code = _code(wanted)
    if code in WORDS:
        return Choice(code)
    language = shop_language(shop)
    if not code:
        return Choice(language, _("The order names no language; the shop’s is used."))
    return Choice(language, _("There are no texts in %(language)s; the shop’s language is used.") % {"language": language_name(code)})


def shop_language(shop: Shop) -> str:
    """The language of staff mails."""
    code = _code(shop.language)
    return code if code in WORDS else "en"


def language_name(code: str) -> str:
    """A language's name in the reader's language, its code where unknown."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def _code(language: str) -> str:
    return (language or "").strip().lower().replace("_", "-").split("-")[0]
