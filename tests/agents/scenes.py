"""Scenes that tests of agents play: who connects, what is said, what happened meanwhile."""

from datetime import timedelta
from typing import Any

from agents import dispatcher
from agents.models import Agent
from agents.protocol import Engine, Hello, Work
from iacplatform.base import clock
from pools.models import Pod, PodPhase, Pool
from tasks import confirmation
from tasks.attempts import Place
from tasks.models import Task
from tasks.states import Lease
from tests.tasks import factories
from workspaces.models import Workspace

TERRAFORM = Engine(name="terraform", version="1.11.4")


def workspace_of(pool: Pool) -> Workspace:
    """Return a workspace whose tasks run on this pool."""
    return factories.workspace(execution_mode="k8s" if pool.pool_type == "k8s" else "agent", pool=pool)


def hello(name: str = "ada", *, capacity: int = 1, work: tuple[Work, ...] = (), **members: Any) -> Hello:
    """Return what an agent says first."""
    known: dict[str, Any] = {
        "engines": (TERRAFORM,),
        "os": "linux",
        "arch": "amd64",
        "agent_version": "0.1.0",
        "versions": ("1",),
    }
    words = {"name": name, "instance": f"instance-of-{name}", "capacity": capacity, "work": work}
    return Hello(**{**known, **words, **members})


def join(name: str, **columns: Any) -> Agent:
    """Return an agent that has connected, after its pool was dispatched."""
    agent = factories.agent(name, connected=True, **columns)
    dispatcher.dispatch(agent.pool_id, cause="test")
    return agent


def pod(pool: Pool, name: str = "", **columns: Any) -> Pod:
    """Return a pod of the pool that is starting, unless another phase is given."""
    known = {"phase": PodPhase.STARTING, "slots": pool.slots_per_pod, "deadline": clock.now() + timedelta(minutes=5)}
    return Pod.objects.create(pool=pool, name=name or f"iac-{pool.name}-{Pod.objects.count()}", **{**known, **columns})


def working_pod(pool: Pool, name: str = "", **columns: Any) -> Agent:
    """Return the agent of a new pod of the pool; it is connected."""
    made = pod(pool, name, phase=PodPhase.RUNNING, connected_at=clock.now())
    known: dict[str, Any] = {"name": made.name, "pod_name": made.name, "capacity": made.slots}
    return factories.agent(pool=pool, connected=True, **{**known, **columns})


def cut_off(agent: Agent) -> None:
    """Let the agent's socket end; its lease goes on."""
    Agent.objects.filter(pk=agent.pk).update(session="")


def silence(agent: Agent) -> None:
    """Let the agent's lease end, as if it had not been heard of."""
    Agent.objects.filter(pk=agent.pk).update(lease_until=clock.now() - timedelta(seconds=1))


def offered_to(agent: Agent) -> list[int]:
    """Return the ids of tasks for which a slot of the agent is held."""
    return list(
        Task.objects.leased_by(agent.pk).filter(lease=Lease.OFFERED).order_by("id").values_list("id", flat=True)
    )


def confirm(task: Task) -> Task:
    """Return the task after somebody confirmed its plan."""
    confirmation.confirm(task, by=factories.person(), plan_digest=task.plan_digest)
    return factories.reread(task)


def slot(agent: Agent, index: int) -> Place:
    """Return this slot of the agent, free or not."""
    return Place(agent_id=agent.pk, agent_name=agent.name, pod_name="", slot=index)
