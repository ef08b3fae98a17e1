"""Pools in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response

from iacplatform.base import clock
from iacplatform.base.serializers import Strict
from iacplatform.base.views import Remove, Scoped
from pools import checks, serializers
from pools.models import K8sConfig, Pool, PoolToken, ScalingDecision


class _Pools(Scoped):
    queryset = Pool.objects.select_related("status")
    serializer_class = serializers.PoolSerializer
    rights_model = Pool
    lookup_url_kwarg = "pool"

    def get_serializer_context(self) -> dict[str, Any]:
        """Return the context with the time at which freezes are judged; a description is made without a database."""
        is_described = getattr(self, "swagger_fake_view", False)
        return {**super().get_serializer_context(), "now": None if is_described else clock.now()}


class PoolList(_Pools, generics.ListCreateAPIView[Pool]):
    """All pools; POST makes one."""


class PoolDetail(_Pools, generics.RetrieveUpdateDestroyAPIView[Pool]):
    """One pool. It goes after the workspaces that name it, its connected agents and its pods."""

    http_method_names = ["get", "patch", "delete", "options", "head"]
    remove: Remove = staticmethod(lambda pool: pool.delete())

    def locate(self) -> None:
        """Fetch the pool."""
        self.fetch(Pool, pk=self.kwargs["pool"])

    def perform_destroy(self, instance: Pool) -> None:
        """Delete by the function of the layer that knows who uses the pool."""
        self.remove(instance)


class Unfreeze(_Pools):
    """Let new work start although a freeze window is open."""

    pool: Pool
    rights_verb = "change"

    def locate(self) -> None:
        """Fetch the pool."""
        self.pool = self.fetch(Pool, pk=self.kwargs["pool"])

    @extend_schema(request=serializers.Unfreezing, responses=serializers.PoolSerializer)
    def post(self, request: Request, pool: str) -> Response:
        """Unfreeze until then, at most to the end of the window that is open; 409 where none is."""
        asked = serializers.Unfreezing(data=request.data)
        asked.is_valid(raise_exception=True)
        self.pool.unfreeze(asked.validated_data["until"])
        return Response(self.get_serializer(self.get_queryset().get(pk=pool)).data)


class OfPool(Scoped):
    """What belongs to the pool that the address names."""

    pool: Pool

    def locate(self) -> None:
        """Fetch the pool."""
        self.pool = self.fetch(Pool, pk=self.kwargs["pool"])

    def get_queryset(self) -> Any:
        """Return the pool's rows."""
        return super().get_queryset().filter(pool_id=self.kwargs["pool"])


class TokenList(OfPool, generics.ListAPIView[PoolToken]):
    """Tokens that let agents in; POST makes one and answers its text, this once."""

    queryset = PoolToken.objects.all()
    serializer_class = serializers.TokenSerializer
    rights_model = PoolToken

    @extend_schema(request=serializers.NewToken, responses={201: serializers.IssuedToken})
    def post(self, request: Request, pool: str) -> Response:
        """Make a token."""
        asked = serializers.NewToken(data=request.data)
        asked.is_valid(raise_exception=True)
        row, text = PoolToken.issue(pool=self.pool, **asked.validated_data)
        shown = serializers.TokenSerializer(row).data
        return Response({**shown, "token": text}, status=status.HTTP_201_CREATED)


class TokenDetail(OfPool, generics.DestroyAPIView[PoolToken]):
    """One token; DELETE revokes it, and the sockets that it opened close within seconds."""

    queryset = PoolToken.objects.all()
    serializer_class = serializers.TokenSerializer
    rights_model = PoolToken

    def perform_destroy(self, instance: PoolToken) -> None:
        """Revoke; the row stays to be shown."""
        instance.revoke()


class DecisionList(OfPool, generics.ListAPIView[ScalingDecision]):
    """What the autoscaler decided for the pool whenever one of its numbers changed, the newest first."""

    queryset = ScalingDecision.objects.all()
    serializer_class = serializers.ScalingDecisionSerializer


class K8sConfigList(Scoped, generics.ListCreateAPIView[K8sConfig]):
    """Ways to reach clusters; POST makes one."""

    queryset = K8sConfig.objects.all()
    serializer_class = serializers.K8sConfigSerializer
    rights_model = K8sConfig


class K8sConfigDetail(Scoped, generics.RetrieveUpdateDestroyAPIView[K8sConfig]):
    """One K8s config. It goes after the pools that name it."""

    queryset = K8sConfig.objects.all()
    serializer_class = serializers.K8sConfigSerializer
    rights_model = K8sConfig
    http_method_names = ["get", "patch", "delete", "options", "head"]

    def locate(self) -> None:
        """Fetch the config."""
        self.fetch(K8sConfig, pk=self.kwargs["pk"])


class K8sConfigCheck(Scoped):
    """Whether a K8s config works: cluster, namespace, our rights, and a pod that is judged without being made."""

    queryset = K8sConfig.objects.all()
    rights_model = K8sConfig
    rights_verb = "change"
    serializer_class = serializers.Check

    def locate(self) -> None:
        """Fetch the config."""
        self.config = self.fetch(K8sConfig, pk=self.kwargs["pk"])

    @extend_schema(request=None, responses={200: serializers.Check})
    def post(self, request: Request, pk: int) -> Response:
        """Ask the cluster; that takes seconds, most of a minute where it answers slowly."""
        Strict(data=request.data).is_valid(raise_exception=True)
        steps = checks.check(self.config)
        return Response(serializers.Check({"ok": checks.passed(steps), "steps": steps}).data)
