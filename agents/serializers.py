"""Agents, and why tasks do not run on them, as the API gives them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from agents.models import Agent
from tasks.serializers import WaitReason
from tasks.timeline import Entry, Kind


class EngineSerializer(serializers.Serializer[Any]):
    """An engine that an agent has."""

    name = serializers.CharField()
    version = serializers.CharField()


class SlotSerializer(serializers.Serializer[Any]):
    """Room for one task."""

    index = serializers.IntegerField()
    state = serializers.ChoiceField(choices=["free", "offered", "running", "reserved", "draining"])
    task_id = serializers.IntegerField(allow_null=True)


class AgentSerializer(serializers.ModelSerializer[Agent]):
    """An agent, read `with_presence`; needs `slots` (by agent id) in its context."""

    pool_id = serializers.CharField()
    connected = serializers.BooleanField(source="is_connected")
    engines = EngineSerializer(many=True)
    fetches = serializers.ListField(
        child=serializers.CharField(), help_text="Engines of which it downloads the versions that it lacks."
    )
    slots = serializers.SerializerMethodField()

    class Meta:
        model = Agent
        fields = [
            "agent_id",
            "name",
            "pool_id",
            "pod_name",
            "connected",
            "draining",
            "connected_at",
            "last_seen_at",
            "engines",
            "fetches",
            "os",
            "arch",
            "version",
            "capacity",
            "slots",
        ]
        read_only_fields = fields

    @extend_schema_field(SlotSerializer(many=True))
    def get_slots(self, agent: Agent) -> Any:
        """Return the agent's slots."""
        return SlotSerializer(self.context["slots"][agent.pk], many=True).data


class GateSerializer(serializers.Serializer[Any]):
    """A question on the way to a slot, and its answer for the task."""

    name = serializers.CharField()
    result = serializers.ChoiceField(choices=["pass", "wait", "not_reached"])
    reason = serializers.DictField(allow_null=True, help_text="Why it waits there.")


class Explanation(serializers.Serializer[Any]):
    """Why a task waits, gate by gate."""

    gates = GateSerializer(many=True)
    wait_reason = WaitReason(allow_null=True)


class TimelineEntry(serializers.Serializer[Entry]):
    """One thing that happened to a task."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=[kind.value for kind in Kind])
    text = serializers.CharField(help_text="What happened, in a sentence.")
    actor = serializers.CharField(help_text="user:<name>, agent:<name> or the platform's part; empty: nobody.")
    cause = serializers.CharField(help_text="Why, where something says so.")
    attempt = serializers.IntegerField(allow_null=True, help_text="Its number within the phase.")
    epoch = serializers.IntegerField(allow_null=True)
