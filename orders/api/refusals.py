"""Refusals that only a request can meet: wrong fields, too large a body, a key used before. Settings load this: no view in here."""

from rest_framework import status
from rest_framework.exceptions import APIException


class WrongFields(APIException):
    """The body is JSON, but not an order; `problems` are (field, message)."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "invalid"

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field}: {message}" if field else message for field, message in problems))
        self.problems = problems


class TooLarge(APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class KeyReused(APIException):
    status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
    default_code = "key_reused"
