"""Every address of the project, opened and posted to by every role and by nobody: who gets what stands in one table.

A new address fails the test until it has a line; the failure says which line would describe what happens now. Read it before you
add it: it must be what the roles *should* get, not only what they do get.
"""

import re
from urllib.parse import parse_qsl

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.base import ContentFile
from django.db import transaction
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.converters import UUIDConverter
from django.urls.resolvers import URLPattern

from invoices.models import Invoice, PendingDocument, Quote
from invoices.services import issue_invoice
from notifications.models import EmailTemplate, OutgoingEmail
from orders.models import (
    ApiToken,
    BulkJob,
    Carrier,
    Draft,
    Note,
    NoteFile,
    Order,
    OrderEvent,
    OrderLine,
    Payment,
    PaymentMethod,
    ReturnCase,
    Role,
    SavedView,
    Shipment,
    ShippingMethod,
)
from orders.roles import LETTERS
from orders.services.plan import apply
from orders.services.returns import ReturnRequestWish
from tests.every_url import EXPECTED
from tests.invoices.makers import make_seller
from tests.makers import ROBOT, make_draft, make_order, make_shop, set_status
from tests.orders.test_admin_panel import fields_of

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
ANONYMOUS = "x"
EVERYBODY = "".join(LETTERS) + ANONYMOUS
METHODS = ("GET", "POST")


def patterns(resolver=None, spaces="", prefix=""):
    """(key, name, parameters) of every pattern; the key is the name, or the address where there is none or several share it."""
    for entry in (resolver or get_resolver()).url_patterns:
        address = prefix + str(entry.pattern)
        if not isinstance(entry, URLPattern):
            yield from patterns(entry, f"{spaces}{entry.namespace}:" if entry.namespace else spaces, address)
        elif entry.name:
            part = "/part" if "part" in entry.pattern.converters else ""
            yield f"{spaces}{entry.name}{part}", f"{spaces}{entry.name}", _parameters(entry), address
        else:
            yield address, "", _parameters(entry), address


def _parameters(entry):
    """Names of the parts of an address, with whether each is a UUID."""
    known = {name: isinstance(converter, UUIDConverter) for name, converter in entry.pattern.converters.items()}
    return known or dict.fromkeys(re.findall(r"\?P<(\w+)>", str(entry.pattern)), False)


