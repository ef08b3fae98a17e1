"""Agents in the API, and what only their layer can say of a task: why it waits, and whose state lock is an orphan."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from agents import explain, orphans, slots
from agents.filters import AgentFilter
from agents.models import Agent
from agents.serializers import AgentSerializer, Explanation
from iacplatform.base.views import Scoped
from tasks.api.rows import OneTask
from tasks.api.verbs import Verb, says
from tasks.models import Task
from tasks.serializers import Nothing, TaskSerializer, Verdict


class Agents(Scoped):
    """Agents that the caller may see."""

    queryset = Agent.objects.with_presence()
    serializer_class = AgentSerializer

    def shown(self, agents: list[Agent]) -> Any:
        """Return the agents with their slots: one query for all of them."""
        return AgentSerializer(agents, many=True, context={"slots": slots.by_agent(agents)}).data


class AgentList(Agents, generics.ListAPIView[Agent]):
    """Every agent that ever connected and whose pool is still there, by name."""

    filterset_class = AgentFilter

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """List them."""
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.shown(list(page or [])))


class OneAgent(Agents):
    """The agent that the address names."""

    agent: Agent

    def locate(self) -> None:
        """Fetch the agent."""
        self.agent = generics.get_object_or_404(self.get_queryset(), pk=self.kwargs["agent_id"])


class AgentDetail(OneAgent):
    """One agent with its slots."""

    def get(self, request: Request, agent_id: str) -> Response:
        """Show the agent."""
        return Response(self.shown([self.agent])[0])


class Drain(OneAgent):
    """Let the agent take nothing new, finish what it runs, and leave."""

    rights_model = Agent
    rights_verb = "change"

    @extend_schema(request=None, responses=AgentSerializer)
    def post(self, request: Request, agent_id: str) -> Response:
        """Drain."""
        Nothing(data=request.data).is_valid(raise_exception=True)
        slots.drain(self.agent)
        return Response(self.shown([self.get_queryset().get(pk=agent_id)])[0])


class Explain(OneTask):
    """Why the task waits: the dispatcher's own list of gates, asked for it now, without doing anything."""

    @extend_schema(responses=Explanation)
    def get(self, request: Request, **names: Any) -> Response:
        """Explain."""
        return Response(explain.explain(self.task))


@says(Verdict, ok=TaskSerializer)
class ReleaseLock(Verb):
    """Let go of the state lock that stands in the task's way, when its holder is gone; otherwise 409."""

    name = "release-lock"
    takes = Verdict

    def act(self, task: Task, by: Any, words: dict[str, Any]) -> Response:
        """Release the lock."""
        orphans.release(task, by=by, reason=words["reason"])
        return self.answer(task.pk)
