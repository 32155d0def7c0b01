"""Every mail of every kind reads complete, in one language, as HTML and as text."""

from html.parser import HTMLParser

import pytest
from django.utils import timezone

from notifications.composing import Composer, built_in_text, names_in
from notifications.kinds import REQUIRED, Text
from notifications.telling.facts import facts_of
from notifications.telling.story import Story
from tests.makers import make_order, make_shop

pytestmark = pytest.mark.django_db


def test_print():
    shop = make_shop()
    order = make_order(payment="PAID", customer_comment="hello\nworld")
    story = Story.of_order(order, shop, timezone.now())
    c = Composer.load(shop).compose(Text.ORDER_CONFIRMATION, "fr", lambda w: facts_of(story, "fr", w))
    print(c.subject); print(c.text)
    import time
    t=time.time()
    for _ in range(100): Composer.load(shop).compose(Text.STATUS_CHANGED, "fr", lambda w: facts_of(story, "fr", w))
    print("ms", (time.time()-t)*10)
    open("/tmp/m.html","w").write(c.html)
    assert 0
