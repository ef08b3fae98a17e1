"""A config that leads to a namespace of the real control plane, through the fault proxy."""

from collections.abc import Iterator
from typing import Any

import pytest

from pools import calls
from pools.kube import Cluster as Door
from pools.models import K8sConfig, Pod, Pool
from tests import factories
from tests.cluster.cluster import Cluster
from tests.cluster.credentials import Credentials


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return Credentials.made(tmp_path_factory.mktemp("tls") / "credentials")


@pytest.fixture
def config(cluster: Cluster, transactional_db: Any) -> K8sConfig:
    made = K8sConfig(name="tests", namespace=cluster.namespace, image="silent/agent:1", **cluster.placement)
    made.set_kubeconfig(cluster.kubeconfig)
    made.full_clean()
    made.save()
    return made


@pytest.fixture
def pool(config: K8sConfig) -> Pool:
    return factories.k8s_pool(name="red", k8s_config=config)


@pytest.fixture
def row(pool: Pool) -> Pod:
    return Pod.objects.create(pool=pool, name="iac-red-1")


@pytest.fixture
def door(config: K8sConfig, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    """A door for a whole test, which may wait longer than a look."""
    monkeypatch.setattr(calls, "LOOK_SECONDS", 600)
    with Door(config) as opened:
        yield opened
