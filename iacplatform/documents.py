"""The API described: OpenAPI 3, and a page to read it in."""

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView


class Schema(SpectacularAPIView):
    """OpenAPI 3 as YAML, or as JSON with `?format=json`."""

    authentication_classes = []


class Browser(SpectacularSwaggerSplitView):
    """Swagger UI from our own files; the template has no inline style, so the page needs no softer policy."""

    template_name = "documents/swagger.html"
    authentication_classes = []


class BearerScheme(OpenApiAuthenticationExtension):
    """How the schema calls an API token."""

    target_class = "iacplatform.base.authentication.BearerToken"
    name = "apiToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        return {"type": "http", "scheme": "bearer", "description": "A person's API token."}


class SessionScheme(OpenApiAuthenticationExtension):
    """How the schema calls the console's session."""

    target_class = "rest_framework.authentication.SessionAuthentication"
    name = "session"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        words = (
            f"The console's session; writing needs the cookie {settings.CSRF_COOKIE_NAME} as header X-CSRFToken too."
        )
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME, "description": words}


class PasswordScheme(OpenApiAuthenticationExtension):
    """How the schema calls an API token that is sent as a password."""

    target_class = "iacplatform.base.authentication.TokenAsPassword"
    name = "apiTokenAsPassword"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """Return the OpenAPI security scheme."""
        return {"type": "http", "scheme": "basic", "description": "Any user name; the token is the password."}


class AttemptScheme(OpenApiAuthenticationExtension):
    """How the schema calls the token that an agent's attempt brings."""

    target_class = "tasks.authentication.AttemptAuthentication"
    name = ["attemptToken", "attemptTokenAsPassword"]

    def get_security_requirement(self, auto_schema: object) -> list[dict[str, list[Any]]]:
        """Return that either of them will do."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: object) -> list[dict[str, str]]:
        """Return the OpenAPI security schemes."""
        words = "Agents only: the token of an attempt, for what that attempt may see and do while it lasts."
        bearer = {"type": "http", "scheme": "bearer", "description": words}
        return [bearer, {"type": "http", "scheme": "basic", "description": f"{words} The user is `attempt`."}]
