"""What people do to a task. Each answers with the task as it is afterwards; a refused move is 409 and says why."""

from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from iacplatform.base.serializers import Strict
from tasks import actions, cancellation, confirmation, dispatching, recovery
from tasks.api.rows import OneTask
from tasks.models import Task
from tasks.serializers import Confirmation, DispatchedTask, Nothing, TaskSerializer, Verdict

View = TypeVar("View", bound=type[Any])


def says(request: type[Strict] | None, **codes: type[Any]) -> Callable[[View], View]:
    """Describe the verb's body and answers (`ok`, `created`, `accepted`) in the schema."""
    numbers = {"ok": 200, "created": 201, "accepted": 202}
    answers = {numbers[code]: shape for code, shape in codes.items()}
    return extend_schema_view(post=extend_schema(request=request, responses=answers))


class Verb(OneTask):
    """One verb of `tasks.actions`: its name there, what its body takes, and what it does."""

    name: ClassVar[str]
    takes: ClassVar[type[Strict]] = Nothing

    def post(self, request: Request, **names: Any) -> Response:
        """Do it."""
        actions.demand(self.task, request.user, self.name)
        asked = self.takes(data=request.data)
        asked.is_valid(raise_exception=True)
        return self.act(self.task, request.user, asked.validated_data)

    def act(self, task: Task, by: Any, words: dict[str, Any]) -> Response:
        """Call the domain's verb and answer."""
        raise NotImplementedError

    def dispatched(self, task: Task, code: int) -> Response:
        """Answer with the task and with what came of looking for a slot."""
        seen = self.get_queryset().get(pk=task.pk)
        seen.dispatch = dispatching.outcome(seen)
        return Response(DispatchedTask(seen, context=self.get_serializer_context()).data, status=code)


@says(Confirmation, ok=DispatchedTask, accepted=DispatchedTask)
class ConfirmApply(Verb):
    """Apply exactly this plan. 202: confirmed now; 200: it was before, and a slot is looked for again."""

    name = "confirm-apply"
    takes = Confirmation

    def act(self, task: Task, by: Any, words: dict[str, Any]) -> Response:
        """Confirm."""
        if confirmation.confirm(task, by=by, description=words["apply_description"], plan_digest=words["plan_digest"]):
            return self.dispatched(task, status.HTTP_202_ACCEPTED)
        dispatching.ask_again(task)
        return self.dispatched(task, status.HTTP_200_OK)


@says(None, ok=TaskSerializer)
class Discard(Verb):
    """End the task without applying its plan."""

    name = "discard"

    def act(self, task: Task, by: Any, words: dict[str, Any]) -> Response:
        """Discard."""
        confirmation.discard(task, by=by)
        return self.answer(task.pk)


@says(None, ok=TaskSerializer)
class Cancel(Verb):
    """Cancel the task: at once where nothing runs, else its engine is asked to stop."""

    name = "cancel"

    def act(self, task: Task, by: Any, words: dict[str, Any]) -> Response:
        """Cancel."""
        cancellation.cancel(task, by=by)
        return self.answer(task.pk)


@says(None, ok=TaskSerializer)
class ForceCancel(Verb):
    """End a cancelled phase without waiting for its engine; an apply that may run needs attention then."""

    name = "force-cancel"

    def act(self, task: Task, by: Any, words: dict[str, Any]) -> Response:
        """Cancel without waiting."""
        cancellation.force_cancel(task, by=by)
        return self.answer(task.pk)


@says(None, ok=DispatchedTask, created=DispatchedTask, accepted=DispatchedTask)
class Retry(Verb):
    """Try again. 201: a new task; 202: a new plan of this one; 200: a slot is looked for again, now."""

    name = "retry"

    def act(self, task: Task, by: Any, words: dict[str, Any]) -> Response:
        """Retry."""
        tried = recovery.retry(task, by=by)
        if tried.pk != task.pk:
            return self.dispatched(tried, status.HTTP_201_CREATED)
        if tried.status != task.status:
            return self.dispatched(tried, status.HTTP_202_ACCEPTED)
        dispatching.ask_again(tried)
        return self.dispatched(tried, status.HTTP_200_OK)


@says(Verdict, ok=TaskSerializer)
class MarkFailed(Verb):
    """Say that a lost apply is over; the workspace and its orphaned state lock are let go."""

    name = "mark-failed"
    takes = Verdict

    def act(self, task: Task, by: Any, words: dict[str, Any]) -> Response:
        """Mark as failed."""
        recovery.mark_failed(task, by=by, reason=words["reason"])
        return self.answer(task.pk)
