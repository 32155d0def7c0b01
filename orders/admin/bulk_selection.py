"""Which orders a bulk action is about: the ticked ones, or every order of the list's result, over all its pages."""

from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, QueryDict
from django.utils.translation import gettext as _

from orders.admin.list_result import result_of
from orders.bulk.exporting import count_of_result, ids_of_result
from orders.models import Order


@dataclass(frozen=True)
class Selection:
    """The chosen orders, in the order of the list. `ids` is empty where only `total` was asked for (see `is_counted`)."""

    ids: list[int] = field(default_factory=list)
    total: int = 0
    result: str | None = None  # the list's address, where all of it is chosen
    wrong: str = ""  # what that address names and makes no sense: then nothing is chosen

    def is_more_than(self, most: int) -> bool:
        return self.total > most


def selection_of(request: HttpRequest, *, most: int, is_counted: bool = False) -> Selection:
    """What `request` chose, up to one order more than `most`; with `is_counted` the result is counted, not read."""
    data = request.POST if request.method == "POST" else request.GET
    if data.get("all") != "1":
        ids = ticked_ids(data)
        # Of orders that are gone meanwhile there is nothing to say, and a job has no line for them.
        there = set(Order.objects.filter(pk__in=ids).values_list("pk", flat=True))
        ids = [pk for pk in ids if pk in there]
        return Selection(ids, len(ids))
    result = _without_place(data.get("result", ""))
    if wrong := result_of(request.user, QueryDict(result)).wrong:
        return Selection(result=result, wrong=_("%(filter)s: %(why)s") % {"filter": wrong[0].label, "why": wrong[0].value})
    if is_counted:
        return Selection(total=count_of_result(request.user, result), result=result)
    ids = list(ids_of_result(request.user, result, most + 1))
    return Selection(ids, len(ids), result)


def ticked_ids(data: QueryDict) -> list[int]:
    """The ticked orders, each once, in the order of the page."""
    return list(dict.fromkeys(int(pk) for pk in data.getlist("ids") if pk.isdecimal() and len(pk) < 18))


def _without_place(result: str) -> str:
    """The list's address without which page of it was open."""
    query: Any = QueryDict(result, mutable=True)
    for gone in ("after", "before"):
        query.pop(gone, None)
    return query.urlencode()
