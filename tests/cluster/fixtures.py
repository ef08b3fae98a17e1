"""A pytest plugin: `control_plane` for the whole run of a worker, `cluster` for a test. See the package's docstring."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane

MARKS = (
    "cluster: can run in a user's Kubernetes cluster (make test-cluster KUBECONFIG=...)",
    "own_control_plane: breaks parts of the control plane, so never in a user's cluster",
)
TAIL = 4000
"""Characters of each pod's output that a failing test shows."""


def pytest_configure(config: pytest.Config) -> None:
    for mark in MARKS:
        config.addinivalue_line("markers", mark)


@pytest.fixture(scope="session")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    with ControlPlane(tmp_path_factory.mktemp("kubernetes")) as started:
        yield started


@pytest.fixture
def control_plane(_started: ControlPlane) -> ControlPlane:
    """The control plane, with all of its parts up."""
    _started.until_ready()
    return _started


@pytest.fixture
def cluster(control_plane: ControlPlane, tmp_path: Path) -> Iterator[Cluster]:
    """A namespace of this test alone."""
    with Cluster(control_plane, tmp_path / "cluster") as made:
        yield made
