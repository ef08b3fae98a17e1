"""What a kubelet writes into a pod's status, as the API's JSON; for a strategic merge."""

from datetime import UTC, datetime

from tests.cluster.api import Object
from tests.cluster.pod_object import only

KILLED = 137  # 128 + SIGKILL


def waiting(pod: Object, reason: str, message: str = "") -> Object:
    """The container does not run yet."""
    return _status(pod, "Pending", {"waiting": _without_empty(reason=reason, message=message)})


def running(pod: Object) -> Object:
    """The container runs since now."""
    return _status(pod, "Running", {"running": {"startedAt": now()}}, is_ready=True)


def terminated(pod: Object, code: int, *, reason: str = "", message: str = "") -> Object:
    """The container has ended; the pod is Succeeded after 0, else Failed."""
    why = reason or ("Completed" if code == 0 else "Error")
    state = _without_empty(exitCode=code, reason=why, message=message, finishedAt=now())
    return _status(pod, "Failed" if code else "Succeeded", {"terminated": state | {"exitCode": code}})


def out_of_memory(pod: Object, code: int) -> Object:
    """The kernel has killed the container at its memory limit."""
    return terminated(pod, code, reason="OOMKilled")


def evicted(pod: Object, code: int) -> Object:
    """The node has ended the whole pod to save itself."""
    words = "The node was low on resource: memory. Threshold quantity: 100Mi, available: 90Mi. "
    return terminated(pod, code) | {"reason": "Evicted", "message": words}


def lost_track(pod: Object) -> Object:
    """The machine was started again and the container is not there; with restartPolicy Never it stays so."""
    words = "The container could not be located when the pod was terminated"
    return terminated(pod, KILLED, reason="ContainerStatusUnknown", message=words)


def with_last_words(status: Object, pod: Object, output: str) -> Object:
    """Add the end of what a failed container printed, where the pod asks for that (terminationMessagePolicy)."""
    state = status["containerStatuses"][0]["state"]["terminated"]
    if state["exitCode"] and only(pod).get("terminationMessagePolicy") == "FallbackToLogsOnError":
        state.setdefault("message", "\n".join(output.splitlines()[-80:])[-2048:])
    return status


def now() -> str:
    """Return the time as Kubernetes writes it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _status(pod: Object, phase: str, state: Object, *, is_ready: bool = False) -> Object:
    started = "running" in state
    container = {
        "name": only(pod)["name"],
        "image": only(pod)["image"],
        "imageID": "",
        "ready": is_ready,
        "started": started,
        "restartCount": 0,
        "state": state,
    }
    return {
        "phase": phase,
        "startTime": pod.get("status", {}).get("startTime") or now(),
        "conditions": [_condition(name, is_ready) for name in ("Ready", "ContainersReady")]
        + [_condition("Initialized", True)],
        "containerStatuses": [container],
    }


def _condition(name: str, holds: bool) -> Object:
    return {"type": name, "status": str(holds), "lastTransitionTime": now()}


def _without_empty(**fields: object) -> Object:
    return {name: value for name, value in fields.items() if value}
