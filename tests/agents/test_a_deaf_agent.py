"""An agent that is connected and takes no offer: visible, bounded, and nobody waits for it (compare incident 713)."""

import pytest

from agents import dispatcher, explain, pauses, sessions, sweep
from agents.models import Agent
from iacplatform.base import clock
from pools.models import Pool, PoolToken
from tasks import attempts, confirmation, remedies
from tasks.models import Attempt, Task
from tests.agents.conftest import Later
from tests.agents.scenes import hello, join, offered_to
from tests.tasks import factories

pytestmark = pytest.mark.django_db(transaction=True)


def lapse(later: Later) -> None:
    """Let the offers of this moment lapse."""
    later(attempts.ACCEPT_SECONDS + 0.1)
    hear()
    sweep.sweep()


def hear() -> None:
    """Let every agent's heartbeat arrive: only their consumers hang."""
    Agent.objects.update(lease_until=clock.In(seconds=45), last_seen_at=clock.DatabaseNow())


def offers() -> int:
    return Attempt.objects.count()


def test_the_task_says_who_does_not_take_it_and_how_often(later: Later) -> None:
    deaf = join("deaf", capacity=1)
    task = factories.pending()
    lapse(later)
    task = factories.reread(task)
    assert (offered_to(deaf), task.reason_code) == ([], "offer_not_accepted")
    assert task.reason is not None
    assert "Agent deaf is connected and did not take the last offer" in task.reason["message"]
    assert task.reason["evidence"]["agents"] == {"deaf": 1}
    assert "restart it" in task.reason["remedy"]


def test_it_is_asked_again_after_a_pause_that_grows(later: Later) -> None:
    join("deaf", capacity=1)
    task = factories.pending()
    for count, seconds in enumerate((5, 10, 20, 40), start=1):
        lapse(later)
        assert offers() == count
        later(seconds * 0.6)
        hear()
        sweep.sweep()
        assert offers() == count
        later(seconds * 0.4 + 0.1)
        sweep.sweep()
        assert offers() == count + 1
        assert factories.reread(task).reason_code == "offer_not_accepted"


def test_pauses_have_an_end() -> None:
    assert [pauses.seconds_after(lapses) for lapses in (1, 2, 3, 7, 99)] == [5, 10, 20, 300, 300]


def test_the_reason_stays_while_it_is_asked_again_and_counts_as_stuck(later: Later) -> None:
    join("deaf", capacity=1)
    task = factories.pending()
    lapse(later)
    since = factories.reread(task).reason_since
    later(6)
    sweep.sweep()
    asked = factories.reread(task)
    assert (asked.lease, asked.reason_code, asked.reason_since) == ("offered", "offer_not_accepted", since)
    lapse(later)
    assert Task.objects.stuck().filter(pk=task.pk).exists()


def test_another_agent_gets_it_at_once(later: Later) -> None:
    join("deaf", capacity=1)
    task = factories.pending()
    lapse(later)
    ears = join("ears", capacity=1)
    assert offered_to(ears) == [task.pk]


def test_other_tasks_do_not_go_there_either(later: Later) -> None:
    deaf = join("deaf", capacity=4)
    factories.pending()
    lapse(later)
    other = factories.pending()
    assert offered_to(deaf) == []
    assert factories.reread(other).reason_code == "offer_not_accepted"


def test_after_the_pause_one_slot_is_offered_and_not_all(later: Later) -> None:
    deaf = join("deaf", capacity=4)
    for _ in range(4):
        factories.pending()
    assert len(offered_to(deaf)) == 4
    lapse(later)
    assert offers() == 4
    later(6)
    sweep.sweep()
    assert (len(offered_to(deaf)), offers()) == (1, 5)


def test_offers_that_lapsed_together_are_one_time(later: Later) -> None:
    deaf = join("deaf", capacity=4)
    for _ in range(4):
        factories.pending()
    lapse(later)
    assert pauses.of([deaf])[deaf.pk].lapses == 1


def test_what_it_accepts_ends_the_pause(later: Later) -> None:
    deaf = join("deaf", capacity=4)
    task = factories.pending()
    factories.pending()
    lapse(later)
    later(6)
    sweep.sweep()
    task = factories.reread(task)
    attempts.accept(task.pk, task.epoch, deaf.pk)
    dispatcher.dispatch(deaf.pool_id, cause="test")
    assert len(offered_to(deaf)) == 1
    assert pauses.of([deaf]) == {}


def test_a_new_session_ends_it_too(later: Later) -> None:
    token, _ = PoolToken.issue(pool=Pool.objects.local())
    sessions.open_session(token, hello("deaf"))
    task = factories.pending()
    lapse(later)
    assert factories.reread(task).lease == ""
    session, _ = sessions.open_session(token, hello("deaf"))
    assert offered_to(Agent.objects.get(pk=session.agent_id)) == [task.pk]


def test_an_offer_that_was_taken_back_early_is_not_its_fault() -> None:
    ada = join("ada", capacity=1)
    task = factories.pending()
    factories.lose(factories.reread(task))
    assert offered_to(ada) == [task.pk]
    assert pauses.of([ada]) == {}


def test_a_slot_that_it_keeps_is_not_waited_for(later: Later) -> None:
    deaf = join("deaf", capacity=2)
    kept = factories.awaiting_confirmation(on=deaf)
    factories.pending()
    lapse(later)
    ears = join("ears", capacity=9)
    confirmation.confirm(kept, by=factories.person(), plan_digest=kept.plan_digest)
    assert kept.pk in offered_to(ears)


def test_the_sweep_does_not_count_it_as_a_lost_hint(later: Later, caplog: pytest.LogCaptureFixture) -> None:
    join("deaf", capacity=1)
    factories.pending()
    lapse(later)
    later(6)
    sweep.sweep()
    assert "should have" not in caplog.text


def test_the_gates_say_the_same(later: Later) -> None:
    join("deaf", capacity=1)
    task = factories.pending()
    lapse(later)
    answers = {answer["name"]: answer for answer in explain.explain(task)["gates"]}
    assert answers["free_slot"]["reason"]["code"] == "offer_not_accepted"


def test_who_presses_retry_does_not_wait_for_the_rest_of_the_pause(later: Later) -> None:
    deaf = join("deaf", capacity=1)
    task = factories.pending()
    lapse(later)
    assert offered_to(deaf) == []
    remedies.retry(factories.reread(task), by=factories.person())
    assert offered_to(deaf) == [task.pk]
    remedies.retry(factories.reread(task), by=factories.person())
    assert offers() == 2
