"""A pool of pods in a browser, at a real cluster: config, check, pool, its pods, and what keeps it from more."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from agents.fleet import looks
from iacplatform.base import clock
from pools.models import K8sConfig, PodPhase, Pool
from tests.browser.conftest import log_in
from tests.browser.contrast import faint, unnamed
from tests.cluster.cluster import Cluster
from tests.console import fleets
from tests.tasks import factories

"""Milliseconds: several turns of a page that asks every two seconds, on a busy machine."""


def yaml_of(cluster: Cluster, part: str) -> str:
    """Return a part of where the pods have to land, as people type it."""
    return str(cluster.placement[part])


def test_a_person_makes_a_config_checks_it_and_watches_a_pool_start(
    at_console: Page, live_server: LiveServer, cluster: Cluster
) -> None:
    page = at_console
    page.get_by_role("link", name="Pools", exact=True).click()
    page.get_by_role("link", name="K8s configs").click()
    page.get_by_role("link", name="New K8s config").click()
    page.get_by_label("Name", exact=True).fill("edge-cluster")
    page.get_by_label("Kubeconfig").fill(cluster.kubeconfig)
    page.get_by_label("Namespace").fill(cluster.namespace)
    page.get_by_label("Image", exact=True).fill("silent/agent:1")
    page.get_by_label("Node selector").fill(yaml_of(cluster, "node_selector"))
    page.get_by_label("Tolerations").fill(yaml_of(cluster, "tolerations"))
    page.get_by_role("button", name="Make the K8s config").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("edge-cluster")

    page.get_by_role("button", name="Check").click()
    expect(page.locator('[data-step="pod"]')).to_contain_text("It would take a pod of this config.")
    assert page.locator('[data-ok="no"]').all_inner_texts() == []

    page.get_by_role("link", name="Make one").click()
    page.get_by_label("Name", exact=True).fill("edge")
    page.get_by_label("Who starts its agents").select_option("k8s")
    page.get_by_label("K8s config").select_option("edge-cluster")
    page.get_by_label("Pods at most").fill("2")
    page.get_by_role("button", name="Make the pool").click()
    expect(page.get_by_role("status")).to_have_text("The settings of pool edge are stored.")

    config = K8sConfig.objects.get()
    looks.look(config.pk)
    expect(page.locator("[data-pod]")).to_contain_text("starting")
    expect(page.locator("[data-desired]")).to_have_text("1")
    expect(page.locator("#pool")).to_contain_text("The minimum makes it 1. It had 0.")

    cluster.forbid()
    clock.shift(timedelta(seconds=30))
    looks.look(config.pk)
    expect(page.locator('[data-condition="cluster_forbidden"]')).to_contain_text("is forbidden")
    expect(page.locator("[data-condition]")).to_contain_text("Give the account the Role of deploy/kubernetes/rbac.yaml")


def test_a_question_that_is_open_stays_open_while_the_page_follows(at_console: Page, live_server: LiveServer) -> None:
    pool = fleets.pool()
    end = fleets.open_window(pool)
    at_console.goto(f"{live_server.url}/pools/{pool.pk}")
    at_console.get_by_text("Unfreeze…").click()
    at_console.get_by_label("For how long").select_option("for 30 minutes")
    fleets.pod(pool, phase=PodPhase.STARTING)
    expect(at_console.locator("[data-pod]")).to_be_visible()
    expect(at_console.get_by_label("For how long")).to_have_value("30")
    at_console.get_by_role("button", name="Unfreeze edge").click()
    expect(at_console.get_by_role("status")).to_contain_text("Pool edge is unfrozen until")
    pool.refresh_from_db()
    assert pool.unfrozen_until is not None and pool.unfrozen_until < end


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_a_pool_is_read_unfrozen_and_deleted(
    page: Page, live_server: LiveServer, alice: Any
) -> None:
    log_in(page, live_server)
    pool = fleets.pool()
    fleets.open_window(pool)
    page.goto(f"{live_server.url}/pools/{pool.pk}")
    page.get_by_text("Unfreeze…").click()
    page.get_by_role("button", name="Unfreeze edge").click()
    expect(page.get_by_role("status")).to_contain_text("Pool edge is unfrozen until")
    page.get_by_text("Delete…").click()
    page.get_by_role("button", name="Delete edge").click()
    expect(page.get_by_role("status")).to_have_text("Pool edge is deleted.")
    assert not Pool.objects.filter(name="edge").exists()


def whole() -> Pool:
    """Return a pool that has something in every part of its page."""
    now = clock.now()
    pool = fleets.pool(2)
    agent = fleets.agent(fleets.pod(pool, connected_at=now))
    factories.planning(on=agent, workspace=fleets.workspace(pool))
    factories.awaiting_confirmation(on=agent, workspace=fleets.workspace(pool))
    trouble = {"trouble": "image_pull_failed", "trouble_words": fleets.PULL, "trouble_since": now}
    fleets.pod(pool, "iac-edge-2", PodPhase.STARTING, **trouble)
    fleets.pod(pool, "iac-edge-3", PodPhase.GONE, cause="OOMKilled", gone_at=now)
    fleets.decision(pool)
    fleets.condition(pool, "image_pull_failed", fleets.PULL)
    fleets.waiting(pool)
    fleets.open_window(pool)
    return pool


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.browser_context_args(viewport={"width": 390, "height": 844})
def test_every_page_of_pools_fits_a_phone_stands_out_and_names_its_fields(
    at_console: Page, live_server: LiveServer, scheme: Any
) -> None:
    pool = whole()
    at_console.emulate_media(color_scheme=scheme)
    one, config = f"/pools/{pool.pk}", f"/k8s-configs/{pool.k8s_config_id}"
    for path in ("/", "/pools/", one, f"{one}/settings", "/pools/new", "/k8s-configs/", config, f"{config}/settings"):
        at_console.goto(live_server.url + path)
        for question in at_console.locator("details.ask > summary").all():
            question.click()
        wide = at_console.evaluate("document.documentElement.scrollWidth")
        assert (wide <= 390, faint(at_console), unnamed(at_console)) == (True, [], []), path
