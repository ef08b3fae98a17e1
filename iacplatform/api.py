"""The one error handler: whatever goes wrong in the API is answered as an RFC 9457 problem."""

import logging
import sys
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views import defaults
from rest_framework.response import Response

from iacplatform.base import refusals
from iacplatform.base.problems import Forbidden, Invalid, NotFound, Problem

CONTENT_TYPE = "application/problem+json"
MACHINES = ("/api/", "/agents/v1/")
"""Under these paths an error is always a problem; elsewhere people read it, as a page."""

log = logging.getLogger(__name__)


class Fault(Problem):
    """Something of ours broke. What it was stays in the log."""

    status = 500
    code = "internal_error"


def problem(error: Exception, context: Mapping[str, Any]) -> Response:
    """Return the answer to an exception in a view of the API."""
    known = refusals.as_problem(error) or _logged(error, context)
    return Response(body(known), status=known.status, headers=dict(known.headers), content_type=CONTENT_TYPE)


def body(known: Problem) -> dict[str, Any]:
    """Return the members of the answer."""
    own = {
        "type": f"urn:iacplatform:problem:{known.code}",
        "title": known.code.replace("_", " ").capitalize(),
        "status": known.status,
        "detail": known.detail,
        "code": known.code,
    }
    errors = {"errors": {name: list(texts) for name, texts in known.errors.items()}} if known.errors else {}
    return {**known.extras, **own, **errors}


def answer(known: Problem) -> JsonResponse:
    """Return the problem as an answer outside of the API's views."""
    return JsonResponse(body(known), status=known.status, headers=dict(known.headers), content_type=CONTENT_TYPE)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer a request that Django itself could not take."""
    if not request.path.startswith(MACHINES):
        return defaults.bad_request(request, exception)
    return answer(refusals.as_problem(exception) or Invalid("The request cannot be understood."))


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what may not be done."""
    if not request.path.startswith(MACHINES):
        return defaults.permission_denied(request, exception)
    return answer(Forbidden("You may not do this."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address that does not exist."""
    if not request.path.startswith(MACHINES):
        return defaults.page_not_found(request, exception)
    return answer(NotFound(f"There is no address {request.path[:200]} here; /api/docs/ lists them."))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a fault of ours, or that the database is away; Django has logged it."""
    away = _away(sys.exc_info()[1])
    if request.path.startswith(MACHINES):
        return answer(away or _fault())
    # This page reads nothing: the bar of the others needs the database.
    return _come_back(request, away) if away else defaults.server_error(request)


def _away(error: BaseException | None) -> Problem | None:
    """Return what to do about a database that cannot answer; None of any other error."""
    known = refusals.as_problem(error) if isinstance(error, DatabaseError) else None
    return known if known and known.status == HTTPStatus.SERVICE_UNAVAILABLE else None


def _come_back(request: HttpRequest, away: Problem) -> HttpResponse:
    page = render(request, "503.html", {"detail": away.detail, "method": request.method}, status=away.status)
    for name, value in away.headers.items():
        page[name] = value
    return page


def _logged(error: Exception, context: Mapping[str, Any]) -> Problem:
    request = context.get("request")
    facts = {"method": getattr(request, "method", ""), "path": getattr(request, "path", "")}
    log.error("A request failed by a fault of ours.", exc_info=error, extra=facts)
    return _fault()


def _fault() -> Problem:
    phrase = HTTPStatus.INTERNAL_SERVER_ERROR.phrase
    return Fault(f"{phrase}: this is a fault of the platform, not of your request. Its log says more.")
