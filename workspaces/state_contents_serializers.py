"""What a version of a state holds, as the API gives it."""

from rest_framework import serializers

from workspaces.state_contents import Change, Difference, Output, Resource


class OutputSerializer(serializers.Serializer[Output]):
    """An output of a state. `value` of a sensitive one is null."""

    name = serializers.CharField()
    type = serializers.JSONField(help_text='As terraform writes it, such as "string" or ["list", "string"].')
    sensitive = serializers.BooleanField()
    value = serializers.JSONField(allow_null=True)


class ResourceSerializer(serializers.Serializer[Resource]):
    """An instance of a resource in a state, without its values: those may be secrets."""

    address = serializers.CharField()
    mode = serializers.CharField(help_text="managed or data.")
    type = serializers.CharField()
    name = serializers.CharField()
    module = serializers.CharField(help_text="Address of the module; empty: the root module.")
    provider = serializers.CharField()
    status = serializers.CharField(help_text="Empty, or tainted.")
    deposed = serializers.CharField(help_text="Key of an instance that was replaced and is still to be destroyed.")


class ChangeSerializer(serializers.Serializer[Change]):
    """An instance that is in both states, with the names of the attributes that differ."""

    address = serializers.CharField()
    attributes = serializers.ListField(child=serializers.CharField())


class DifferenceSerializer(serializers.Serializer[Difference]):
    """What one state has and another has not: addresses of instances, and names of outputs."""

    added = serializers.ListField(child=serializers.CharField())
    removed = serializers.ListField(child=serializers.CharField())
    changed = ChangeSerializer(many=True)
    outputs_added = serializers.ListField(child=serializers.CharField())
    outputs_removed = serializers.ListField(child=serializers.CharField())
    outputs_changed = serializers.ListField(child=serializers.CharField())
