"""What tests of mails share: no worker is woken, and a clock that moves only where a test says so."""

import pytest


@pytest.fixture(autouse=True)
def quiet_doorbell(monkeypatch):
    """Tests deliver by hand."""
    rings = []
    for module in ("consequences", "services", "carts"):
        monkeypatch.setattr(f"notifications.{module}.ring", lambda: rings.append(1))
    monkeypatch.setattr("invoices.consequences.ring_for_documents", lambda: None)
    return rings
