"""The API described: OpenAPI 3, and a page to read it in."""

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class Schema(SpectacularAPIView):
    """OpenAPI 3 as YAML, or as JSON with `?format=json`."""

    authentication_classes = []


class Browser(SpectacularSwaggerSplitView):
    """Swagger UI from our own files; the template has no inline style, so the page needs no softer policy."""

    template_name = "documents/swagger.html"
    authentication_classes = []


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema calls an API token."""

    target_class = "iacplatform.base.authentication.BearerToken"
    name = "apiToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        return {"type": "http", "scheme": "bearer"}


class PasswordScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema calls an API token that is sent as a password."""

    target_class = "iacplatform.base.authentication.TokenAsPassword"
    name = "apiTokenAsPassword"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        return {"type": "http", "scheme": "basic", "description": "Any user name; the token is the password."}


class AttemptScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the schema calls the token that an agent's attempt brings."""

    target_class = "tasks.authentication.AttemptAuthentication"
    name = "attemptToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        return {"type": "http", "scheme": "basic", "description": "Agents only: user `attempt`, its token as password."}
