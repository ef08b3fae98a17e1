"""kill -9 of a real worker while it is at a call to a real cluster: the next look finds what was done, and goes on."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from django.db import connection

from pools.models import Pod, PodPhase, Pool, PoolToken
from tests import waiting
from tests.cluster.cluster import Cluster
from tests.cluster.faults import FOR_EVER_SECONDS, Exchange
from tests.fleet.clusters_of_ours import look, names, ours, pool, token_in, until

pytestmark = pytest.mark.django_db(transaction=True)

Eventually = Callable[..., None]

LOOK = "import sys, django; django.setup(); from agents.fleet import looks; looks.look(int(sys.argv[1]))"


@dataclass
class Halt:
    """The call gets no answer; `is_done`: it was carried out before."""

    is_done: bool
    reached: threading.Event = field(default_factory=threading.Event)

    def happen(self, exchange: Exchange) -> None:
        """Say that the call is there, and keep it waiting."""
        if self.is_done:
            exchange.forward()
        self.reached.set()
        exchange.wait(FOR_EVER_SECONDS)
        exchange.reset()


def killed_at(cluster: Cluster, of: Pool, method: str, path: str, *, is_done: bool) -> None:
    """Let a worker look at the cluster, and kill it when it is at this call."""
    halt = Halt(is_done)
    cluster.proxy.fault(halt, method=method, path=path)
    with worker(of) as process:
        assert halt.reached.wait(waiting.ENOUGH_SECONDS)
        process.kill()
    waiting.until("the database knows that it is gone", lambda: not _locks_of_others())
    cluster.proxy.heal()


def _locks_of_others() -> int:
    """Return how many advisory locks of this database other connections hold."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        number: int = cursor.fetchone()[0]
        return number


def worker(of: Pool) -> subprocess.Popen[bytes]:
    """Start a process that looks at the pool's cluster once."""
    database = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = {**os.environ, "DATABASE_URL": database, "DJANGO_SETTINGS_MODULE": "iacplatform.settings"}
    return subprocess.Popen([sys.executable, "-c", LOOK, str(of.k8s_config_id)], env=environment)


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize(("method", "path"), [("GET", r"/pods"), ("POST", r"/pods"), ("POST", r"/secrets")])
def test_a_worker_that_is_killed_while_it_makes_a_pod_leaves_one_pod_that_works(
    cluster: Cluster, method: str, path: str, is_done: bool
) -> None:
    one = pool(cluster)
    killed_at(cluster, one, method, path, is_done=is_done)
    look(one)
    made = Pod.objects.get()
    assert (made.phase, names(cluster), made.equipped_at is not None) == (PodPhase.STARTING, [made.name], True)
    token = token_in(cluster, made)
    assert token is not None and token.pod == made
    cluster.until_pod(made.name, lambda seen: seen["status"]["phase"] == "Running")


@pytest.mark.parametrize("is_done", [False, True])
def test_a_worker_that_is_killed_while_it_removes_a_pod_leaves_none(
    cluster: Cluster, eventually: Eventually, is_done: bool
) -> None:
    one = pool(cluster)
    look(one)
    Pool.objects.update(min_replicas=0, max_replicas=0)
    killed_at(cluster, one, "DELETE", r"/pods/", is_done=is_done)
    assert Pod.objects.get().phase == PodPhase.DELETING
    until(one, lambda: Pod.objects.get().phase == PodPhase.GONE, eventually)
    assert (ours(cluster), PoolToken.objects.count()) == ([], 0)
