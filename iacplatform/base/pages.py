"""Lists in the API: `{"count", "count_is_exact", "next", "previous", "results"}`."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from django.core.paginator import EmptyPage, Page, Paginator
from rest_framework.pagination import PageNumberPagination
from rest_framework.request import Request
from rest_framework.response import Response

from iacplatform.base.problems import Invalid

if TYPE_CHECKING:
    AnyPaginator = Paginator[Any]
    AnyPage = Page[Any]
else:
    AnyPaginator, AnyPage = Paginator, Page

EXACT_UP_TO = 10_000
LAST_ROW = 10_000_000
"""No page begins after this row: a deeper one costs the database too much. Filters reach further."""


class BoundedPaginator(AnyPaginator):
    """Counts up to a limit: the cost of a list must not grow with its history. Pages go on after it."""

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        if isinstance(rows, Sequence):
            return len(rows)
        return int(rows.order_by().values("pk")[: EXACT_UP_TO + 1].count())

    @cached_property
    def count(self) -> int:
        """The number of rows, `EXACT_UP_TO` at most."""
        return min(self._counted, EXACT_UP_TO)

    @property
    def count_is_exact(self) -> bool:
        """Whether there are no more than `EXACT_UP_TO` rows."""
        return self._counted <= EXACT_UP_TO

    def page(self, number: int | str) -> "OpenPage":
        """Return the page, or raise `EmptyPage` when nothing is there; the first page may be empty."""
        whole = int(number) if str(number).isascii() and str(number).isdigit() and len(str(number)) < 10 else 0
        first = (whole - 1) * self.per_page
        if not 0 <= first <= LAST_ROW:
            raise EmptyPage("There is no such page.")
        rows = list(self.object_list[first : first + self.per_page + 1])
        if not rows and whole > 1:
            raise EmptyPage("There is no such page.")
        return OpenPage(rows, whole, self)


class OpenPage(AnyPage):
    """A page that knows by one row too many that another one follows."""

    def __init__(self, rows: list[Any], number: int, paginator: BoundedPaginator) -> None:
        super().__init__(rows[: paginator.per_page], number, paginator)
        self._more = len(rows) > paginator.per_page

    def has_next(self) -> bool:
        """Return whether another page follows."""
        return self._more

    def next_page_number(self) -> int:
        """Return the next page's number, also beyond the rows that are counted."""
        return self.number + 1

    def previous_page_number(self) -> int:
        """Return the number of the page before."""
        return self.number - 1


class Pages(PageNumberPagination):
    """`?page=` and `?page_size=` up to 200."""

    django_paginator_class = BoundedPaginator
    page_size_query_param = "page_size"
    max_page_size = 200
    last_page_strings = ()

    def get_page_size(self, request: Request) -> int:
        """Return the rows of a page, or raise `Invalid`."""
        asked = request.query_params.get("page_size")
        if asked is None:
            return self.page_size or EXACT_UP_TO
        if not (asked.isascii() and asked.isdigit() and len(asked) < 10 and 1 <= int(asked) <= self.max_page_size):
            raise Invalid(f"page_size is a number from 1 to {self.max_page_size}.")
        return int(asked)

    def get_paginated_response(self, data: Any) -> Response:
        """Return the contract's shape of a list."""
        paginator: Any = self.page.paginator if self.page is not None else None
        counted = {"count": paginator.count, "count_is_exact": paginator.count_is_exact}
        return Response(
            {**counted, "next": self.get_next_link(), "previous": self.get_previous_link(), "results": data}
        )

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        """Return the OpenAPI parameters of a list."""
        page, size = super().get_schema_operation_parameters(view)
        page["schema"]["minimum"] = size["schema"]["minimum"] = 1
        size["schema"]["maximum"] = self.max_page_size
        return [page, size]

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the OpenAPI shape of a list."""
        shape = super().get_paginated_response_schema(schema)
        shape["properties"]["count_is_exact"] = {"type": "boolean"}
        return shape
