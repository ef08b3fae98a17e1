"""Answers that are what they are, whatever is asked for."""

from typing import Any

from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request


class AsItIs(BaseContentNegotiation):
    """The content has a type of its own, such as text or gzip; problems stay JSON."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the only parser."""
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        """Return the renderer of problems."""
        return renderers[0], renderers[0].media_type