class World:
    """A row for every kind of address, and a person per role."""

    def __init__(self):
        make_shop()
        make_seller()
        self.sessions = {letter: self._signed_in(letter, code) for letter, code in LETTERS.items()}
        self.unshipped = make_order("PAID", items={"MUG": 1})
        self.order = make_order("PAID", items={"MUG": 2}, staff_note="Handle with care")
        set_status(self.order, fulfilment="SHIPPED", tracking_number="6A1")
        apply(ReturnRequestWish(order_id=self.order.pk, actor=ROBOT, pieces={self.order.lines.get().pk: 1})).or_raise()
        self.invoice = issue_invoice(self.order.pk, actor=ROBOT)
        self.event = OrderEvent.objects.filter(order=self.order).latest("pk")
        draft = Draft.objects.create(
            body=make_draft().as_json(),
            created_at="2026-11-01T10:00Z",
            customer_name="Paul Castel",
            email="paul@example.com",
            kind="quote",
            expires_at="2126-11-01T10:00Z",
        )
        Quote.objects.create(draft=draft, language="fr", total=1, currency="EUR", content_hash="a", pdf_sha256="b")
        ApiToken.objects.create(name="Shop", store_id="1", prefix="abc", secret_hash="0" * 64)
        note = Note.objects.create(order=self.order, text="Call back", at="2026-11-01T10:00Z")
        NoteFile.objects.create(note=note, file=ContentFile(b"a", "a.txt"), name="a.txt", size=1)
        if not PendingDocument.objects.exists():
            PendingDocument.objects.create(
                order=self.order, event=self.event, kind="invoice", trigger="paid", release_at="2026-11-01T10:00Z", issue_key="waits"
            )
        for model in (PaymentMethod, ShippingMethod, Carrier):
            model.objects.create(name="Usual")
        EmailTemplate.objects.create(name="shipped", language="fr", subject="Parti", body="# Parti")
        owner = User.objects.get(username="owner")
        SavedView.objects.create(owner=owner, name="Mine")
        BulkJob.objects.create(
            kind="status", wish={"axis": "fulfilment", "code": "DELIVERED"}, state="done", created_at="2026-11-01T10:00Z", actor=owner
        )

    def _signed_in(self, letter, code):
        person = User.objects.create_user(code, f"{code}@example.com", "pass-word-123", is_staff=True)
        person.groups.add(Role.objects.get(code=code).group)
        client = Client()
        client.force_login(person)
        return client.cookies["sessionid"].value

    def value(self, parameter, key, *, is_uuid):
        """A value for a parameter of an address."""
        fixed = {
            "name": "shipped",
            "language": "fr",
            "store": "1",
            "number": self.order.number,
            "token": "forged",
            "uidb64": "forged",
            "app_label": "orders",
            "url": "nowhere/",
            "content_type_id": "1",
            "order_id": self.order.pk,
            "shipment_id": Shipment.objects.latest("pk").pk,
            "pending_id": PendingDocument.objects.latest("pk").pk,
            "mail_id": OutgoingEmail.objects.latest("pk").pk,
            "event_id": self.event.pk,
        }
        if parameter in fixed:
            return fixed[parameter]
        model = self._model(parameter, key)
        order = self.unshipped if key.startswith("admin:orders_order_shipment") else self.order
        row = order if model is Order else model.objects.latest("pk")
        return row.public_id if is_uuid else row.pk

    def _model(self, parameter, key):
        from django.apps import apps

        if parameter == "part":
            return next((model for word, model in PARTS.items() if word in key), Order)
        for word, model in NAMED.items():
            if word in key:
                return model
        app, model = re.search(r"(orders|invoices|notifications|auth)[_/]([a-z]+)", key).groups()
        return apps.get_model(app, model)

    def answer(self, method, letter, address, key):
        """The status, with everything taken back afterwards. A way to the sign-in page counts as "in"."""
        client = Client(raise_request_exception=True)
        if letter != ANONYMOUS:
            client.cookies["sessionid"] = self.sessions[letter]
        mark = transaction.savepoint()
        try:
            response = client.get(address) if method == "GET" else client.post(address, self.sent(client, address, key))
        finally:
            transaction.savepoint_rollback(mark)
        to_sign_in = response.status_code == 302 and response.url.startswith(reverse("admin:login"))
        return "in" if to_sign_in else str(response.status_code)

    def sent(self, client, address, key):
        """What is posted: nothing, or a form that would change something, as the person's own page offers it."""
        if "?" in key:
            return dict(parse_qsl(address.partition("?")[2]))
        if key in SENT:
            return SENT[key]
        if key not in PANELS:
            return {}
        page = client.get(address, PANELS[key])
        return fields_of(page) | PANELS[key] if page.status_code == 200 else PANELS[key]


# Panels only refuse a form that is complete: these ask for a change that the right alone stands against.
PANELS = {
    "admin:orders_order_status": {"fulfilment": "DELIVERED"},
    "admin:orders_order_payment": {"amount": "5"},
    "admin:orders_order_unpay/part": {"reason": "Never came"},
    "admin:orders_order_refund": {"amount": "5"},
    "admin:orders_order_tracking/part": {"tracking_number": "6A2"},
    "admin:orders_order_shipment": {},
    "admin:orders_order_pack": {},
    "admin:orders_order_return": {},
    "admin:orders_order_cancel": {"why": "customer"},
    "admin:orders_order_remove": {"reason": "Entered twice"},
    "admin:orders_order_restore": {},
    "admin:orders_order_ask_return": {"note": "Too small"},
    "admin:orders_order_approve_return/part": {},
    "admin:orders_order_refuse_return/part": {"reason": "After the term"},
    "admin:orders_order_receive_return/part": {},
    "admin:orders_order_inspect_return/part": {},
    "admin:orders_order_close_return/part": {},
    "admin:orders_order_hold": {"held": "1", "reason": "Waits"},
    "admin:orders_order_details": {"tags": "Gift"},
    "admin:orders_order_contact": {"phone": "0240123456"},
}
SENT = {
    "admin:orders_order_note": {"text": "Call back"},
    "admin:orders_order_answer/part": {"text": "Done"},
    "admin:orders_order_quick": {"do": "add-tag", "value": "Gift"},
}
# Addresses whose query says what is wanted: a line each.
VARIANTS = {
    "admin:orders_order_bulk": [f"action={name}" for name in ("tag", "hold", "assign", "print-sheets", "export")]
    + ["fulfilment=DELIVERED", "payment=CANCELLED"],
    "admin:orders_order_add": ["suggest=customers", "suggest=articles"],
}
PARTS = {"_return": ReturnCase, "tracking": Shipment, "note_file": NoteFile, "answer": Note, "why": OrderLine, "unpay": Payment}
NAMED = {
    "documents:quote": Draft,
    "documents:kept_quote": Quote,
    "mail:quote": Draft,
    "staff_role": Role,
    "staff_": User,
    "documents:": Invoice,
    "bulk": BulkJob,
    "view": SavedView,
    "note_file": NoteFile,
}


