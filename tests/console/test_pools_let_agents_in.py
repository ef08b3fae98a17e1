"""A pool's page: its agents, pods and tokens; a token's text is shown once."""

from django.test import Client

from pools.models import Pool, PoolToken
from tests import factories as rows
from tests.console import fleets, pages
from tests.console.conftest import browser
from tests.tasks import factories


def test_a_token_is_shown_once(console: Client) -> None:
    pool = Pool.objects.local()
    answer = console.post(f"/pools/{pool.pk}/tokens", {"name": "build hosts"})
    token = PoolToken.objects.get()
    shown = next(word for word in pages.text(answer).split() if word.startswith("iacp_") and "…" not in word)
    assert PoolToken.objects.matching(shown).get() == token
    assert answer["Cache-Control"] == "no-store"
    again = console.get(f"/pools/{pool.pk}")
    assert shown not in again.content.decode()
    assert f"{token.prefix}… build hosts" in pages.text(again)


def test_a_token_is_revoked(console: Client) -> None:
    pool = Pool.objects.local()
    token, _ = PoolToken.issue(pool=pool)
    console.post(f"/pools/{pool.pk}/tokens/{token.pk}/revoke")
    assert not PoolToken.objects.valid().exists()
    assert "revoked just now" in pages.text(console.get(f"/pools/{pool.pk}"))


def test_tokens_need_their_permissions(console: Client) -> None:
    pool = Pool.objects.local()
    token, _ = PoolToken.issue(pool=pool)
    looker = browser(rows.person("pools.view_pool", "pools.view_pooltoken"))
    assert looker.post(f"/pools/{pool.pk}/tokens").status_code == 403
    assert looker.post(f"/pools/{pool.pk}/tokens/{token.pk}/revoke").status_code == 403
    assert PoolToken.objects.valid().count() == 1


def test_a_pool_of_pods_offers_no_token_as_each_pod_has_its_own(console: Client) -> None:
    pool = fleets.pool()
    assert f"/pools/{pool.pk}/tokens" not in pages.forms(console.get(f"/pools/{pool.pk}"))
    PoolToken.issue(pool=pool, name="by the API")
    assert "by the API" in pages.text(console.get(f"/pools/{pool.pk}"))


def test_a_pool_says_how_many_tasks_want_a_slot(console: Client) -> None:
    factories.pending()
    factories.pending()
    assert "2 tasks wait" in pages.text(console.get(f"/pools/{Pool.objects.local().pk}"))
    assert "2 tasks wait" in pages.text(console.get("/pools/"))


def test_a_pool_that_may_not_be_seen_is_404(console: Client) -> None:
    assert browser(rows.person()).get(f"/pools/{Pool.objects.local().pk}").status_code == 404
    assert console.get("/pools/pool-nothing").status_code == 404
