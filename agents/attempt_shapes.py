"""The shapes of what an attempt is told over HTTP, as the OpenAPI description shows them."""

from typing import Any

from rest_framework import serializers

from tasks.states import Phase, TaskType
from workspaces.models import Engine


class ArchiveShape(serializers.Serializer[Any]):
    """A configuration that comes as an archive. `is_known`: its manifest was told already."""

    parts = serializers.IntegerField()
    is_known = serializers.BooleanField()


class PlanShape(serializers.Serializer[Any]):
    """The plan that is to be applied. `parts`: SHA-256 (hex) by name."""

    digest = serializers.CharField()
    engine = serializers.CharField()
    version = serializers.CharField()
    os = serializers.CharField()
    arch = serializers.CharField()
    parts = serializers.DictField(child=serializers.CharField())


class JobShape(serializers.Serializer[Any]):
    """What an agent needs to run a phase. `files` and `archive` are null where it says that it has them."""

    task = serializers.IntegerField()
    epoch = serializers.IntegerField()
    phase = serializers.ChoiceField(choices=Phase.choices)
    attempt = serializers.IntegerField()
    task_type = serializers.ChoiceField(choices=TaskType.choices)
    workspace_id = serializers.CharField()
    workspace_name = serializers.CharField()
    engine = serializers.ChoiceField(choices=Engine.choices)
    version = serializers.CharField(help_text="Empty: what the agent has.")
    working_directory = serializers.CharField()
    configuration = serializers.CharField(help_text="Digest of the files.")
    files = serializers.DictField(child=serializers.CharField(), allow_null=True)
    archive = ArchiveShape(allow_null=True)
    variables = serializers.ListField(child=serializers.DictField(), help_text="Values; they may be secret.")
    timeout_seconds = serializers.IntegerField()
    state_url = serializers.CharField()
    plan = PlanShape(allow_null=True)


class EntryShape(serializers.Serializer[Any]):
    """A file of an archive."""

    path = serializers.CharField()
    size = serializers.IntegerField(min_value=0, help_text="Bytes.")
    sha256 = serializers.CharField()


class WordShape(serializers.Serializer[Any]):
    """A word of the agents' protocol; its other members depend on `type`."""

    type = serializers.CharField()