def read(line):
    """The table's words: who gets which answer. Roles that are not named are refused; nobody is sent to the sign-in page."""
    found, method = {}, ""
    for word in line.split():
        if word in METHODS:
            method = word
            found |= {(method, letter): "in" if letter == ANONYMOUS else "403" for letter in EVERYBODY}
        elif word != "-":
            letters, _colon, status = word.partition(":")
            found |= {(method, letter): status or "200" for letter in letters}
    return found


def written(answers):
    """The line that describes these answers: the opposite of `read`."""
    words = []
    for method in METHODS:
        groups = {}
        for letter in EVERYBODY:
            status = answers[method, letter]
            if status != ("in" if letter == ANONYMOUS else "403"):
                groups.setdefault(status, []).append(letter)
        words += [method, *(f"{''.join(letters)}{'' if status == '200' else f':{status}'}" for status, letters in groups.items())]
        words += ["-"] if not groups else []
    return " ".join(words)


def _filled(address, values):
    """The address of a pattern without a name."""
    simple = re.sub(r"\(\?P<(\w+)>[^)]*\)\$?", r"<\1>", address)
    return "/" + re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values[match[1]]), simple)


def walk(world):
    for key, name, parameters, address in patterns():
        values = {parameter: world.value(parameter, key, is_uuid=is_uuid) for parameter, is_uuid in parameters.items()}
        place = reverse(name, kwargs=values) if name else _filled(address, values)
        for query in ("", *VARIANTS.get(key, ())):
            key_of_line, asked = (f"{key}?{query}", f"{place}?{query}&ids={world.order.pk}") if query else (key, place)
            yield (
                key_of_line,
                {(method, letter): world.answer(method, letter, asked, key_of_line) for method in METHODS for letter in EVERYBODY},
            )


@pytest.fixture
def world(monkeypatch):
    monkeypatch.setattr("invoices.pdf.print_here", lambda _job: b"%PDF")
    monkeypatch.setattr("invoices.views.stored_quote", lambda _quote: b"%PDF")
    monkeypatch.setattr("invoices.views.stored_file", lambda _invoice: b"%PDF")
    monkeypatch.setattr("invoices.views.make_file", lambda pk: Invoice.objects.get(pk=pk))
    monkeypatch.setattr("ecwid_orders.sign_in.ANSWER_SECONDS", 0)
    return World()


def test_every_role_gets_what_the_table_says(world):
    missing, wrong, seen = [], [], set()
    for key, answers in walk(world):
        seen.add(key)
        if key not in EXPECTED:
            missing.append(f'    "{key}": "{written(answers)}",')
            continue
        expected = read(EXPECTED[key])
        for (method, letter), status in answers.items():
            if expected[method, letter] != status:
                who = LETTERS.get(letter, "nobody signed in")
                wrong.append(f"{key}: {method} as {who} gives {status}, the table says {expected[method, letter]}")
    told = "Addresses without a line in tests/every_url.py. Check who may, then add:\n" + "\n".join(missing)
    assert not missing, told
    assert wrong == []
    assert set(EXPECTED) - seen == set(), "lines without an address: take them out of tests/every_url.py"


def test_the_table_reads_what_it_writes():
    line = "GET omc ax:404 POST om:302"
    assert written(read(line)) == line
    assert read(line)["POST", "c"] == "403"
    assert read(line)["POST", ANONYMOUS] == "in"


def test_roles_are_those_of_the_table():
    assert set(LETTERS.values()) == set(Role.objects.exclude(code="").values_list("code", flat=True))
    assert Group.objects.count() == len(LETTERS)
