"""The small template language of mails: which tags, filters and names a text may use, and what keeps it harmless.

A strict subset of Django's: `if` and `for`, ten filters, names that the mail's facts hold. A text is compiled once, checked, and
rendered to a skeleton in which values stand as placeholders: what a value says can never become structure or markup.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel.dates import format_time
from django.template import Context, Engine, Library, Template, TemplateSyntaxError, defaulttags
from django.template.base import FilterExpression, Lexer, Node, NodeList, Parser, Token, TokenType, Variable, VariableNode
from django.utils.text import Truncator
from django.utils.translation import gettext as _

from invoices.wording import long_date
from orders.money import format_money

MOST_NODES = 500
MOST_BYTES = 50_000
MOST_DEPTH = 10
MOST_ROWS = 100
LISTS = frozenset({"items", "taxes", "shipments"})
FORLOOP = frozenset({"counter", "counter0", "first", "last"})
OPEN, CLOSE = "\ue000", "\ue001"  # around the number of a value; private use, removed from texts and values alike


class BadText(Exception):
    """A text of a mail that can't be used; `str()` says why, in the reader's language."""


class Lines(str):
    """A value that keeps its line breaks."""

    __slots__ = ()


class Skeleton:
    """A rendered text: literal text with numbered placeholders, and the values they stand for."""

    def __init__(self, text: str, values: list[Any]) -> None:
        self.text, self.values = text, values


def compile_text(source: str, language: str) -> "MailTemplate":
    """A checked template. Raises BadText where it is too large, malformed, or uses a tag or filter that mails don't have."""
    if len(source.encode(errors="replace")) > MOST_BYTES:
        raise BadText(_("The text is longer than 50 kB."))
    return _compiled(source.replace(OPEN, "").replace(CLOSE, ""), language)


def check_names(template: "MailTemplate", facts: Mapping[str, Any]) -> set[str]:
    """The names that a text uses, as "order.number". Raises BadText for one that `facts` does not hold."""
    used: set[str] = set()
    _check_nodes(template.nodelist, facts, {}, used)
    return used


def names_used(template: "MailTemplate") -> set[str]:
    """The names that a text uses, unchecked."""
    used: set[str] = set()
    _check_nodes(template.nodelist, None, {}, used)
    return used


def render_text(template: "MailTemplate", facts: Mapping[str, Any]) -> Skeleton:
    """Fill a template with facts. Raises BadText where that fails."""
    context = _ValueContext(dict(facts))
    try:
        text = template.render(context)
    except Exception as error:
        raise BadText(_("The text can't be filled: %(error)s") % {"error": type(error).__name__}) from error
    return Skeleton(text, context.found)


class MailTemplate(Template):
    """A template of the small language."""

    def compile_nodelist(self) -> NodeList:
        tokens = Lexer(self.source).tokenize()
        _check_tokens(tokens)
        parser = _StrictParser(tokens, {}, self.engine.template_builtins, self.origin)
        return parser.parse()


class _ValueContext(Context):
    """Collects the values that placeholders stand for."""

    def __init__(self, facts: dict[str, Any]) -> None:
        super().__init__(facts, autoescape=False)
        self.found: list[Any] = []


class _ValueNode(Node):
    """Writes a placeholder and keeps the value."""

    def __init__(self, expression: FilterExpression) -> None:
        self.expression = expression

    def render(self, context: Context) -> str:
        value = self.expression.resolve(context)
        if value is None or value == "":
            return ""
        context.found.append(value)  # type: ignore[attr-defined]
        return f"{OPEN}{len(context.found) - 1}{CLOSE}"  # type: ignore[attr-defined]


class _StrictParser(Parser):
    def extend_nodelist(self, nodelist: NodeList, node: Node, token: Token) -> None:
        if isinstance(node, VariableNode):
            node = _ValueNode(node.filter_expression)
        super().extend_nodelist(nodelist, node, token)


class _MailEngine(Engine):
    """Knows the tags and filters of mails, in one language, and no file."""

    default_builtins = []

    def __init__(self, language: str) -> None:
        super().__init__(autoescape=False)
        self.template_builtins = [_library(language)]


