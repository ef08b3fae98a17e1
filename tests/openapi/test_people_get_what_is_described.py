"""Whatever a person sends, the answer is one that the description names: never a fault of ours, never a stranger's."""

import pytest
from schemathesis.specs.openapi.schemas import OpenApiSchema

from tests import factories as rows
from tests.openapi import addresses, cases
from tests.openapi.world import World


@pytest.mark.parametrize("path", addresses.under("/api/v1/"))
def test_an_administrator(api: OpenApiSchema, world: World, path: str) -> None:
    cases.ask_all(api, path, world.names(path), {"Authorization": f"Bearer {rows.token(world.ann)}"})
