from pools.models.cluster import K8sConfig
from pools.models.pod import Pod, PodPhase
from pools.models.pool import LOCAL, Pool, PoolType
from pools.models.token import PoolToken

__all__ = ["LOCAL", "K8sConfig", "Pod", "PodPhase", "Pool", "PoolToken", "PoolType"]
