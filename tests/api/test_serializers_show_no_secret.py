"""Looks at every serializer there is: fields are named one by one, and what is sealed or hashed is in none of them."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import get_resolver
from rest_framework.serializers import ModelSerializer

from iacplatform.base.serializers import Strict
from workspaces.models import Variable
from workspaces.serializers import Value

get_resolver().url_patterns  # noqa: B018 - every module with a serializer is imported with the addresses


def below(kind: type[Any]) -> Iterator[type[Any]]:
    """Yield the class's descendants."""
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


OURS = sorted(
    {
        kind
        for kind in below(ModelSerializer)
        if hasattr(kind, "Meta")
        and kind.__module__.split(".")[0] in {"agents", "iacplatform", "pools", "tasks", "workspaces"}
    },
    key=lambda kind: (kind.__module__, kind.__name__),
)
SECRET = ("sealed", "digest_of_token", "password", "token_key")


def test_there_are_serializers_to_look_at() -> None:
    assert len(OURS) >= 8


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_fields_are_named_one_by_one(kind: type[Any]) -> None:
    fields = kind.Meta.fields
    assert fields != "__all__" and not hasattr(kind.Meta, "exclude")
    assert not [name for name in fields if name.startswith(SECRET)]


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_what_takes_values_takes_no_unknown_ones(kind: type[Any]) -> None:
    assert issubclass(kind, Strict) or set(kind.Meta.fields) == set(kind.Meta.read_only_fields)


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_secrets_are_never_given(kind: type[Any]) -> None:
    for name, field in kind().fields.items():
        if name in {"kubeconfig", "value"}:
            assert field.write_only or isinstance(field, Value)


def test_a_sensitive_value_is_shown_as_null() -> None:
    assert Value().to_representation(Variable(sensitive=True)) is None
