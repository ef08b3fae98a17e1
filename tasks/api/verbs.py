"""What people do to a task. Each answers with the task and a sentence; a refused move is 409 and says why."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from iacplatform.base.serializers import Strict
from tasks import actions, dispatching, verbs
from tasks.api.rows import OneTask
from tasks.serializers import Confirmation, DispatchedTask, MovedTask, Nothing, Verdict
from tasks.verbs import Done, Effect

_CODES = {Effect.NEW_TASK: status.HTTP_201_CREATED, Effect.STARTED: status.HTTP_202_ACCEPTED}

View = TypeVar("View", bound=type[Any])


def says(request: type[Strict] | None, **codes: type[Any]) -> Callable[[View], View]:
    """Describe the verb's body and answers (`ok`, `created`, `accepted`) in the schema."""
    numbers = {"ok": 200, "created": 201, "accepted": 202}
    answers = {numbers[code]: shape for code, shape in codes.items()}
    return extend_schema_view(post=extend_schema(request=request, responses=answers))


class Verb(OneTask):
    """One verb of the table: its name there, what its body takes, and the shape of its answer."""

    name: ClassVar[str]
    takes: ClassVar[type[Strict]] = Nothing
    gives: ClassVar[type[MovedTask]] = MovedTask
    table: ClassVar[Mapping[str, verbs.Verb]] = verbs.VERBS

    def post(self, request: Request, **names: Any) -> Response:
        """Do it."""
        actions.demand(self.task, request.user, self.name)
        asked = self.takes(data=request.data)
        asked.is_valid(raise_exception=True)
        return self.told(verbs.ask(self.table, self.name, self.task, request.user, asked.validated_data))

    def told(self, done: Done) -> Response:
        """Answer with the task as its row is now, and with what was done."""
        seen = self.get_queryset().get(pk=done.task.pk)
        is_news = done.effect != Effect.NOTHING_NEW
        seen.message, seen.dispatch = done.sentence, dispatching.outcome(seen, is_news=is_news)
        shown = self.gives(seen, context=self.get_serializer_context())
        return Response(shown.data, status=_CODES.get(done.effect, status.HTTP_200_OK))


@says(Confirmation, ok=DispatchedTask, accepted=DispatchedTask)
class ConfirmApply(Verb):
    """Apply exactly this plan. 202: confirmed now; 200: it was before, and where it needs a slot, one is looked for."""

    name = "confirm-apply"
    takes = Confirmation
    gives = DispatchedTask


@says(None, ok=MovedTask)
class Discard(Verb):
    """End the task without applying its plan. Done again: 200, nothing new, and `message` says who did it when."""

    name = "discard"


@says(None, ok=MovedTask)
class Cancel(Verb):
    """Cancel the task: at once where nothing runs, else its engine is asked to stop.

    Done again: 200, nothing new, and `message` says who did it when. A task that ended otherwise is 409.
    """

    name = "cancel"


@says(None, ok=MovedTask)
class ForceCancel(Verb):
    """End a phase that was cancelled before, without waiting for its engine.

    A plan is `cancelled`. An apply that may run is `needs_attention`: its slot stays taken, and its late result counts,
    until its agent is given up. 409 before the cancel, and where nothing runs. Done again: 200, nothing new, though its
    late result may have come since.
    """

    name = "force-cancel"


@says(None, ok=DispatchedTask, created=DispatchedTask, accepted=DispatchedTask)
class Retry(Verb):
    """Try again. 201: a new task; 202: a new plan of this one; 200: a slot is looked for again, now.

    Retried again while the new task is not final: 200 with that one, nothing new; so is asking again for a new plan. A
    back-off ends at once. A task that needs attention is marked as failed first.
    """

    name = "retry"
    gives = DispatchedTask


@says(Verdict, ok=MovedTask)
class MarkFailed(Verb):
    """Say that a lost apply is over; the workspace and its orphaned state lock are let go.

    Done again: 200, nothing new, and `message` says who did it when. A task that ended otherwise is 409.
    """

    name = "mark-failed"
    takes = Verdict
