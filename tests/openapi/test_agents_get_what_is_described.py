"""Whatever comes with the token of an attempt, the answer is one that the description names."""

import pytest
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tasks.models import Task
from tests.openapi import addresses, cases
from tests.openapi.world import World, planning, token_of
from tests.tasks import factories as tasks

STATE = "/api/v1/workspaces/{ws}/state"


def bearer(task: Task) -> dict[str, str]:
    return {"Authorization": f"Bearer {token_of(task)}"}


@pytest.mark.parametrize("path", addresses.under("/agents/v1/"))
def test_an_attempt_that_plans(api: OpenApiSchema, world: World, path: str) -> None:
    cases.ask_all(api, path, world.names(path), bearer(planning()))


@pytest.mark.parametrize("path", ["/agents/v1/attempt", "/agents/v1/attempt/plan/{part}", "/agents/v1/attempt/words"])
def test_an_attempt_that_applies(api: OpenApiSchema, world: World, path: str) -> None:
    cases.ask_all(api, path, world.names(path), bearer(tasks.applying()))


def test_an_attempt_and_its_state(api: OpenApiSchema, transactional_db: None) -> None:
    task = tasks.applying()
    cases.ask_all(api, STATE, [{"ws": task.workspace_id}], bearer(task))
