"""Pools, their tokens and pods, and K8s configs, as the API takes and gives them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from iacplatform.base.serializers import Rows, Strict, Visible, WriteOnce
from pools import conditions
from pools.models import OF_PODS, K8sConfig, Pod, Pool, PoolStatus, PoolToken, ScalingDecision


class Condition(Strict):
    """What keeps a pool from having its pods."""

    code = serializers.ChoiceField(choices=[code.value for code in conditions.Condition], source="condition_code")
    message = serializers.CharField(source="condition_message", help_text="With the cluster's own words.")
    remedy = serializers.SerializerMethodField(help_text="What to do about it.")
    since = serializers.DateTimeField(source="condition_since")
    count = serializers.IntegerField(source="condition_count", help_text="How many times in a row.")

    def get_remedy(self, status: PoolStatus) -> str:
        """Return what to do about it."""
        return conditions.meaning(status.condition_code).remedy


class PoolSerializer(Rows[Pool]):
    """A pool, best read with its `status`. Needs `now` in its context."""

    k8s_config = Visible(queryset=K8sConfig.objects.all(), allow_null=True, required=False)
    freeze_windows = serializers.ListField(child=serializers.JSONField(), required=False, max_length=50)
    frozen = serializers.SerializerMethodField(help_text="Whether a freeze window holds now.")
    frozen_until = serializers.SerializerMethodField(help_text="When that freeze ends; null: the pool is not frozen.")
    desired = serializers.SerializerMethodField(help_text="Pods that the autoscaler wants; null: it has not said.")
    condition = serializers.SerializerMethodField(help_text="What is wrong with it; null: nothing is known.")

    class Meta:
        model = Pool
        fields = [
            "pool_id",
            "name",
            "pool_type",
            "k8s_config",
            "min_replicas",
            "max_replicas",
            "slots_per_pod",
            "idle_seconds",
            "reservation_seconds",
            "freeze_windows",
            "frozen",
            "frozen_until",
            "unfrozen_until",
            "desired",
            "condition",
            "created_at",
        ]
        read_only_fields = ["pool_id", "unfrozen_until", "created_at"]

    def get_frozen(self, pool: Pool) -> bool:
        """Return whether the pool starts nothing new now."""
        return pool.is_frozen(self.context["now"])

    def get_frozen_until(self, pool: Pool) -> datetime | None:
        """Return when the freeze that holds now ends."""
        return pool.frozen_until(self.context["now"])

    def get_desired(self, pool: Pool) -> int | None:
        """Return how many pods the autoscaler wants."""
        status: PoolStatus | None = getattr(pool, "status", None)
        return status.desired if status is not None else None

    @extend_schema_field(Condition(allow_null=True))
    def get_condition(self, pool: Pool) -> dict[str, Any] | None:
        """Return what keeps the pool from having its pods, as far as is known."""
        status = conditions.of(pool)
        return Condition(status).data if status is not None else None


class Unfreezing(Strict):
    """Until when new work may start within a freeze window."""

    until = serializers.DateTimeField(
        required=False, default=None, allow_null=True, help_text="Within the window; left out: to its end."
    )


class TokenSerializer(Rows[PoolToken]):
    """A token of a pool; its text is in the answer that made it and nowhere else."""

    class Meta:
        model = PoolToken
        fields = ["id", "name", "prefix", "created_at", "last_used_at", "expires_at", "revoked_at"]
        read_only_fields = ["id", "prefix", "created_at", "last_used_at", "revoked_at"]


class NewToken(Strict):
    """What a new token is made of."""

    name = serializers.CharField(max_length=90, required=False, default="", allow_blank=True)
    expires_at = serializers.DateTimeField(required=False, default=None, allow_null=True)


class IssuedToken(TokenSerializer):
    """A token just made."""

    token = serializers.CharField(read_only=True, help_text="Shown this once.")

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]


class PodSerializer(Rows[Pod]):
    """A pod that is meant to be, or was."""

    trouble = serializers.CharField(help_text="A wait reason's code; empty: none is seen.")

    class Meta:
        model = Pod
        fields = [
            "name",
            "uid",
            "phase",
            "slots",
            "trouble",
            "trouble_words",
            "trouble_since",
            "cause",
            "created_at",
            "deadline",
            "connected_at",
            "last_busy_at",
            "gone_at",
        ]
        read_only_fields = fields


class ScalingDecisionSerializer(Rows[ScalingDecision]):
    """A decision of the autoscaler, with the numbers that it was made from."""

    sentence = serializers.CharField(read_only=True, help_text="The decision in words.")

    class Meta:
        model = ScalingDecision
        fields = ["id", "at", "pinned", "free", "queued", "live", "wanted", "desired", "bound", "sentence"]
        read_only_fields = fields


class K8sConfigSerializer(Rows[K8sConfig]):
    """How to reach a cluster, and what a pod of ours looks like there."""

    kubeconfig = WriteOnce(required=False, allow_blank=True, help_text="YAML or JSON; empty: none. Never shown again.")
    has_kubeconfig = serializers.SerializerMethodField()
    command = serializers.ListField(child=serializers.CharField(), required=False)
    tolerations = serializers.ListField(child=serializers.JSONField(), required=False)
    image_pull_secrets = serializers.ListField(child=serializers.CharField(), required=False)

    class Meta:
        model = K8sConfig
        fields = [
            "id",
            "name",
            "kubeconfig",
            "has_kubeconfig",
            "server",
            "in_cluster",
            "namespace",
            *OF_PODS,
            "created_at",
        ]
        read_only_fields = ["id", "server", "created_at"]

    def get_has_kubeconfig(self, config: K8sConfig) -> bool:
        """Return whether a kubeconfig is kept."""
        return bool(config.sealed_kubeconfig)

    def apply(self, draft: K8sConfig, attrs: Mapping[str, Any]) -> None:
        """Write the values to the draft, the kubeconfig sealed."""
        if "kubeconfig" in attrs:
            draft.set_kubeconfig(attrs["kubeconfig"])
        super().apply(draft, {name: value for name, value in attrs.items() if name != "kubeconfig"})

    def keep(self, draft: K8sConfig, columns: Any) -> None:
        """Save the draft; the kubeconfig is kept sealed, with the address and the route that it names."""
        kept = {name: ["sealed_kubeconfig", "server", "route"] if name == "kubeconfig" else [name] for name in columns}
        super().keep(draft, [column for each in kept.values() for column in each])


class CheckStep(Strict):
    """One step of a check."""

    name = serializers.CharField(help_text="Such as reachable, version, namespace, create pods, pod.")
    ok = serializers.BooleanField()
    words = serializers.CharField(help_text="What was found; the cluster's own words where it refused.")
    remedy = serializers.CharField(help_text="What to do; empty: nothing.")


class Check(Strict):
    """Whether a K8s config works. It ends at the step after which there was nothing more to ask."""

    ok = serializers.BooleanField()
    steps = CheckStep(many=True)
