"""A worker dies between a pod's secret and the note of it, and another encryption key comes: its agent gets in."""

import pytest
from pytest_django import Settings

from pools.errors import Unreachable
from pools.models import Pod, Pool
from tests.fleet import pods
from tests.fleet.clusters import Cluster, KilledHere, cluster, look

pytestmark = pytest.mark.django_db(transaction=True)

__all__ = ["cluster"]

OLD, NEW = f"old:{'1' * 64}", f"new:{'2' * 64}"


def kill(call: str) -> None:
    if call == "create_secret":
        raise KilledHere


@pytest.fixture
def pool(cluster: Cluster, settings: Settings) -> Pool:
    """Return a pool whose pod has its secret, made with the old key; its row does not say so."""
    settings.ENCRYPTION_KEYS = OLD
    made = pods.pool(min_replicas=1)
    cluster.after = kill
    with pytest.raises(KilledHere):
        look(made.k8s_config)
    cluster.after = lambda call: None
    assert list(cluster.secrets) == [Pod.objects.get().name]
    return made


def lets_in(cluster: Cluster) -> bool:
    """Return whether the agent that reads the secret gets in, as this very pod's."""
    pod = Pod.objects.get()
    token = cluster.token_of(pod)
    return pod.equipped_at is not None and token is not None and token.pod == pod


def test_while_both_keys_are_listed_the_secret_stays(pool: Pool, cluster: Cluster, settings: Settings) -> None:
    before, settings.ENCRYPTION_KEYS = dict(cluster.secrets), f"{NEW},{OLD}"
    look(pool.k8s_config)
    assert lets_in(cluster) and cluster.secrets == before


def test_where_the_old_key_is_gone_the_secret_is_made_anew(pool: Pool, cluster: Cluster, settings: Settings) -> None:
    before, settings.ENCRYPTION_KEYS = dict(cluster.secrets), NEW
    look(pool.k8s_config)
    assert lets_in(cluster) and cluster.secrets != before


@pytest.mark.parametrize("call", ["delete_secret", "create_secret"])
def test_also_when_the_cluster_falls_silent_on_the_way(
    pool: Pool, cluster: Cluster, settings: Settings, call: str
) -> None:
    settings.ENCRYPTION_KEYS = NEW
    cluster.fail(Unreachable("timed out"), on=call)
    look(pool.k8s_config)
    cluster.heal()
    pods.later(6)
    look(pool.k8s_config)
    assert lets_in(cluster)
