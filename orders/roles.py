"""Which rights there are, in the words of the shop, and what each built-in role may do: one readable table."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.apps import apps as registry
from django.core.exceptions import FieldDoesNotExist
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

OWNER, MANAGER, CLERK, PACKER, ACCOUNTANT, READER = "owner", "manager", "clerk", "packer", "accountant", "reader"
LETTERS = {"o": OWNER, "m": MANAGER, "c": CLERK, "p": PACKER, "a": ACCOUNTANT, "r": READER}
MANAGE_STAFF = "orders.manage_staff"


@dataclass(frozen=True)
class BuiltIn:
    """A role that every shop has. Its group is made under the English name; staff may rename it."""

    code: str
    english: str
    name: Promise
    purpose: Promise
    refund_limit: Decimal | None = None
    default_view: str = ""


BUILT_IN = (
    BuiltIn(OWNER, "Owner", pgettext_lazy("role", "Owner"), _("Everything, staff and roles included. Its rights can't be taken away.")),
    BuiltIn(MANAGER, "Manager", pgettext_lazy("role", "Manager"), _("Runs the shop: everything but staff.")),
    BuiltIn(
        CLERK,
        "Clerk",
        pgettext_lazy("role", "Clerk"),
        _("Works on orders from the sale to the parcel; small refunds."),
        Decimal(100),
        "to-process",
    ),
    BuiltIn(PACKER, "Packer", pgettext_lazy("role", "Packer"), _("Packs and ships; touches no money."), default_view="to-ship"),
    BuiltIn(
        ACCOUNTANT, "Accountant", pgettext_lazy("role", "Accountant"), _("Payments, invoices, credit notes, exports; moves no parcel.")
    ),
    BuiltIn(READER, "Read only", pgettext_lazy("role", "Read only"), _("Looks and changes nothing.")),
)
BY_CODE: Mapping[str, BuiltIn] = {role.code: role for role in BUILT_IN}


@dataclass(frozen=True)
class Right:
    """Something a person may do. `permissions` go together: a tick of the roles page gives all of them or none."""

    label: Promise
    permissions: tuple[str, ...]
    roles: str  # letters of the built-in roles that have it

    @property
    def key(self) -> str:
        """How the right is named in forms: its first permission."""
        return self.permissions[0]

    def is_in(self, held: Iterable[str]) -> bool:
        return set(self.permissions) <= set(held)


@dataclass(frozen=True)
class Section:
    title: Promise
    rights: tuple[Right, ...]


def _right(roles: str, label: Promise, *permissions: str) -> Right:
    return Right(label, tuple(name if "." in name else f"orders.{name}" for name in permissions), roles)


def _all_of(*models: str, verbs: str = "add change delete") -> tuple[str, ...]:
    return tuple(f"{app}.{verb}_{model}" for app, _dot, model in (name.partition(".") for name in models) for verb in verbs.split())


SECTIONS = (
    Section(
        _("Orders"),
        (
            #       o m c p a r: owner, manager, clerk, packer, accountant, read only
            _right("omcpar", _("See orders"), "view_order"),
            _right("omc", _("Create orders"), "add_order"),
            _right("omc", _("Edit orders, put them on hold, tag and assign them"), "change_order"),
            _right("omcp", _("Write notes"), "add_note"),
            _right("omcp", _("Change the fulfilment status"), "change_order_status"),
            _right("omc", _("Change the payment status"), "change_payment_status"),
            _right("omc", _("Cancel orders"), "cancel_order"),
            _right("om", _("Delete orders and restore them"), "delete_order"),
            _right("omcp", _("Record parcels and returns"), "ship_order"),
            _right("omcpa", _("Print orders and packing slips"), "print_order"),
            _right("omc", _("See all drafts and carts"), "view_draft"),
            _right("omc", _("Take up drafts of others"), "change_draft"),
            _right("om", _("Delete drafts"), "delete_draft"),
            _right("om", _("Share views with everybody"), "share_savedview"),
            _right("om", _("Follow the bulk changes of others"), "view_bulkjob"),
        ),
    ),
    Section(
        _("Money"),
        (
            _right("omcar", _("See sales, payments and what customers spent"), "view_sales"),
            _right("omca", _("Record payments"), "record_payment"),
            _right("omc", _("Record refunds, up to the limit of the role"), "refund_order"),
            _right("omcar", _("See invoices"), "invoices.view_invoice"),
            _right("omca", _("Issue invoices"), "invoices.issue_invoice"),
            _right("oma", _("Credit invoices"), "invoices.credit_invoice"),
            _right("oma", _("Export invoices"), "invoices.export_invoice"),
        ),
    ),
    Section(
        _("Customers and data"),
        (
            _right("omcar", _("See customers"), "view_customer"),
            _right("om", _("Change customers"), "change_customer", "add_customer", "delete_customer"),
            _right("oma", _("Export orders"), "export_order"),
            _right("om", _("Export personal data"), "export_personal_data"),
            _right("om", _("Import orders"), "import_order"),
            _right("omcr", _("See outgoing mail"), "notifications.view_outgoingemail"),
            _right("omc", _("Send, stop and repeat mails"), "notifications.send_outgoingemail"),
        ),
    ),
    Section(
        _("Articles and stock"),
        (
            _right("omcr", _("See products"), "view_product"),
            _right("om", _("Change products"), *_all_of("orders.product", "orders.digitalfile", "orders.variant")),
            _right("omcpr", _("See the stock"), "view_variant"),
            _right("om", _("Correct the stock, receive goods"), "adjust_stock"),
            _right("om", _("Sell below zero"), "oversell_variant"),
        ),
    ),
    Section(
        _("Shop"),
        (
            _right(
                "om",
                _("See the settings"),
                *_all_of(
                    "orders.shop",
                    "orders.status",
                    *(f"orders.{m}" for m in ("paymentmethod", "shippingmethod", "carrier", "taxclass", "taxrate")),
                    "invoices.sellerprofile",
                    verbs="view",
                ),
            ),
            _right(
                "om",
                _("Change the settings"),
                "change_shop",
                *_all_of(
                    "orders.status",
                    "orders.statusalias",
                    *(f"orders.{m}" for m in ("paymentmethod", "shippingmethod", "carrier", "taxclass", "taxrate")),
                ),
                "invoices.change_sellerprofile",
            ),
            _right(
                "om",
                _("Manage number series"),
                "invoices.manage_series",
                "invoices.view_invoiceseries",
                "invoices.add_invoiceseries",
                "invoices.change_invoiceseries",
            ),
            _right("om", _("See the mail templates"), "notifications.view_emailtemplate"),
            _right("om", _("Change the mail templates"), "notifications.change_emailtemplate"),
            _right("om", _("Manage the tokens of the online shop"), *_all_of("orders.apitoken", verbs="view add change")),
            _right("o", _("Manage staff and roles"), "manage_staff"),
        ),
    ),
)
RIGHTS: tuple[Right, ...] = tuple(right for section in SECTIONS for right in section.rights)
GRANTABLE: frozenset[str] = frozenset(name for right in RIGHTS for name in right.permissions)

# Permissions that Django makes for each model and nobody needs: parts of an order go through its wishes, the ledger and what is
# issued are never edited, people and views belong to themselves. A test holds that each permission is above or here.
UNUSED_MODELS = frozenset(
    {
        *("orders." + name for name in ("orderaddress", "orderline", "orderdiscount", "ordersurcharge", "externaldocument", "orderevent")),
        *("orders." + name for name in ("payment", "refund", "refundline", "shipment", "shipmentline", "stockmovement", "linedecision")),
        *("orders." + name for name in ("numbercounter", "tag", "rawdocument", "answeredrequest", "role", "staffprofile", "savedview")),
        *("invoices." + name for name in ("invoicecounter", "pendingdocument", "invoiceevent")),
        *("notifications." + name for name in ("mailswitch", "filedownload")),
    }
)
UNUSED = frozenset(
    {
        "orders.change_note",
        "orders.delete_note",
        "orders.view_note",
        "orders.add_shop",
        "orders.delete_shop",
        "orders.add_draft",
        "orders.view_statusalias",
        "orders.view_digitalfile",
        "orders.delete_apitoken",
        "invoices.delete_invoiceseries",
        "invoices.add_sellerprofile",
        "invoices.delete_sellerprofile",
        "notifications.add_emailtemplate",
        "notifications.delete_emailtemplate",
    }
)


def permissions_of(code: str) -> frozenset[str]:
    """What the table gives to a built-in role."""
    letter = next(letter for letter, name in LETTERS.items() if name == code)
    return frozenset(name for right in RIGHTS if letter in right.roles for name in right.permissions)


def right_of(permission: str) -> Right | None:
    """The right that a permission belongs to; None for one that no role gives."""
    return next((right for right in RIGHTS if permission in right.permissions), None)


def role_name(group_name: str, code: str) -> str:
    """A built-in role under its translated name, until staff rename it."""
    built_in = BY_CODE.get(code)
    return str(built_in.name) if built_in and group_name == built_in.english else group_name


def ensure_roles(app_config: Any = None, apps: Any = None, using: str = "default", **_more: Any) -> None:
    """After each migration: make the built-in roles that are missing, and give them each permission of the table once.

    What staff took away from a role stays away: `Role.offered` holds what was given. Groups that are no role yet become one.
    """
    if app_config is not None and app_config.label not in _LABELS:
        return
    apps = apps or registry
    try:
        role_model, group_model = apps.get_model("orders", "Role"), apps.get_model("auth", "Group")
        permission_model, user_model = apps.get_model("auth", "Permission"), apps.get_model("auth", "User")
        role_model._meta.get_field("offered")
    except (LookupError, FieldDoesNotExist):
        return  # migrated back to before there were roles
    known = {role.code: role for role in role_model.objects.using(using).exclude(code="")}
    ids = {
        f"{app}.{codename}": pk
        for pk, app, codename in permission_model.objects.using(using).values_list("pk", "content_type__app_label", "codename")
    }
    for position, built_in in enumerate(BUILT_IN):
        role = known.get(built_in.code) or _make_role(role_model, group_model, user_model, built_in, position, using)
        new = sorted((permissions_of(built_in.code) & ids.keys()) - set(role.offered))
        if new:
            role.group.permissions.add(*[ids[name] for name in new])
            role.offered = sorted({*role.offered, *new})
            role.save(using=using, update_fields=["offered"])
    for group in group_model.objects.using(using).filter(role__isnull=True):
        role_model.objects.using(using).create(group=group, position=len(BUILT_IN))


def _make_role(role_model: Any, group_model: Any, user_model: Any, built_in: BuiltIn, position: int, using: str) -> Any:
    taken = group_model.objects.using(using).filter(name=built_in.english).exists()
    group = group_model.objects.using(using).create(name=f"{built_in.english} (built-in)" if taken else built_in.english)
    if built_in.code == OWNER:  # whoever had every right so far is an owner
        group.user_set.add(*user_model.objects.using(using).filter(is_superuser=True))
    return role_model.objects.using(using).create(
        group=group,
        code=built_in.code,
        position=position,
        refund_limit=built_in.refund_limit,
        default_view=built_in.default_view,
    )


_LABELS = frozenset(name.partition(".")[0] for name in GRANTABLE)


def sections_with(held: Iterable[str]) -> Iterator[tuple[Section, list[tuple[Right, bool]]]]:
    """The table with a tick per right for whoever holds these permissions."""
    names = frozenset(held)
    for section in SECTIONS:
        yield section, [(right, right.is_in(names)) for right in section.rights]
