"""What a version of a state holds, in the API: outputs, resources, and what changed since another version."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from iacplatform.base.problems import Invalid, NotFound
from workspaces import large_states, state_contents, state_documents
from workspaces import state_contents_serializers as serializers
from workspaces.api import OneWorkspace
from workspaces.models import StateVersion

_FROM = OpenApiParameter("from", int, description="Serial of the older version; left out: the one before.")


Read = Callable[[state_contents.State], list[Any]]


class _Contents(OneWorkspace, generics.GenericAPIView[Any]):
    queryset = StateVersion.objects.defer("sealed_content")
    rights_model = StateVersion
    lookup_field = "serial"


class _Listed(_Contents, generics.ListAPIView[Any]):
    read: Read = staticmethod(lambda state: [])

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Answer a page of what the version holds."""
        version = self.get_object()
        with large_states.turn(version.size):
            rows = self.paginate_queryset(self.read(_parsed(version)))
            return self.get_paginated_response(self.get_serializer(rows, many=True).data)


class Outputs(_Listed):
    """The outputs of a version, by name."""

    serializer_class = serializers.OutputSerializer
    read: Read = staticmethod(state_contents.outputs)


class Resources(_Listed):
    """The resources of a version, an entry for each instance, by address."""

    serializer_class = serializers.ResourceSerializer
    read: Read = staticmethod(state_contents.resources)


class Difference(_Contents):
    """What changed since an older version."""

    serializer_class = serializers.DifferenceSerializer

    @extend_schema(parameters=[_FROM])
    def get(self, request: Request, ws: str, serial: int) -> Response:
        """Answer what this version has and the older one has not, and the other way round."""
        version = self.get_object()
        older = self._older(version)
        with large_states.turn(version.size + (older.size if older else 0)):
            before = _parsed(older) if older else state_contents.NOTHING
            return Response(self.get_serializer(state_contents.difference(before, _parsed(version))).data)

    def _older(self, version: StateVersion) -> StateVersion | None:
        asked = self.request.query_params.get("from")
        return self.get_queryset().before(version) if asked is None else self._named(asked)

    def _named(self, asked: str) -> StateVersion:
        if not (asked.isascii() and asked.isdigit() and len(asked) < 19):
            raise Invalid("from is the serial of a version.")
        found: StateVersion | None = self.get_queryset().filter(serial=int(asked)).first()
        if found is None:
            raise NotFound(f"The workspace has no state version of serial {asked}.")
        return found


def _parsed(version: StateVersion) -> state_contents.State:
    return state_documents.parse(version.content())
