"""What a lost apply left behind, and what its agent brought late, in the API."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from agents import aftermath, evidence
from agents.lock_holders import Life
from tasks.api.rows import OneTask


class EvidenceSerializer(serializers.Serializer[Any]):
    """A piece of evidence. `kept_state`: the state's number under `state-versions/kept-aside`; null of other kinds."""

    kind = serializers.ChoiceField(choices=["log", "result", "state"])
    phase = serializers.CharField()
    attempt = serializers.IntegerField()
    epoch = serializers.IntegerField()
    at = serializers.DateTimeField()
    text = serializers.CharField()
    kept_state = serializers.IntegerField(allow_null=True)


class EvidenceList(serializers.Serializer[Any]):
    """All of a task's evidence, the oldest first."""

    results = EvidenceSerializer(many=True)


class CompletedSerializer(serializers.Serializer[Any]):
    """A resource that was completed, by the log."""

    address = serializers.CharField()
    action = serializers.ChoiceField(choices=["create", "update", "delete"])


class StateLockSerializer(serializers.Serializer[Any]):
    """The lock on the workspace's state."""

    holder = serializers.CharField(help_text="user:<name> or task:<id>")
    lock_id = serializers.CharField()
    since = serializers.DateTimeField()
    operation = serializers.CharField(help_text="As the engine named it; may be empty.")


class AftermathSerializer(serializers.Serializer[Any]):
    """What is known of an apply whose agent was lost."""

    last_heartbeat_at = serializers.DateTimeField(allow_null=True)
    last_log_line = serializers.CharField(help_text="Without colour codes; may be empty.")
    last_log_at = serializers.DateTimeField(allow_null=True)
    last_serial = serializers.IntegerField(allow_null=True, help_text="Of the workspace's newest state.")
    last_saved_at = serializers.DateTimeField(allow_null=True, help_text="When this task last saved a state.")
    resources_after_last_serial = CompletedSerializer(
        many=True, help_text="Completed by the log, and not in the state that this task saved last."
    )
    state_lock = StateLockSerializer(allow_null=True)
    holder = serializers.ChoiceField(choices=[life.value for life in Life])
    holder_since = serializers.DateTimeField(allow_null=True)
    holder_text = serializers.CharField()
    evidence = EvidenceSerializer(many=True)


class AftermathAnswer(serializers.Serializer[Any]):
    """`aftermath` is null exactly when the task does not need attention."""

    aftermath = AftermathSerializer(allow_null=True)


class Aftermath(OneTask):
    """What a person looks at before they decide about a lost apply."""

    @extend_schema(responses=AftermathAnswer)
    def get(self, request: Request, **names: Any) -> Response:
        """Show it; null where the task does not need attention."""
        return Response(AftermathAnswer({"aftermath": aftermath.of(self.task)}).data)


class EvidenceView(OneTask):
    """What agents brought after their attempts were given up; of a task of any status."""

    @extend_schema(responses=EvidenceList)
    def get(self, request: Request, **names: Any) -> Response:
        """List it."""
        return Response(EvidenceList({"results": evidence.of(self.task)}).data)
