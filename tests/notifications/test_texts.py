"""Every mail reads complete, in one language, as HTML and as text."""

import re
from html.parser import HTMLParser

import pytest

from notifications.composing import Composer, Source, built_in_text
from notifications.kinds import KIND_OF_TEXT, STAFF_KINDS, Text
from notifications.models import EmailTemplate
from notifications.samples import sample_facts
from notifications.texts import preview, reset_text, save_text
from orders.errors import InvalidWish
from tests.makers import make_clerk, make_shop

pytestmark = pytest.mark.django_db

BOTH = [(name, language) for name in Text for language in ("en", "fr")]
VOID = {"meta", "img", "br", "link", "source"}
# Words that only the other language writes.
FRENCH = re.compile(r"\b(commande|vous|votre|livraison|paiement|exécution|bonjour|article|envoyé)\b", re.IGNORECASE)
ENGLISH = re.compile(r"\b(order|you|your|delivery|payment|fulfilment|hello|item|sent)\b", re.IGNORECASE)


class Balance(HTMLParser):
    """Every tag that opens closes, in order; no scripts, no forms, no styles from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.words = [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.words.append(data)


@pytest.fixture
def shop():
    return make_shop(
        phone="02 40 12 34 56",
        street="4 rue Haute",
        postcode="44000",
        city="Nantes",
        bank_details="IBAN FR76",
        pickup_address="4 rue Haute",
    )


def composed(name, language, shop):
    return preview(name, language, built_in_text(name, language), shop)


def read(html):
    page = Balance()
    page.feed(html)
    assert page.open == []
    return page


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_the_html_is_whole_and_harmless(shop, name, language):
    mail = composed(name, language, shop)
    page = read(mail.html)
    assert not {"script", "form", "iframe", "input", "link"} & set(page.seen)
    assert page.seen.count("h1") == 1
    assert len(mail.html) < 100_000
    assert "{{" not in mail.html + mail.text + mail.subject
    assert "{%" not in mail.html + mail.text + mail.subject


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_the_text_holds_every_fact_of_the_html(shop, name, language):
    mail = composed(name, language, shop)
    text = " ".join(mail.text.split())
    for word in read(mail.html).words:
        for figure in re.findall(r"[0-9][0-9 .,\u00a0\u202f]*\u00a0?[€%]|€[0-9][0-9.,]*[0-9]|[A-Z]{2,}[0-9-]+", word):
            assert " ".join(figure.split()) in text, figure
    assert all(
        len(line) <= 72 or "://" in line or ": " in line or "\u00a0: " in line or line.startswith("    ") for line in mail.text.splitlines()
    )


@pytest.mark.parametrize("name", Text)
def test_no_mail_mixes_languages(shop, name):
    shop.name = "Lierre"
    english, french = (re.sub(r"https?://\S+", "", composed(name, language, shop).text) for language in ("en", "fr"))
    assert not FRENCH.search(english)
    assert not ENGLISH.search(french)


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_subject_and_inbox_line_say_different_things(shop, name, language):
    mail = composed(name, language, shop)
    preheader = re.search(r'mso-hide: ?all">([^&]*)', mail.html) or re.search(r"mso-hide:all[^>]*>([^&]*)", mail.html)
    line = preheader[1].strip("\u034f\u200c\u00a0 ")
    assert 0 < len(mail.subject) <= 90
    assert line
    assert line != mail.subject


@pytest.mark.parametrize(("name", "language"), BOTH)
def test_the_footer_says_why_it_came(shop, name, language):
    mail = composed(name, language, shop)
    footer = mail.text.split("\n-- \n")[1]
    if KIND_OF_TEXT[name] in STAFF_KINDS:
        assert "Internal message" in footer or "Message interne" in footer
    else:
        assert "02 40 12 34 56" in footer
        assert "Comptoir du Lierre, 4 rue" in footer.replace("Lierre · 4", "Lierre, 4")


def test_right_to_left_mails_turn_the_frame(shop, monkeypatch):
    from notifications import composing, wording

    monkeypatch.setitem(wording.WORDS, "ar", wording.ENGLISH)
    monkeypatch.setitem(composing.WORDS, "ar", wording.ENGLISH)
    facts = sample_facts(Text.SHIPPED, "en", shop)
    mail = Composer.load(shop).write(Text.SHIPPED, "ar", built_in_text(Text.SHIPPED, "en"), lambda _wanted: facts)
    assert '<html lang="ar" dir="rtl"' in mail.html
    assert 'align="right"' in mail.html
    assert "\u2068Anaïs Lefèvre\u2069" in mail.text


def test_what_a_customer_writes_never_becomes_structure(shop):
    evil = "# Title\n\n[Click](https://evil.example)\n\n{{ shop.name }}<script>alert(1)</script> *x*"
    facts = sample_facts(Text.ORDER_CONFIRMATION, "en", shop)
    facts["order"]["comment"] = evil
    facts["customer"]["name"] = "[Eve](https://evil.example)"
    mail = Composer.load(shop).write(Text.ORDER_CONFIRMATION, "en", built_in_text(Text.ORDER_CONFIRMATION, "en"), lambda _w: facts)
    assert 'href="https://evil.example"' not in mail.html
    assert "<script>" not in mail.html
    assert read(mail.html).seen.count("h1") == 1
    assert "{{ shop.name }}" in mail.text


def source_of(body, subject="S", preheader=""):
    return Source(subject, preheader, f"# T\n\n{body}\n\n{{{{ order.status_change }}}}")


@pytest.mark.parametrize(
    "body",
    [
        "{{ order.__class__ }}",
        "{{ order.number.__class__.__mro__ }}",
        "{{ order.keys }}",
        "{{ order.number.format }}",
        "{{ shop.objects }}",
        "{% load i18n %}",
        "{% include 'x' %}",
        "{% now 'Y' %}",
        "{% for a in items %}{% for b in items %}x{% endfor %}{% endfor %}",
        "{% for a in order.number %}x{% endfor %}",
        "{{ order.number|safe }}",
        "{{ order.number|ljust:'999999999' }}",
        "{% if order.number.pk.x %}{% endif %}",
        "{% for a in items %}{{ forloop.parentloop }}{% endfor %}",
        "{% if " + "not " * 400 + "x %}{% endif %}",
        "{% if 1 %}" * 200 + "{% endif %}" * 200,
        "{{ order.number }}" * 501,
        "x" * 50_001,
        "[Pay here](https://evil.example)",
        "[Pay here]({{ order.number }})",
        "{{ missing }}",
        "{% if",
        "{{ order.number|default:shop.secret }}",
    ],
)
def test_a_text_can_not_reach_beyond_its_facts(shop, body):
    with pytest.raises(InvalidWish):
        preview(Text.STATUS_CHANGED, "en", source_of(body), shop)


def test_a_saved_text_is_used_and_the_built_in_one_comes_back(shop):
    clerk = make_clerk()
    text = save_text(Text.STATUS_CHANGED, "en", source_of("Dear {{ customer.name }},", "News of {{ order.number }}"), user=clerk)
    facts = sample_facts(Text.STATUS_CHANGED, "en", shop)
    mail = Composer.load(shop).compose(Text.STATUS_CHANGED, "en", lambda _w: facts)
    assert (mail.subject, mail.version, text.version) == ("News of 1052", 1, 1)
    assert reset_text(Text.STATUS_CHANGED, "en") is True
    assert Composer.load(shop).compose(Text.STATUS_CHANGED, "en", lambda _w: facts).subject == "Order 1052: Processing"
    assert save_text(Text.STATUS_CHANGED, "en", source_of("Hi"), user=clerk).version == 2


def test_a_saved_text_that_breaks_never_stops_a_mail(shop):
    EmailTemplate.objects.create(name=Text.STATUS_CHANGED, language="en", subject="{% if", body="# x")
    facts = sample_facts(Text.STATUS_CHANGED, "en", shop)
    mail = Composer.load(shop).compose(Text.STATUS_CHANGED, "en", lambda _w: facts)
    assert mail.subject == "Order 1052: Processing"
    assert mail.problem.startswith("The text has a mistake")


def test_a_text_that_loses_a_required_fact_is_refused(shop):
    with pytest.raises(InvalidWish, match=r"order\.status_change") as refusal:
        save_text(Text.STATUS_CHANGED, "en", Source("S", "", "# Title\n\nHello"), user=make_clerk())
    assert refusal.value.field == "body"
    assert not EmailTemplate.objects.exists()


@pytest.mark.parametrize(("accent", "button", "links"), [("#1f4d3a", "#ffffff", "#1f4d3a"), ("#ffd400", "#1c1a17", "#1c1a17")])
def test_the_accent_is_always_legible(accent, button, links):
    from notifications.colours import contrast, palette_of

    palette = palette_of(accent)
    assert (palette.on_accent, palette.accent_text) == (button, links)
    assert contrast(palette.accent_dark, "#161513") >= 7
