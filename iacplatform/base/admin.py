"""The admin's part of the floor: rows that a hand could break are there to be read."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from iacplatform.base import rights
from iacplatform.base.generic import ModelAdmin, TabularInline
from iacplatform.base.models import Beat
from iacplatform.base.pages import BoundedPaginator


class ReadOnly(ModelAdmin):
    """Shows rows; the domain's verbs alone write them."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows that the caller may see."""
        return rights.narrow(super().get_queryset(request), request.user)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, whoever asks."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, whoever asks."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, whoever asks."""
        return False


class KnownOnly(ModelAdmin):
    """Rows that people make; what the platform fills in is shown once it has."""

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Return the fields, those that cannot be given only for a row that exists."""
        fields = super().get_fields(request, obj)
        return fields if obj else [name for name in fields if name not in self.readonly_fields]


class ChangedOnly(KnownOnly):
    """Rows that the platform writes as well: a form saves what was changed in it and no other column."""

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save a new row whole, of a known one the columns that the form changed."""
        columns = {field.name for field in obj._meta.concrete_fields}
        obj.save(update_fields=sorted(columns & set(form.changed_data)) if change else None)


class ReadOnlyRows(TabularInline):
    """Rows that belong to the one that is shown, to be read with it."""

    extra = 0
    can_delete = False
    show_change_link = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, whoever asks."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False, whoever asks."""
        return False


@admin.register(Beat)
class BeatAdmin(ReadOnly):
    """Which of our processes are at work."""

    list_display = ("name", "at", "unbroken_since")
