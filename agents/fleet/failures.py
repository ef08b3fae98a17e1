"""When a pod is given up: each way in which it can fail to serve has its time, and not longer."""

from datetime import timedelta

from agents.fleet.observations import START_SECONDS, Sight, Trouble
from pools.conditions import Condition
from pools.sightings import SeenPod

PULL_SECONDS = 30
"""For so long a node may fail to get the image, or to make the container."""


def of(sight: Sight) -> Trouble | None:
    """Return why a pod that is there is to be given up now: its time is over. None: it may go on.

    Of the row as it is after the news was written.
    """
    pod, seen = sight.pod, sight.seen
    if seen is None or not sight.is_staying:
        return None
    if pod.trouble and pod.trouble != Condition.POD_UNSCHEDULABLE and _is_for_good(sight):
        return Trouble(code=Condition(pod.trouble), words=pod.trouble_words)
    return _late(sight, seen)


def _is_for_good(sight: Sight) -> bool:
    """Return whether a trouble has lasted; that an agent is silent was only said after long enough."""
    since = sight.pod.trouble_since
    is_silent = sight.pod.connected_at is not None
    return is_silent or (since is not None and sight.now - since >= timedelta(seconds=PULL_SECONDS))


def _late(sight: Sight, seen: SeenPod) -> Trouble | None:
    pod = sight.pod
    if pod.connected_at is not None or pod.deadline is None or sight.now < pod.deadline:
        return None
    if pod.trouble:
        return Trouble(code=Condition(pod.trouble), words=pod.trouble_words)
    if pod.started_at is not None:
        words = f"It has run since {pod.started_at:%H:%M:%S} UTC, and its agent has not connected."
        return Trouble(code=Condition.AGENT_NEVER_CONNECTED, words=words)
    said = f"{seen.waiting_reason}: {seen.waiting_message}".strip(": ") or f"the cluster calls it {seen.phase}"
    return Trouble(
        code=Condition.POD_FAILED, words=f"Its container did not start in {START_SECONDS // 60} minutes: {said}."
    )
