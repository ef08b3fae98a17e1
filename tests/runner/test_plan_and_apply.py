"""A real terraform plans and applies, over a real socket."""

import json
from collections.abc import Callable
from typing import Any

from tests.runner.fake_platform import FakePlatform

STATE = "/api/v1/workspaces/ws-0123456789/state"


def test_a_plan_is_made_and_applied(
    platform: FakePlatform, start_agent: Callable[..., Any], job: Callable[..., Any], eventually: Callable[..., None]
) -> None:
    start_agent()
    platform.offer(job())
    eventually(lambda: platform.result(1))
    planned = platform.result(1)
    assert planned and planned.outcome == "planned", (planned, platform.log(1))
    platform.offer(job(epoch=2, phase="apply", plan=platform.stored_plan(1)))
    eventually(lambda: platform.result(1, 2))
    applied = platform.result(1, 2)
    assert applied and applied.outcome == "applied", (applied, platform.log(1, 2))
    state = json.loads(platform.store.states[STATE].body)
    assert [resource["name"] for resource in state["resources"]] == ["one"]
