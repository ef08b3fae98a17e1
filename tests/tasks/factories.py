"""Tasks at each point of their life, brought there by the verbs that everyone calls: `factories.applying()`.

Each maker brings what it needs: a workspace with a configuration, a person, an agent with slots. Give `workspace` to have
several tasks in one, `on` to choose the agent, `by` to choose the person. Agents are not connected unless asked for, so
that no dispatcher takes the tasks elsewhere.
"""

import hashlib
import itertools
import json
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction

from agents import dispatcher
from agents.models import Agent
from iacplatform.base import clock
from pools.models import Pool
from tasks import attempts, cancellation, confirmation, creation, permits, plans, recovery, results
from tasks.attempts import Place
from tasks.models import Attempt, LogChunk, Task
from tasks.results import Result
from tasks.states import Lease
from workspaces import signals
from workspaces.models import Configuration, StateVersion, Workspace

RESERVATION_SECONDS = 3600
CHANGES = {"add": 1, "change": 0, "destroy": 0, "outputs": 0}
PLAN_FILE = b"a plan file"
PLAN_JSON: dict[str, Any] = {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": []}

PlanJSON = dict[str, Any] | bytes | None
"""What `show -json` said, or bytes that an agent stored in its place; None: of a plan with nothing in it."""

_numbers = itertools.count(1)


def person(name: str = "ann") -> User:
    """Return a person who may do everything; the same for the same name."""
    known = get_user_model().objects.filter(username=name).first()
    return known or get_user_model().objects.create_superuser(name, password=None)


def workspace(**columns: Any) -> Workspace:
    """Return a new workspace of mode local with one configuration."""
    made = Workspace.objects.create(**{"name": f"workspace-{next(_numbers)}", **columns})
    files = {"main.tf": 'resource "terraform_data" "one" {}'}
    Configuration.objects.create(workspace=made, number=1, files=files, digest="0" * 64, created_by=person())
    return made


_workspace = workspace
"""For makers that take a `workspace`."""


def agent(name: str = "", *, pool: Pool | None = None, connected: bool = False, **columns: Any) -> Agent:
    """Return a new agent with four slots, of the pool `local` unless another one is given."""
    now = clock.now()
    session = {"session": f"session-{next(_numbers)}", "lease_until": now + timedelta(seconds=45), "connected_at": now}
    engines = [{"name": "terraform", "version": "1.11.4"}]
    known = {"capacity": 4, "engines": engines, "os": "linux", "arch": "amd64", "version": "1", "last_seen_at": now}
    return Agent.objects.create(
        pool=pool or Pool.objects.local(),
        name=name or f"agent-{next(_numbers)}",
        instance=f"instance-{next(_numbers)}",
        **{**known, **(session if connected else {}), **columns},
    )


def place(on: Agent) -> Place:
    """Return a free slot of the agent."""
    taken = set(Task.objects.leased_by(on.agent_id).values_list("slot", flat=True))
    slot = next(number for number in itertools.count() if number not in taken)
    return Place(agent_id=on.agent_id, agent_name=on.name, pod_name=on.pod_name, slot=slot)


def pending(*, workspace: Workspace | None = None, by: User | None = None, task_type: str = "plan_and_apply") -> Task:
    """Return a new task: pending, or waiting where another one of its workspace comes first."""
    return reread(creation.create(workspace or _workspace(), task_type=task_type, by=by or person()))


def offered(task: Task | None = None, *, on: Agent | None = None, **made: Any) -> Task:
    """Return a runnable task for which a slot is held."""
    task = reread(task or pending(**made))
    if task.lease != Lease.OFFERED:
        with transaction.atomic():  # as within a pass of the dispatcher
            attempts.offer(task, place(on or agent()))
    return reread(task)


def running(task: Task | None = None, **made: Any) -> Task:
    """Return a task whose next phase an agent has begun."""
    task = offered(task, **made)
    attempts.accept(task.pk, task.epoch, task.agent_id)
    return reread(task)


def planning(**made: Any) -> Task:
    """Return a task that runs its plan."""
    return running(**made)


def awaiting_confirmation(task: Task | None = None, *, plan: PlanJSON = None, **made: Any) -> Task:
    """Return a task whose plan has changes that a person must read. `plan`: what `show -json` said of it."""
    return planned(task or planning(**made), plan=plan)


def confirmed(*, by: User | None = None, **made: Any) -> Task:
    """Return a task whose plan was confirmed."""
    return confirm(awaiting_confirmation(by=by, **made), by=by)


def confirm(task: Task, *, by: User | None = None) -> Task:
    """Confirm the task's plan."""
    confirmation.confirm(task, by=by or person(), plan_digest=task.plan_digest)
    return reread(task)


def applying(*, on: Agent | None = None, permitted: bool = True, **made: Any) -> Task:
    """Return a task that runs its apply; `permitted`: its agent was already allowed to start it."""
    task = running(confirmed(on=on, **made), on=on)
    if permitted:
        permits.ask(task.pk, task.epoch, task.agent_id)
    return reread(task)


def needing_attention(**made: Any) -> Task:
    """Return a task whose agent was lost in mid-apply."""
    return lose(applying(**made))


def backing_off(**made: Any) -> Task:
    """Return a task whose first plan broke off; the next attempt waits a little."""
    return lose(planning(**made))


def lose(task: Task) -> Task:
    """Give up on the agent that holds the task."""
    seen = Agent.objects.filter(pk=task.agent_id).values_list("last_seen_at", flat=True).first()
    recovery.slot_lost(task.pk, task.agent_id, cause="The agent is gone.", last_seen=seen or clock.now())
    return reread(task)


def stale(**made: Any) -> Task:
    """Return a task that awaits confirmation of a plan under which the state has moved."""
    task = awaiting_confirmation(**made)
    store_state(task.workspace_id)
    return reread(task)


def misfit(**made: Any) -> Task:
    """Return a confirmed task whose plan none of the connected agents can apply, since this moment."""
    task = confirmed(on=agent(), **made)
    odd = agent(connected=True, engines=[{"name": "terraform", "version": "1.5.7"}])
    dispatcher.dispatch(odd.pool_id, cause="test")
    return reread(task)


def out_of_reach(**made: Any) -> Task:
    """Return one that has been so for longer than an agent that is cut off is waited for."""
    task = misfit(**made)
    Task.objects.filter(pk=task.pk).update(reason_since=clock.In(seconds=-settings.AGENT_LEASE_SECONDS - 1))
    dispatcher.dispatch(task.workspace.pool_id or Pool.objects.local().pk, cause="test")
    return reread(task)


def succeeded(**made: Any) -> Task:
    """Return a task that planned only."""
    return planned(planning(task_type="plan", **made))


def applied(**made: Any) -> Task:
    """Return a task that applied its plan."""
    return finish(applying(**made), "applied")


def failed(**made: Any) -> Task:
    """Return a task whose plan the engine refused."""
    task = planning(**made)
    return finish(task, "failed", exit_code=1, error_code="engine_failed", error_message="Error: Invalid block")


def discarded(*, by: User | None = None, **made: Any) -> Task:
    """Return a task whose plan was discarded."""
    task = awaiting_confirmation(by=by, **made)
    confirmation.discard(task, by=by or person())
    return reread(task)


def cancelled(*, by: User | None = None, **made: Any) -> Task:
    """Return a task that was cancelled before it began."""
    task = pending(by=by, **made)
    cancellation.cancel(task, by=by or person())
    return reread(task)


def cancelling(*, by: User | None = None, **made: Any) -> Task:
    """Return a task whose engine was asked to stop its plan."""
    task = planning(by=by, **made)
    cancellation.cancel(task, by=by or person())
    return reread(task)


def planned(task: Task, *, plan: PlanJSON = None, file: bytes = PLAN_FILE, **facts: Any) -> Task:
    """Report the end of the task's plan as its agent would, with changes unless `facts` say otherwise."""
    attempt = attempts.newest_of(task)
    content = file + b" of task %d, epoch %d" % (task.pk, task.epoch)
    keep_part(attempt, "file", content)
    keep_part(attempt, "json", plan if isinstance(plan, bytes) else json.dumps(plan or PLAN_JSON).encode())
    return finish(task, "planned", exit_code=2, plan={**_facts(task, content), **facts})


def keep_part(attempt: Attempt, part: str, content: bytes) -> None:
    """Upload one part of a plan."""
    plans.keep_part(attempt, part, content, hashlib.sha256(content).hexdigest())


def finish(task: Task, outcome: str, *, exit_code: int = 0, log_bytes: int = 0, **words: Any) -> Task:
    """Report the end of the task's running phase as its agent would."""
    result = Result(outcome=outcome, exit_code=exit_code, seconds=1.5, log_bytes=log_bytes, **words)
    results.finish(task.pk, task.epoch, task.agent_id, result, reservation_seconds=RESERVATION_SECONDS)
    return reread(task)


def say(task: Task, *pieces: bytes) -> Attempt:
    """Store the pieces as the log of the task's current attempt, and return the attempt."""
    attempt = attempts.newest_of(task)
    for piece in pieces:
        LogChunk.objects.create(attempt=attempt, offset=attempt.log_stored, data=piece)
        attempt.log_stored += len(piece)
    attempt.save(update_fields=["log_stored"])
    return attempt


def store_state(workspace_id: str, *, serial: int = 1, lineage: str = "lineage-1") -> StateVersion:
    """Store a state version of the workspace."""
    return StateVersion.objects.create(
        workspace_id=workspace_id, serial=serial, lineage=lineage, digest="0" * 64, size=0, created_by="user:ann"
    )


def upload_state(workspace_id: str, *, serial: int = 1) -> None:
    """Store a state version and tell of it, as an upload does."""
    with transaction.atomic():
        store_state(workspace_id, serial=serial)
        signals.announce(signals.state_changed, workspace_id)


def reread(task: Task) -> Task:
    """Return the task as its row is now."""
    return Task.objects.select_related("workspace").get(pk=task.pk)


def _facts(task: Task, content: bytes) -> dict[str, Any]:
    lineage, serial = plans.state_now(task.workspace_id)
    engine = {"engine": "terraform", "version": "1.11.4", "os": "linux", "arch": "amd64"}
    digest = hashlib.sha256(content).hexdigest()
    return {"digest": digest, "lineage": lineage, "serial": serial, "has_changes": True, "changes": CHANGES, **engine}
