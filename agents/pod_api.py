"""The pods of a pool in the API, each with what only the agents' layer knows: the agent inside."""

from django.db.models import Exists, OuterRef, Subquery
from rest_framework import generics, serializers

from agents.models import Agent
from pools.api import OfPool
from pools.models import Pod
from pools.serializers import PodSerializer

_INSIDE = Agent.objects.filter(pool=OuterRef("pool"), pod_name=OuterRef("name"))


class PodWithAgent(PodSerializer):
    """A pod with its agent."""

    agent_id = serializers.CharField(allow_null=True, help_text="Null: none has connected yet.")
    connected = serializers.BooleanField(help_text="Whether its agent has a live session.")

    class Meta(PodSerializer.Meta):
        fields = [*PodSerializer.Meta.fields, "agent_id", "connected"]
        read_only_fields = fields


class PodList(OfPool, generics.ListAPIView[Pod]):
    """Pods of the pool, those that are gone as well, the newest first."""

    queryset = Pod.objects.annotate(
        agent_id=Subquery(_INSIDE.values("agent_id")[:1]), connected=Exists(_INSIDE.connected())
    )
    serializer_class = PodWithAgent
