"""Pools whose cluster is a real one, and what a test sees of it."""

from base64 import b64decode
from collections.abc import Callable

from agents.fleet import looks
from iacplatform.base.tokens import digest
from pools.models import ClusterStatus, K8sConfig, Pod, Pool, PoolToken
from tests import factories
from tests.cluster.api import Object
from tests.cluster.cluster import Cluster

SILENT = "silent/agent:1"
"""Its container runs, and never connects."""


def config(cluster: Cluster, image: str = SILENT) -> K8sConfig:
    """Return a config of the cluster, as the platform reaches it: past the fault proxy, with the rights of the Role."""
    made = K8sConfig(name=cluster.namespace, namespace=cluster.namespace, image=image, **cluster.placement)
    made.set_kubeconfig(cluster.kubeconfig)
    made.full_clean()
    made.save()
    return made


def pool(cluster: Cluster, image: str = SILENT, **columns: int) -> Pool:
    """Return a pool of one pod in the cluster."""
    return factories.k8s_pool(**{"k8s_config": config(cluster, image), "min_replicas": 1, **columns})


def look(pool: Pool) -> None:
    """Look at the pool's cluster, whatever the last look thought of it."""
    ClusterStatus.objects.update(not_before=None, held_until=None, calls_left=20)
    looks.look(pool.k8s_config_id or 0)


def until(pool: Pool, condition: Callable[[], object], eventually: Callable[..., None]) -> None:
    """Look again and again until the condition holds."""

    def holds() -> bool:
        look(pool)
        return bool(condition())

    eventually(holds)


def ours(cluster: Cluster) -> list[Object]:
    """Return the pods of the platform, as the cluster has them."""
    return cluster.pods(**{"app.kubernetes.io/managed-by": "iacplatform"})


def names(cluster: Cluster) -> list[str]:
    """Return the names of the platform's pods that nobody is deleting."""
    return [pod["metadata"]["name"] for pod in ours(cluster) if "deletionTimestamp" not in pod["metadata"]]


def token_in(cluster: Cluster, pod: Pod) -> PoolToken | None:
    """Return the token that lets in whoever reads the pod's secret."""
    [secret] = [each for each in cluster.secrets() if each["metadata"]["name"] == pod.name]
    text = b64decode(secret["data"]["token"]).decode()
    return PoolToken.objects.valid().filter(digest=digest(text)).first()
