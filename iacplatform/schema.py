"""What the OpenAPI description says of every address alike: methods, refusals, and how strict bodies are."""

from collections.abc import Mapping
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from rest_framework.negotiation import DefaultContentNegotiation

METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
"""OpenAPI 3.0 knows no others; LOCK and UNLOCK of the state are terraform's own business."""

Schema = dict[str, Any]
Words = Mapping[str, str]
Endpoint = tuple[str, str, str, Any]

PROBLEM: Schema = {
    "type": "object",
    "description": "RFC 9457: why the request was not granted. Some codes bring further members.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is the case, and what to do."},
        "code": {"type": "string", "description": "The same for machines."},
        "errors": {
            "type": "object",
            "description": "Sentences by field.",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
ALWAYS = {
    "400": "The request is wrong.",
    "401": "It is not known who asks.",
    "413": "The body is too large.",
    "500": "A fault of the platform; its log says more.",
    "503": "The platform cannot answer right now: try again.",
}
UNKNOWN = {"404": "It does not exist, or not for this caller."}
NEGOTIATED = {"406": "The answer is application/json, which the request's `Accept` leaves out."}
WRITING = {
    "403": "The caller may not do this.",
    "409": "The move is refused: `code` and `detail` say why.",
}
PARSED = {"415": "The body has another type than this address takes."}
HEADERS = {
    "401": {"WWW-Authenticate": {"description": "The scheme to use.", "schema": {"type": "string"}}},
    "503": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}},
}


class Described(AutoSchema):
    """An operation with the problems that it may answer. Those of its own a view names in `refusals`, by method."""

    def get_operation(self, *args: Any, **kwargs: Any) -> Any:
        """Return the operation; None for what is left out."""
        operation: Schema | None = super().get_operation(*args, **kwargs)
        if operation is not None:
            operation["responses"] = {**_problems(self._told(operation)), **operation["responses"]}
            _count_from_zero(operation)
            _take_empty(operation)
        return operation

    def _told(self, operation: Schema) -> Words:
        own = getattr(self.view, "refusals", {}).get(self.method.lower(), {})
        return {**ALWAYS, **self._by_address(operation), **self._by_method(), **own}

    def _by_address(self, operation: Schema) -> Words:
        negotiates = issubclass(self.view.content_negotiation_class, DefaultContentNegotiation)
        names = {
            each["name"] for each in operation.get("parameters", []) if each["in"] == "path" or each["name"] == "page"
        }
        return {**(UNKNOWN if names else {}), **(NEGOTIATED if negotiates else {})}

    def _by_method(self) -> Words:
        writes = self.method != "GET"
        parses = writes and self.method != "DELETE" and bool(self.view.parser_classes)
        return {**(WRITING if writes else {}), **(PARSED if parses else {})}


class ClosedBody(OpenApiSerializerExtension):
    """A body that takes the fields which it declares and no others."""

    target_class = "iacplatform.base.serializers.Strict"
    match_subclasses = True

    def map_serializer(self, auto_schema: AutoSchema, direction: Any) -> Schema:
        """Return the shape."""
        inner: Any = auto_schema
        shape: Schema = inner._map_serializer(self.target, direction, bypass_extensions=True)
        return {**shape, "additionalProperties": False} if direction == "request" else shape


class ShownValue(OpenApiSerializerFieldExtension):
    """A variable's value: given as a text, and shown as null where it is sensitive."""

    target_class = "workspaces.serializers.Value"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Any) -> Schema:
        """Return the shape."""
        return {"type": "string", **({"nullable": True} if direction == "response" else {})}


def nameable(endpoints: list[Endpoint], **kwargs: Any) -> list[Endpoint]:
    """Return the addresses with methods that OpenAPI can name."""
    return [endpoint for endpoint in endpoints if endpoint[2] in METHODS]


def with_problem(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """Return the description with the shape of a problem."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    return result


def _count_from_zero(operation: Schema) -> None:
    for each in operation.get("parameters", []):
        if each["in"] == "path" and each["schema"].get("type") == "integer":
            each["schema"].setdefault("minimum", 0)


def _take_empty(operation: Schema) -> None:
    """Say that a list which is narrowed by an empty choice is not narrowed, as a form's first option sends it."""
    for each in operation.get("parameters", []):
        if each["in"] == "query" and "enum" in each["schema"]:
            each["schema"]["enum"].append("")


def _problems(told: Words) -> Schema:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        status: {
            "description": words,
            "content": content,
            **({"headers": HEADERS[status]} if status in HEADERS else {}),
        }
        for status, words in told.items()
    }
