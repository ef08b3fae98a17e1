"""Who gets a task: an agent that has its engine, else one that downloads it; where there is none, the task says why."""

import json

import pytest
from django.db import transaction

from agents import dispatcher, inventory, protocol
from agents.models import Agent
from agents.protocol import Engine, Heartbeat, ProtocolError
from tasks import attempts, remedies, verbs
from tasks.models import Task
from tests.agents.conftest import Connect
from tests.agents.scenes import TERRAFORM, hello, join, offered_to
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)

BOTH = ["terraform", "tofu"]
OLD = [{"name": "terraform", "version": "1.5.7"}]


def pending(version: str = "") -> Task:
    return factories.pending(workspace=factories.workspace(terraform_version=version))


def test_an_agent_that_has_the_version_is_preferred_to_a_fuller_one_that_would_download_it() -> None:
    fetching = factories.agent("a", connected=True, capacity=1, engines=OLD, fetches=BOTH)
    having = factories.agent("b", connected=True, capacity=5)
    pending("1.11.4")
    assert (len(offered_to(having)), offered_to(fetching)) == (1, [])


def test_while_that_one_is_busy_another_one_downloads_it() -> None:
    fetching = factories.agent("a", connected=True, capacity=1, engines=OLD, fetches=BOTH)
    having = factories.agent("b", connected=True, capacity=1)
    first, second = pending("1.11.4"), pending("1.11.4")
    assert (offered_to(having), offered_to(fetching)) == ([first.pk], [second.pk])


def test_one_that_neither_has_nor_downloads_it_is_not_asked_while_another_one_may() -> None:
    other = factories.agent("a", connected=True, capacity=5, engines=OLD, fetches=["tofu"])
    fetching = factories.agent("b", connected=True, capacity=5, engines=OLD, fetches=["terraform"])
    task = pending("1.12.0")
    assert (offered_to(fetching), offered_to(other)) == ([task.pk], [])


def test_a_stored_plan_goes_to_one_of_its_platform_that_downloads_its_engine() -> None:
    task = factories.confirmed(on=factories.agent())
    assert offered_to(join("mac", engines=[], fetches=BOTH, os="darwin")) == []
    assert factories.reread(task).reason_code == "no_matching_agent"
    assert offered_to(join("fitting", engines=[], fetches=["terraform"])) == [task.pk]


def test_the_reason_says_what_is_missing_where_and_what_would_help() -> None:
    task = factories.confirmed(on=factories.agent())
    factories.agent("ada", connected=True, engines=OLD, fetches=["tofu"])
    join("mac", engines=[], os="darwin", arch="arm64")
    reason = factories.reread(task).reason or {}
    assert reason["message"] == (
        "Its plan was made by terraform 1.11.4 on linux/amd64, and nothing else can apply it. None of the 2 connected "
        "agents has or downloads that: ada (linux/amd64) has terraform 1.5.7, downloads tofu; mac (darwin/arm64) has no "
        "engine."
    )
    assert reason["remedy"] == (
        "Connect an agent of linux/amd64 that has terraform 1.11.4 or downloads it; the plan is applied at once. Who was cut "
        "off a moment ago comes back by itself. When none has come for 45 s, retry makes a new plan with what is there; until "
        "then it only looks again, and the confirmation stays."
    )
    assert reason["evidence"]["agents"] == {"ada": ["terraform 1.5.7"], "mac": []}


def test_after_a_lease_without_one_that_fits_it_says_that_a_retry_plans_again() -> None:
    reason = factories.out_of_reach().reason or {}
    assert "Or press retry: a new plan is made with what is there, and needs a new confirmation." in reason["remedy"]
    assert (reason["evidence"]["retry_plans_again"], "a moment ago" in reason["remedy"]) == (True, False)


