"""What is promised of pods: at every moment, when all has come to rest, and over the whole run; each broken one a sentence."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import PurePath
from urllib.parse import urlsplit

from pools.autoscaler import Bound
from pools.models import PodPhase, ScalingDecision
from tests.chaos.fleet.sights import Sights
from tests.chaos.fleet.stage import LEAST, MOST, SLOTS, Fleet
from tests.chaos.rows import Rows
from tests.cluster.api import Object
from tests.cluster.traffic import Request


def broken_now(sights: Sights) -> Iterator[str]:
    """Yield what must be true whatever breaks."""
    if len(sights.staying) > MOST:
        yield f"{len(sights.staying)} pods, the pool may have {MOST}: {[row.name for row in sights.staying]}"
    slots = {row.name: row.slots for row in sights.rows}
    for name, leases in sights.busy.items():
        if leases > slots.get(name, leases):
            yield f"{leases} leases on pod {name}, which has {slots[name]} slots"
    known = {row.name: row.uid for row in sights.rows}
    for pod in sights.there or []:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        if known.get(name) not in {"", uid}:
            yield f"pod {name} ({uid}) is there, and no row is of it"
        if uid in sights.gone:
            yield f"pod {name} ({uid}) is there, and its row says that it is gone"


def restless(sights: Sights, secrets: Collection[str]) -> Iterator[str]:
    """Yield what keeps the pool from being as it should be when nobody asks for a slot and nothing is broken."""
    if sights.there is None:
        yield "the cluster does not answer"
        return
    yield from _rows_and_cluster(sights, sights.there)
    known = {row.name for row in sights.live}
    wanted = max(LEAST, len(known & sights.busy.keys()))
    if len(known) != wanted:
        yield f"the pool has {len(known)} pods, where {wanted} are wanted: {sorted(known)}"
    yield from (f"the Secret {name} is left of a pod" for name in secrets if name not in known)
    yield from (f"the token of pod {name} is left" for name in sights.tokens)
    held = [name for name, leases in sights.busy.items() if leases and name not in known]
    yield from (f"a lease is held on pod {name}, which is gone" for name in held)
    if sights.condition:
        yield f"the pool says: {sights.condition}"


def _rows_and_cluster(sights: Sights, there: list[Object]) -> Iterator[str]:
    pods = {pod["metadata"]["uid"]: pod["metadata"]["name"] for pod in there}
    rows = {row.uid: row.name for row in sights.live}
    if pods != rows:
        yield f"the cluster has {pods}, the rows are of {rows}"
    for row in sights.live:
        if row.phase != PodPhase.RUNNING or row.name not in sights.connected:
            is_connected = "connected" if row.name in sights.connected else "not connected"
            yield f"pod {row.name} is {row.phase}, its agent is {is_connected}: {row.cause or row.trouble_words}"


def broken_in_the_end(fleet: Fleet, rows: Rows) -> Iterator[str]:
    """Yield what was broken at some time of the run."""
    yield from fleet.witness.broken
    yield from touched(fleet.theirs, fleet.there() or [], list(fleet.cluster.proxy.requests))
    decisions = rows.all("SELECT * FROM pools_scalingdecision WHERE pool_id = %s", fleet.crew.pool_id)
    yield from miscounted(ScalingDecision(**row) for row in decisions)


def touched(theirs: Mapping[str, str], there: Iterable[Object], requests: Iterable[Request]) -> Iterator[str]:
    """Yield what became of other people's pods, whose UIDs `theirs` has by name, and what we asked of them."""
    found = {pod["metadata"]["name"]: pod["metadata"] for pod in there}
    for name, uid in theirs.items():
        now = found.get(name, {})
        if now.get("uid") != uid or "deletionTimestamp" in now or now.get("annotations"):
            yield f"pod {name} is somebody else's, and is now {now or 'gone'}"
    for request in requests:
        if request.method != "GET" and PurePath(urlsplit(request.path).path).name in theirs:
            yield f"{request.method} {request.path}: that pod is somebody else's"


def miscounted(decisions: Iterable[ScalingDecision]) -> Iterator[str]:
    """Yield the decisions that do not follow from their numbers, with a maximum that may have been lower then."""
    for said in decisions:
        wanted = said.pinned + -(-max(0, said.queued - said.free) // SLOTS)
        most = max(said.pinned, LEAST, min(wanted, MOST))
        least = most if said.bound != Bound.MAXIMUM else max(said.pinned, LEAST)
        if said.wanted != wanted or not least <= said.desired <= most:
            numbers = f"{said.pinned} pinned, {said.free} free, {said.queued} queued"
            yield f"{numbers}: {wanted} wanted, {least} to {most} desired; it says {said.wanted} and {said.desired}"
