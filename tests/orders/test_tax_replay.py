"""Invoices of others, computed again with our rules: their VAT per rate is ours, to the cent."""

from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree

import pytest

from orders.tax import Charge, TaxedLine, compute_vat

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "einvoices"
RAM = "{urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100}"
FILES = sorted(FOLDER.glob("*.xml"))


def text(node, path, default=""):
    found = node.find(path.replace("ram:", RAM))
    return found.text.strip() if found is not None and found.text else default


def read(path):
    """(lines, discounts and charges, groups, net, VAT) of a CII file; lines of amounts without tax."""
    root = ElementTree.parse(path).getroot()  # files of the test data, not of strangers
    lines = []
    for item in root.iter(f"{RAM}IncludedSupplyChainTradeLineItem"):
        settlement = item.find(f"{RAM}SpecifiedLineTradeSettlement")
        tax = settlement.find(f"{RAM}ApplicableTradeTax")
        amount = text(settlement, "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount")
        lines.append((Decimal(amount), text(tax, "ram:CategoryCode"), Decimal(text(tax, "ram:RateApplicablePercent", "0"))))
    header = root.find(f".//{RAM}ApplicableHeaderTradeSettlement")
    extras = []
    for extra in header.findall(f"{RAM}SpecifiedTradeAllowanceCharge"):
        indicator = "".join(extra.find(f"{RAM}ChargeIndicator").itertext()).strip()
        tax = extra.find(f"{RAM}CategoryTradeTax")
        sign = 1 if indicator == "true" else -1
        extras.append(
            (
                sign * Decimal(text(extra, "ram:ActualAmount")),
                text(tax, "ram:CategoryCode"),
                Decimal(text(tax, "ram:RateApplicablePercent", "0")),
            )
        )
    groups = sorted(
        (
            text(tax, "ram:CategoryCode"),
            Decimal(text(tax, "ram:RateApplicablePercent", "0")),
            Decimal(text(tax, "ram:BasisAmount")),
            Decimal(text(tax, "ram:CalculatedAmount")),
        )
        for tax in header.findall(f"{RAM}ApplicableTradeTax")
    )
    sums = header.find(f"{RAM}SpecifiedTradeSettlementHeaderMonetarySummation")
    return lines, extras, groups, Decimal(text(sums, "ram:TaxBasisTotalAmount")), Decimal(text(sums, "ram:GrandTotalAmount"))


@pytest.mark.skipif(not FILES, reason="needs ../shared/data/einvoices")
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_invoice_of_others_adds_up_with_our_rules(path):
    lines, extras, groups, net, gross = read(path)
    result = compute_vat(
        [TaxedLine(abs(amount), category, rate, includes_tax=False) for amount, category, rate in lines if amount >= 0],
        charges=[
            Charge(amount, category, rate, includes_tax=False)
            for amount, category, rate in [*extras, *(line for line in lines if line[0] < 0)]
        ],
    )
    ours = sorted((group.category, group.rate, group.base, group.vat) for group in result.groups if group.base or group.vat)
    assert ours == [group for group in groups if group[2] or group[3]]
    assert (result.net, result.gross) == (net, gross)
