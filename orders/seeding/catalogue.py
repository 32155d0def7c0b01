"""What the demo shop sells: 25 articles in 34 variants, three VAT rates and gift cards outside of VAT."""

from dataclasses import dataclass
from decimal import Decimal

from django.core.files.base import ContentFile

from orders.choices import VatCategory
from orders.models import DigitalFile, Product, StockMovement, TaxClass, Variant
from orders.services.stock import adjust_stock
from orders.services.wishes import Actor


@dataclass(frozen=True)
class Kind:
    """One variant; `pieces` None: stock is not tracked."""

    sku: str
    price: str
    pieces: int | None = None
    label: str = ""
    weight: str = ""
    low: int | None = None
    place: str = ""


@dataclass(frozen=True)
class Article:
    name: str
    tax: str
    kinds: tuple[Kind, ...]
    description: str = ""
    is_digital: bool = False
    backorders: bool = False


ARTICLES = (
    Article(
        "Sencha d’Asamushi",
        "reduced",
        (Kind("SEN-ASA-50", "9.50", 60, "50 g", "0.06", 10, "A1"), Kind("SEN-ASA-100", "17.00", 44, "100 g", "0.12", 8, "A1")),
    ),
    Article(
        "Thé vert Sencha bio",
        "reduced",
        (Kind("THE-SEN-100", "11.90", 72, "100 g", "0.12", 12, "A2"), Kind("THE-SEN-250", "26.50", 25, "250 g", "0.28", 5, "A2")),
    ),
    Article("Gyokuro de Uji", "reduced", (Kind("THE-KYU-35", "24.00", 18, "35 g", "0.05", 6, "A3"),)),
    Article("Hojicha torréfié", "reduced", (Kind("HOJ-100", "10.80", 50, "100 g", "0.12", 10, "A4"),)),
    Article("Darjeeling first flush", "reduced", (Kind("DAR-FF-100", "19.50", 30, "100 g", "0.12", 8, "A5"),)),
    Article("Infusion verveine-tilleul", "reduced", (Kind("INF-VER-80", "7.90", 64, "80 g", "0.10", 12, "A6"),)),
    Article(
        "Miel de châtaignier",
        "reduced",
        (Kind("MIE-CHA-250", "8.40", 48, "250 g", "0.40", 10, "B1"), Kind("MIE-CHA-500", "14.90", 26, "500 g", "0.75", 6, "B1")),
    ),
    Article("Livre : L’heure du thé", "reduced", (Kind("LIV-CER-02", "24.90", 15, "", "0.62", 4, "C1"),)),
    Article(
        "Plant de théier Camellia sinensis",
        "intermediate",
        (Kind("PLA-FRE", "18.00", 12, "", "1.20", 4, "Serre"),),
        "Voyage mal par grand froid.",
    ),
    Article(
        "Bol en grès",
        "standard",
        (
            Kind("BOL-GRS-14", "22.00", 40, "Sable, 14 cm", "0.45", 8, "D1"),
            Kind("BOL-NUIT", "24.00", 28, "Nuit, 14 cm", "0.45", 8, "D1"),
            Kind("BOL-LIE-14", "24.00", 9, "Lierre, 14 cm", "0.45", 6, "D1"),
        ),
    ),
    Article(
        "Théière en fonte",
        "standard",
        (Kind("THE-FON-08", "68.00", 14, "0,8 l", "1.90", 3, "D2"), Kind("THE-FON-12", "84.00", 8, "1,2 l", "2.40", 3, "D2")),
    ),
    Article("Filtre à thé en inox", "standard", (Kind("THE-FIL-01", "6.50", 90, "", "0.05", 15, "D3"),)),
    Article("Tasses à espresso, lot de six", "standard", (Kind("TAS-ESP-06", "39.00", 22, "", "1.10", 5, "D4"),)),
    Article(
        "Assiette plate en porcelaine",
        "standard",
        (Kind("ASS-PLT-26", "14.50", 80, "26 cm", "0.60", 12, "D5"), Kind("ASS-PLT-21", "11.50", 66, "21 cm", "0.45", 12, "D5")),
    ),
    Article("Plat de service", "standard", (Kind("PLT-SER-38", "46.00", 10, "38 cm", "1.60", 3, "D6"),)),
    Article(
        "Nappe en lin lavé",
        "standard",
        (
            Kind("NAP-LIN-150", "79.00", 16, "150 × 250 cm", "0.95", 4, "E1"),
            Kind("NAP-LIN-170", "92.00", 6, "170 × 300 cm", "1.20", 4, "E1"),
        ),
        backorders=True,
    ),
    Article("Torchons en lin, lot de deux", "standard", (Kind("TOR-LIN-02", "19.00", 58, "", "0.25", 10, "E2"),)),
    Article("Bougie au figuier", "standard", (Kind("BOU-FIG-180", "29.00", 34, "180 g", "0.45", 8, "F1"),)),
    Article("Bougies en cire d’abeille", "standard", (Kind("BOU-CIR-12", "16.00", 42, "lot de douze", "0.30", 8, "F2"),)),
    Article("Savon d’Alep", "standard", (Kind("SAV-ALE-200", "6.90", 75, "200 g", "0.22", 15, "F3"),)),
    Article("Vase colonne", "standard", (Kind("VAS-COL-30", "54.00", 11, "30 cm", "1.40", 3, "F4"),)),
    Article("Boîte laquée", "standard", (Kind("BTE-LAQ-200", "32.00", 7, "200 g", "0.30", 5, "F5"),)),
    Article("Emballage cadeau", "standard", (Kind("EMB-CAD", "4.00", None, "", "0.05"),)),
    Article("Cours : les thés verts en six leçons", "standard", (Kind("COU-VER-06", "35.00", None),), is_digital=True),
    Article(
        "Carte cadeau",
        "outside-vat",
        (Kind("CAR-CAD-50", "50.00", None, "50 €"), Kind("CAR-CAD-100", "100.00", None, "100 €")),
        is_digital=True,
    ),
)


