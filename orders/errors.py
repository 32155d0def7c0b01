"""Why a wish about an order is refused; every text is safe to show to staff."""


class OrderError(Exception):
    """A wish that can't be had. `str(error)` says why in the reader's language; nothing was changed."""

    code = "refused"

    def __init__(self, message: object, *, field: str = "", code: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        if code:
            self.code = code

    def __str__(self) -> str:
        return str(self.message)


class StaleOrder(OrderError):
    """Somebody changed the order since the reader saw it."""

    code = "stale"


class NotEnoughStock(OrderError):
    """Fewer pieces are available than the wish would take. `sku`, `asked`, `available` say which."""

    code = "out_of_stock"

    def __init__(self, message: object, *, sku: str, asked: int, available: int, field: str = "") -> None:
        super().__init__(message, field=field)
        self.sku, self.asked, self.available = sku, asked, available


class NotAllowed(OrderError):
    """The actor lacks the right."""

    code = "not_allowed"


class InvalidWish(OrderError):
    """A field of the wish is wrong; `field` names it."""

    code = "invalid"


class CannotUndo(OrderError):
    """The change is no longer the latest one, or something of it has left already."""

    code = "cannot_undo"


class DraftPlaced(OrderError):
    """The draft became an order a moment ago; placing it again would make a second one."""

    code = "placed"


class QuoteExpired(OrderError):
    """The quote's date has passed and nobody has said whether its prices still hold."""

    code = "quote_expired"
