"""What the API takes and gives. A rule stands in the model: forms, the admin and serializers all ask `full_clean`.

A serializer builds the row as it would become (the draft), has the model judge it, and saves that very draft.
"""

import json
from collections.abc import Iterable, Mapping
from copy import copy
from typing import Any, TypeVar

from django.core.exceptions import NON_FIELD_ERRORS
from django.core.exceptions import ValidationError as ModelInvalid
from django.db.models import Model, QuerySet
from rest_framework import serializers
from rest_framework.fields import SkipField

Row = TypeVar("Row", bound=Model)


_TYPES: tuple[tuple[type[serializers.Field[Any, Any, Any, Any]], type, str], ...] = (
    (serializers.CharField, str, "a text"),
    (serializers.BooleanField, bool, "true or false"),
    (serializers.IntegerField, int, "a whole number"),
)
"""JSON's type of each kind of field, and its name. DRF alone would take 5 for a text and "yes" for true."""


class Strict(serializers.Serializer[Any]):
    """Takes the fields that it declares and no others, each in JSON's own type; without fields it takes none."""

    def to_internal_value(self, data: Any) -> Any:
        """Return the values, or raise with a sentence for each unknown, read-only or mistyped field as well."""
        faults = self._strange(data) if isinstance(data, Mapping) else {}
        if faults:
            raise serializers.ValidationError(faults)
        return super().to_internal_value(data)

    def _strange(self, data: Mapping[str, Any]) -> dict[str, list[str]]:
        return {name: [fault] for name, value in data.items() if (fault := self._fault(name, value))}

    def _fault(self, name: str, value: Any) -> str:
        if name not in self.fields:
            takes = sorted(name for name, field in self.fields.items() if not field.read_only)
            known = f"Known are: {', '.join(takes)}." if takes else "None is known here."
            return f"There is no field {name}. {known}"
        field = self.fields[name]
        return f"{name} cannot be set: leave it out." if field.read_only else _mistyped(field, value)


def _mistyped(field: Any, value: Any) -> str:
    """Return what is wrong with the value's type, or with that of a value in it; empty: nothing that shows here."""
    if isinstance(field, serializers.ListField | serializers.DictField) and isinstance(value, list | dict):
        inner = value.values() if isinstance(value, dict) else value
        return next((fault for each in inner if (fault := _mistyped(field.child, each))), "")
    word = next((word for kind, shape, word in _TYPES if isinstance(field, kind) and type(value) is not shape), "")
    return f"{json.dumps(value)[:50]} is not {word}." if word and value is not None else ""


class Rows(Strict, serializers.ModelSerializer[Row]):
    """A model's rows. `draft` is the row as the request would have it; subclasses may override `apply` and `keep`."""

    draft: Row

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        """Return DRF's field for its type; which values are right, the model says."""
        kind, options = super().build_standard_field(field_name, model_field)
        return kind, {key: value for key, value in options.items() if key != "validators"}

    def get_validators(self) -> list[Any]:
        """Return none: the model's own rules are asked."""
        return []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Return the values if the row that they make passes the model's `full_clean`."""
        model: Any = self.Meta.model
        self.draft = copy(self.instance) if self.instance is not None else model()
        self.apply(self.draft, attrs)
        try:
            self.draft.full_clean()
        except ModelInvalid as error:
            raise serializers.ValidationError(self._by_name(error)) from error
        return attrs

    def _by_name(self, error: ModelInvalid) -> dict[str, list[str]]:
        names = {field.source: name for name, field in self.fields.items()} | {NON_FIELD_ERRORS: "non_field_errors"}
        return {names.get(source, source): texts for source, texts in error.message_dict.items()}

    def apply(self, draft: Row, attrs: Mapping[str, Any]) -> None:
        """Write the values to the draft."""
        for source, value in attrs.items():
            setattr(draft, source, value)

    def keep(self, draft: Row, columns: Iterable[str]) -> None:
        """Save the draft: a new row whole, of a known one the columns that the request names and no others."""
        draft.save(update_fields=None if draft._state.adding else list(columns))

    def create(self, validated_data: dict[str, Any]) -> Row:
        """Return the new row."""
        return self.update(self.draft, validated_data)

    def update(self, instance: Row, validated_data: dict[str, Any]) -> Row:
        """Return the row as it is now."""
        self.keep(self.draft, validated_data)
        return self.draft


class Visible(serializers.PrimaryKeyRelatedField[Any]):
    """An id in a body: only what the caller may see can be named."""

    default_error_messages = {"does_not_exist": 'There is no "{pk_value}", or none that you may see.'}

    def get_queryset(self) -> QuerySet[Any]:
        """Return the rows that the caller may see."""
        rows: Any = super().get_queryset()
        narrowed: QuerySet[Any] = rows.visible_to(self.context["request"].user)
        return narrowed


class WriteOnce(serializers.CharField):
    """A secret: taken, never given."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"write_only": True, "trim_whitespace": False, **options})

    def get_attribute(self, instance: Any) -> Any:
        """Raise: there is nothing to show."""
        raise SkipField