def test_who_was_away_for_seconds_applies_the_confirmed_plan_whoever_pressed_retry_meanwhile() -> None:
    planner = factories.agent("planner")
    task = factories.confirmed(on=planner)
    join("odd", engines=OLD)
    done = verbs.ask(verbs.VERBS, "retry", factories.reread(task), factories.person(), {})
    assert done.sentence.startswith("A slot was looked for again. It waits: Its plan was made by terraform 1.11.4")
    assert offered_to(join("planner again")) == [task.pk]
    assert factories.reread(task).confirmed_at is not None


def test_the_wait_begins_anew_with_every_agent_that_fits() -> None:
    task = factories.out_of_reach()
    fitting = join("fitting", capacity=1)
    assert offered_to(fitting) == [task.pk]
    Agent.objects.filter(pk=fitting.pk).update(session="")
    with transaction.atomic():
        attempts.take_back(Task.objects.locked(task.pk), cause="It left.", actor="platform:sweep")
    dispatcher.dispatch(fitting.pool_id, cause="test")
    assert (factories.reread(task).reason or {})["evidence"]["retry_plans_again"] is False


def test_of_a_single_agent_it_says_so_too() -> None:
    reason = factories.out_of_reach().reason or {}
    assert "The one connected agent neither has nor downloads that: agent-" in reason["message"]


def test_of_many_agents_the_sentence_names_three() -> None:
    task = factories.confirmed(on=factories.agent())
    for number in range(5):
        factories.agent(f"a{number}", connected=True, engines=OLD)
    dispatcher.dispatch(task.workspace.pool_id or factories.agent().pool_id, cause="test")
    reason = factories.reread(task).reason or {}
    assert "a2 (linux/amd64) has terraform 1.5.7; and 2 more." in reason["message"]
    assert len(reason["evidence"]["agents"]) == 5


def test_a_retry_has_a_new_plan_made_by_what_is_there() -> None:
    task = factories.out_of_reach()
    (odd,) = Agent.objects.connected()
    remedies.retry(task, by=factories.person())
    assert offered_to(odd) == [task.pk]
    assert factories.reread(task).phase == "plan"


def test_a_hello_says_what_the_agent_downloads_and_one_of_old_need_not(connect: Connect) -> None:
    connect("new", fetches=("tofu",))
    words = json.loads(protocol.dump(hello("old")))
    del words["fetches"]
    assert protocol.parse_from_agent(json.dumps(words)) == hello("old")
    connect("old")
    assert list(Agent.objects.order_by("name").values_list("name", "fetches")) == [("new", ["tofu"]), ("old", [])]


@pytest.mark.parametrize("fetches", ["tofu", ["ansible"], None])
def test_what_is_no_engine_cannot_be_downloaded(fetches: object) -> None:
    words = json.loads(protocol.dump(hello("ada"))) | {"fetches": fetches}
    with pytest.raises(ProtocolError, match=r"hello\.fetches"):
        protocol.parse_from_agent(json.dumps(words))


def test_a_heartbeat_of_old_says_nothing_of_engines() -> None:
    assert protocol.parse_from_agent('{"type": "heartbeat", "work": []}') == Heartbeat(work=())


def test_an_engine_that_came_later_brings_who_waited_for_it(connect: Connect) -> None:
    task = factories.confirmed(on=factories.agent())
    session, _ = connect("ada", engines=())
    assert factories.reread(task).reason_code == "no_matching_agent"
    inventory.renew(session, (Engine(name="tofu", version="1.9.0"), TERRAFORM))
    ada = Agent.objects.get(name="ada")
    assert ada.engines == [{"name": "tofu", "version": "1.9.0"}, {"name": "terraform", "version": "1.11.4"}]
    assert offered_to(ada) == [task.pk]


def test_who_does_not_speak_for_the_agent_any_more_says_nothing_of_its_engines(connect: Connect) -> None:
    old, _ = connect("ada")
    connect("ada")
    inventory.renew(old, ())
    assert Agent.objects.get(name="ada").engines == [{"name": "terraform", "version": "1.11.4"}]