def _library(language: str) -> Library:
    library = Library()
    library.tag("if", defaulttags.do_if)
    library.tag("for", defaulttags.do_for)
    library.filter("default", lambda value, other: value or other)
    library.filter("upper", lambda value: str(value).upper())
    library.filter("lower", lambda value: str(value).lower())
    library.filter("linebreaksbr", lambda value: Lines(value))
    library.filter("length", lambda value: len(value))
    library.filter("truncatechars", lambda value, length: Truncator(str(value)).chars(int(length)))
    library.filter("date", lambda value: long_date(value.date() if isinstance(value, datetime) else value, language))
    library.filter("time", lambda value: format_time(value, "HH:mm", locale=language) if value else "")
    library.filter("money", lambda value, currency: _money(value, str(currency), language))
    return library


def _money(value: Any, currency: str, language: str) -> str:
    try:
        return format_money(Decimal(str(value)), currency, language)
    except InvalidOperation:
        return ""


@lru_cache(maxsize=8)
def _engine(language: str) -> _MailEngine:
    return _MailEngine(language)


@lru_cache(maxsize=512)
def _compiled(source: str, language: str) -> MailTemplate:
    try:
        return MailTemplate(source, engine=_engine(language))
    except (TemplateSyntaxError, RecursionError) as error:
        raise BadText(_("The text has a mistake: %(error)s") % {"error": error}) from error


def _check_tokens(tokens: Iterable[Token]) -> None:
    """Size and shape, before anything is built."""
    count = depth = loops = 0
    for token in tokens:
        if token.token_type == TokenType.TEXT and any(mark in token.contents for mark in ("{%", "%}", "{{", "}}")):
            raise TemplateSyntaxError(_("a tag is not closed"))
        if token.token_type not in (TokenType.BLOCK, TokenType.VAR):
            continue
        count += 1
        if len(token.contents) > 300:
            raise TemplateSyntaxError(_("a tag is longer than 300 characters"))
        if token.token_type == TokenType.BLOCK:
            command = token.contents.split(maxsplit=1)[0] if token.contents else ""
            depth += {"if": 1, "for": 1, "endif": -1, "endfor": -1}.get(command, 0)
            loops += {"for": 1, "endfor": -1}.get(command, 0)
        if loops > 1:
            raise TemplateSyntaxError(_("a loop may not stand inside a loop"))
        if count > MOST_NODES or depth > MOST_DEPTH:
            raise TemplateSyntaxError(_("too many tags"))


def _check_nodes(nodes: Iterable[Any], facts: Mapping[str, Any] | None, local: Mapping[str, Any], used: set[str]) -> None:
    for node in nodes:
        if isinstance(node, _ValueNode):
            _check_expression(node.expression, facts, local, used)
        elif isinstance(node, defaulttags.IfNode):
            for condition, nodelist in node.conditions_nodelists:
                for expression in _expressions(condition):
                    _check_expression(expression, facts, local, used)
                _check_nodes(nodelist, facts, local, used)
        elif isinstance(node, defaulttags.ForNode):
            looped: Any = node.sequence
            sequence = looped.var
            name = ".".join(sequence.lookups or ()) if isinstance(sequence, Variable) else ""
            if name not in LISTS or looped.filters or len(node.loopvars) != 1:
                raise BadText(_("A loop goes over items, taxes or shipments only."))
            used.add(name)
            rows = (facts or {}).get(name) or [{}]
            inner = {node.loopvars[0]: rows[0], "forloop": dict.fromkeys(FORLOOP, 1)}
            _check_nodes(node.nodelist_loop, facts, inner, used)
            _check_nodes(node.nodelist_empty, facts, local, used)


def _expressions(condition: Any) -> Iterator[FilterExpression]:
    if condition is None:
        return
    if isinstance(getattr(condition, "value", None), FilterExpression):
        yield condition.value
    for side in ("first", "second"):
        yield from _expressions(getattr(condition, side, None))


def _check_expression(expression: FilterExpression, facts: Mapping[str, Any] | None, local: Mapping[str, Any], used: set[str]) -> None:
    variables = [expression.var] + [arg for _func, args in expression.filters for is_name, arg in args if is_name]
    for variable in variables:
        if not isinstance(variable, Variable) or not variable.lookups:
            continue
        name = ".".join(variable.lookups)
        used.add(name)
        if facts is None:
            continue
        value: Any = {**facts, **local}
        for part in variable.lookups:
            if not isinstance(value, Mapping) or part not in value:
                raise BadText(_("There is no %(name)s in this mail.") % {"name": name})
            value = value[part]
