"""Which of our statuses a code of Ecwid means: codes, aliases of imports, custom statuses made when first seen."""

import re

from django.utils.translation import gettext as _

from orders.choices import Axis
from orders.importers.ecwid.fields import shown
from orders.models import Status, StatusAlias

_CUSTOM = re.compile(r"CUSTOM_(?:PAYMENT|FULFILL?MENT)_STATUS_(\d{1,3})")
_FIELD = {Axis.PAYMENT: "$.paymentStatus", Axis.FULFILMENT: "$.fulfillmentStatus"}


class UnknownStatus(Exception):
    """No status has this code, and it is not one of Ecwid's custom codes."""


class StatusTable:
    """Statuses by the codes of imports. `offered` conditions do not bind imports."""

    def __init__(self) -> None:
        self._by_code: dict[tuple[str, str], Status] = {}
        self._initial: dict[str, Status] = {}
        self.read()

    def read(self) -> None:
        """Read statuses and aliases again, as after a rollback that took new ones back."""
        statuses = list(Status.objects.select_related("base"))
        self._by_code = {(status.axis, status.code): status for status in statuses}
        self._initial = {status.axis: status for status in statuses if status.is_initial}
        by_pk = {status.pk: status for status in statuses}
        for alias in StatusAlias.objects.all():
            self._by_code.setdefault((alias.axis, alias.alias.upper()), by_pk[alias.status_id])

    def find(self, axis: Axis, code: str) -> Status:
        """The status that `code` means (the axis' first one where a document names none). Raises UnknownStatus."""
        if not code:
            return self._initial[axis]
        known = self._by_code.get((axis, code))
        if known is not None:
            return known
        match = _CUSTOM.fullmatch(code)
        if match is None:
            raise UnknownStatus(_("%(field)s: there is no status %(code)s") % {"field": _FIELD[axis], "code": shown(code)})
        return self._make_custom(axis, code, int(match[1]))

    def _make_custom(self, axis: Axis, code: str, number: int) -> Status:
        base = self._initial[axis]
        status, _made = Status.objects.get_or_create(
            axis=axis,
            code=code,
            defaults={
                "base": base,
                "names": {"en": f"Custom {number}", "fr": f"Personnalisé {number}"},
                "position": 100 + number,
                "tone": base.tone,
                **base.consequences(),
            },
        )
        StatusAlias.objects.get_or_create(axis=axis, alias=code, defaults={"status": status})
        self._by_code[axis, code] = status
        return status
