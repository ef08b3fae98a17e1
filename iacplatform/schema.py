"""What the OpenAPI description says of every address alike: which methods it can name, and how a problem looks."""

from typing import Any

METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE"})
"""OpenAPI 3.0 knows no others; LOCK and UNLOCK of the state are terraform's own business."""

PROBLEM = {
    "type": "object",
    "description": "RFC 9457: why the request was not granted.",
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
    "401": "Nobody is logged in.",
    "403": "The caller may not do this.",
    "404": "It does not exist, or not for this caller.",
    "503": "The database cannot answer right now.",
}
WRITING = {
    "409": "The move is refused: `code` and `detail` say why.",
    "413": "The body is too large.",
    "415": "The body is no JSON.",
}

Endpoint = tuple[str, str, str, Any]
Schema = dict[str, Any]


def nameable(endpoints: list[Endpoint], **kwargs: Any) -> list[Endpoint]:
    """Return the addresses with methods that OpenAPI can name."""
    return [endpoint for endpoint in endpoints if endpoint[2] in METHODS]


def with_problems(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """Return the description with the problems that every address may answer with."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for methods in result["paths"].values():
        for method, operation in methods.items():
            told = ALWAYS if method == "get" else {**ALWAYS, **WRITING}
            operation["responses"] = {**_problems(told), **operation["responses"]}
    return result


def _problems(told: dict[str, str]) -> Schema:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": words, "content": content} for status, words in told.items()}
