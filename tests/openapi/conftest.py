"""The description, and the application behind it as daphne serves it."""

from typing import Any

import pytest
import schemathesis
from drf_spectacular.generators import SchemaGenerator
from schemathesis.specs.openapi.schemas import OpenApiSchema

from iacplatform.handling import Handler
from iacplatform.intake import Intake
from tests.openapi import closing
from tests.openapi.world import World


@pytest.fixture(scope="session")
def description() -> dict[str, Any]:
    """The description as it is served."""
    made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


@pytest.fixture(scope="session")
def api(description: dict[str, Any]) -> OpenApiSchema:
    """The description with the application; here an answer has the members that are described and no others."""
    described = schemathesis.openapi.from_dict(closing.closed(description))
    http: Any = Handler()
    described.app = Intake(http)
    return described


@pytest.fixture
def world(transactional_db: None) -> World:
    """A small platform in use."""
    return World()
