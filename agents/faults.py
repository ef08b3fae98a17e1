"""What is wrong with the settings, whether or not a task has met it yet; each a sentence that says what to do."""

from collections.abc import Callable, Iterator

from agents import jobs, pauses, sealed, sweep
from agents.models import Agent
from agents.sealed import Column
from iacplatform.base import clock, encryption
from iacplatform.base.models import BREAK_SECONDS, FAILING, SILENT_SECONDS, Beat
from pools import conditions
from pools.models import Pool, PoolStatus, PoolToken, PoolType
from workspaces.models import ExecutionMode, Workspace

_NEWEST = 1000
"""Rows of a table that grows whose keys are looked at."""


def faults() -> list[str]:
    """Return a sentence for each fault that is found."""
    return [sentence for check in _CHECKS for sentence in check()]


def _silent_sweep() -> Iterator[str]:
    last = Beat.objects.last_sweep()
    if last is None:
        yield "The sweep has never run: start a worker with manage.py qcluster, or everything with manage.py up."
    elif sweep.is_late(SILENT_SECONDS):
        yield (
            f"The sweep last ran at {last:%Y-%m-%d %H:%M:%S} UTC: see to the worker (manage.py qcluster), or start "
            "everything with manage.py up."
        )


def _no_worker() -> Iterator[str]:
    if sweep.is_late(SILENT_SECONDS) or not jobs.worker_is_silent():
        return
    last = jobs.last_link()
    heard = f"since {last:%Y-%m-%d %H:%M:%S} UTC" if last else "for an hour, or ever"
    yield (
        f"No worker has swept {heard}; a web process does it in its place, but not as often: start a worker (manage.py "
        "qcluster), or everything with manage.py up, and read the log of the one that stopped."
    )


def _failing_steps() -> Iterator[str]:
    for beat in Beat.objects.failing().order_by("name"):
        yield (
            f"The sweep's step {beat.name.removeprefix(FAILING)!r} has failed each time since "
            f"{beat.unbroken_since:%Y-%m-%d %H:%M:%S} UTC, so what it should move may stand still: the log of the "
            "worker says why."
        )


def _no_web() -> Iterator[str]:
    beating = Beat.objects.filter(name__startswith="web:", at__gt=clock.In(seconds=-BREAK_SECONDS))
    if not beating.exists():
        yield "No web process is at work, so no agent can connect: start one, or everything with manage.py up."


def _deaf_agents() -> Iterator[str]:
    connected = {agent.pk: agent for agent in Agent.objects.taking_work().select_related("pool")}
    for agent_id, pause in pauses.of(connected.values()).items():
        agent = connected[agent_id]
        what = "the last offer" if pause.lapses == 1 else f"the last {pause.lapses} offers"
        yield (
            f"Agent {agent.name} of pool {agent.pool.name} is connected and did not take {what}: read its log and "
            "restart it."
        )


def _workspaces_without_pool() -> Iterator[str]:
    lacking = Workspace.objects.exclude(execution_mode=ExecutionMode.LOCAL).filter(pool=None)
    for workspace in lacking:
        yield (
            f"Workspace {workspace.name} runs in mode {workspace.execution_mode} and names no pool: choose one in its "
            "settings."
        )


def _pools_that_run_nothing() -> Iterator[str]:
    connected = set(Agent.objects.connected().values_list("pool_id", flat=True))
    open_to_agents = set(PoolToken.objects.valid().values_list("pool_id", flat=True))
    for pool in _used_pools():
        if fault := _k8s_fault(pool) if pool.pool_type == PoolType.K8S else "":
            yield fault
        elif pool.pool_type == PoolType.STATIC and pool.pk not in connected:
            yield _static_fault(pool, has_token=pool.pk in open_to_agents)


def _used_pools() -> Iterator[Pool]:
    """Return the pools that some workspace's tasks would run on."""
    named = set(Workspace.objects.exclude(pool=None).values_list("pool_id", flat=True))
    local = Workspace.objects.filter(execution_mode=ExecutionMode.LOCAL).exists()
    return (pool for pool in Pool.objects.all() if pool.pk in named or (local and pool.is_local))


def _static_fault(pool: Pool, *, has_token: bool) -> str:
    if pool.is_local:
        return "No agent of pool local is connected: manage.py up starts one."
    if not has_token:
        return f"Pool {pool.name} has no valid token, so no agent can connect: make one, and start an agent with it."
    return f"No agent of pool {pool.name} is connected: start one with a token of the pool."


def _k8s_fault(pool: Pool) -> str:
    if pool.k8s_config_id is None:
        return f"Pool {pool.name} starts pods and has no K8s config: give it one."
    return f"Pool {pool.name} may have no pods: raise its maximum." if pool.max_replicas == 0 else ""


def _pool_conditions() -> Iterator[str]:
    """Say of each pool that cannot have its pods why not, whether or not a task waits for one."""
    hindered = PoolStatus.objects.exclude(condition_code="").select_related("pool").order_by("pool__name")
    for status in hindered:
        meaning = conditions.meaning(status.condition_code)
        since = f" So since {status.condition_since:%Y-%m-%d %H:%M:%S} UTC." if status.condition_since else ""
        words = " ".join(status.condition_message.split())
        quoted = f' The cluster says: "{words}".' if words else ""
        yield f"Pool {status.pool.name}: {meaning.means}{since}{quoted} {meaning.remedy}"


def _missing_keys() -> Iterator[str]:
    for key_id in sorted({key for column in sealed.COLUMNS for key in _unknown_keys(column)}):
        yield (
            f"Values are sealed with the key {key_id!r}, which is not configured: add it to "
            "IACPLATFORM_ENCRYPTION_KEYS, or they are lost."
        )


def _unknown_keys(column: Column) -> Iterator[str]:
    heads = column.rows().order_by("-pk").values_list("head", flat=True)
    return (key for head in heads[:_NEWEST] if (key := encryption.missing_key(head)))


_CHECKS: tuple[Callable[[], Iterator[str]], ...] = (
    _silent_sweep,
    _no_worker,
    _failing_steps,
    _no_web,
    _deaf_agents,
    _workspaces_without_pool,
    _pools_that_run_nothing,
    _pool_conditions,
    _missing_keys,
)
