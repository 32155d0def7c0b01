"""Reads amounts as people type them, in any language: 28,00 and 28.00, 1 234,50 and 1,234.50."""

import re
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.utils.formats import get_format
from django.utils.translation import gettext_lazy as _

from orders.money import format_number

_DROPPED = re.compile(r"[\s\u00a0\u202f'’€$£%]")
_PLAIN = re.compile(r"^-?\d{1,13}(\.\d{0,6})?$|^-?\.\d{1,6}$")


def read_amount(text: str) -> Decimal | None:
    """The amount that `text` means in the reader's language; None for an empty text. Raises ValueError for anything else."""
    text = _DROPPED.sub("", text).replace("\u2212", "-")
    if not text:
        return None
    separators = [char for char in text if char in ".,"]
    decimal = separators[-1] if len(set(separators)) == 2 else _decimal_of(text, separators)
    plain = "".join("." if char == decimal else char for char in text if char not in ".," or char == decimal)
    if not _PLAIN.match(plain):
        raise ValueError(text)
    try:
        return Decimal(plain)
    except InvalidOperation as error:
        raise ValueError(text) from error


def _decimal_of(text: str, separators: list[str]) -> str:
    if len(separators) != 1:
        return ""
    own = str(get_format("DECIMAL_SEPARATOR"))
    # "1,234" is a thousand in English; "1,5" is a slip of the French keyboard.
    groups = separators[0] != own and re.search(r"[.,]\d{3}$", text)
    return "" if groups else separators[0]


class AmountField(forms.CharField):
    """An amount of money or a number with decimals, 0 or more unless `least` says otherwise; empty is None."""

    default_error_messages = {
        "invalid": _("Enter a number such as %(example)s."),
        "least": _("Enter %(least)s or more."),
        "most": _("Enter at most %(most)s."),
    }

    def __init__(
        self, *, least: Decimal | None = Decimal(0), most: Decimal = Decimal("999999999"), decimals: int = 2, **options: Any
    ) -> None:
        self.least, self.most, self.decimals = least, most, decimals
        options.setdefault("required", False)
        options.setdefault("widget", forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}))
        super().__init__(**options)

    def to_python(self, value: Any) -> Any:
        if isinstance(value, Decimal):
            return value
        try:
            return read_amount(str(value or ""))
        except ValueError:
            example = format_number(Decimal("12.5"), decimals=2)
            raise forms.ValidationError(self.error_messages["invalid"], code="invalid", params={"example": example}) from None

    def validate(self, value: Any) -> None:
        if value is None:
            if self.required:
                raise forms.ValidationError(self.error_messages["required"], code="required")
            return
        if self.least is not None and value < self.least:
            raise forms.ValidationError(self.error_messages["least"], code="least", params={"least": format_number(self.least)})
        if value > self.most:
            raise forms.ValidationError(self.error_messages["most"], code="most", params={"most": format_number(self.most)})

    def run_validators(self, value: Any) -> None:
        """Amounts are checked by `validate`; the validators of a text do not apply."""

    def prepare_value(self, value: Any) -> Any:
        return (
            format_number(value, decimals=max(self.decimals, -int(value.normalize().as_tuple().exponent)))
            if isinstance(value, Decimal)
            else value
        )

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (Decimal(str(initial)) if initial is not None else None))
        except forms.ValidationError:
            return True


class DiscountField(AmountField):
    """A discount as an amount or, with a percent sign, as a share: the value is (amount, percent), one of them None."""

    def to_python(self, value: Any) -> Any:
        text = str(value or "")
        amount = super().to_python(text)
        return (None, amount) if text.strip().endswith("%") else (amount, None)

    def validate(self, value: Any) -> None:
        amount, percent = value
        super().validate(amount)
        super().validate(percent)
        if percent is not None and percent > 100:
            raise forms.ValidationError(self.error_messages["most"], code="most", params={"most": "100\u00a0%"})
