"""What people, agents and time do around a task, by the doors that are open to them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from rest_framework.test import APIClient

from agents import sessions, sweep
from agents.models import Agent
from agents.protocol import Engine
from agents.sessions import Session
from iacplatform.base import clock
from iacplatform.base.models import Beat
from pools.models import Pod, Pool, PoolToken
from tasks import attempts
from tasks.models import Task
from tests.agents.scenes import hello
from tests.tasks import factories
from workspaces.models import Workspace


@dataclass
class Surroundings:
    """One person with all rights, in API and console; agents that connect; a clock. `patch` breaks things."""

    person: User
    api: APIClient
    console: Client
    patch: pytest.MonkeyPatch

    def connect(self, name: str, *, pool: Pool | None = None, version: str = "1.11.4", capacity: int = 1) -> Session:
        """Let an agent of the pool say hello, as one that was started now."""
        token, _ = PoolToken.issue(pool=pool or Pool.objects.local())
        engines = (Engine(name="terraform", version=version),)
        return sessions.open_session(token, hello(name, capacity=capacity, engines=engines))[0]

    def arrive(self, pod: Pod) -> Session:
        """Let the agent of a pod say hello, as its pod tells it who it is."""
        own = PoolToken.objects.filter(pod=pod).first()
        token = own or PoolToken.issue(pool=pod.pool, pod=pod)[0]
        return sessions.open_session(token, hello(pod.name, pod_name=pod.name, capacity=pod.slots))[0]

    def create(self, workspace: Workspace | None = None) -> Task:
        """Have a task made through the API."""
        place = workspace or factories.workspace()
        return self._task(self._called("post", f"/workspaces/{place.pk}/tasks", {"task_type": "plan_and_apply"}))

    def press(self, task: Task, verb: str, **body: Any) -> Any:
        """Ask for a verb of the task through the API; return the answer's body."""
        return self._called("post", f"/workspaces/{task.workspace_id}/tasks/{task.pk}/{verb}", body)

    def change(self, address: str, **body: Any) -> None:
        """Change a row through the API."""
        self._called("patch", address, body)

    def call(self, address: str, **body: Any) -> None:
        """Post to an address of the API."""
        self._called("post", address, body)

    def shown(self, task: Task) -> dict[str, Any]:
        """Return the task as the API shows it."""
        answer: dict[str, Any] = self._called("get", f"/workspaces/{task.workspace_id}/tasks/{task.pk}")
        return answer

    def explained(self, task: Task) -> dict[str, Any]:
        """Return what the API explains of the task."""
        answer: dict[str, Any] = self._called("get", f"/workspaces/{task.workspace_id}/tasks/{task.pk}/explain")
        return answer

    def later(self, seconds: float) -> None:
        """Let time pass, in which agents' heartbeats arrive and web processes are up."""
        alive = list(Agent.objects.connected().values_list("pk", flat=True))
        clock.shift(timedelta(seconds=seconds))
        heard = {"lease_until": clock.In(seconds=45), "last_seen_at": clock.DatabaseNow()}
        Agent.objects.filter(pk__in=alive).update(**heard)

    def heard(self) -> None:
        """Say that heartbeats could be stored for a whole lease: a silent agent is no fault of ours."""
        now = clock.now()
        Beat.objects.update_or_create(name="web:1", defaults={"at": now, "unbroken_since": now - timedelta(minutes=5)})

    def silence(self, agent_id: str) -> None:
        """Let a whole lease pass without a word of the agent."""
        Agent.objects.filter(pk=agent_id).update(lease_until=clock.In(seconds=-1))
        self.heard()

    def sweep(self, times: int = 1) -> None:
        """Let the sweep come by; it does every two seconds."""
        for _ in range(times):
            sweep.sweep()

    def lapse(self) -> None:
        """Let what is offered now lapse."""
        self.later(attempts.ACCEPT_SECONDS + 0.1)

    def _called(self, method: str, address: str, body: dict[str, Any] | None = None) -> Any:
        answer = getattr(self.api, method)(f"/api/v1{address}", body or {}, format="json")
        assert answer.status_code < 300, answer.content
        return answer.json() if answer.content else None

    def _task(self, row: dict[str, Any]) -> Task:
        return factories.reread(Task.objects.get(pk=row["id"]))


Build = Callable[[Surroundings], Task]
Cure = Callable[[Surroundings, Task], Any]
