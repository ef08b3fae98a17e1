"""What tests of agents share: pools of each kind, agents that have connected, and time that passes."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from agents import sessions
from agents.protocol import Welcome
from agents.sessions import Session
from iacplatform.base import clock
from pools.models import K8sConfig, Pool, PoolToken
from tests.agents.scenes import hello

Connect = Callable[..., tuple[Session, Welcome]]
Later = Callable[[float], None]


@pytest.fixture
def static_pool() -> Pool:
    """Return a pool whose agents people start."""
    return Pool.objects.create(name="static-1")


@pytest.fixture
def k8s_pool() -> Pool:
    """Return a pool of at most two pods."""
    config = K8sConfig.objects.create(name="cluster-1", in_cluster=True, namespace="default", image="agent:1")
    return Pool.objects.create(name="pods-1", pool_type="k8s", k8s_config=config, min_replicas=0, max_replicas=2)


@pytest.fixture
def token() -> PoolToken:
    """Return a token of the pool `local`."""
    return PoolToken.issue(pool=Pool.objects.local())[0]


@pytest.fixture
def connect(token: PoolToken) -> Connect:
    """Return a function that opens a session; it takes what `hello` takes."""

    def _connect(name: str = "ada", **members: Any) -> tuple[Session, Welcome]:
        return sessions.open_session(token, hello(name, **members))

    return _connect


@pytest.fixture
def later() -> Later:
    """Return a function that lets so many seconds pass."""
    return lambda seconds: clock.shift(timedelta(seconds=seconds))
