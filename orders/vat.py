"""VAT: one function for orders and invoices, so that what the customer pays is what the invoice says.

Money is fixed per group of country, category and rate; what a single line holds of it is display. Rounding happens once per
group, halves away from zero, and everything that is spread adds up again to the smallest coin. Decimal only.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

from orders import money

ZERO = Decimal(0)
HUNDRED = Decimal(100)

GroupKey = tuple[str, str, Decimal]  # country, category, rate
_PartKey = tuple[str, str, Decimal, bool]  # a group's key, and whether the amounts include the tax


@dataclass(frozen=True)
class TaxedLine:
    """`amount` is price × quantity less the discount of the line itself, before discounts of the order."""

    amount: Decimal
    category: str
    rate: Decimal
    country: str = ""
    includes_tax: bool = True


@dataclass(frozen=True)
class Charge:
    """Shipping, handling or a surcharge. Without a category it is spread over the groups of the lines."""

    amount: Decimal
    category: str | None = None
    rate: Decimal | None = None
    country: str = ""
    includes_tax: bool = True
    kind: str = "shipping"


@dataclass(frozen=True)
class VatGroup:
    country: str
    category: str
    rate: Decimal
    base: Decimal
    vat: Decimal

    @property
    def gross(self) -> Decimal:
        return self.base + self.vat


@dataclass(frozen=True)
class Share:
    """The part of the order's discount (`index` 0) or of charge number `index` that falls on one group."""

    index: int
    country: str
    category: str
    rate: Decimal
    includes_tax: bool
    amount: Decimal
    net: Decimal


@dataclass(frozen=True)
class VatResult:
    """`line_nets` are before discounts of the order: lines_net - allowance_net + charge_net = net = sum of the bases."""

    groups: tuple[VatGroup, ...]
    line_nets: tuple[Decimal, ...]
    line_vats: tuple[Decimal, ...]  # of the line less its share of the order's discounts; display only
    discount_shares: tuple[Decimal, ...]  # per line; they sum to the discount
    allowances: tuple[Share, ...]  # the same discount per group
    charges: tuple[Share, ...]
    charge_nets: tuple[Decimal, ...]
    charge_vats: tuple[Decimal, ...]
    lines_net: Decimal
    allowance_net: Decimal
    charge_net: Decimal
    net: Decimal
    vat: Decimal
    gross: Decimal


def split_by_largest_remainder(total: Decimal, weights: Sequence[Decimal], *, exponent: int) -> list[Decimal]:
    """Split `total` in proportion to `weights`; the parts sum to `total` exactly, ties go to the first.

    Weights of nothing but zero give everything to the first part. Raises ValueError for negative weights, or no weights and an
    amount to split.
    """
    if any(weight < 0 for weight in weights):
        raise ValueError("weights must not be negative")
    if not weights:
        if total:
            raise ValueError("nothing to split the amount over")
        return []
    whole = sum(weights, ZERO)
    if not whole:
        return [total] + [ZERO] * (len(weights) - 1)
    # Finer than the coin only where the total itself is; amounts come from the database with zeros at their end.
    step = min(money.quantum(exponent), Decimal(1).scaleb(int(total.normalize().as_tuple().exponent)))
    exact = [total * weight / whole for weight in weights]
    parts = [share.quantize(step, rounding=ROUND_DOWN) for share in exact]
    missing = total - sum(parts, ZERO)
    coin = step if missing > 0 else -step
    by_remainder = sorted(range(len(parts)), key=lambda i: -abs(exact[i] - parts[i]))
    for i in by_remainder[: int(missing / coin)]:
        parts[i] += coin
    return parts


@dataclass
class _Item:
    """A line, a share of the discount (negative) or a share of a charge, on its way to a net amount."""

    amount: Decimal
    net: Decimal = ZERO
    vat: Decimal = ZERO


