"""The pools' part of the API. `pools/<pool>` itself is put in place above, with what may delete it."""

from django.urls import path

from pools import api

urlpatterns = [
    path("pools", api.PoolList.as_view(), name="api-pools"),
    path("pools/<str:pool>/tokens", api.TokenList.as_view(), name="api-pool-tokens"),
    path("pools/<str:pool>/tokens/<int:pk>", api.TokenDetail.as_view(), name="api-pool-token"),
    path("pools/<str:pool>/unfreeze", api.Unfreeze.as_view(), name="api-pool-unfreeze"),
    path("pools/<str:pool>/scaling-decisions", api.DecisionList.as_view(), name="api-pool-scaling-decisions"),
    path("k8s-configs", api.K8sConfigList.as_view(), name="api-k8s-configs"),
    path("k8s-configs/<int:pk>", api.K8sConfigDetail.as_view(), name="api-k8s-config"),
    path("k8s-configs/<int:pk>/check", api.K8sConfigCheck.as_view(), name="api-k8s-config-check"),
]
