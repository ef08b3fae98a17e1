"""The sentence that comes first on the page of a pool of pods: how it stands, why, and what moves it."""

from dataclasses import dataclass
from datetime import datetime

from agents.supply import Hindrance, Supply
from iacplatform.console import times
from pools import conditions
from tasks.reasons import Turn


@dataclass(frozen=True, kw_only=True)
class Headline:
    """How a pool stands. `code`: its condition, or empty; `quote`: the cluster's words; `count`: times in a row.

    `turn` is empty where nothing is to be done; `retry_at`: no new pod before then; `until`: it lasts so long.
    """

    heading: str
    turn: str = ""
    remedy: str = ""
    quote: str = ""
    code: str = ""
    since: datetime | None = None
    count: int = 0
    retry_at: datetime | None = None
    until: datetime | None = None


def of(supply: Supply, *, is_unwatched: bool = False) -> Headline:
    """Return the headline. `is_unwatched`: nobody has looked at the pool's cluster for too long."""
    frozen = supply.pool.frozen_until(supply.now)
    if supply.hindrance is not None:
        return _hindered(supply.hindrance)
    if frozen is not None:
        return _frozen(frozen)
    return _unserved(supply, is_unwatched=is_unwatched) or _counted(supply)


def _hindered(hindrance: Hindrance) -> Headline:
    meaning = conditions.meaning(hindrance.code)
    return Headline(
        turn=Turn.CLUSTER,
        heading=meaning.means,
        remedy=meaning.remedy,
        quote=hindrance.words,
        code=hindrance.code,
        since=hindrance.since,
        count=hindrance.count,
        retry_at=hindrance.retry_at,
    )


def _frozen(until: datetime) -> Headline:
    return Headline(
        turn=Turn.TIME,
        heading="A freeze window is open: nothing new starts here.",
        remedy="What runs goes on, and slots that are kept for plans stay kept. Pods without work go.",
        until=until,
    )


def _unserved(supply: Supply, *, is_unwatched: bool) -> Headline | None:
    """Return what keeps the pool from being served at all, or None."""
    if supply.pool.max_replicas == 0:
        return Headline(
            turn=Turn.CONFIG, heading="It may have no pods.", remedy="Raise its maximum in the settings, if it should."
        )
    if is_unwatched:
        return Headline(
            turn=Turn.MACHINE,
            heading="Nobody looks at its cluster.",
            remedy="An operator starts a worker with manage.py qcluster, or reads the log of the one that runs.",
        )
    return None


def _counted(supply: Supply) -> Headline:
    """Return how many pods there are beside how many there should be."""
    there, most = len(supply.staying), supply.pool.max_replicas
    desired = supply.status.desired if supply.status is not None else None
    if desired is None:
        return Headline(turn=Turn.MACHINE, heading="The autoscaler has not looked at it yet.")
    if there > most:
        heading = f"It has {_pods(there)}, more than its maximum of {most}."
        remedy = "Those beyond it take nothing new; one that holds work stays until it has ended that."
        return Headline(turn=Turn.MACHINE, heading=heading, remedy=remedy)
    if supply.coming and there >= desired:
        return Headline(turn=Turn.MACHINE, heading=f"It has {_pods(there)}, {len(supply.coming)} of them starting.")
    if there < desired:
        return Headline(turn=Turn.MACHINE, heading=f"It should have {_pods(desired)}, and has {there}.")
    return _settled(supply, there, desired)


def _settled(supply: Supply, there: int, desired: int) -> Headline:
    if there == desired == 0:
        return Headline(heading="It has no pod, and needs none.")
    if there == desired:
        return Headline(heading=f"It has {_pods(there)}, as many as it should.")
    idle = times.span(supply.pool.idle_seconds)
    remedy = f"Pods that were idle for {idle} go, one at a time; one that holds work stays."
    return Headline(turn=Turn.MACHINE, heading=f"It has {_pods(there)}, and needs {desired or 'none'}.", remedy=remedy)


def _pods(number: int) -> str:
    return "no pod" if number == 0 else "1 pod" if number == 1 else f"{number} pods"