@dataclass
class _Group:
    key: GroupKey
    gross_items: list[_Item] = field(default_factory=list)  # prices that include the tax
    net_items: list[_Item] = field(default_factory=list)

    def items(self, *, includes_tax: bool) -> list[_Item]:
        return self.gross_items if includes_tax else self.net_items

    def settle(self, digits: int) -> VatGroup:
        """Fix base and VAT, and give every item its net so that the nets sum to the base."""
        country, category, rate = self.key
        gross = sum((item.amount for item in self.gross_items), ZERO)
        gross_base = _round(gross / (1 + rate / HUNDRED), digits)
        _give_nets(self.gross_items, gross_base, rate, digits)
        for item in self.net_items:
            item.net = item.amount
        net_base = sum((item.amount for item in self.net_items), ZERO)
        vat = gross - gross_base + _round(net_base * rate / HUNDRED, digits)
        return VatGroup(country, category, rate, gross_base + net_base, vat)


_FindGroup = Callable[[str, str, Decimal], _Group]


def compute_vat(
    lines: Sequence[TaxedLine], *, discount: Decimal = ZERO, charges: Sequence[Charge] = (), currency: str = "EUR"
) -> VatResult:
    """Groups, nets and totals of an order or invoice.

    The discount is split over the groups of the lines, then inside a group over its lines, by largest remainder; so are charges
    without a category of their own. Where all prices include the tax, the gross is what the customer pays, always.
    Raises ValueError when the discount is negative or larger than the lines, or a charge has nothing to be spread over.
    """
    digits = money.exponent(currency)
    lines = [replace(line, amount=_round(line.amount, digits)) for line in lines]
    charges = [replace(charge, amount=_round(charge.amount, digits)) for charge in charges]
    discount = _round(discount, digits)
    if not ZERO <= discount <= max(sum((line.amount for line in lines), ZERO), ZERO):
        raise ValueError("the discount must lie between nothing and the amount of the lines")
    groups: dict[GroupKey, _Group] = {}

    def group(country: str, category: str, rate: Decimal) -> _Group:
        key = (country, category, rate.normalize() + 0)
        return groups.setdefault(key, _Group(key))

    line_items: list[_Item] = []
    for line in lines:
        line_items.append(item := _Item(line.amount))
        group(line.country, line.category, line.rate).items(includes_tax=line.includes_tax).append(item)
    shares, allowance_items = _split_discount(discount, lines, group, digits)
    charge_items = _spread_charges(charges, lines, group, digits)
    settled = [part.settle(digits) for part in groups.values()]
    for part, sums in zip(groups.values(), settled, strict=True):
        _give_vats(part, sums, digits)

    allowances = tuple(_share(0, key, -item.amount, -item.net) for key, item in allowance_items)
    charge_shares = tuple(_share(i, key, item.amount, item.net) for i, key, item in charge_items)
    line_nets = tuple(item.net for item in line_items)
    lines_net = sum(line_nets, ZERO)
    allowance_net = sum((share.net for share in allowances), ZERO)
    charge_net = sum((share.net for share in charge_shares), ZERO)
    net = sum((sums.base for sums in settled), ZERO)
    vat = sum((sums.vat for sums in settled), ZERO)
    return VatResult(
        groups=tuple(settled),
        line_nets=line_nets,
        line_vats=_line_vats(lines, line_items, allowance_items, shares, digits),
        discount_shares=tuple(shares),
        allowances=allowances,
        charges=charge_shares,
        charge_nets=tuple(sum((item.net for n, _key, item in charge_items if n == i), ZERO) for i in range(len(charges))),
        charge_vats=tuple(sum((item.vat for n, _key, item in charge_items if n == i), ZERO) for i in range(len(charges))),
        lines_net=lines_net,
        allowance_net=allowance_net,
        charge_net=charge_net,
        net=net,
        vat=vat,
        gross=net + vat,
    )


def _part_key(line: TaxedLine) -> _PartKey:
    return (line.country, line.category, line.rate.normalize() + 0, line.includes_tax)


def _split_discount(
    discount: Decimal, lines: Sequence[TaxedLine], group: _FindGroup, digits: int
) -> tuple[list[Decimal], list[tuple[_PartKey, _Item]]]:
    """Shares per line, and one negative item per group."""
    shares = [ZERO] * len(lines)
    if not discount:
        return shares, []
    members: dict[_PartKey, list[int]] = {}
    for i, line in enumerate(lines):
        members.setdefault(_part_key(line), []).append(i)
    amounts = [sum((lines[i].amount for i in rows), ZERO) for rows in members.values()]
    items = []
    for (key, rows), part in zip(members.items(), split_by_largest_remainder(discount, amounts, exponent=digits), strict=True):
        inside = split_by_largest_remainder(part, [lines[i].amount for i in rows], exponent=digits)
        for i, share in zip(rows, inside, strict=True):
            shares[i] = share
        items.append((key, item := _Item(-part)))
        group(*key[:3]).items(includes_tax=key[3]).append(item)
    return shares, items


