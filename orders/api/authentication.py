"""Who calls the API: a bearer token of the online shop, bound to one store."""

from dataclasses import dataclass

from django.utils.translation import gettext as _
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from orders.api.tokens import find_token
from orders.models import ApiToken


@dataclass(frozen=True)
class Caller:
    """The program behind a token; it is no user of the back office."""

    token: ApiToken
    is_authenticated: bool = True
    is_active: bool = True

    @property
    def pk(self) -> int:
        return self.token.pk


class TokenAuthentication(BaseAuthentication):
    def authenticate(self, request: Request) -> tuple[Caller, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts:
            return None
        if len(parts) != 2 or parts[0].lower() != b"bearer":
            raise AuthenticationFailed(_("Send the header Authorization: Bearer followed by the token."))
        token = find_token(parts[1].decode("utf-8", "replace"))
        if token is None:
            raise AuthenticationFailed(_("This token is unknown or revoked."))
        return Caller(token), token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
