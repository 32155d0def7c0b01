"""Names per language as one field per language, instead of the JSON they are stored in."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext as _


def name_field(code: str) -> str:
    return f"name_{code.replace('-', '_')}"


NAME_FIELDS = tuple(name_field(code) for code, _language in settings.LANGUAGES)


class NamesForm(forms.ModelForm):
    """A form of a row with `names`; subclasses list it in no Meta, the fields are made here."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = self.instance.names if self.instance.pk else {}
        for code, _language in settings.LANGUAGES:
            if name_field(code) in self.fields:
                self.initial.setdefault(name_field(code), names.get(code, ""))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        shown = [name_field(code) for code, _language in settings.LANGUAGES if name_field(code) in self.fields]
        if shown and not any(values.get(name) for name in shown) and not any(name in self.errors for name in shown):
            self.add_error(shown[0], _("Give a name in at least one language."))
        return values

    def typed_names(self) -> dict[str, str]:
        """The names as typed, those of other languages kept."""
        names = dict(self.instance.names or {})
        for code, _language in settings.LANGUAGES:
            if name_field(code) in self.cleaned_data:
                names[code] = self.cleaned_data[name_field(code)].strip()
        return {code: name for code, name in names.items() if name}

    def save(self, commit: bool = True) -> Any:
        self.instance.names = self.typed_names()
        return super().save(commit)


def with_names(form: type[NamesForm], *, length: int = 60) -> type[NamesForm]:
    """`form` with one name field per language of the back office."""
    fields = {name_field(code): forms.CharField(label=language, max_length=length, required=False) for code, language in settings.LANGUAGES}
    return type(form.__name__, (form,), fields)
