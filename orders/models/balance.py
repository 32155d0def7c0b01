"""Which way the balance of an order tips, as the database works it out: one expression for queries and for their index."""

from django.db.models import BigIntegerField, F, Func, IntegerField


class Sign(Func):
    """1 above zero, -1 below it, 0 at it; amounts are compared to the fourth decimal, as they are stored.

    Figures stand in the text, not as parameters: SQLite uses an index of an expression only where both are spelled alike.
    """

    template = "(CASE WHEN ROUND(%(expressions)s, 4) > 0 THEN 1 WHEN ROUND(%(expressions)s, 4) < 0 THEN -1 ELSE 0 END)"
    arity = 1
    output_field = IntegerField()


def balance_sign() -> Sign:
    """1 where the customer owes, -1 where too much was paid (what a cancelled order owes or keeps is another question)."""
    return Sign(F("total") - F("credited_total") - F("paid_total") + F("refunded_total"))


class WhereLeft(Func):
    """The second expression where something is left of the first amount, else nothing."""

    template = "(CASE WHEN ROUND(%(expressions)s END)"
    arg_joiner = ", 4) > 0 THEN "
    arity = 2
    output_field = BigIntegerField()


def status_with_money() -> WhereLeft:
    """The payment status of an order that some of its money is still here for.

    Both in one expression, so that the database counts how few cancelled orders keep money, not how many are cancelled.
    """
    return WhereLeft(F("paid_total") - F("refunded_total"), F("payment_status"))
