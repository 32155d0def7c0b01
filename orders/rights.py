"""Refusing a page for want of a right, so that the page of the refusal can name the right and who may give it."""

from typing import Any

from django.core.exceptions import PermissionDenied


class MissingRight(PermissionDenied):
    """`permission` ("app.codename") is what the person would need."""

    def __init__(self, permission: str) -> None:
        super().__init__(permission)
        self.permission = permission


def require_draft(user: Any, draft: Any, permission: str) -> None:
    """Everybody works on drafts of their own; those of others need `permission`. Raises MissingRight."""
    if draft.created_by_id is None or draft.created_by_id != user.pk:
        require(user, permission)


def require(user: Any, *permissions: str) -> None:
    """Raises MissingRight for the first of `permissions` that `user` lacks."""
    for permission in permissions:
        if not user.has_perm(permission):
            raise MissingRight(permission)
