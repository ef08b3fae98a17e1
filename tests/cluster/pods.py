"""Pods as the tests of these fixtures make them: restricted, as the namespace demands."""

from typing import Any

from tests.cluster.api import Object
from tests.cluster.cluster import Cluster

RESTRICTED: Object = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}


def pod(cluster: Cluster, name: str, *command: str, image: str = "tests/python:1", **container: Any) -> Object:
    """Return a pod that runs a command; `container` adds fields of its container, `spec` those of the pod."""
    spec = container.pop("spec", {})
    settings = {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    main = {"name": "agent", "image": image, "command": list(command), "securityContext": RESTRICTED, **container}
    return {
        "metadata": {"name": name},
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 5,
            "automountServiceAccountToken": False,
            "securityContext": settings,
            "containers": [main],
            "nodeSelector": cluster.placement["node_selector"],
            "tolerations": cluster.placement["tolerations"],
            **spec,
        },
    }


def python(cluster: Cluster, name: str, program: str, **container: Any) -> Object:
    """Return a pod that runs a Python program."""
    return pod(cluster, name, "python", "-c", program, **container)


def container_state(pod: Object) -> Object:
    """Return the state of a pod's container: one of waiting, running, terminated with what is known; empty for none."""
    statuses = pod["status"].get("containerStatuses")
    state: Object = statuses[0]["state"] if statuses else {}
    return state


def is_running(pod: Object | None) -> bool:
    """Return whether the pod's container runs, as its node said last."""
    return pod is not None and "running" in container_state(pod)


def has_ended(pod: Object) -> bool:
    """Return whether the pod is Succeeded or Failed."""
    return pod["status"]["phase"] in {"Succeeded", "Failed"}
