"""Who wants what: actors, wishes, the plan of a wish and what became of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.utils.translation import gettext as _

from orders.choices import ChangeSource
from orders.errors import NotAllowed, OrderError, StaleOrder
from orders.models import Order, OrderEvent
from orders.services.change import PlannedChange
from orders.services.world import World


@dataclass(frozen=True)
class Actor:
    """Who wants a change, and through which face."""

    source: ChangeSource
    user: Any = None
    name: str = ""

    @classmethod
    def clerk(cls, user: Any) -> "Actor":
        return cls(ChangeSource.CLERK, user, user.get_full_name() or user.get_username())

    @classmethod
    def api(cls, name: str) -> "Actor":
        return cls(ChangeSource.API, None, name)

    @classmethod
    def task(cls, name: str = "") -> "Actor":
        return cls(ChangeSource.TASK, None, name)

    @property
    def is_staff(self) -> bool:
        """A person in the back office: what they cause waits out the undo window."""
        return self.source == ChangeSource.CLERK

    def may(self, permission: str) -> bool:
        """Programs may do what their face lets through; people need the right."""
        return self.user is None or self.user.has_perm(permission)


@dataclass(kw_only=True)
class Wish:
    """What somebody wants of some orders. Subclasses say what becomes of one order; the engine does the rest.

    `skip` holds keys of optional consequences that were unticked; `oversell` sells below zero knowingly (a right of its own);
    `versions` are the versions the actor saw, per order id; `batch` marks the events of chunks that are one click.
    """

    actor: Actor
    skip: frozenset[str] = frozenset()
    oversell: bool = False
    versions: Mapping[int, int] = field(default_factory=dict)
    personal_word: str = ""
    batch: UUID | None = None

    def order_ids(self) -> Sequence[int]:
        """Orders that the wish is about; none for a wish that makes an order."""
        return ()

    def variant_ids(self) -> Iterable[int]:
        """Variants beyond those of the orders' lines (a new order's)."""
        return ()

    def plan_order(self, order: Order, world: World) -> PlannedChange:
        """The change of one order. Raises OrderError to refuse it."""
        raise TypeError(f"{type(self).__name__} changes no order")

    def plan_new(self, world: World) -> PlannedChange:
        """The order that the wish makes. Raises OrderError to refuse it."""
        raise TypeError(f"{type(self).__name__} makes no order")

    def saved(self, changes: Sequence[PlannedChange]) -> None:
        """Called inside the transaction when `changes` are written: rows of the face that must stand or fall with them."""

    def require(self, permission: str, refusal: str) -> None:
        """Raises NotAllowed with `refusal` where the actor lacks the right."""
        if not self.actor.may(permission):
            raise NotAllowed(refusal)

    def check_version(self, order: Order) -> None:
        """Raises StaleOrder where the order was deleted or is no longer as the actor saw it."""
        if order.deleted_at is not None:
            raise StaleOrder(_("This order was deleted."))
        if self.versions.get(order.pk, order.version) != order.version:
            raise StaleOrder(_("This order changed meanwhile. Nothing was saved; look at it again."))


@dataclass(kw_only=True)
class OneOrderWish(Wish):
    order_id: int

    def order_ids(self) -> Sequence[int]:
        return (self.order_id,)


@dataclass(kw_only=True)
class OrdersWish(Wish):
    ids: Sequence[int]

    def order_ids(self) -> Sequence[int]:
        return self.ids


@dataclass
class Plan:
    """Everything a wish would do: a change per order, refusals with their reason, orders already as wished."""

    wish: Wish
    world: World
    changes: list[PlannedChange] = field(default_factory=list)
    refusals: dict[int, OrderError] = field(default_factory=dict)
    unchanged: list[int] = field(default_factory=list)
    is_locked: bool = False  # planned under the locks, inside the transaction that writes it

    def refuse(self, change: PlannedChange, error: OrderError) -> None:
        """Take a change out of the plan; planners call it while they look at `changes`."""
        self.refusals[change.order.pk or 0] = error
        self.changes = [other for other in self.changes if other is not change]

    @property
    def release_at(self) -> datetime:
        """When customer mails and rule-issued documents of this plan may leave: staff can take a change back until then."""
        if self.wish.actor.is_staff:
            return self.world.now + timedelta(seconds=self.world.shop.undo_seconds)
        return self.world.now

    @property
    def is_held(self) -> bool:
        return self.release_at > self.world.now

    def digests(self) -> dict[int, str]:
        return {change.order.pk or 0: change.digest() for change in self.changes}


@dataclass
class Outcome:
    """What became of a wish."""

    events: list[OrderEvent] = field(default_factory=list)
    refusals: dict[int, OrderError] = field(default_factory=dict)
    unchanged: list[int] = field(default_factory=list)

    @property
    def event(self) -> OrderEvent | None:
        """The event of a wish about one order."""
        return self.events[0] if self.events else None

    def or_raise(self) -> Self:
        """For wishes about one order: raise its refusal."""
        for error in self.refusals.values():
            raise error
        return self
