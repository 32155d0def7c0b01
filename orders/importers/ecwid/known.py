"""What the shop knows already of a batch of documents, read in a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from orders.importers.ecwid.document import EcwidDocument
from orders.models import Customer, Draft, Order, RawDocument, Variant
from orders.search import digits_of

SOURCE = Order.ECWID


@dataclass
class Known:
    by_number: dict[str, Order] = field(default_factory=dict)
    by_external_id: dict[str, Order] = field(default_factory=dict)
    drafts: dict[str, Draft] = field(default_factory=dict)
    hashes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    customers_by_id: dict[str, Customer] = field(default_factory=dict)
    customers_by_email: dict[str, Customer] = field(default_factory=dict)
    variants: dict[str, Variant] = field(default_factory=dict)
    new_customers: list[Customer] = field(default_factory=list)

    def order_of(self, document: EcwidDocument) -> Order | None:
        """The order a document speaks of: by public number, else by external id where the order has no public number yet."""
        found = self.by_number.get(document.shown_number)
        if found is not None or not document.external_id:
            return found
        same = self.by_external_id.get(document.external_id)
        if same is None or not document.number or same.number.startswith("EXT-"):
            return same
        return None

    def draft_of(self, document: EcwidDocument) -> Draft | None:
        keys = [document.identity, *([f"cart:{document.cart_id}"] if document.cart_id else [])]
        return next((self.drafts[key] for key in keys if key in self.drafts), None)

    def knows(self, document: EcwidDocument) -> bool:
        """Whether exactly this document was applied before."""
        return document.content_hash in self.hashes.get(document.identity, ())

    def customer_of(self, document: EcwidDocument, order: Order) -> Customer | None:
        """The customer by (source, external id), else by e-mail; a new one, to be saved by `save_customers`, where none is known."""
        email = order.email.strip().casefold()
        found = self.customers_by_id.get(document.customer_external_id) if document.customer_external_id else None
        found = found or (self.customers_by_email.get(email) if email else None)
        if found is None and (document.customer_external_id or email or order.phone):
            found = _new_customer(document, order)
            self.new_customers.append(found)
        if found is not None:
            if document.customer_external_id:
                self.customers_by_id.setdefault(document.customer_external_id, found)
            if email:
                self.customers_by_email.setdefault(email, found)
        return found

    def save_customers(self) -> None:
        Customer.objects.bulk_create(self.new_customers)
        self.new_customers = []


def load_known(documents: Sequence[EcwidDocument]) -> Known:
    """Lock the orders and drafts that the documents speak of and read what else writing them needs."""
    known = Known()
    numbers = {document.shown_number for document in documents}
    external = {document.external_id for document in documents if document.external_id}
    identities = {document.identity for document in documents} | {f"cart:{d.cart_id}" for d in documents if d.cart_id}
    orders = Order.objects.select_for_update().filter(source=SOURCE).order_by("pk")
    found = {order.pk: order for order in orders.filter(number__in=numbers)}
    if external:
        found |= {order.pk: order for order in orders.filter(external_id__in=external)}
    for order in found.values():
        known.by_number[order.number] = order
        if order.external_id:
            known.by_external_id[order.external_id] = order
    known.drafts = {d.external_id: d for d in Draft.objects.select_for_update().filter(source=SOURCE, external_id__in=identities)}
    for identity, content_hash in RawDocument.objects.filter(source=SOURCE, identity__in=identities).values_list(
        "identity", "content_hash"
    ):
        known.hashes[identity].add(content_hash)
    _load_customers(known, documents)
    skus = {row.values["sku"] for document in documents for row in document.lines} - {""}
    known.variants = {variant.sku: variant for variant in Variant.objects.filter(sku__in=skus)} if skus else {}
    return known


def _load_customers(known: Known, documents: Iterable[EcwidDocument]) -> None:
    ids = {document.customer_external_id for document in documents} - {""}
    emails = {str(document.values.get("email", "")).strip().casefold() for document in documents} - {""}
    if ids:
        for customer in Customer.objects.filter(source=SOURCE, external_id__in=ids).order_by("-pk"):
            known.customers_by_id[customer.external_id] = customer
    if emails:
        for customer in Customer.objects.filter(email_key__in=emails).order_by("-pk"):
            known.customers_by_email[customer.email_key] = customer


def _new_customer(document: EcwidDocument, order: Order) -> Customer:
    person = document.addresses.get("billing") or document.addresses.get("shipping")
    customer = Customer(
        name=order.customer_name,
        email=order.email,
        email_key=order.email.strip().casefold(),
        phone=order.phone,
        phone_digits=digits_of(order.phone)[:40],
        group=order.customer_group,
        language=order.language,
        tax_id=order.tax_id,
        tax_id_valid=order.tax_id_valid,
        tax_exempt=order.tax_exempt,
        accepts_marketing=order.accepts_marketing,
        source=SOURCE,
        external_id=document.customer_external_id,
    )
    if person is not None:
        customer.company, customer.street, customer.postcode = person.company, person.street, person.postcode
        customer.city, customer.state, customer.country = person.city, person.state, person.country
    return customer
