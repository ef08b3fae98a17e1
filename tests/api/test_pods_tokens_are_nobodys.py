"""What lets a pod's agent in is made and removed with the pod: nobody lists it, revokes it, or is told of it."""

import pytest
from django.test import Client
from rest_framework.test import APIClient

from agents import removal
from iacplatform.base.problems import InUse
from pools.models import Pod, Pool, PoolToken
from tests import factories
from tests.agents.scenes import pod, working_pod

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def api() -> APIClient:
    """Return the API as a person with all rights sees it."""
    return factories.client(factories.admin())


@pytest.fixture
def pool() -> Pool:
    """Return a pool of pods without any."""
    return factories.k8s_pool(name="pods-1", min_replicas=0)


def test_the_list_shows_only_what_people_made(api: APIClient, pool: Pool) -> None:
    PoolToken.issue(pool=pool, pod=pod(pool))
    mine, _ = PoolToken.issue(pool=pool, name="mine")
    listed = api.get(f"/api/v1/pools/{pool.pk}/tokens").json()
    assert [row["id"] for row in listed["results"]] == [mine.pk]


def test_nobody_revokes_it(api: APIClient, pool: Pool) -> None:
    token, _ = PoolToken.issue(pool=pool, pod=pod(pool))
    assert api.delete(f"/api/v1/pools/{pool.pk}/tokens/{token.pk}").status_code == 404
    assert PoolToken.objects.valid().filter(pk=token.pk).exists()


def test_pages_do_not_show_it(pool: Pool) -> None:
    token, _ = PoolToken.issue(pool=pool, pod=pod(pool))
    browser = Client()
    browser.force_login(factories.admin())
    for address in (f"/pools/{pool.pk}", "/admin/pools/pooltoken/"):
        page = browser.get(address)
        assert page.status_code == 200
        assert token.prefix not in page.content.decode()


def test_an_agent_is_shown_with_its_pod(api: APIClient, pool: Pool) -> None:
    agent = working_pod(pool, "iac-pods-1")
    listed = api.get("/api/v1/agents").json()["results"]
    assert [(row["agent_id"], row["pod_name"]) for row in listed] == [(agent.pk, "iac-pods-1")]


def test_a_pool_stays_while_its_pods_live(api: APIClient, pool: Pool) -> None:
    one = pod(pool, "iac-pods-1")
    refused = api.delete(f"/api/v1/pools/{pool.pk}")
    assert (refused.status_code, refused.json()["detail"]) == (
        409,
        "Pool pods-1 has pods (iac-pods-1): set its minimum and maximum to 0 and wait until they are gone.",
    )
    Pod.objects.filter(pk=one.pk).update(phase="gone")
    assert api.delete(f"/api/v1/pools/{pool.pk}").status_code == 204
    assert not Pod.objects.exists()


def test_it_goes_with_the_tokens_and_agents_of_pods_that_are_gone(pool: Pool) -> None:
    agent = working_pod(pool, "iac-pods-1", lease_until="2020-01-01T00:00:00Z", session="")
    PoolToken.issue(pool=pool, pod=Pod.objects.get(name=agent.pod_name))
    with pytest.raises(InUse, match="has pods"):
        removal.remove(pool)
    Pod.objects.update(phase="gone")
    removal.remove(pool)
    assert not PoolToken.objects.filter(name="").exists()
