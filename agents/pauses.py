"""Agents that are connected and take nothing: each is passed over for a while, longer with every offer it let lapse.

Worked out from its attempts: those not accepted in time since it last accepted one, or connected. So whatever it takes,
and every new session, ends the pause.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Exists, F, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from agents.models import Agent
from iacplatform.base import clock
from tasks.attempts import ACCEPT_SECONDS
from tasks.models import Attempt

FIRST_SECONDS = 5
MOST_SECONDS = 300

REMEMBERED_SECONDS = 3600
"""Older ones no longer matter: whoever is deaf is asked again every five minutes."""


@dataclass(frozen=True, kw_only=True)
class Pause:
    """`lapses`: how many times in a row it did not take what it was offered; `until`: when it is asked again."""

    lapses: int
    until: datetime


def of(agents: Iterable[Agent]) -> dict[str, Pause]:
    """Return the pauses by the agents' ids, those that are over included: one query."""
    rows = Agent.objects.filter(pk__in=[agent.pk for agent in agents]).annotate(lapsed=column())
    pauses = ((agent_id, read(lapsed)) for agent_id, lapsed in rows.values_list("pk", "lapsed"))
    return {agent_id: pause for agent_id, pause in pauses if pause is not None}


def column() -> ArraySubquery:
    """Return the offers that the agent of a query let lapse, for `read`."""
    lapsed = unanswered().filter(agent_id=OuterRef("pk")).order_by("epoch")
    return ArraySubquery(lapsed.values(row=JSONObject(slot=F("slot"), ended_at=F("ended_at"))))


def read(lapsed: Sequence[dict[str, Any]]) -> Pause | None:
    """Return the pause that comes of what was read by `column`; None where no offer lapsed."""
    if not lapsed:
        return None
    # Several slots that were offered at once are one time: the agent did not hear once.
    lapses = max(Counter(row["slot"] for row in lapsed).values())
    last = max(datetime.fromisoformat(row["ended_at"]) for row in lapsed)
    return Pause(lapses=lapses, until=last + timedelta(seconds=seconds_after(lapses)))


def unanswered() -> QuerySet[Attempt]:
    """Return the offers that an agent let lapse since it last accepted one, or connected."""
    # Others lapse early: somebody locked the workspace, or the agent was drained.
    whole = {"ended_at__gte": F("offered_at") + clock.span(ACCEPT_SECONDS)}
    lately = clock.In(seconds=-REMEMBERED_SECONDS)
    lapsed = Attempt.objects.filter(outcome="lapsed", offered_at__gt=lately, **whole)
    taken = Attempt.objects.filter(agent_id=OuterRef("agent_id"), accepted_at__gt=OuterRef("offered_at"))
    of_its_session = Agent.objects.filter(pk=OuterRef("agent_id"), connected_at__lte=OuterRef("offered_at"))
    return lapsed.filter(~Exists(taken), Exists(of_its_session))


def seconds_after(lapses: int) -> int:
    """Return how long an agent is passed over after so many lapses in a row: 5 s, 10 s, 20 s … 300 s."""
    return int(min(MOST_SECONDS, FIRST_SECONDS * 2 ** min(lapses - 1, 10)))
