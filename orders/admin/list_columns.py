"""The columns of the orders list: what each shows, what it reads, and how rows are written as HTML in one go."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from django.contrib.auth import get_user_model
from django.db.models import F, Q, Sum
from django.db.models.functions import Least
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from orders.models import Order, OrderAddress, OrderLine, Status
from orders.money import format_money
from orders.parcelled import Parcelled, parcelled_of
from orders.templatetags.orders import day, full_moment, marked, moment, pill

Match = tuple[str, str, str]  # label, text as it stands on the order, the part that was searched


@dataclass
class Row:
    """An order of the list with what the table shows beyond its own columns."""

    order: Order
    city: str = ""
    country: str = ""
    pieces: int = 0
    items: str = ""
    shipped: Parcelled = field(default_factory=Parcelled)
    tags: list[str] = field(default_factory=list)
    assignee: str = ""
    matches: list[Match] = field(default_factory=list)

    def note_shipped(self, shipped: int, total: int) -> None:
        """How many of the pieces are in parcels; a status that says that the goods left says it of all."""
        self.shipped = Parcelled(total if self.order.fulfilment_status.goods_left else shipped, total)


@dataclass(frozen=True)
class Column:
    """`cell` gives the content of the cell; `css` its classes; `sort` the column of `SORTS` that a click on the head sorts by."""

    key: str
    label: Any
    cell: Callable[[Row, str], Any]
    css: str = ""
    sort: str = ""
    is_fixed: bool = False

    @property
    def is_number(self) -> bool:
        return "num" in self.css.split()


def _when(row: Row, text: str) -> Any:
    at = row.order.placed_at
    return format_html('<time datetime="{}" title="{}">{}</time>', at.isoformat(), full_moment(at), moment(at))


def _method(row: Row, text: str) -> str:
    return Truncator(row.order.shipping_method).chars(28)


def _money(name: str) -> Callable[[Row, str], str]:
    return lambda row, text: format_money(getattr(row.order, name), row.order.currency)


COLUMNS: tuple[Column, ...] = (
    Column("number", gettext_lazy("No."), lambda row, text: "", sort="number", is_fixed=True),
    Column("placed", gettext_lazy("Date"), _when, "fit muted c-date not-phone", sort="placed_at"),
    Column("customer", gettext_lazy("Customer"), lambda row, text: "", sort="customer_name", is_fixed=True),
    Column("payment", gettext_lazy("Payment"), lambda row, text: "", "c-pay"),
    Column("fulfilment", gettext_lazy("Fulfilment"), lambda row, text: "", "c-ship"),
    Column("method", pgettext_lazy("orders", "Method"), _method, "quiet c-low not-phone"),
    Column("pieces", gettext_lazy("Pieces"), lambda row, text: row.pieces, "num muted c-low not-phone"),
    Column("total", gettext_lazy("Total"), _money("total"), "num strong c-total", sort="total"),
    Column("items", gettext_lazy("Items"), lambda row, text: row.items, "quiet c-items not-phone"),
    Column("email", gettext_lazy("E-mail"), lambda row, text: marked(row.order.email, text), "quiet not-phone"),
    Column("phone", gettext_lazy("Phone"), lambda row, text: row.order.phone, "quiet not-phone"),
    Column("country", gettext_lazy("Country"), lambda row, text: row.country, "quiet not-phone"),
    Column("payment_method", gettext_lazy("Payment method"), lambda row, text: row.order.payment_method, "quiet not-phone"),
    Column("paid", gettext_lazy("Paid"), _money("paid_total"), "num not-phone"),
    Column("balance", gettext_lazy("Balance due"), _money("balance_due"), "num not-phone"),
    Column("assignee", gettext_lazy("Assignee"), lambda row, text: row.assignee, "quiet not-phone"),
    Column("follow_up", gettext_lazy("Follow-up"), lambda row, text: day(row.order.follow_up_on), "quiet not-phone"),
    Column("tag_names", gettext_lazy("Tags"), lambda row, text: ", ".join(row.tags), "quiet c-items not-phone"),
    Column("coupon", gettext_lazy("Coupon"), lambda row, text: row.order.coupon_code, "quiet not-phone"),
    Column("source", gettext_lazy("Source"), lambda row, text: row.order.source.capitalize(), "quiet not-phone"),
    Column("updated", gettext_lazy("Last change"), lambda row, text: moment(row.order.updated_at), "muted not-phone", sort="updated_at"),
)
BY_KEY = {column.key: column for column in COLUMNS}
DEFAULT = ("number", "placed", "customer", "payment", "fulfilment", "method", "pieces", "total")
FIXED = ("number", "customer")


def chosen_columns(keys: Iterable[str]) -> list[Column]:
    """The columns a person chose, in their order; number and customer always stand there. Nothing chosen: the usual eight."""
    known = [key for key in dict.fromkeys(keys) if key in BY_KEY]
    if not known:
        known = list(DEFAULT)
    return [BY_KEY[key] for key in ([key for key in FIXED if key not in known] + known)]


def rows_of(orders: Sequence[Order], statuses: Iterable[Status], columns: Sequence[Column]) -> list[Row]:
    """The rows of a page: addresses, pieces and tags in three queries for all of them, and only what the columns ask for."""
    by_pk = {status.pk: status for status in statuses}
    ids = [order.pk for order in orders]
    if not ids:
        return []
    shown = {column.key for column in columns}
    rows = {}
    for order in orders:
        order.payment_status, order.fulfilment_status = by_pk[order.payment_status_id], by_pk[order.fulfilment_status_id]
        rows[order.pk] = Row(order)
    places = OrderAddress.objects.filter(order__in=ids).values_list("order_id", "kind", "city", "country").order_by("kind")
    for pk, kind, city, country in places:
        # "billing" sorts before "shipping": where the parcel goes wins.
        wins = kind == OrderAddress.Kind.SHIPPING
        rows[pk].city = city if wins and city else rows[pk].city or city
        rows[pk].country = country if wins and country else rows[pk].country or country
    if "items" in shown:
        _add_items(rows)
    else:
        _count_pieces(rows)
    for pk, name in Order.tags.through.objects.filter(order__in=ids).order_by("tag__name").values_list("order_id", "tag__name"):
        rows[pk].tags.append(name)
    if "assignee" in shown and (people := {order.assignee_id for order in orders if order.assignee_id}):
        names = {p.pk: p.get_full_name() or p.get_username() for p in get_user_model()._default_manager.filter(pk__in=people)}
        for row in rows.values():
            row.assignee = names.get(row.order.assignee_id or 0, "")
    return list(rows.values())


def _count_pieces(rows: Mapping[int, Row]) -> None:
    """Pieces of each order, and how many of those that need a parcel are in one."""
    needs_parcel = Q(is_digital=False)
    open_pieces = F("quantity") - F("pieces_shelf") - F("pieces_lost")
    counted = OrderLine.objects.filter(order__in=list(rows), is_removed=False).order_by().values_list("order_id")
    sums = {
        "pieces": Sum("quantity"),
        "shipped": Sum(Least(open_pieces, F("pieces_shipped") - F("pieces_back")), filter=needs_parcel),
        "total": Sum(open_pieces, filter=needs_parcel),
    }
    for pk, pieces, shipped, total in counted.annotate(**sums):
        rows[pk].pieces = pieces
        rows[pk].note_shipped(shipped or 0, total or 0)


def _add_items(rows: Mapping[int, Row]) -> None:
    """Names and quantities of the first items of each order; every line counts for the pieces."""
    named: dict[int, list[str]] = defaultdict(list)
    lines = OrderLine.objects.filter(order__in=list(rows), is_removed=False).order_by("order_id", "position", "id")
    held = ("id", "order_id", "name", "quantity", "is_digital", "pieces_shelf", "pieces_lost", "pieces_back", "pieces_shipped")
    shipped: dict[int, list[OrderLine]] = defaultdict(list)
    for line in lines.only(*held):
        rows[line.order_id].pieces += line.quantity
        named[line.order_id].append(f"{line.quantity} × {line.name}")
        shipped[line.order_id].append(line)
    for pk, of_order in shipped.items():
        rows[pk].shipped = parcelled_of(rows[pk].order, of_order)
    for pk, names in named.items():
        rows[pk].items = ", ".join(names[:4]) + (", …" if len(names) > 4 else "")


# One row of the list, as one format for all columns: a page has fifty, and every call that escapes costs as much as a query's row.
_ROW = (
    '<tr id="order-{{pk}}"{css}>{tick}{cells}'
    '<td class="fit not-phone c-peek"><a class="btn plain small square peek" href="{{url}}" hx-get="{{peek}}" hx-target="#peek"'
    ' hx-swap="innerHTML" aria-label="{look}">{glyph}</a></td></tr>\n'
)
_TICK = '<td class="fit not-phone c-tick"><input type="checkbox" class="row-check" name="ids" value="{{pk}}" aria-label="{}"></td>'
_NUMBER = '<th scope="row" class="fit not-phone"><a class="row-link" href="{url}">#{number}</a></th>'
_WHO = (
    '<td class="c-who"><a class="row-link" href="{url}" tabindex="-1"><span class="strong">{name}</span></a>'
    ' {where}{tags}</td><td class="c-meta muted small">{meta}</td>'
)


def write_rows(
    rows: Iterable[Row], columns: Sequence[Column], *, text: str = "", may_tick: bool = False, within: str = "", is_new: bool = False
) -> SafeString:
    """Rows as HTML, the words of the search marked. `within` is the address of the list: links and peeks stay in its result."""
    pills: dict[Status, SafeString] = {}
    suffix = f"?in={quote(within, safe='')}" if within else ""
    pattern, lock = _row_pattern(columns, may_tick=may_tick, is_new=is_new), _glyph("lock")
    # Addresses differ by the id alone: looked up once, not a hundred times.
    place, peek_place = (reverse(f"admin:orders_order_{name}", args=[0]).split("/0/") for name in ("change", "peek"))
    shown = {column.key: column.cell for column in columns if column.key not in ("number", "customer", "payment", "fulfilment")}
    tag_css = "tag only-phone" if "tag_names" in shown else "tag"
    parts = []
    for row in rows:
        order, pk = row.order, str(row.order.pk)
        for status in (order.payment_status, order.fulfilment_status):
            if status not in pills:
                pills[status] = pill(status)
        cells = {key: cell(row, text) for key, cell in shown.items()}
        parts.append(
            format_html(
                pattern,
                pk=pk,
                url=f"/{pk}/".join(place) + suffix,
                peek=f"/{pk}/".join(peek_place) + suffix,
                plain=order.number,
                number=marked(order.number, text.lstrip("#")),
                payment=pills[order.payment_status],
                fulfilment=pills[order.fulfilment_status],
                **_who(row, text, lock, tag_css),
                **cells,
            )
        )
    return format_html_join("", "{}", ((part,) for part in parts))


def _row_pattern(columns: Sequence[Column], *, may_tick: bool, is_new: bool) -> SafeString:
    """The format of a row: the values of an order stand in it by name."""
    words = {"number": "{plain}"}
    cells = []
    for column in columns:
        if column.key == "customer":
            cells.append(SafeString(_WHO))
        elif column.key == "number":
            cells.append(SafeString(_NUMBER))
        else:
            cells.append(format_html('<td class="{}">{{{}}}</td>', column.css, SafeString(column.key)))
    return format_html(
        _ROW,
        css=SafeString(' class="is-new"') if is_new else "",
        tick=format_html(_TICK, _("Tick order %(number)s") % words) if may_tick else "",
        cells=format_html_join("", "{}", ((cell,) for cell in cells)),
        look=_("Look at order %(number)s here") % words,
        glyph=_glyph("panel-right"),
    )


def _who(row: Row, text: str, lock: SafeString, tag_css: str) -> dict[str, Any]:
    """What the cell of the customer says, and the line of the card on the phone. `tag_css`: a column may show the tags by itself."""
    order = row.order
    facts: list[Any] = [format_html("{}{}", lock, _("On hold"))] if order.is_held else []
    facts += [_("Oversold")] if order.is_oversold else []
    if row.shipped.is_partly:
        facts.append(_("%(shipped)d of %(total)d shipped") % {"shipped": row.shipped.shipped, "total": row.shipped.total})
    facts += [order.source.capitalize()] if order.source != Order.OWN else []
    tags = [("tag", fact) for fact in facts] + [(tag_css, name) for name in row.tags]
    if row.matches:
        found = format_html_join(" · ", "{} {}", ((label, marked(shown, part)) for label, shown, part in row.matches))
        where = format_html('<span class="small quiet match">{}</span>', found)
    else:
        where = format_html('<span class="muted not-phone">{}</span>', marked(row.city, text))
    return {
        "name": marked(order.customer_name or order.email or order.phone, text),
        "where": where,
        "tags": format_html_join("", ' <span class="{}">{}</span>', tags) if tags else "",
        "meta": " · ".join(part for part in (f"#{order.number}", moment(order.placed_at), order.shipping_method) if part),
    }


def _glyph(name: str) -> SafeString:
    return format_html('<svg class="icon" aria-hidden="true"><use href="{}#i-{}"/></svg>', static("icons.svg"), name)
