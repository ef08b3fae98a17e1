"""Rows for generated requests to meet: without them, 404 would be the only answer."""

from collections.abc import Callable
from functools import cached_property
from typing import Any

from django.contrib.auth.models import User
from django.core.files.base import ContentFile

from iacplatform.base import encryption
from pools.models import Pod, Pool, PoolToken, ScalingDecision
from tasks import attempts
from tasks.models import Task
from tests import factories as rows
from tests.tasks import factories as tasks
from workspaces import configurations, states
from workspaces.models import KeptState, Variable, Workspace
from workspaces.state_api import person

Names = dict[str, Any]
"""The parameters of an address, e.g. `{"ws": "ws-0123456789", "task_id": 7}`."""

_NOBODY = {"pinned": 0, "free": 0, "queued": 0, "live": 0, "wanted": 1, "desired": 1}
_LATE = {"digest": "0" * 64, "serial": 1, "lineage": "lineage-1", "why": "Late.", "created_by": "task:1", "epoch": 1}


class World:
    """A small platform in use; each part of it is made when somebody looks there."""

    def __init__(self) -> None:
        self.ann = rows.admin("ann")

    def names(self, address: str) -> list[Names]:
        """Return parameters that lead to a row, for the address as the description writes it."""
        made = next(make for beginning, make in _NAMES.items() if address.startswith(beginning))
        named = [{name: value for name, value in each.items() if f"{{{name}}}" in address} for each in made(self)]
        return [each for each in named if each]

    @cached_property
    def pools(self) -> list[Pool]:
        """A static pool, and one of pods."""
        made = [rows.pool(), rows.k8s_pool()]
        Pod.objects.create(pool=made[1], name="pod-1", slots=1, cause="Error")
        ScalingDecision.objects.create(pool=made[1], **_NOBODY)
        return made

    @cached_property
    def tasks(self) -> list[Task]:
        """Tasks at different points of their lives, one with a log."""
        made = [make() for make in _LIVES]
        tasks.say(made[0], b"one line\n", b"\x00\xff another\n")
        return made

    @cached_property
    def workspaces(self) -> list[Workspace]:
        """Workspaces with a variable, two states, a configuration as texts and one as an archive."""
        made = [tasks.workspace() for _ in range(3)]
        for each in made:
            _store_states(each, self.ann)
            configurations.store_archive(each, ContentFile(b"\x1f\x8b\x08" + b"x" * 10, "a.tgz"), self.ann)
        return made


def planning() -> Task:
    """Return a task that plans with an archive, for its agent's requests."""
    workspace = rows.workspace()
    configurations.store_archive(workspace, ContentFile(b"\x1f\x8b\x08" + b"x" * 10, "a.tgz"), rows.admin("ann"))
    return tasks.planning(workspace=workspace)


def token_of(task: Task) -> str:
    """Return the token of the task's current attempt."""
    return attempts.newest_of(task).token


def _variable(workspace: Workspace) -> Variable:
    made = Variable(workspace=workspace, key="password", sensitive=True)
    made.set_value("swordfish")
    made.save()
    return made


def _store_states(workspace: Workspace, by: User) -> None:
    for serial in (1, 2):
        content = rows.state(serial, resources=serial, note=f"note {serial}")
        states.store(workspace.pk, content, person(by, workspace.pk))


def _kept(workspace: Workspace) -> KeptState:
    content = rows.state(1)
    task = tasks.pending(workspace=workspace)
    sealed = encryption.seal(content, KeptState.owner(workspace.pk, task.pk))
    facts = {**_LATE, "task_id": task.pk, "size": len(content), "sealed_content": sealed}
    return KeptState.objects.create(workspace=workspace, **facts)


_LIVES: list[Callable[[], Task]] = [
    tasks.awaiting_confirmation,
    tasks.needing_attention,
    tasks.planning,
    tasks.pending,
    tasks.failed,
]


def _of_workspaces(world: World) -> list[Names]:
    return [
        {"ws": each.pk, "number": number, "serial": number}
        for number, each in enumerate([*world.workspaces[:2]], start=1)
    ]


def _of_tasks(world: World) -> list[Names]:
    return [{"ws": each.workspace_id, "task_id": each.pk} for each in world.tasks]


def _agents(world: World) -> list[Names]:
    return [{"agent_id": tasks.agent(pool=pool).pk} for pool in world.pools]


def _tokens(world: World) -> list[Names]:
    return [{"pool": pool.pk, "id": PoolToken.issue(pool=pool)[0].pk} for pool in world.pools]


def _variables(world: World) -> list[Names]:
    return [{"ws": each.pk, "id": _variable(each).pk} for each in world.workspaces]


def _kept_states(world: World) -> list[Names]:
    return [{"ws": each.pk, "id": _kept(each).pk} for each in world.workspaces[:2]]


_NAMES: dict[str, Callable[[World], list[Names]]] = {
    "/api/v1/agents": _agents,
    "/api/v1/k8s-configs": lambda world: [{"id": world.pools[1].k8s_config_id}],
    "/api/v1/pools/{pool}/tokens": _tokens,
    "/api/v1/pools": lambda world: [{"pool": each.pk} for each in [*world.pools, Pool.objects.local()]],
    "/api/v1/tasks": _of_tasks,
    "/api/v1/workspaces/{ws}/tasks": _of_tasks,
    "/api/v1/workspaces/{ws}/state-versions/kept": _kept_states,
    "/api/v1/workspaces/{ws}/variables": _variables,
    "/api/v1/workspaces": _of_workspaces,
    "/agents/v1/attempt/plan": lambda world: [{"part": "file"}, {"part": "json"}],
    "/agents/v1/attempt/configuration/{number}": lambda world: [{"number": 0}],
    "/agents/v1/attempt": lambda world: [],
}
