"""What the server's output and the browser's console say while people work: little, and only what matters."""

import io
import json
import logging
import re

import pytest
from django.conf import settings
from django.urls import reverse

from ecwid_orders.log_lines import RefusalsInOneLine
from tests.makers import make_clerk, make_order, make_shop, make_variant


@pytest.fixture
def output():
    """What the console handler of the settings writes."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    form = settings.LOGGING["formatters"]["line"]
    handler.setFormatter(logging.Formatter(form["format"], style=form["style"]))
    assert settings.LOGGING["handlers"]["console"]["filters"] == ["refusals"]
    handler.addFilter(RefusalsInOneLine())
    logging.getLogger("django.request").addHandler(handler)
    yield written
    logging.getLogger("django.request").removeHandler(handler)


@pytest.mark.django_db
def test_a_refusal_takes_one_line_of_the_output(client, output):
    client.force_login(make_clerk())
    assert client.get(reverse("admin:orders_order_changelist")).status_code == 403
    assert [line.partition("django.request: ")[2] for line in output.getvalue().splitlines()] == [
        "Forbidden (Permission denied): /admin/orders/order/"
    ]


def test_an_error_of_the_program_keeps_its_traceback(output):
    try:
        raise ZeroDivisionError
    except ZeroDivisionError:
        logging.getLogger("django.request").exception("Internal Server Error", extra={"status_code": 500})
    assert "Traceback" in output.getvalue()
    assert "ZeroDivisionError" in output.getvalue()


@pytest.mark.django_db
def test_htmx_never_copies_a_style_that_the_policy_refuses(client):
    client.force_login(make_clerk(superuser=True))
    make_shop()
    page = client.get(reverse("admin:orders_order_changelist")).content.decode()
    config = json.loads(re.search(r"name=\"htmx-config\" content='([^']+)'", page)[1])
    assert config["includeIndicatorStyles"] is False
    assert config["attributesToSettle"] == ["class", "width", "height"]


@pytest.mark.django_db
def test_the_raw_history_of_an_order_leads_to_the_history_on_its_page(client):
    make_shop()
    make_variant("MUG")
    order = make_order()
    client.force_login(make_clerk("orders.view_order"))
    answer = client.get(reverse("admin:orders_order_history", args=[order.pk]))
    assert answer.url == reverse("admin:orders_order_change", args=[order.pk]) + "#history"
