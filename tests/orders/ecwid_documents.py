"""Documents of Ecwid in one line: only what matters to the test is named."""

import json
from io import BytesIO
from typing import Any

from orders.importers.ecwid.importing import import_documents
from orders.importers.ecwid.reading import Upload
from orders.importers.ecwid.report import Report


def document(number: str = "A1", **fields: Any) -> dict[str, Any]:
    """Two mugs at 12.00, paid, unless said otherwise. A field set to ... is left out."""
    values = {
        "id": number,
        "email": "lea@example.com",
        "subtotal": 24.00,
        "total": 24.00,
        "tax": 0,
        "paymentStatus": "PAID",
        "fulfillmentStatus": "AWAITING_PROCESSING",
        "createDate": "2024-09-04 07:22:09 +0000",
        "items": [item()],
        "billingPerson": {"name": "Léa Martin", "street": "4 rue des Lilas", "city": "Nantes", "postalCode": "44000", "countryCode": "FR"},
    } | fields
    return {name: value for name, value in values.items() if value is not ...}


def item(**fields: Any) -> dict[str, Any]:
    return {"id": 1, "name": "Mug", "sku": "MUG", "price": 12.00, "quantity": 2, "isShippingRequired": True} | fields


def run(*documents: Any, text: str | bytes | None = None, name: str = "orders.json", **options: Any) -> Report:
    """Import documents as one list, or any bytes as one file."""
    body = json.dumps(list(documents)) if text is None else text
    stream = BytesIO(body.encode() if isinstance(body, str) else body)
    return import_documents([Upload(name, stream)], **options)


def became(report: Report) -> list[str]:
    return [result.became.value for result in report.results]
