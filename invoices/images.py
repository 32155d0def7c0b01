"""Codes drawn as SVG: the EPC code of a transfer, the bar code of an order number. As data addresses, nothing is fetched."""

import base64
from decimal import Decimal
from io import BytesIO

from barcode import Code128
from segno import helpers

from orders.money import round_money


def epc_code(*, holder: str, iban: str, bic: str, amount: Decimal, reference: str) -> str:
    """A SEPA transfer to scan with a banking app (EPC069-12); nothing where the facts do not make one."""
    try:
        code = helpers.make_epc_qr(holder[:70], iban, round_money(amount, "EUR"), text=reference, bic=bic or None, encoding=1)
    except ValueError:
        return ""
    svg = BytesIO()
    code.save(svg, kind="svg", border=0, xmldecl=False, omitsize=True)  # the page leaves the quiet zone
    return _data(svg.getvalue())


def bar_code(text: str) -> str:
    """Code 128 of an order number; nothing for characters it does not hold."""
    try:
        modules = Code128(text).build()[0]
    except Exception:  # noqa: BLE001 (the library raises several kinds for a character it does not know)
        return ""
    bars, start = [], None
    for place, module in enumerate(f"{modules}0"):
        if module == "1" and start is None:
            start = place
        elif module == "0" and start is not None:
            bars.append(f"M{start} 0h{place - start}v40h-{place - start}z")
            start = None
    width = len(modules)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="40" viewBox="0 0 {width} 40" preserveAspectRatio="none">'
        f'<path d="{"".join(bars)}"/></svg>'
    )
    return _data(svg.encode())


def _data(svg: bytes) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(svg).decode()