def _spread_charges(
    charges: Sequence[Charge], lines: Sequence[TaxedLine], group: _FindGroup, digits: int
) -> list[tuple[int, _PartKey, _Item]]:
    weights: dict[GroupKey, Decimal] = {}
    for line in lines:
        key = _part_key(line)[:3]
        weights[key] = weights.get(key, ZERO) + line.amount
    items = []
    for i, charge in enumerate(charges):
        if charge.category is not None:
            parts = [((charge.country, charge.category, (charge.rate or ZERO).normalize() + 0), charge.amount)]
        elif charge.amount:
            split = split_by_largest_remainder(charge.amount, list(weights.values()), exponent=digits)
            parts = [(key, part) for key, part in zip(weights, split, strict=True) if part]
        else:
            continue
        for key, part in parts:
            items.append((i, (*key, charge.includes_tax), item := _Item(part)))
            group(*key).items(includes_tax=charge.includes_tax).append(item)
    return items


def nets_of(amounts: Sequence[Decimal], base: Decimal, rate: Decimal, *, exponent: int) -> list[Decimal]:
    """Net of each tax-inclusive amount, so that they sum to `base`.

    The coins by which the rounded nets miss the base go, one each, to those rounded furthest the other way; ties to the first.
    """
    exact = [amount / (1 + rate / HUNDRED) for amount in amounts]
    nets = [_round(net, exponent) for net in exact]
    missing = base - sum(nets, ZERO)
    sign = 1 if missing > 0 else -1
    coin = sign * money.quantum(exponent)
    by_residue = sorted(range(len(nets)), key=lambda i: -sign * (exact[i] - nets[i]))
    for i in by_residue[: int(missing / coin)]:
        nets[i] += coin
    return nets


def _give_nets(items: list[_Item], base: Decimal, rate: Decimal, digits: int) -> None:
    for item, net in zip(items, nets_of([item.amount for item in items], base, rate, exponent=digits), strict=True):
        item.net = net


def _give_vats(group: _Group, sums: VatGroup, digits: int) -> None:
    """Part of the group's VAT in each item: what its price holds beyond the net; net prices share the VAT on their base."""
    for item in group.gross_items:
        item.vat = item.amount - item.net
    rest = sums.vat - sum((item.vat for item in group.gross_items), ZERO)
    plus = [item for item in group.net_items if item.amount > 0]
    minus = [item for item in group.net_items if item.amount < 0]
    taken = ZERO
    for item in minus:
        item.vat = _round(item.amount * sums.rate / HUNDRED, digits)
        taken += item.vat
    for item, vat in zip(plus, split_by_largest_remainder(rest - taken, [i.amount for i in plus], exponent=digits), strict=True):
        item.vat = vat


def _line_vats(
    lines: Sequence[TaxedLine],
    line_items: Sequence[_Item],
    allowance_items: Sequence[tuple[_PartKey, _Item]],
    shares: Sequence[Decimal],
    digits: int,
) -> tuple[Decimal, ...]:
    """VAT of each line after its share of the discount; with the VAT of the charges they sum to the VAT of the whole."""
    vats = [item.vat for item in line_items]
    for key, item in allowance_items:
        rows = [i for i, line in enumerate(lines) if _part_key(line) == key]
        for i, part in zip(rows, split_by_largest_remainder(item.vat, [shares[i] for i in rows], exponent=digits), strict=True):
            vats[i] += part
    return tuple(vats)


def _share(index: int, key: _PartKey, amount: Decimal, net: Decimal) -> Share:
    country, category, rate, includes_tax = key
    return Share(index, country, category, rate, includes_tax, amount, net)


def _round(amount: Decimal, digits: int) -> Decimal:
    return amount.quantize(money.quantum(digits), rounding=ROUND_HALF_UP)
