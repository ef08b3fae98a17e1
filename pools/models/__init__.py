from pools.models.cluster import OF_PODS, PLACE, K8sConfig
from pools.models.decision import ScalingDecision
from pools.models.pod import COMING, ENDING, STAYING, Pod, PodPhase
from pools.models.pool import LOCAL, Pool, PoolType
from pools.models.status import ClusterStatus, PoolStatus
from pools.models.token import PoolToken

__all__ = [
    "COMING",
    "ENDING",
    "LOCAL",
    "OF_PODS",
    "PLACE",
    "STAYING",
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
