"""Attempts over HTTP: the token of an attempt opens its own job, its plan and its workspace's state, while it lasts."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.http import Http404
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from iacplatform.base import actors
from iacplatform.base.authentication import basic_credentials
from tasks.errors import AttemptClosed, StaleEpoch, StateReleased
from tasks.models import Attempt, Task
from tasks.models.attempt import TOKEN_PREFIX
from tasks.states import Phase, Status, TaskType
from workspaces.holders import Holder

USER = b"attempt"
"""User name of basic authentication, whose password is the token."""

_BRINGS = {"POST"}
"""What comes so after the attempt's end is evidence: whoever takes it refuses it there, and keeps it."""


class Machine(AnonymousUser):
    """Whoever comes with an attempt's token: known, but no user, so that no permission is theirs."""

    @property
    def is_authenticated(self) -> bool:  # type: ignore[override] # there it is always False
        """Whether it is known who this is: always."""
        return True


@dataclass(frozen=True, kw_only=True)
class AttemptHolder(Holder):
    """An attempt as the holder of its workspace's state."""

    attempt: Attempt


class AttemptAuthentication(BaseAuthentication):
    """`Bearer iaca_…`, or basic with the user `attempt`. `request.auth` is the `AttemptHolder`."""

    def authenticate(self, request: Request) -> tuple[Machine, AttemptHolder] | None:
        """Return the attempt; None for other credentials. Raises 401 for a bad token, `AttemptClosed`, `Http404`.

        An attempt that is over may still bring something (POST), and gets nothing.
        """
        token = _token(request)
        if token is None:
            return None
        attempt = Attempt.of_token(token)
        if attempt is None:
            raise AuthenticationFailed("The token of this attempt is not valid.")
        if request.method not in _BRINGS:
            _demand_open(attempt)
        _demand_workspace(attempt, request)
        return Machine(), holder(attempt)

    def authenticate_header(self, request: Request) -> str:
        """Return what a 401 asks for."""
        return "Bearer"


def holder(attempt: Attempt) -> AttemptHolder:
    """Return what the attempt may do with the state: a plan reads, an apply that was permitted writes."""
    task = attempt.task
    applies = attempt.phase == Phase.APPLY
    return AttemptHolder(
        name=actors.task(task.pk),
        author=f"{actors.task(task.pk)} {attempt.phase} {attempt.number}",
        workspace_id=task.workspace_id,
        may_read=True,
        may_write=applies and attempt.permitted_at is not None,
        may_lock=applies or task.task_type != TaskType.PLAN,
        task_id=task.pk,
        epoch=attempt.epoch,
        phase=attempt.phase,
        agent_id=attempt.agent_id,
        fence=lambda: _fence(attempt),
        attempt=attempt,
    )


def _fence(attempt: Attempt) -> None:
    """Hold the task as it is until the transaction ends, or raise `StaleEpoch`, `AttemptClosed`, `StateReleased`.

    A request that was let in while the attempt lasted may come to its turn after the end.
    """
    held = Task.objects.select_for_update(of=("self",), no_key=True).filter(pk=attempt.task_id)
    if held.values_list("epoch", flat=True).first() != attempt.epoch:
        raise StaleEpoch(f"Attempt {attempt.epoch} of task {attempt.task_id} is over; another one has taken its place.")
    now = Attempt.objects.select_related("task").get(pk=attempt.pk)
    _demand_open(now)
    if now.state_released_at is not None:
        when = f"{now.state_released_at:%Y-%m-%d %H:%M:%S} UTC"
        raise StateReleased(f"A person let go of the state lock of this attempt at {when}, so it writes no state.")


def _token(request: Request) -> str | None:
    kind, _, rest = get_authorization_header(request).partition(b" ")
    user, password = basic_credentials(request)
    text = rest.strip() if kind.lower() == b"bearer" else password
    is_ours = text.startswith(TOKEN_PREFIX.encode()) or user == USER
    return text.decode("ascii", errors="replace") if is_ours else None


def _demand_open(attempt: Attempt) -> None:
    """Raise `AttemptClosed` after its end; while the task needs attention, the lost agent's evidence is still taken."""
    late = attempt.task.status == Status.NEEDS_ATTENTION and attempt.task.epoch == attempt.epoch
    if attempt.ended_at is not None and not late:
        raise AttemptClosed("This attempt is over; drop it.")


def _demand_workspace(attempt: Attempt, request: Request) -> None:
    asked: Any = request.parser_context["kwargs"].get("ws") if request.parser_context else None
    if asked is not None and asked != attempt.task.workspace_id:
        raise Http404
