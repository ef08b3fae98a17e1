"""Views of the API: each fetches through `.visible_to(user)`, and first of all what its address names."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from django.db.models import Model, QuerySet
from rest_framework.generics import GenericAPIView, get_object_or_404
from rest_framework.request import Request

Row = TypeVar("Row", bound=Model)
Remove = Callable[..., Any]


class Scoped(GenericAPIView[Any]):
    """Rows that the caller may see. What they may not see is 404, whatever they may do elsewhere."""

    def check_permissions(self, request: Request) -> None:
        """Raise 401 for strangers, then 404 for what is not visible, then 403 for what may not be done."""
        if request.user.is_authenticated:
            self.locate()
        super().check_permissions(request)

    def locate(self) -> None:
        """Fetch what the address names, or raise `Http404`."""

    def get_queryset(self) -> QuerySet[Any]:
        """Return the view's rows, narrowed to the caller's."""
        return self.visible(super().get_queryset())

    def visible(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Narrow the rows to those that the caller may see."""
        narrowed: QuerySet[Any] = cast(Any, rows).visible_to(self.request.user)
        return narrowed

    def fetch(self, model: type[Row], **names: Any) -> Row:
        """Return the row of this model, or raise `Http404`."""
        return cast(Row, get_object_or_404(self.visible(cast(Any, model).objects.all()), **names))
