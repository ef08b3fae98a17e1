"""Lists in the API: `{"count", "count_is_exact", "next", "previous", "results"}`."""

from typing import Any

from rest_framework.pagination import PageNumberPagination
from rest_framework.response import Response

EXACT_UP_TO = 10_000


class BoundedPaginator(PageNumberPagination.django_paginator_class):  # type: ignore[misc, name-defined]
    """Counts up to a limit: the cost of a list must not grow with its history."""

    @property
    def count(self) -> int:
        """Return the number of rows, `EXACT_UP_TO` at most."""
        if not hasattr(self, "_count"):
            self._count = self.object_list.order_by().values("pk")[:EXACT_UP_TO].count()
        return int(self._count)


class Pages(PageNumberPagination):
    """`?page=` and `?page_size=` up to 200."""

    django_paginator_class = BoundedPaginator
    page_size_query_param = "page_size"
    max_page_size = 200

    def get_paginated_response(self, data: Any) -> Response:
        """Return the contract's shape of a list."""
        assert self.page is not None
        count = self.page.paginator.count
        links = {"next": self.get_next_link(), "previous": self.get_previous_link()}
        return Response({"count": count, "count_is_exact": count < EXACT_UP_TO, **links, "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Return the OpenAPI shape of a list."""
        shape = super().get_paginated_response_schema(schema)
        shape["properties"]["count_is_exact"] = {"type": "boolean"}
        return shape
