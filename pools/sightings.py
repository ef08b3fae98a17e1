"""A pod as the cluster shows it, in the few words that decisions are made from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

MANAGED_BY = "app.kubernetes.io/managed-by"
PLATFORM = "iacplatform"
POOL = "iacplatform.io/pool"
ROW = "iacplatform.io/pod"
CONTAINER = "agent"
"""The name of our container; others in the pod were put there by the cluster."""

_STARTING = frozenset({"ContainerCreating", "PodInitializing"})


@dataclass(frozen=True, kw_only=True)
class SeenPod:
    """Texts are empty where the cluster says nothing. `labels` and `annotations` are the pod's own."""

    name: str
    uid: str
    phase: str  # Pending, Running, Succeeded, Failed, Unknown
    created_at: datetime
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    deleting: bool = False
    node: str = ""
    ready: bool = False
    waiting_reason: str = ""  # of a container that does not start, e.g. ImagePullBackOff, ContainerCreating
    waiting_message: str = ""
    exit_code: int | None = None
    ended_reason: str = ""  # of the pod (Evicted, NodeShutdown) or else of our container (OOMKilled, Error, Completed)
    ended_message: str = ""
    unschedulable: str = ""
    disruption: str = ""  # why the cluster takes it away: preempted, its node is lost or drained

    @property
    def pool_id(self) -> str:
        """The pool that its label names."""
        return self.labels.get(POOL, "")

    @property
    def row(self) -> str:
        """The key of the row that its label names, as text."""
        return self.labels.get(ROW, "")

    @property
    def is_ours(self) -> bool:
        return self.labels.get(MANAGED_BY) == PLATFORM

    @property
    def is_over(self) -> bool:
        return self.phase in {"Succeeded", "Failed"}


def seen(item: Any) -> SeenPod:
    """Return what a pod in the API's JSON shows; `KeyError`, `TypeError` or `ValueError` where it is none."""
    metadata, status = item["metadata"], item.get("status") or {}
    conditions = {each["type"]: each for each in status.get("conditions") or []}
    return SeenPod(
        name=_text(metadata["name"]),
        uid=_text(metadata["uid"]),
        phase=_text(status.get("phase") or "Pending"),
        created_at=_moment(metadata["creationTimestamp"]),
        labels=_texts(metadata.get("labels") or {}),
        annotations=_texts(metadata.get("annotations") or {}),
        deleting="deletionTimestamp" in metadata,
        node=(item.get("spec") or {}).get("nodeName") or "",
        ready=conditions.get("Ready", {}).get("status") == "True",
        unschedulable=_said(conditions.get("PodScheduled", {}), when="False"),
        disruption=_said(conditions.get("DisruptionTarget", {}), when="True"),
        **_waiting(status),
        **_ended(status),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("A pod needs a name, a UID and a phase.")
    return value


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None:
        raise ValueError("A time needs its zone.")
    return moment


def _texts(value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict):
        raise TypeError("Labels and annotations are objects.")
    if not all(isinstance(text, str) for text in value.values()):
        raise TypeError("Labels and annotations are texts.")
    return value


def _said(condition: Mapping[str, Any], when: str) -> str:
    if condition.get("status") != when:
        return ""
    return str(condition.get("message") or condition.get("reason") or condition["type"])


def _waiting(status: Mapping[str, Any]) -> dict[str, Any]:
    """Return why a container does not start; one that fails comes before one that is on its way."""
    found = [state["waiting"] for _, state in _states(status) if "waiting" in state]
    failing = [each for each in found if each.get("reason") not in _STARTING]
    first: Mapping[str, Any] = next(iter(failing or found), {})
    return {"waiting_reason": first.get("reason") or "", "waiting_message": first.get("message") or ""}


def _ended(status: Mapping[str, Any]) -> dict[str, Any]:
    of_ours = dict(_states(status)).get(CONTAINER, {}).get("terminated", {})
    return {
        "exit_code": of_ours.get("exitCode"),
        "ended_reason": status.get("reason") or of_ours.get("reason") or "",
        "ended_message": status.get("message") or of_ours.get("message") or "",
    }


def _states(status: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for kind in ("initContainerStatuses", "containerStatuses"):
        for each in status.get(kind) or []:
            yield each["name"], each.get("state") or {}
