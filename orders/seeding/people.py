"""Who buys at the demo shop: twelve customers in five countries. Addresses at example.com, phone numbers kept free for fiction."""

from dataclasses import dataclass

from orders.drafts import Person


@dataclass(frozen=True)
class Buyer:
    person: Person
    email: str
    language: str
    group: str = ""
    vat_id: str = ""
    accepts_marketing: bool | None = None

    @property
    def is_business(self) -> bool:
        return bool(self.vat_id)


BUYERS = (
    Buyer(
        Person("Léa Fontaine", "", "12 rue Crébillon", "", "Nantes", "", "", "44000", "FR", "+33 6 39 98 12 01"),
        "lea.fontaine@example.com",
        "fr",
        "Fidèles",
        accepts_marketing=True,
    ),
    Buyer(
        Person("Jean-Baptiste Le Goff", "", "3 quai de la Fosse", "Bâtiment B", "Nantes", "", "", "44000", "FR", "+33 6 39 98 12 02"),
        "jb.legoff@example.com",
        "fr",
    ),
    Buyer(
        Person(
            "Amélie Dubreuil",
            "Salon de thé Les Glycines",
            "27 cours Mirabeau",
            "",
            "Aix-en-Provence",
            "",
            "",
            "13100",
            "FR",
            "+33 4 65 71 12 03",
        ),
        "contact.glycines@example.com",
        "fr",
        "Professionnels",
    ),
    Buyer(
        Person("Maëlys N’Guessan", "", "8 rue des Tanneurs", "", "Colmar", "", "", "68000", "FR", "+33 6 39 98 12 04"),
        "maelys.nguessan@example.com",
        "fr",
        accepts_marketing=True,
    ),
    Buyer(
        Person("ليلى بن علي", "", "41 rue de Belleville", "", "Paris", "", "", "75019", "FR", "+33 6 39 98 12 05"),
        "leila.benali@example.com",
        "ar",
    ),
    Buyer(
        Person("王小雨", "", "16 avenue de Choisy", "", "Paris", "", "", "75013", "FR", "+33 6 39 98 12 06"),
        "wang.xiaoyu@example.com",
        "zh",
    ),
    Buyer(
        Person("Pieter Vandenberghe", "", "Sint-Pietersnieuwstraat 45", "", "Gent", "", "", "9000", "BE", "+32 460 00 12 07"),
        "pieter.vandenberghe@example.com",
        "en",
    ),
    Buyer(
        Person("Élodie Lambert", "", "Rue du Bailli 19", "", "Ixelles", "", "", "1050", "BE", "+32 460 00 12 08"),
        "elodie.lambert@example.com",
        "fr",
        "Fidèles",
    ),
    Buyer(
        Person("Jörg Weiß", "Teehaus Weiß GmbH", "Königstraße 8", "", "Münster", "", "", "48143", "DE", "+49 1555 001209"),
        "einkauf.teehaus@example.com",
        "en",
        "Professionnels",
        "DE136695976",
    ),
    Buyer(
        Person("Katharina Schäfer", "", "Oranienstraße 112", "", "Berlin", "", "", "10969", "DE", "+49 1555 001210"),
        "katharina.schaefer@example.com",
        "en",
    ),
    Buyer(
        Person("Íñigo Muñoz Peña", "", "Calle de la Cava Baja 30", "2.º izq.", "Madrid", "", "", "28005", "ES", "+34 600 001 211"),
        "inigo.munoz@example.com",
        "en",
    ),
    Buyer(
        Person("Nicolas Rochat", "", "Rue de Bourg 21", "", "Lausanne", "VD", "Vaud", "1003", "CH", "+41 79 000 12 12"),
        "nicolas.rochat@example.com",
        "fr",
    ),
)
