"""What belongs to somebody else in the namespace that our pods are in."""

from tests.cluster.api import Object
from tests.cluster.cluster import Cluster

_OF_CONTAINER = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
_OF_POD = {"runAsNonRoot": True, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}


def foreign_pod(cluster: Cluster, name: str = "theirs") -> Object:
    """Return a new pod of somebody else under this name."""
    image = {"name": "web", "image": "silent/other:1", "command": ["sleep", "60"], "securityContext": _OF_CONTAINER}
    placed = {"nodeSelector": cluster.placement["node_selector"], "tolerations": cluster.placement["tolerations"]}
    spec = {"containers": [image], "securityContext": _OF_POD, **placed}
    return cluster.create("pods", {"metadata": {"name": name, "labels": {"app": "web"}}, "spec": spec})
