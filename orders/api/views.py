"""Orders of the online shop: placed by POST, read by GET, in Ecwid's form."""

from typing import Any, cast

from django.db import IntegrityError
from django.http import Http404
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from orders.api.presenting import ExactJSONRenderer, order_as_ecwid
from orders.api.refusals import KeyReused, WrongFields
from orders.api.wishes import ApiWish, answer_for, draft_from_body
from orders.errors import OrderError
from orders.importers.ecwid.reading import content_hash
from orders.models import AnsweredRequest, ApiToken, Order
from orders.services.intake import draw_number
from orders.services.plan import apply
from orders.services.wishes import Actor

KEY_LENGTH = 200


class StoreView(APIView):
    """A page of one store; another store's token finds nothing there."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.token = cast("ApiToken", request.auth)
        if self.token.store_id != kwargs["store"]:
            raise Http404


class Orders(StoreView):
    def post(self, request: Request, store: str) -> Response:
        """Place an order. The same Idempotency-Key with the same body gets the same answer and makes nothing new."""
        key = _key_of(request)
        body = request.data
        body_hash = content_hash(body)
        if key and (known := _answered(self.token, key, body_hash)):
            return _answer(store, known.answer)
        wish = ApiWish(draft=draft_from_body(body), actor=Actor.api(self.token.name), number=draw_number())
        if key:
            wish.token, wish.key, wish.body_hash = self.token, key, body_hash
        try:
            outcome = apply(wish).or_raise()
        except (IntegrityError, OrderError):
            # A request with the same key, at the same moment, was first: its order took the key, or the last piece.
            if key and (known := _answered(self.token, key, body_hash)):
                return _answer(store, known.answer)
            raise
        assert outcome.event is not None
        return _answer(store, answer_for(outcome.event.order))


class OneOrder(StoreView):
    renderer_classes = [ExactJSONRenderer]

    def get(self, request: Request, store: str, number: str) -> Response:
        """One order by its internal id or its number."""
        orders = Order.objects.present().with_statuses()
        order = orders.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 18 else None
        order = order or orders.filter(number=number, source=Order.OWN).first() or orders.filter(number=number).first()
        if order is None:
            raise Http404
        return Response(order_as_ecwid(order))


def _key_of(request: Request) -> str:
    key = request.headers.get("Idempotency-Key", "").strip()
    if len(key) > KEY_LENGTH or not key.isascii() or (key and not key.isprintable()):
        message = _("at most %(most)d plain characters") % {"most": KEY_LENGTH}
        raise WrongFields([("Idempotency-Key", message)])
    return key


def _answered(token: ApiToken, key: str, body_hash: str) -> AnsweredRequest | None:
    """The answer given to this key. Raises KeyReused where it was given to another body."""
    known = AnsweredRequest.objects.filter(token=token, key=key).first()
    if known is not None and known.body_hash != body_hash:
        raise KeyReused(_("This Idempotency-Key was used for another body."))
    return known


def _answer(store: str, answer: dict[str, Any]) -> Response:
    return Response(answer, headers={"Location": reverse("api:order", args=[store, answer["id"]])})
