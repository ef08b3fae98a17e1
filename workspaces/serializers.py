"""Workspaces and what belongs to them, as the API takes and gives them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.http import QueryDict
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from iacplatform.base import clock
from iacplatform.base.serializers import Rows, Strict, Visible
from pools.models import Pool
from workspaces import archives, edits
from workspaces.differences import Difference
from workspaces.models import Configuration, KeptState, StateVersion, Variable, Workspace


class WorkspaceSerializer(Rows[Workspace]):
    """A workspace."""

    pool_id = Visible(source="pool", queryset=Pool.objects.all(), allow_null=True, required=False)
    is_locked = serializers.BooleanField(read_only=True)

    class Meta:
        model = Workspace
        fields = [
            "workspace_id",
            "name",
            "description",
            "execution_mode",
            "pool_id",
            "engine",
            "terraform_version",
            "working_directory",
            "auto_apply",
            "plan_timeout_seconds",
            "apply_timeout_seconds",
            "is_locked",
            "locked_by",
            "lock_reason",
            "locked_at",
            "created_at",
        ]
        read_only_fields = ["workspace_id", "locked_by", "lock_reason", "locked_at", "created_at"]

    def keep(self, draft: Workspace, columns: Iterable[str]) -> None:
        """Save what was asked for, and tell of a changed place."""
        edits.save(draft, columns)


class Reason(Strict):
    """Why a person locks."""

    reason = serializers.CharField(max_length=2000, required=False, default="", allow_blank=True)


class ConfigurationSerializer(Rows[Configuration]):
    """A version of a workspace's files."""

    created_by = serializers.CharField(source="created_by.username", default=None, allow_null=True, read_only=True)

    class Meta:
        model = Configuration
        fields = ["number", "kind", "size", "digest", "created_by", "created_at"]
        read_only_fields = fields


class ConfigurationFiles(ConfigurationSerializer):
    """A version with its files; null for an archive, which is downloaded instead."""

    files = serializers.DictField(child=serializers.CharField(), allow_null=True, read_only=True)

    class Meta(ConfigurationSerializer.Meta):
        fields = [*ConfigurationSerializer.Meta.fields, "files"]
        read_only_fields = fields


class Files(Strict):
    """The files of a new version."""

    files = serializers.DictField(
        child=serializers.CharField(allow_blank=True, trim_whitespace=False),
        allow_empty=False,
        help_text='Text by path, such as {"main.tf": "..."}.',
    )


class Archive(Strict):
    """A new version as an archive."""

    archive = serializers.FileField(allow_empty_file=True, help_text="A tar.gz; only agents unpack it.")

    default_error_messages = {"one_archive": f"Give one file in the field archive. {archives.HOW}"}

    def to_internal_value(self, data: Any) -> Any:
        """Return the archive; raise where another field, both kinds, or several archives are given."""
        if "files" in data:
            raise serializers.ValidationError({"files": ["Give files as JSON or an archive as a form, not both."]})
        if isinstance(data, QueryDict) and len(data.getlist("archive")) != 1:
            raise serializers.ValidationError({"archive": [self.error_messages["one_archive"]]})
        return super().to_internal_value(data)


class DifferentFile(serializers.Serializer[Any]):
    """A file that is different. `size` and `sha256` are those of the later version, of a removed file the earlier."""

    path = serializers.CharField()
    size = serializers.IntegerField(source="entry.size", help_text="Bytes.")
    sha256 = serializers.CharField(source="entry.sha256")
    diff = serializers.CharField(
        allow_null=True, help_text="Unified diff; null where one of them is an archive, or the file is too large."
    )


class ConfigurationDifference(serializers.Serializer[Any]):
    """What version `to` has otherwise than version `from`."""

    added = serializers.SerializerMethodField()
    removed = serializers.SerializerMethodField()
    changed = serializers.SerializerMethodField()
    note = serializers.CharField(help_text="A sentence about what is not shown; empty where all is.")

    def get_fields(self) -> dict[str, Any]:
        """Return the fields with `from`, which Python keeps for itself."""
        numbers = {name: serializers.IntegerField(source=f"{source}.number") for name, source in _ENDS.items()}
        return {**numbers, **super().get_fields()}

    @extend_schema_field(DifferentFile(many=True))
    def get_added(self, difference: Difference) -> Any:
        """Return the files that only the later version has."""
        return DifferentFile(difference.of("added"), many=True).data

    @extend_schema_field(DifferentFile(many=True))
    def get_removed(self, difference: Difference) -> Any:
        """Return the files that only the earlier version has."""
        return DifferentFile(difference.of("removed"), many=True).data

    @extend_schema_field(DifferentFile(many=True))
    def get_changed(self, difference: Difference) -> Any:
        """Return the files that both have with other contents."""
        return DifferentFile(difference.of("changed"), many=True).data


_ENDS = {"from": "before", "to": "after"}


class Value(serializers.CharField):
    """A variable's value, given as a text; that of a sensitive variable is null when it is shown."""

    def get_attribute(self, instance: Any) -> Any:
        """Return the variable."""
        return instance

    def to_representation(self, value: Any) -> Any:
        """Return the value, unless it is sensitive."""
        return None if value.sensitive else value.value()


class VariableSerializer(Rows[Variable]):
    """A variable. `value` of a sensitive one is null: it is never shown again."""

    value = Value(source="given", allow_blank=True, trim_whitespace=False)

    class Meta:
        model = Variable
        fields = ["id", "key", "value", "category", "hcl", "sensitive", "created_at", "updated_at"]
        read_only_fields = ["id", "created_at", "updated_at"]

    def apply(self, draft: Variable, attrs: Mapping[str, Any]) -> None:
        """Write the values to the draft."""
        draft.workspace = self.context["workspace"]
        super().apply(draft, attrs)

    def keep(self, draft: Variable, columns: Iterable[str]) -> None:
        """Save the draft whole: its value is sealed for its key."""
        draft.updated_at = clock.DatabaseNow()
        draft.save()
        draft.refresh_from_db()


class StateVersionSerializer(Rows[StateVersion]):
    """A version of a state, without its content: that may hold secrets."""

    class Meta:
        model = StateVersion
        fields = ["serial", "lineage", "digest", "size", "resources", "created_by", "task_id", "created_at"]
        read_only_fields = fields


class StateShape(serializers.Serializer[Any]):
    """A state as engines write it; sensitive values are in it as they are."""

    version = serializers.IntegerField()
    terraform_version = serializers.CharField(required=False)
    serial = serializers.IntegerField()
    lineage = serializers.CharField()
    outputs = serializers.DictField(child=serializers.DictField(), required=False)
    resources = serializers.ListField(child=serializers.DictField(), required=False)
    check_results = serializers.ListField(child=serializers.DictField(), required=False, allow_null=True)


class KeptStateSerializer(Rows[KeptState]):
    """A state that a task's run sent too late, without its content: that may hold secrets."""

    class Meta:
        model = KeptState
        fields = [
            "id",
            "serial",
            "lineage",
            "digest",
            "size",
            "resources",
            "why",
            "created_by",
            "task_id",
            "epoch",
            "created_at",
        ]
        read_only_fields = fields
