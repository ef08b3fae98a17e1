"""Agents in the API, and what only their layer can say of a task: why it waits, and whose state lock is an orphan."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from agents import explain, slots, timeline
from agents.filters import AgentFilter
from agents.models import Agent
from agents.serializers import AgentSerializer, Explanation, TimelineEntry
from agents.timeline_pages import TimelinePages
from agents.verbs import VERBS
from iacplatform.base.views import Scoped
from tasks.api.rows import OneTask
from tasks.api.verbs import Verb, says
from tasks.models import Task
from tasks.serializers import MovedTask, Nothing, Verdict


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


class TimelineOfTask(OneTask, generics.ListAPIView[Task]):
    """What happened to the task, the oldest first, from every row that says it: who, what, why, by which attempt."""

    serializer_class = TimelineEntry
    filterset_class = None
    pagination_class = TimelinePages

    def get(self, request: Request, **names: Any) -> Response:
        """List the entries."""
        entries: Any = timeline.whole(self.task)
        page: Any = self.paginate_queryset(entries)
        return self.get_paginated_response(TimelineEntry(page, many=True).data)


@says(Verdict, ok=MovedTask)
class ReleaseLock(Verb):
    """Let go of the state lock that stands in the task's way, when its holder is gone; otherwise 409.

    Done again: 200, nothing new, and `message` says who did it when.
    """

    name = "release-lock"
    takes = Verdict
    table = VERBS
