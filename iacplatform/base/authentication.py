"""How callers show who they are: an API token, as bearer or as a password, or the console's session."""

import base64
import binascii
from typing import Any

from knox.auth import TokenAuthentication
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request


class BearerToken(TokenAuthentication):
    """`Authorization: Bearer <token>`."""

    def authenticate_credentials(self, token: bytes) -> Any:
        """Return the user and the token's row, or raise `AuthenticationFailed`."""
        if not token.isascii() or b"\0" in token:
            raise AuthenticationFailed("The token is not valid.")
        return super().authenticate_credentials(token)


class TokenAsPassword(BaseAuthentication):
    """Basic authentication with an API token as the password and any user name, for programs that know only that."""

    def authenticate(self, request: Request) -> Any:
        """Return the user and the token's row; None without a basic header."""
        password = basic_credentials(request)[1]
        return BearerToken().authenticate_credentials(password) if password else None

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return 'Basic realm="iacplatform"'


def basic_credentials(request: Request) -> tuple[bytes, bytes]:
    """Return user name and password of a basic header, both empty where there is none that can be read."""
    kind, _, encoded = get_authorization_header(request).partition(b" ")
    if kind.lower() != b"basic":
        return b"", b""
    try:
        user, _, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
    except binascii.Error:
        return b"", b""
    return user, password
