"""The pods of a pool, each with the slots of its agent and what it is doing, in words."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from agents import slots
from agents.models import Agent
from agents.slots import Slot
from pools import conditions
from pools.models import Pod, PodPhase


@dataclass(frozen=True, kw_only=True)
class Doing:
    """What a pod does. `is_`: the meaning of its colour; `until`: it may last so long.

    `why`: a sentence of ours or of the cluster about its end; `quote`: the cluster's words.
    """

    is_: str
    shape: str
    words: str
    since: datetime | None = None
    until: datetime | None = None
    why: str = ""
    quote: str = ""


@dataclass(frozen=True, kw_only=True)
class Bay:
    """A pod. `agent` is None until its agent has connected for the first time, `slots` are empty till then."""

    pod: Pod
    agent: Agent | None
    slots: list[Slot]
    doing: Doing


def bays(pods: Iterable[Pod], agents: Iterable[Agent]) -> list[Bay]:
    """Return the pods with those of the `agents` (read `with_presence`) that are theirs: one query for all of them."""
    inside = {agent.pod_name: agent for agent in agents if agent.pod_name}
    held = slots.by_agent(inside.values())
    return [_bay(pod, inside.get(pod.name), held) for pod in pods]


def _bay(pod: Pod, agent: Agent | None, held: dict[str, list[Slot]]) -> Bay:
    found = held[agent.pk] if agent is not None else []
    shown = [slot for slot in found if slot.task or (agent and agent.is_connected)]
    return Bay(pod=pod, agent=agent, slots=shown, doing=_doing(pod, agent, is_busy=any(slot.task for slot in shown)))


def _doing(pod: Pod, agent: Agent | None, *, is_busy: bool) -> Doing:
    if pod.phase in _LEAVING:
        return Doing(**_LEAVING[pod.phase], why=pod.cause)
    if pod.trouble:
        means = conditions.meaning(pod.trouble).means.rstrip(".")
        return _bad(words=means, since=pod.trouble_since, quote=pod.trouble_words)
    if pod.phase == PodPhase.RUNNING:
        return _running(pod, agent, is_busy=is_busy)
    if pod.phase == PodPhase.INTENDED:
        return _waits(words="Not asked of the cluster yet", since=pod.created_at)
    words = "Its container runs, its agent has not connected yet" if pod.started_at else "The cluster starts it"
    return _waits(words=words, since=pod.started_at or pod.created_at, until=pod.deadline)


_LEAVING: dict[str, Any] = {
    PodPhase.DRAINING: {
        "is_": "apply_pending",
        "shape": "diamond",
        "words": "Takes nothing new, and goes when it holds no work",
    },
    PodPhase.DELETING: {"is_": "waiting", "shape": "dash", "words": "The cluster was asked to end it"},
}


def _running(pod: Pod, agent: Agent | None, *, is_busy: bool) -> Doing:
    if agent is None or not agent.is_connected:
        return _bad(words="Its agent is away", since=agent.last_seen_at if agent else None)
    if is_busy:
        return Doing(is_="running", shape="disc", words="Holds work")
    idle = [moment for moment in (pod.last_busy_at, pod.connected_at) if moment]
    return Doing(is_="success", shape="tick", words="Idle", since=max(idle, default=None))


def _waits(**said: Any) -> Doing:
    return Doing(is_="waiting", shape="ring", **said)


def _bad(**said: Any) -> Doing:
    return Doing(is_="failed", shape="triangle", **said)
