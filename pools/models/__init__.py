from pools.models.cluster import K8sConfig
from pools.models.decision import ScalingDecision
from pools.models.pod import Pod, PodPhase
from pools.models.pool import LOCAL, Pool, PoolType
from pools.models.status import ClusterStatus, PoolStatus
from pools.models.token import PoolToken

__all__ = [
    "LOCAL",
    "ClusterStatus",
    "K8sConfig",
    "Pod",
    "PodPhase",
    "Pool",
    "PoolStatus",
    "PoolToken",
    "PoolType",
    "ScalingDecision",
]
