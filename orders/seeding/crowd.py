"""Names, places and goods of a large demo shop: enough of each to make hundreds of thousands of orders that differ."""

from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from random import Random

from orders.search import fold


def _words(text: str) -> list[str]:
    return text.split()


FIRST = _words(
    "Léa Emma Louise Chloé Inès Jeanne Alice Camille Zoé Élise Anaïs Maëlys Noémie Margaux Agathe Sarah Lucie Juliette Manon Clara "
    "Hélène Françoise Solène Océane Aurélie Céline Marie Anne Sophie Nathalie Gabriel Louis Raphaël Jules Adam Lucas Léo Hugo Arthur "
    "Nathan Théo Maël Sacha Noé Étienne François Jérôme Sébastien Benoît Rémi Cédric Loïc Gaël Yann Pierre Paul Jacques Michel Olivier "
    "Antoine Mathieu Thomas Nicolas Jörg Íñigo Zeynep Björn Åsa Søren Malik Fatou Aïcha Youssef Linh Mei Chen"
)
LAST = _words(
    "Martin Bernard Dubois Thomas Robert Richard Petit Durand Leroy Moreau Simon Laurent Lefèvre Michel Garcia David Bertrand Roux "
    "Vincent Fournier Morel Girard André Mercier Dupont Lambert Bonnet François Martinez Legrand Garnier Faure Rousseau Blanc Guérin "
    "Muller Henry Roussel Nicolas Perrin Morin Mathieu Clément Gauthier Dumont Lopez Fontaine Chevalier Robin Masson Sanchez Gérard "
    "Nguyen Boyer Denis Lemaire Duval Joly Gautier Roger Roche Roy Noël Meyer Lucas Meunier Jean Perez Marchand Dufour Blanchard "
    "Brunet Brun Dumas Colin Renard Arnaud Rolland Caron Aubert Giraud Leclerc Vidal Bourgeois Renaud Lemoine Picard Gaillard "
    "Philippe Leclercq Lacroix Fabre Dupuis Olivier Rodriguez Da-Silva Hubert Louis Charles Guillot Rivière Le-Goff Guillaume Adam "
    "Weiß Schäfer Muñoz Peña Vandenberghe N’Guessan Benali Dubreuil Rochat Kowalski Novák Ødegård"
)
PLACES = (
    ("44000", "Nantes"),
    ("75011", "Paris"),
    ("75019", "Paris"),
    ("69003", "Lyon"),
    ("13006", "Marseille"),
    ("31000", "Toulouse"),
    ("33000", "Bordeaux"),
    ("59000", "Lille"),
    ("67000", "Strasbourg"),
    ("35000", "Rennes"),
    ("34000", "Montpellier"),
    ("06000", "Nice"),
    ("38000", "Grenoble"),
    ("21000", "Dijon"),
    ("49000", "Angers"),
    ("29200", "Brest"),
    ("68000", "Colmar"),
    ("13100", "Aix-en-Provence"),
    ("64100", "Bayonne"),
    ("42000", "Saint-Étienne"),
)
ABROAD = (
    ("BE", "1050", "Ixelles", "+32 460 00 {0:02} {1:02}"),
    ("BE", "9000", "Gent", "+32 460 00 {0:02} {1:02}"),
    ("DE", "10969", "Berlin", "+49 1555 00{0:02}{1:02}"),
    ("ES", "28005", "Madrid", "+34 600 00{0:01} {1:03}"),
    ("CH", "1003", "Lausanne", "+41 79 000 {0:02} {1:02}"),
)
STREETS = (
    "rue Crébillon",
    "quai de la Fosse",
    "cours Mirabeau",
    "rue des Tanneurs",
    "avenue de Choisy",
    "rue de Belleville",
    "boulevard Voltaire",
    "place du Marché",
    "impasse des Lilas",
    "chemin des Vignes",
    "allée des Tilleuls",
    "rue Émile-Zola",
)
THINGS = ("Thé", "Infusion", "Bol", "Tasse", "Théière", "Assiette", "Vase", "Bougie", "Savon", "Nappe", "Torchon", "Miel")
SORTS = ("d’été", "d’hiver", "du jardin", "de l’atelier", "en grès", "en lin", "au figuier", "à la lavande", "du matin", "du soir")
SIZES = (("petit", "S", "8.50"), ("moyen", "M", "16.90"), ("grand", "L", "34.00"), ("double", "D", "59.00"))
NOTES = (
    "A rappelé au sujet de la livraison, tout va bien.",
    "Emballage cadeau demandé par téléphone.",
    "Adresse confirmée par la cliente.",
    "Préfère être livré le matin.",
    "Carton abîmé à l’arrivée, contenu intact.",
)
COMMENTS = ("Merci de sonner fort.", "Laisser chez la gardienne.", "C’est un cadeau, pas de prix dans le colis s’il vous plaît.")
TAGS = ("Cadeau", "Fidèle", "Presse", "À vérifier", "Gros colis")


@dataclass(frozen=True)
class Someone:
    """A customer of the crowd."""

    name: str
    email: str
    phone: str
    street: str
    postcode: str
    city: str
    country: str


def someone(number: int, rng: Random) -> Someone:
    """A person who differs from all others by their e-mail address. The phone numbers are kept free for fiction."""
    first, last = FIRST[int(len(FIRST) * rng.random() ** 1.6)], LAST[int(len(LAST) * rng.random() ** 1.6)]
    folded = fold(f"{first}.{last}").encode("ascii", "ignore").decode().replace("-", "").replace("'", "")
    street = f"{rng.randint(1, 140)} {rng.choice(STREETS)}"
    if rng.random() < 0.12:
        country, postcode, city, phone = rng.choice(ABROAD)
        phone = phone.format(rng.randrange(10), rng.randrange(100))
    else:
        (postcode, city), country = rng.choice(PLACES), "FR"
        phone = f"06 39 98 {rng.randrange(100):02} {rng.randrange(100):02}"
    return Someone(f"{first} {last}".replace("-", " "), f"{folded}{number}@example.com", phone, street, postcode, city, country)


def goods() -> list[tuple[str, str, str, Decimal]]:
    """SKU, name, label and price of each variant."""
    found = []
    for (place, thing), (at, sort), (size, letter, price) in product(enumerate(THINGS), enumerate(SORTS), SIZES):
        found.append((f"GR-{place:02}{at:02}-{letter}", f"{thing} {sort}", size, Decimal(price) + place))
    return found
