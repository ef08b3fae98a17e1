"""The addresses that the description names, known before it is made."""

import re
from collections.abc import Iterator
from typing import Any

from django.urls import URLResolver, get_resolver

_PARAMETER = re.compile(r"<(?:[a-z]+:)?([a-z_]+)>")


def under(beginning: str) -> list[str]:
    """Return the addresses that begin so, as the description writes them."""
    served = {
        "/" + _PARAMETER.sub(r"{\1}", route).replace("{pk}", "{id}") for route in _routes(get_resolver().url_patterns)
    }
    return sorted(route for route in served if route.startswith(beginning))


def _routes(patterns: list[Any], before: str = "") -> Iterator[str]:
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from _routes(each.url_patterns, before + str(each.pattern))
        else:
            yield before + str(each.pattern)
