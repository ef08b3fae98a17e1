"""Requests to a Kubernetes API server, in the words of its Roles."""

import re
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_OBJECT = re.compile(
    r"^/(?:api/v1|apis/[^/]+/[^/]+)/(?:namespaces/[^/]+/(?=.))?(?P<resource>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<sub>.+))?)?$"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass
class Request:
    """What the platform asked; `at` is of `time.monotonic`, `status` 0 until it is answered (and where it never is)."""

    method: str
    path: str
    at: float = field(default_factory=time.monotonic)
    status: int = 0

    @property
    def resource(self) -> str:
        """The kind of object as a Role names it, such as pods or pods/status; empty for none."""
        found = _OBJECT.match(urlsplit(self.path).path)
        return "/".join(filter(None, (found["resource"], found["sub"]))) if found else ""

    @property
    def verb(self) -> str:
        """What is done with it, as a Role names it."""
        found = _OBJECT.match(urlsplit(self.path).path)
        has_name = found is not None and found["name"] is not None
        if self.method == "GET":
            return "get" if has_name or not found else "list"
        return "deletecollection" if self.method == "DELETE" and not has_name else _VERBS[self.method]
