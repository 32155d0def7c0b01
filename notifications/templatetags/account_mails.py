"""The mail that last brought a person their link, for the page of that person."""

from typing import Any

from django import template

from notifications.accounts import latest_account_mail, may_read_body
from notifications.models import OutgoingEmail

register = template.Library()


@register.simple_tag
def account_mail(person: Any) -> OutgoingEmail | None:
    """`{% account_mail person as mail %}`: the newest, or nothing."""
    return latest_account_mail(person)


@register.simple_tag
def may_read(user: Any, mail: OutgoingEmail) -> bool:
    """`{% may_read user mail as is_open %}`: whether the person may open the mail and read its link."""
    return user.has_perm("notifications.view_outgoingemail") and may_read_body(user, mail)
