"""Two of everything, PostgreSQL and Redis elsewhere: what one web server does reaches the agents of the other at once."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
import redis

from tests.e2e.configurations import Gated, trivial
from tests.e2e.crew import Crew
from tests.e2e.scaled_out import ScaledOut
from tests.e2e.work import Task, Workspace
from tests.waiting import until

AT_ONCE = timedelta(seconds=2)
"""A sweep tells no agent anything, and the next heartbeat is up to 10 s away."""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ScaledOut]:
    with ScaledOut(tmp_path_factory.mktemp("scaled-out")) as platform:
        yield platform


@pytest.fixture
def platform(started: ScaledOut) -> ScaledOut:
    """The platform; each test leaves it whole."""
    return started


def work(platform: ScaledOut, crew: Crew) -> Workspace:
    """Return a new workspace, seen through the second web server; the crew's agents are connected to the first."""
    return Workspace.new(platform.second_client(), trivial(), **crew.place)


def waited(workspace: Workspace) -> timedelta:
    """Return how long an agent took to accept a new task that was offered to it."""
    task = workspace.task("plan")
    task.until("success")
    return moment(task, "accepted") - moment(task, "offered")


def moment(task: Task, event: str) -> datetime:
    return next(datetime.fromisoformat(each["at"]) for each in task.events() if each["event"] == event)


def subscribed(platform: ScaledOut) -> list[bytes]:
    """Return the groups whose hints somebody hears through Redis."""
    with redis.Redis.from_url(platform.redis.url) as client:
        found: list[bytes] = client.pubsub_channels("*__group__*")
    return found


def listeners(platform: ScaledOut) -> list[tuple[object, ...]]:
    return platform.sql("SELECT pid FROM pg_stat_activity WHERE query ILIKE 'LISTEN%%' AND pid <> pg_backend_pid()")


def test_an_agent_of_one_web_server_hears_the_other_at_once(platform: ScaledOut, crew: Crew) -> None:
    crew.agent("one")
    workspace = work(platform, crew)
    waits = sorted(waited(workspace) for _ in range(4))
    assert waits[2] < AT_ONCE, waits
    assert subscribed(platform) and not listeners(platform)


def test_nothing_is_lost_while_redis_is_away_and_it_is_found_again(
    platform: ScaledOut, crew: Crew, gated: Gated
) -> None:
    crew.agent("one")
    long = Workspace.new(platform.second_client(), gated.files, **crew.place).task()
    long.until("apply_pending")
    long.confirm()
    long.until_stage("applying")
    platform.redis.kill()
    crew.agent("two")
    short = work(platform, crew).task()
    short.until("apply_pending")
    short.confirm()
    gated.open()
    for task in (long, short):
        task.until("applied")
    assert gated.ledger() == ["begun", "ended"]
    assert long.log("apply")
    platform.redis.start()
    until("agents are heard through Redis again", lambda: subscribed(platform))
    workspace = work(platform, crew)
    waits = sorted(waited(workspace) for _ in range(4))
    assert waits[2] < AT_ONCE, waits


def test_either_half_alone_goes_on(platform: ScaledOut, crew: Crew) -> None:
    platform.jobs.kill()
    platform.second_web.kill()
    crew.agent("one")
    task = crew.workspace(trivial()).task()
    task.until("apply_pending")
    task.confirm()
    task.until("applied")
    platform.jobs.start()
    platform.start_web(platform.second_web, platform.second_url)
