"""A shop with a clerk, an accountant's papers, and a clock that a test moves; files of documents are made without Pango."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from invoices.models import SellerProfile
from invoices.tasks import sweep_documents
from notifications.tasks import sweep_outbox
from orders.services.plan import Actor
from tests.invoices.makers import make_seller
from tests.makers import make_clerk, make_shop, make_variant

MORNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
AFTER_THE_UNDO_TIME = timedelta(minutes=3)


@pytest.fixture(autouse=True)
def clock():
    """Nine o'clock on the second of March 2026; numbers of documents name that year."""
    with time_machine.travel(MORNING, tick=True) as clock:
        yield clock


@pytest.fixture(autouse=True)
def nothing_goes_by_itself(monkeypatch, settings, tmp_path):
    """No worker is woken: what waits goes when a test lets time pass."""
    for module in ("consequences", "services", "carts"):
        monkeypatch.setattr(f"notifications.{module}.ring", lambda: None)
    monkeypatch.setattr("invoices.consequences.ring_for_documents", lambda: None)
    monkeypatch.setattr("invoices.rendering.print_apart", lambda job: b"%PDF-1.7 as printed")
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture(autouse=True)
def shop(clock):
    """Twenty mugs at 12.00, five pots at 30.00, VAT of 20 % in the prices; the time of the undo bar is two minutes."""
    make_variant("MUG", on_hand=20, price="12.00")
    make_variant("POT", on_hand=5, price="30.00")
    return make_shop(undo_seconds=120)


@pytest.fixture
def invoicing(shop):
    """The shop issues an invoice when an order is paid, and attaches what it issues to the mail about it."""
    return make_seller(auto_issue=SellerProfile.AutoIssue.PAID, attach_to_mail=True)


@pytest.fixture
def ines(shop):
    """Inès, who may do everything; what she causes waits out the undo time."""
    return Actor.clerk(make_clerk(username="ines", superuser=True))


@pytest.fixture
def time_passes(clock):
    """Call it to let the undo time pass: the tasks then issue, print and mail what is due."""

    def let_it_pass(by=AFTER_THE_UNDO_TIME):
        clock.shift(by)
        sweep_documents()
        for _round in range(5):  # a recipient gets one mail of an order per round
            sweep_outbox()

    return let_it_pass


@pytest.fixture(params=["later", "within the undo time"])
def pause(request, time_passes):
    """Between two steps: the first is mailed and issued before the second, or the clerk goes on at once. The end is the same."""
    return time_passes if request.param == "later" else lambda: None
