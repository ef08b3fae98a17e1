"""The token of a pod lets in that pod's agent alone, and nobody else may call himself a pod."""

from typing import Any

import pytest

from agents import sessions
from agents.fleet import draining
from agents.models import Agent
from agents.protocol import Welcome, Work
from agents.sessions import Rejected, Session
from pools.models import Pod, PodPhase, Pool, PoolToken
from tests.agents.scenes import hello, offered_to, pod, workspace_of
from tests.races.racing import interleave
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def one(k8s_pool: Pool) -> Pod:
    """Return a pod that is starting, in a pool that has two."""
    pod(k8s_pool, "iac-pods-2")
    return pod(k8s_pool, "iac-pods-1", slots=2, trouble="pod_unschedulable", trouble_words="0/1 nodes")


def enter(made: Pod, **said: Any) -> tuple[Session, Welcome]:
    """Let the pod's agent say hello, with the pod's own token, as the pod's environment tells it."""
    token = PoolToken.objects.filter(pod=made).select_related("pool", "pod").first()
    token = token or PoolToken.issue(pool=made.pool, pod=Pod.objects.get(pk=made.pk))[0]
    words = {"name": made.name, "pod_name": made.name, "capacity": made.slots, **said}
    return sessions.open_session(token, hello(**words))


def test_its_agent_is_known_as_the_pods(one: Pod) -> None:
    _, welcome = enter(one)
    agent = Agent.objects.get(pk=welcome.agent_id)
    one.refresh_from_db()
    assert (agent.name, agent.pod_name, agent.capacity, agent.draining) == (one.name, one.name, 2, False)
    assert (one.phase, one.trouble, one.trouble_words) == (PodPhase.RUNNING, "", "")
    assert one.connected_at is not None


def test_who_waited_for_the_pod_is_offered_to_it_at_once(one: Pod) -> None:
    task = factories.pending(workspace=workspace_of(one.pool))
    assert factories.reread(task).reason_code == "pod_starting"
    _, welcome = enter(one)
    assert offered_to(Agent.objects.get(pk=welcome.agent_id)) == [task.pk]


def test_the_first_connection_is_the_one_that_is_kept(one: Pod) -> None:
    enter(one)
    first = Pod.objects.get(pk=one.pk).connected_at
    enter(one)
    assert Pod.objects.get(pk=one.pk).connected_at == first


@pytest.mark.parametrize(
    "said",
    [
        {"name": "ada"},
        {"pod_name": "iac-pods-2"},
        {"pod_name": ""},
        {"name": "iac-pods-2", "pod_name": "iac-pods-2"},
        {"capacity": 1},
        {"capacity": 3},
    ],
)
def test_nobody_else_gets_in_with_it(one: Pod, said: dict[str, Any]) -> None:
    with pytest.raises(Rejected, match=r"iac-pods-1.*IAC_AGENT_") as refusal:
        enter(one, **said)
    assert refusal.value.word.retry is False
    assert not Agent.objects.exists()


@pytest.mark.parametrize("said", [{"name": "iac-pods-1"}, {"pod_name": "iac-pods-1"}])
@pytest.mark.parametrize("where", ["the pod's pool", "another pool"])
def test_nobody_comes_in_a_pods_name_with_another_token(
    one: Pod, static_pool: Pool, where: str, said: dict[str, Any]
) -> None:
    token, _ = PoolToken.issue(pool=one.pool if where == "the pod's pool" else static_pool)
    with pytest.raises(Rejected, match="a pod of pool pods-1"):
        sessions.open_session(token, hello(**said))


def test_an_agent_that_people_start_in_a_pool_of_pods_is_welcome(one: Pod) -> None:
    token, _ = PoolToken.issue(pool=one.pool)
    task = factories.pending(workspace=workspace_of(one.pool))
    _, welcome = sessions.open_session(token, hello("ada"))
    assert offered_to(Agent.objects.get(pk=welcome.agent_id)) == [task.pk]


@pytest.mark.parametrize("phase", [PodPhase.DRAINING, PodPhase.DELETING, PodPhase.GONE])
def test_the_agent_of_a_pod_that_is_removed_takes_nothing_new(one: Pod, phase: PodPhase) -> None:
    Pod.objects.filter(pk=one.pk).update(phase=phase)
    task = factories.pending(workspace=workspace_of(one.pool))
    _, welcome = enter(one)
    assert Agent.objects.get(pk=welcome.agent_id).draining
    assert offered_to(Agent.objects.get(pk=welcome.agent_id)) == []
    assert factories.reread(task).status == "pending"
    assert Pod.objects.get(pk=one.pk).phase == phase


def test_and_goes_on_with_what_it_runs(one: Pod) -> None:
    enter(one)
    task = factories.running(factories.pending(workspace=workspace_of(one.pool)))
    Pod.objects.filter(pk=one.pk).update(phase=PodPhase.DELETING)
    listed = (Work(task=task.pk, epoch=task.epoch),)
    _, welcome = enter(one, work=listed)
    assert welcome.keep == listed
    assert factories.reread(task).status == "running"


@pytest.mark.parametrize("before", ['UPDATE "pools_pod"', 'INSERT INTO "agents_agent"'])
def test_an_agent_that_connects_while_its_pod_is_drained_takes_nothing(one: Pod, before: str) -> None:
    """It may not come between the look at what the pod holds and the word that it takes nothing new."""
    PoolToken.issue(pool=one.pool, pod=one)
    welcome, is_drained = interleave(lambda: enter(one), lambda: draining.drain_if_idle(one), before=before)
    assert isinstance(welcome, tuple), welcome
    assert is_drained is True
    assert Agent.objects.get().draining
    assert Pod.objects.get(pk=one.pk).phase == PodPhase.DRAINING


def test_without_a_token_of_people_the_pool_still_lets_its_pods_in(one: Pod) -> None:
    Pod.objects.all().update(phase=PodPhase.GONE)
    task = factories.pending(workspace=workspace_of(one.pool))
    assert "token" not in str(factories.reread(task).reason)
