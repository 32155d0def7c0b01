"""People of the back office: what a role may do beyond permissions, and how each person likes to work."""

from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.validators import MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Role(models.Model):
    """What a group of staff is beyond its permissions. Built-in ones have a `code`; their rights can be changed like any other's."""

    group = models.OneToOneField(Group, on_delete=models.CASCADE, related_name="role", verbose_name=_("group"))
    code = models.SlugField(_("code"), max_length=30, blank=True, editable=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    refund_limit = models.DecimalField(
        _("refund up to"),
        max_digits=14,
        decimal_places=4,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal(0))],
        help_text=_("Largest single refund, in the order's currency. Empty: any amount."),
    )
    default_view = models.CharField(_("first view of the orders"), max_length=40, blank=True)
    offered = models.JSONField(default=list, blank=True, editable=False)  # given to a built-in role once: what staff take away stays away

    class Meta:
        verbose_name = _("role")
        verbose_name_plural = _("roles")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["code"], condition=~models.Q(code=""), name="one_role_per_code")]
        permissions = [("manage_staff", _("Can invite, change and disable staff"))]

    def __str__(self) -> str:
        return self.group.name


class StaffProfile(models.Model):
    """How one person works: language of the back office, columns, order and tabs of the orders list."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="staff_profile")
    language = models.CharField(_("language"), max_length=10, blank=True)
    list_columns = models.JSONField(default=list, blank=True)
    list_sort = models.CharField(max_length=40, blank=True)
    tab_order = models.JSONField(default=list, blank=True)
    hidden_tabs = models.JSONField(default=list, blank=True)
    invited_at = models.DateTimeField(_("invited"), null=True, blank=True)
    invited_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = _("person's settings")
        verbose_name_plural = _("people's settings")

    def __str__(self) -> str:
        return str(self.user)

    @classmethod
    def of(cls, user: Any) -> "StaffProfile":
        """The person's settings; unsaved defaults where nothing was ever set."""
        return cls.objects.filter(user=user).first() or cls(user=user)


class SavedView(models.Model):
    """A filtered, sorted list of orders under a name: a tab of its owner's, or of everybody's when shared."""

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="saved_views", verbose_name=_("owner"))
    name = models.CharField(_("name"), max_length=40)
    query = models.TextField(_("filters"), blank=True, help_text=_("The part of the address after the question mark."))
    is_shared = models.BooleanField(_("shared with everybody"), default=False)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["owner", "name"], name="view_name_unique_per_owner")]
        permissions = [("share_savedview", _("Can share views with everybody"))]

    def __str__(self) -> str:
        return self.name

    @property
    def key(self) -> str:
        """How the view is named in addresses."""
        return f"v{self.pk}"
