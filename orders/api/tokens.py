"""Keys of the online shop: made once, shown once, stored as a hash."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from orders.models import ApiToken

PREFIX_LENGTH = 12
_USED_EVERY = timedelta(minutes=5)  # how exact "last used" is: not a write per request


def issue_token(name: str, *, store_id: str = "1", user: AbstractBaseUser | None = None) -> tuple[ApiToken, str]:
    """Make a token and give back its secret, which can't be shown again."""
    secret = f"shop_{secrets.token_urlsafe(32)}"
    token = ApiToken.objects.create(
        name=name, store_id=store_id, prefix=secret[:PREFIX_LENGTH], secret_hash=_hash(secret), created_by_id=user.pk if user else None
    )
    return token, secret


def revoke_token(token: ApiToken) -> None:
    """Refuse the token from now on. Revoking it again changes nothing."""
    if token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])


def find_token(secret: str) -> ApiToken | None:
    """The token with this secret that is not revoked."""
    wanted = _hash(secret)
    token = ApiToken.objects.filter(secret_hash=wanted, revoked_at=None).first()
    if token is None or not hmac.compare_digest(token.secret_hash, wanted):
        return None
    now = timezone.now()
    if token.last_used_at is None or now - token.last_used_at > _USED_EVERY:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token


def _hash(secret: str) -> str:
    # The secret has 256 random bits: a plain hash can't be guessed backwards.
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
