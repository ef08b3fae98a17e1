"""A task in the API carries its warnings, in the shape that the schema names."""

from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from iacplatform.base import clock
from tests.tasks import factories

pytestmark = pytest.mark.django_db


def test_a_task_that_is_as_it_should_be_has_none(api: APIClient) -> None:
    assert api.get(f"/api/v1/tasks/{factories.pending().pk}").json()["warnings"] == []


def test_a_phase_without_a_word_is_warned_of(api: APIClient) -> None:
    task = factories.planning()
    clock.shift(timedelta(minutes=11))
    found = api.get(f"/api/v1/tasks/{task.pk}").json()["warnings"]
    assert "no_output" in {warning["code"] for warning in found}
    assert all(warning.keys() == {"code", "message", "since"} for warning in found)
