"""Reads a body: JSON with exact numbers, bounded in size and depth, without what no column can hold."""

import json
from collections.abc import Mapping
from typing import IO, Any

from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser

from orders.api.refusals import TooLarge, WrongFields
from orders.importers.ecwid.fields import Problems, check_values
from orders.importers.ecwid.reading import decode

SIZE_LIMIT = 5 * 1024 * 1024


class DecimalJSONParser(BaseParser):
    """Numbers become int or Decimal from their text; a body that is too large is refused before it is read."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """Raises TooLarge (413), ParseError for what is not JSON in UTF-8, WrongFields for values that can't be stored."""
        request = (parser_context or {}).get("request")
        length = request.META.get("CONTENT_LENGTH") if request is not None else None
        if length and str(length).isdigit() and int(length) > SIZE_LIMIT:
            raise _too_large()
        body = stream.read(SIZE_LIMIT + 1)
        if len(body) > SIZE_LIMIT:
            raise _too_large()
        try:
            value = decode(body.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise ParseError(_("The body is not UTF-8 text: byte %(at)d.") % {"at": error.start}) from None
        except json.JSONDecodeError as error:
            place = {"line": error.lineno, "column": error.colno, "reason": error.msg}
            raise ParseError(_("The body is not JSON: line %(line)d, column %(column)d: %(reason)s.") % place) from None
        except RecursionError:
            raise ParseError(_("The body is nested too deep.")) from None
        problems = Problems()
        check_values(value, problems)
        if problems.lines:
            raise WrongFields(split_problems(problems.lines))
        return value


def split_problems(lines: list[str]) -> list[tuple[str, str]]:
    """`$.items[0].quantity: …` as field `items[0].quantity` and its message."""
    found = []
    for line in lines:
        path, _colon, message = line.partition(": ")
        found.append((path.removeprefix("$").removeprefix("."), message))
    return found


def _too_large() -> TooLarge:
    return TooLarge(_("The body is larger than %(limit)d MB.") % {"limit": SIZE_LIMIT // 1024 // 1024})
