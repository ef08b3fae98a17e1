"""A pytest plugin: `control_plane` for the whole run of a worker, `cluster` for a test. See the package's docstring."""

import os
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.users_cluster import UsersCluster

KUBECONFIG = "IACPLATFORM_TEST_KUBECONFIG"
"""Names the kubeconfig of a user's cluster; without it the tests run their own control plane."""

MARKS = (
    "cluster: can run in a user's Kubernetes cluster; every test that uses one and has not the other mark",
    "own_control_plane: breaks the control plane, or needs ours; every test that uses `control_plane` has it",
)
TAIL = 4000
"""Characters of each pod's output that a failing test shows."""

RUNNING = pytest.StashKey[Cluster]()
STARTED = pytest.StashKey[ControlPlane | UsersCluster]()


def pytest_configure(config: pytest.Config) -> None:
    """Make the marks known."""
    for mark in MARKS:
        config.addinivalue_line("markers", mark)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use a cluster: what a user's cluster can take, and what needs our own."""
    for item in items:
        used = set(getattr(item, "fixturenames", ()))
        if "control_plane" in used:
            item.add_marker("own_control_plane")
        if "_kubernetes" in used and not item.get_closest_marker("own_control_plane"):
            item.add_marker("cluster")


@pytest.fixture(scope="session")
def _kubernetes(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[ControlPlane | UsersCluster]:
    folder = tmp_path_factory.mktemp("kubernetes")
    file = os.environ.get(KUBECONFIG)
    with UsersCluster(Path(file), folder) if file else ControlPlane(folder) as home:
        pytestconfig.stash[STARTED] = home
        yield home


@pytest.fixture
def control_plane(_kubernetes: ControlPlane | UsersCluster) -> ControlPlane:
    """The control plane, with all of its parts up."""
    assert isinstance(_kubernetes, ControlPlane), (
        f"This test breaks its control plane, and {KUBECONFIG} names somebody's."
    )
    _kubernetes.until_ready()
    return _kubernetes


@pytest.fixture
def cluster(_kubernetes: ControlPlane | UsersCluster, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A namespace of this test alone."""
    _kubernetes.until_ready()
    with Cluster(_kubernetes) as made:
        request.node.stash[RUNNING] = made
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """Let our control plane burn no processor time while other tests run."""
    yield
    home = item.config.stash.get(STARTED, None)
    if isinstance(home, ControlPlane) and "_kubernetes" not in getattr(nextitem, "fixturenames", ()):
        home.rest()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the end of each pod's output with a failing test."""
    report = yield
    cluster = item.stash.get(RUNNING, None)
    if report.failed and cluster:
        report.sections += [(f"output of {name}", text[-TAIL:]) for name, text in cluster.outputs().items()]
    return report
