"""One platform of real processes for the whole run (one for each worker of xdist); every test has a pool of its own."""

from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.e2e.client import Client
from tests.e2e.configurations import Gated
from tests.e2e.crew import Crew
from tests.e2e.platform import Platform
from tests.e2e.pod_crew import PodCrew

TAIL = 6000
"""Characters of each part's output that a failing test shows."""

RUNNING = pytest.StashKey[Platform]()


@pytest.fixture(scope="session")
def started(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Iterator[Platform]:
    """The platform of the run, in whatever condition the last test has left it."""
    with Platform(tmp_path_factory.mktemp("platform")) as platform:
        pytestconfig.stash[RUNNING] = platform
        yield platform


@pytest.fixture
def platform(started: Platform, request: pytest.FixtureRequest) -> Iterator[Platform]:
    """The platform, with all of its parts up; after the test no task may break the promise, and no engine is left.

    Tests with the mark `server` have its keywords in the environment of web server and jobs.
    """
    mark = request.node.get_closest_marker("server")
    environment = mark.kwargs if mark else {}
    started.heal(**environment)
    yield started
    started.heal(**environment)
    numbers = started.metrics()
    assert "iac_tasks_unexplained 0.0" in numbers, numbers


@pytest.fixture
def client(platform: Platform) -> Client:
    """The administrator's way in."""
    return platform.client()


@pytest.fixture
def crew(platform: Platform) -> Crew:
    """A pool of this test alone."""
    return Crew.of(platform)


@pytest.fixture
def pods(platform: Platform, cluster: Cluster) -> Iterator[PodCrew]:
    """A pool of pods of this test alone, which gives back what it does not need within seconds."""
    crew = PodCrew.of(platform, cluster)
    yield crew
    crew.retire()


@pytest.fixture
def gated(tmp_path: Path) -> Gated:
    """A configuration whose apply lasts until the test lets it end."""
    return Gated(tmp_path)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Let the platform burn no processor time while other tests run."""
    yield
    platform = item.config.stash.get(RUNNING, None)
    if platform and "started" not in getattr(nextitem, "fixturenames", ()):
        platform.rest()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of each part's output with a failing test."""
    report = yield
    platform = item.config.stash.get(RUNNING, None)
    if report.failed and platform is not None:
        report.sections += [(f"log of {part.name}", part.output()[-TAIL:]) for part in platform.parts]
    return report
