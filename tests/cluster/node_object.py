"""The Node object of a process node, as the API's JSON, and what a pod must say to land there."""

from collections.abc import Mapping

from tests.cluster.api import Object
from tests.cluster.binaries.programs import VERSION
from tests.cluster.pod_status import now

OWNER = "iacplatform.test/owner"
"""Key of the taint and the label that carry the owner's name: nobody else's pods come here, and ours go nowhere else."""

ALLOCATABLE = {"cpu": "8", "memory": "16Gi", "ephemeral-storage": "100Gi", "pods": "110"}


def node_object(name: str, owner: str, allocatable: Mapping[str, str]) -> Object:
    """Return a Node that is Ready; `allocatable` where it differs from `ALLOCATABLE`."""
    room = {**ALLOCATABLE, **allocatable}
    return {
        "metadata": {
            "name": name,
            "labels": {"kubernetes.io/hostname": name, "kubernetes.io/os": "linux", OWNER: owner},
        },
        "spec": {"taints": [{"key": OWNER, "value": owner, "effect": "NoSchedule"}]},
        "status": {
            **ready_condition()["status"],
            "capacity": room,
            "allocatable": room,
            "nodeInfo": {**dict.fromkeys(_UNKNOWN, ""), "kubeletVersion": VERSION, "operatingSystem": "linux"},
        },
    }


def ready_condition() -> Object:
    """Return the change that says that a node is well now."""
    condition = {
        "type": "Ready",
        "status": "True",
        "reason": "KubeletReady",
        "message": "kubelet is posting ready status",
        "lastHeartbeatTime": now(),
        "lastTransitionTime": now(),
    }
    return {"status": {"conditions": [condition]}}


def placement(owner: str) -> Object:
    """Return `node_selector` and `tolerations` of a pod that is to land on the nodes of an owner."""
    toleration = {"key": OWNER, "operator": "Equal", "value": owner, "effect": "NoSchedule"}
    return {"node_selector": {OWNER: owner}, "tolerations": [toleration]}


_UNKNOWN = (
    "machineID",
    "systemUUID",
    "bootID",
    "kernelVersion",
    "osImage",
    "containerRuntimeVersion",
    "kubeProxyVersion",
    "architecture",
)


def event_of(pod: Object, node: str, reason: str, message: str) -> Object:
    """Return a warning of the node about a pod."""
    metadata = pod["metadata"]
    about = {name: metadata[name] for name in ("name", "namespace", "uid")}
    return {
        "metadata": {"generateName": f"{metadata['name']}.", "namespace": metadata["namespace"]},
        "involvedObject": {"apiVersion": "v1", "kind": "Pod", **about},
        "type": "Warning",
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet", "host": node},
        "firstTimestamp": now(),
        "lastTimestamp": now(),
        "count": 1,
    }