def fill_catalogue(actor: Actor) -> dict[str, Variant]:
    """Store the articles with their opening stock in the ledger; variants by SKU."""
    classes = {tax_class.code: tax_class for tax_class in TaxClass.objects.all()}
    classes["outside-vat"], _made = TaxClass.objects.get_or_create(
        code="outside-vat",
        defaults={"names": {"en": "Outside VAT (vouchers)", "fr": "Hors TVA (bons)"}, "category": VatCategory.OUT_OF_SCOPE, "position": 9},
    )
    variants = {}
    for article in ARTICLES:
        product = Product.objects.create(
            name=article.name, description=article.description, tax_class=classes[article.tax], is_digital=article.is_digital
        )
        for position, kind in enumerate(article.kinds):
            price = Decimal(kind.price)
            variant = Variant.objects.create(
                product=product,
                sku=kind.sku,
                label=kind.label,
                price=price,
                cost=(price * Decimal("0.42")).quantize(Decimal("0.01")),
                weight=Decimal(kind.weight) if kind.weight else None,
                is_tracked=kind.pieces is not None,
                low_stock_limit=kind.low,
                location=kind.place,
                allows_oversell=article.backorders,
                position=position,
            )
            if kind.pieces:
                adjust_stock(variant.pk, kind.pieces, reason="Inventaire d’ouverture", actor=actor, kind=StockMovement.Kind.OPENING)
            variants[kind.sku] = variant
    _add_files(variants["COU-VER-06"].product)
    return variants


def _add_files(product: Product) -> None:
    for number in range(1, 7):
        text = f"Les thés verts en six leçons\nLeçon {number}\n\nUn texte d’exemple de la boutique de démonstration.\n".encode()
        file = DigitalFile(product=product, name=f"Leçon {number}.txt", size=len(text))
        file.file.save(f"lecon-{number}.txt", ContentFile(text), save=False)
        file.save()
