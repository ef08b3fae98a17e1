"""Who fails to log in too often, at the console or at the admin, waits: counted by name and address, in the database.

django-axes counts. An API token is too long to be guessed, and is not counted.
"""

import re
from datetime import timedelta
from ipaddress import ip_address
from math import ceil
from typing import Any

from axes.helpers import get_client_username
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.auth.forms import UsernameField
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from iacplatform.base import clock
from iacplatform.base.problems import Problem

_WITH_PORT = re.compile(r"(?:\[(?P<of_six>[0-9A-Fa-f:.]+)\]|(?P<of_four>[0-9.]+))(?::[0-9]+)?")
"""As some proxies write an address: 203.0.113.9:51234, [2001:db8::1]:51234."""


class TooManyTries(Problem):
    """The password was wrong too often."""

    status = 429
    code = "too_many_tries"


def address(request: HttpRequest) -> str | None:
    """Return who asks: behind a proxy that may be believed, whom that proxy has seen."""
    # Each proxy adds its caller at the end; what comes before, the caller may have written himself.
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "").rpartition(",")[2] if settings.BEHIND_PROXY else ""
    return _address(forwarded) or _address(request.META.get("REMOTE_ADDR", ""))


def _address(text: str) -> str | None:
    found = _WITH_PORT.fullmatch(text.strip())
    bare = found and (found["of_six"] or found["of_four"])
    try:
        return str(ip_address(bare or text.strip()))
    except ValueError:
        return None


def answer(request: HttpRequest, *ignored: Any) -> HttpResponse:
    """Return the page for somebody who has to wait, and for how long."""
    seconds = _seconds_left(request)
    minutes = ceil(seconds / 60)
    problem = TooManyTries(
        f"Name or password was wrong {settings.AXES_FAILURE_LIMIT} times. Try again in {minutes} minute"
        f"{'s' if minutes > 1 else ''}; until then the right one is refused as well."
    )
    page = render(request, "console/problem.html", {"problem": problem, "now": clock.now()}, status=problem.status)
    page["Retry-After"] = str(seconds)
    return page


def _seconds_left(request: Any) -> int:
    # As the form cleans it, and as it is counted by.
    name = UsernameField().to_python(get_client_username(request))
    tried = AccessAttempt.objects.filter(username=name, ip_address=request.axes_ip_address)
    last = tried.aggregate(last=Max("attempt_time"))["last"] or request.axes_attempt_time
    left: timedelta = last + settings.AXES_COOLOFF_TIME - request.axes_attempt_time
    return max(1, ceil(left.total_seconds()))
