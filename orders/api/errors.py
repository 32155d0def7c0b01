"""How the API says no: one shape for every refusal, naming field and reason."""

from typing import Any

from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.views import set_rollback

from orders.errors import DraftPlaced, NotAllowed, NotEnoughStock, OrderError, StaleOrder

# Fields of a wish under the names that the caller used.
_FIELDS = {
    "customer_name": "billingPerson.name",
    "payment_status": "paymentStatus",
    "fulfilment_status": "fulfillmentStatus",
    "external_id": "externalOrderId",
    "shipping_cost": "shippingOption.shippingRate",
    "gift_card_amount": "giftCardRedemption",
    "discounts": "discount",
}


def answer_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """The answer to an error; None for a fault of ours, which stays a 500."""
    if isinstance(error, OrderError):
        set_rollback()
        return Response(_of_refusal(error), status=_status_of(error))
    if isinstance(error, Http404):
        error = NotFound()
    if not isinstance(error, APIException):
        return None
    set_rollback()
    headers = {}
    if challenge := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = challenge
    problems = getattr(error, "problems", [])
    codes = error.get_codes()
    code = codes if isinstance(codes, str) else error.default_code
    return Response(error_body(_message_of(error), code, problems), status=error.status_code, headers=headers)


def error_body(message: str, code: str, problems: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    body: dict[str, Any] = {"errorMessage": message, "errorCode": code.upper()}
    if problems:
        body["errors"] = [{"field": field, "message": text} for field, text in problems]
    return body


def _of_refusal(error: OrderError) -> dict[str, Any]:
    body = error_body(str(error), error.code, [(_ecwid_field(error.field), str(error))] if error.field else None)
    if isinstance(error, NotEnoughStock):
        body |= {"sku": error.sku, "asked": error.asked, "available": error.available}
    return body


def _ecwid_field(field: str) -> str:
    return _FIELDS.get(field, field.replace("discounts[", "discountInfo[").replace("surcharges[", "customSurcharges["))


def _status_of(error: OrderError) -> int:
    if isinstance(error, NotAllowed):
        return status.HTTP_403_FORBIDDEN
    if isinstance(error, (NotEnoughStock, StaleOrder, DraftPlaced)) or error.field == "external_id":
        return status.HTTP_409_CONFLICT
    return status.HTTP_400_BAD_REQUEST


def _message_of(error: APIException) -> str:
    if isinstance(error, ValidationError):
        return _("The body is not valid.")
    return str(error.detail)
