"""Bodies of requests: read to a limit, however they are sent."""

import json
import math
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.http import parse_header_parameters
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request

from iacplatform.base.problems import TooLarge


def read(request: Request | HttpRequest, limit: int) -> bytes:
    """Return the raw body, or raise `TooLarge` when it has more than `limit` bytes."""
    plain = request._request if isinstance(request, Request) else request
    return _bounded(plain.read(limit + 1), limit)


def _bounded(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise TooLarge(f"The body is larger than {limit:,} bytes, which is the most that this address takes.")
    return body


class BoundedJSON(JSONParser):
    """JSON in UTF-8, up to the limit for JSON bodies."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the parsed body; raise `TooLarge`, or `ParseError` for what is no JSON."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0
        return loads(_bounded(stream.read(limit + 1), limit))


class WholeForm(MultiPartParser):
    """A form with files; one that ends before its last boundary was cut on its way, and is refused."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the fields and files; large files lie on disk. Raises `ParseError`."""
        seen: Any = _Seen(stream)
        parsed = super().parse(seen, media_type, parser_context)
        _, options = parse_header_parameters(media_type or "")
        if f"--{options['boundary']}--".encode() not in seen.end:
            raise ParseError("The form ends before its last boundary: it was cut on its way. Send it again.")
        return parsed


class _Seen:
    """A stream that keeps the end of what was read from it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.end = b""

    def read(self, size: int = -1) -> bytes:
        data: bytes = self._stream.read(size)
        self.end = (self.end + data)[-1024:]
        return data


def loads(body: bytes) -> Any:
    """Return the JSON value in `body`, or raise `ParseError`, also for what only Python takes for JSON."""
    try:
        return _encodable(json.loads(body.decode(), parse_constant=_no_constant, parse_float=_finite), body)
    except UnicodeError as error:
        raise ParseError("The body is not UTF-8, or holds half a character.") from error
    except ValueError as error:
        raise ParseError(f"The body is not JSON: {error}.") from error
    except RecursionError as error:
        raise ParseError("The body is nested too deeply.") from error


def _encodable(value: Any, body: bytes) -> Any:
    """Return the value, or raise for half a character (a lone surrogate), which nothing behind here can write."""
    if b"\\ud" in body.lower():
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a number in it is too large")
    return number


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
