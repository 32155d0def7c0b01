"""Which orders are shipped in part, as conditions of queries: told from their lines, no column says it."""

from collections.abc import Iterable

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from orders.choices import Axis
from orders.models import OrderLine, Status


def partly_shipped(statuses: Iterable[Status]) -> Q:
    """The condition of an order whose pieces are in parcels in part: something left, something is still to be shipped.

    The statuses that let an order wait keep the question to the few orders that do: the others are never asked for their lines.
    """
    statuses = list(statuses)
    waiting = [s.pk for s in statuses if s.axis == Axis.FULFILMENT and not s.goods_left and not s.releases_unshipped]
    live = [s.pk for s in statuses if s.axis == Axis.PAYMENT and not s.releases]
    gone = _lines_with_boxes().filter(pieces_shipped__gt=F("pieces_back"))
    return Q(Exists(gone), Exists(unshipped_lines()), fulfilment_status__in=waiting, payment_status__in=live)


def unshipped_lines() -> QuerySet[OrderLine]:
    """Lines of the order of an outer query with pieces that no parcel names."""
    named = F("pieces_shelf") + F("pieces_lost") + F("pieces_shipped") - F("pieces_back")
    return _lines_with_boxes().filter(quantity__gt=named)


def _lines_with_boxes() -> QuerySet[OrderLine]:
    return OrderLine.objects.filter(order=OuterRef("pk"), is_removed=False, is_digital=False)
