"""Configurations in the API: versions are stored as texts or as an archive, listed, downloaded and compared."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.generics import get_object_or_404
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from iacplatform.base.bodies import BoundedJSON, WholeForm
from iacplatform.base.negotiation import AsItIs
from iacplatform.base.problems import Invalid, Problem
from workspaces import archives, configurations, differences, serializers
from workspaces.api import OneWorkspace
from workspaces.models import Configuration

_FROM = OpenApiParameter("from", int, required=True, description="Number of the version to compare with.")
_BODIES = {"application/json": serializers.Files, "multipart/form-data": serializers.Archive}
_GZIP = "application/gzip"


class _NoOther(BaseParser):
    """Any other body: refused with the two that are taken."""

    media_type = "*/*"

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Raise."""
        raise Problem(
            "This address takes application/json with texts, or multipart/form-data with an archive: "
            f"`curl -F archive=@configuration.tgz`. {archives.HOW}",
            code="unsupported_media_type",
            status=status.HTTP_415_UNSUPPORTED_MEDIA_TYPE,
        )


class ConfigurationList(OneWorkspace, generics.ListAPIView[Configuration]):
    """Versions, the newest first; POST stores the next one."""

    queryset = Configuration.objects.select_related("created_by").without_files()
    serializer_class = serializers.ConfigurationSerializer
    parser_classes = [BoundedJSON, WholeForm, _NoOther]
    rights_model = Configuration

    @extend_schema(request=_BODIES, responses={201: serializers.ConfigurationFiles})
    def post(self, request: Request, ws: str) -> Response:
        """Store texts (JSON), or a tar.gz (a form); 400 names the file and the line that does not parse."""
        stored = self._archive(request) if request.content_type.startswith("multipart/") else self._files(request)
        return Response(serializers.ConfigurationFiles(stored).data, status=status.HTTP_201_CREATED)

    def _files(self, request: Request) -> Configuration:
        asked = serializers.Files(data=request.data)
        asked.is_valid(raise_exception=True)
        return configurations.store(self.workspace, asked.validated_data["files"], request.user)

    def _archive(self, request: Request) -> Configuration:
        asked = serializers.Archive(data=request.data)
        asked.is_valid(raise_exception=True)
        return configurations.store_archive(self.workspace, asked.validated_data["archive"], request.user)


class ConfigurationDetail(OneWorkspace, generics.RetrieveAPIView[Configuration]):
    """One version with its files."""

    queryset = Configuration.objects.select_related("created_by")
    serializer_class = serializers.ConfigurationFiles
    rights_model = Configuration
    lookup_field = "number"


class ConfigurationDownload(OneWorkspace):
    """One version as a tar.gz: an archive as it came, texts packed anew."""

    content_negotiation_class = AsItIs
    queryset = Configuration.objects.all()
    rights_model = Configuration
    lookup_field = "number"

    @extend_schema(responses={(200, _GZIP): OpenApiTypes.BINARY})
    def get(self, request: Request, ws: str, number: int) -> HttpResponse | StreamingHttpResponse:
        """Answer the tar.gz."""
        return download(self.get_object())


def download(version: Configuration) -> HttpResponse | StreamingHttpResponse:
    """Return the answer that is the version as a tar.gz."""
    name = f"{version.workspace_id}-v{version.number}.tar.gz"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    if not version.is_archive:
        return HttpResponse(archives.packed(version.files or {}), content_type=_GZIP, headers=headers)
    headers["Content-Length"] = str(version.size)
    return StreamingHttpResponse(archives.pieces(version), content_type=_GZIP, headers=headers)


class ConfigurationDifference(OneWorkspace):
    """What one version has otherwise than another one of the workspace."""

    queryset = Configuration.objects.all()
    serializer_class = serializers.ConfigurationDifference
    rights_model = Configuration
    lookup_field = "number"

    @extend_schema(parameters=[_FROM])
    def get(self, request: Request, ws: str, number: int) -> Response:
        """Answer the difference; 409 `not_unpacked` while nobody knows what lies in an archive."""
        after, earlier = self.get_object(), request.query_params.get("from", "")
        if not (earlier.isascii() and earlier.isdigit()) or len(earlier) > 9:
            raise Invalid("from is the number of a version: ?from=1.", errors={"from": ["Give a number."]})
        before = get_object_or_404(self.get_queryset(), number=int(earlier))
        return Response(self.get_serializer(differences.between(before, after)).data)
