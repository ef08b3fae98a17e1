"""Tasks as the API gives them, and what their verbs take."""

from typing import Any

from rest_framework import serializers

from iacplatform.base.serializers import Strict
from tasks import actions
from tasks.models import Task, TaskEvent
from tasks.states import Phase, TaskType
from workspaces.models import ExecutionMode


class Text(serializers.CharField):
    """A text that may be left out."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "default": "", "allow_blank": True, "max_length": 2000, **options})


class Changes(serializers.Serializer[Any]):
    """Numbers of resources."""

    add = serializers.IntegerField()
    change = serializers.IntegerField()
    destroy = serializers.IntegerField()


class Blocker(serializers.Serializer[Any]):
    """What stands in the way."""

    kind = serializers.CharField()
    id = serializers.CharField()


class WaitReason(serializers.Serializer[Any]):
    """Why a task does not move right now."""

    code = serializers.CharField()
    turn = serializers.CharField(help_text="machine, person, config, cluster or time")
    message = serializers.CharField()
    since = serializers.DateTimeField()
    blocker = Blocker(allow_null=True)
    evidence = serializers.DictField(help_text="The numbers seen.")
    remedy = serializers.CharField(help_text="What will move it.")
    next_check_at = serializers.DateTimeField()
    deadline = serializers.DateTimeField(allow_null=True)
    actions = serializers.ListField(child=serializers.CharField())


class TaskWarning(serializers.Serializer[Any]):
    """Something that is not as it should be."""

    code = serializers.CharField()
    message = serializers.CharField()
    since = serializers.DateTimeField()


class Dispatch(serializers.Serializer[Any]):
    """What came of looking for a slot. `deferred`: dispatching itself failed; it is tried again."""

    outcome = serializers.ChoiceField(
        choices=["offered", "waiting", "deferred", "ended"],
        help_text="deferred: looking for a slot failed, and is tried again; ended: the task had ended before.",
    )
    agent_id = serializers.CharField(allow_null=True)
    slot = serializers.IntegerField(allow_null=True)
    wait_reason = WaitReason(allow_null=True)


class TaskSerializer(serializers.ModelSerializer[Task]):
    """A task, read `with_outlook`; needs the `request` in its context."""

    workspace_id = serializers.CharField()
    workspace_name = serializers.CharField(source="workspace.name")
    retried_from = serializers.IntegerField(
        source="retried_from_id", allow_null=True, help_text="The ended task that this one does again."
    )
    phase = serializers.ChoiceField(choices=Phase.choices, allow_blank=True, help_text="Empty: none has begun.")
    execution_mode = serializers.ChoiceField(choices=ExecutionMode.choices, source="workspace.execution_mode")
    created_by = serializers.CharField(source="created_by.username", allow_null=True)
    confirmed_by = serializers.CharField(source="confirmed_by.username", allow_null=True)
    changes = Changes(allow_null=True)
    wait_reason = WaitReason(allow_null=True)
    stuck = serializers.BooleanField(source="is_stuck")
    warnings = TaskWarning(many=True, help_text="What is not as it should be, though it is not stuck yet.")
    actions = serializers.SerializerMethodField(help_text="What the caller may do with it now.")

    class Meta:
        model = Task
        fields = [
            "id",
            "workspace_id",
            "workspace_name",
            "task_type",
            "status",
            "stage",
            "phase",
            "execution_mode",
            "agent_id",
            "pod_name",
            "slot",
            "attempt",
            "retry_count",
            "max_retries",
            "auto_apply",
            "retried_from",
            "description",
            "apply_description",
            "created_by",
            "confirmed_by",
            "confirmed_at",
            "created_at",
            "started_at",
            "updated_at",
            "completed_at",
            "error_code",
            "error_message",
            "progress_done",
            "progress_total",
            "changes",
            "plan_digest",
            "plan_count",
            "wait_reason",
            "stuck",
            "warnings",
            "actions",
        ]
        read_only_fields = fields

    def get_actions(self, task: Task) -> list[str]:
        """Return what the caller may do with the task now."""
        return actions.open_to(task, self.context["request"].user)


class MovedTask(TaskSerializer):
    """A task, and what a verb did to it."""

    message = serializers.CharField(help_text="What was done, in a sentence; or who did it before, and when.")

    class Meta(TaskSerializer.Meta):
        fields = [*TaskSerializer.Meta.fields, "message"]
        read_only_fields = fields


class DispatchedTask(MovedTask):
    """The same, and what came of looking for a slot for it."""

    dispatch = Dispatch()

    class Meta(MovedTask.Meta):
        fields = [*MovedTask.Meta.fields, "dispatch"]
        read_only_fields = fields


class EventSerializer(serializers.ModelSerializer[TaskEvent]):
    """A move of a task. `from` is empty where the task was made."""

    to = serializers.CharField(source="after")

    class Meta:
        model = TaskEvent
        fields = ["id", "event", "to", "reason", "actor", "attempt", "epoch", "at"]
        read_only_fields = fields

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; `from` is a word of Python's and no name for an attribute."""
        return {**super().get_fields(), "from": serializers.CharField(source="before", allow_blank=True)}


class NewTask(Strict):
    """What a task is made of."""

    task_type = serializers.ChoiceField(choices=TaskType.choices, default=TaskType.PLAN_AND_APPLY)
    description = Text(help_text="For people.")


class Confirmation(Strict):
    """A person's word on a plan."""

    apply_description = Text(help_text="Why it is applied.")
    plan_digest = Text(max_length=64, help_text="Of the plan that was read; needed when the task had several.")


class Verdict(Strict):
    """Why a person does it."""

    reason = Text(help_text="Must not be empty.")


class Nothing(Strict):
    """No fields."""


class LogQuery(serializers.Serializer[Any]):
    """Which part of the log. `attempt`: its number within the phase; the newest one otherwise."""

    phase = serializers.ChoiceField(choices=Phase.choices, required=False)
    offset = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)
    attempt = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False, default=None)
