"""Django's part of a request: in one thread, from the first middleware to the last."""

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class Handler(ASGIHandler):
    """A handler whose middlewares and views are all called as the synchronous code that they are.

    Django would let middlewares that can do either wait on the event loop, and change threads for each of their steps:
    a dozen changes in a request, and at each of them the agents' sockets wait as well.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        """Make the chain of synchronous calls, whatever the caller could do."""
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        """Return the answer, worked out in the request's own thread."""
        answer: HttpResponseBase = await sync_to_async(self.get_response, thread_sensitive=True)(request)
        return answer
