"""K8s configs at the console: made, changed, checked and deleted; a kubeconfig is taken and never shown."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from django.test import Client

from pools import checks
from pools.checks import Step
from pools.models import K8sConfig
from tests import factories as rows
from tests.api.test_pools_are_made_and_changed import KUBECONFIG
from tests.console import fleets, pages
from tests.console.conftest import browser

NEW = "/k8s-configs/new"
FILLED = {
    "name": "edge",
    "kubeconfig": json.dumps(KUBECONFIG, indent=1),
    "namespace": "iac-agents",
    "image": "registry.example.com/iac-agent:1",
    "command": "- python\n- -m\n- agents.runner\n",
    "env": "HTTPS_PROXY: http://proxy:3128\nDEBUG: on\n",
    "resources": "requests:\n  cpu: 1\n  memory: 512Mi\n",
    "tolerations": "- key: ci\n  operator: Exists\n  effect: NoExecute\n  tolerationSeconds: 60\n",
}
STEPS = [
    Step(name="reachable", ok=True, words="It answers at https://10.0.0.1."),
    Step(name="create pods", ok=False, words="We may not create pods in iac-agents.", remedy="Apply the Role."),
]


def test_a_config_is_made_from_what_people_copy_out_of_manifests(console: Client) -> None:
    answer = console.post(NEW, FILLED, follow=True)
    assert "K8s config edge is stored. Check says whether" in pages.text(answer)
    made = K8sConfig.objects.get()
    assert made.command == ["python", "-m", "agents.runner"]
    assert made.env == {"HTTPS_PROXY": "http://proxy:3128", "DEBUG": "on"}
    assert made.resources == {"requests": {"cpu": "1", "memory": "512Mi"}}
    assert made.tolerations[0]["tolerationSeconds"] == 60
    assert (made.labels, made.image_pull_secrets) == ({}, [])
    assert json.loads(made.kubeconfig()) == KUBECONFIG


def test_the_form_shows_what_is_stored_and_keeps_the_kubeconfig(console: Client) -> None:
    console.post(NEW, FILLED)
    config = K8sConfig.objects.get()
    address = f"/k8s-configs/{config.pk}/settings"
    form = console.get(address).content.decode()
    assert "HTTPS_PROXY: http://proxy:3128" in form and "hunter2" not in form
    console.post(address, {**FILLED, "kubeconfig": "", "labels": '{"team": "edge"}'})
    config.refresh_from_db()
    assert config.labels == {"team": "edge"} and json.loads(config.kubeconfig()) == KUBECONFIG


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("env", "- a", "Give an object of names and texts"),
        ("env", "a: {", "This is neither YAML without aliases nor JSON, in line 1."),
        ("env", "a: &x 1\nb: *x", "This is neither YAML without aliases nor JSON."),
        ("labels", "x" * 70_000, "Give at most 65,536 characters."),
        ("resources", "cpu: 1", "Give requests and limits, such as"),
        ("command", "", "Give a list of words"),
        ("namespace", "Not One", "Give the name of a namespace"),
        ("image", "", "This field is required."),
        ("name", "a b", "Use 1 to 90 letters"),
        ("kubeconfig", "hunter2", "This is no kubeconfig"),
    ],
)
def test_a_wrong_value_is_said_beside_its_field(console: Client, field: str, value: str, words: str) -> None:
    answer = console.post(NEW, {**FILLED, field: value})
    assert answer.status_code == 400
    fault = answer.content.decode().partition(f'id="id_{field}_error">')[2].partition("</span>")[0]
    assert words.replace('"', "&quot;") in fault
    assert not K8sConfig.objects.exists()


def test_a_refused_form_sends_no_kubeconfig_back_and_has_room_for_its_lines(console: Client) -> None:
    page = console.post(NEW, {**FILLED, "image": ""}).content.decode()
    assert "hunter2" not in page
    assert '<textarea name="kubeconfig"' in page


def test_the_page_shows_what_a_pod_looks_like_and_who_uses_it(console: Client) -> None:
    pool = fleets.pool()
    words = fleets.read(console.get(f"/k8s-configs/{pool.k8s_config_id}"))
    assert "The cluster that the platform runs in, namespace default, looked at just now" in words
    assert "Image agent:1" in words and "- agents.runner" in words
    assert "Pools that use it edge 0–5 pods" in words
    assert "It cannot go yet. Pools use it (edge)" in words
    assert pages.text(console.get("/k8s-configs/")).count("cluster-") == 1


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}])
def test_a_check_shows_each_step_with_words_and_remedy(console: Client, headers: dict[str, str]) -> None:
    config = rows.k8s_config()
    with patch.object(checks, "check", return_value=STEPS):
        answer = console.post(f"/k8s-configs/{config.pk}/check", headers=headers)
    assert answer.status_code == 200
    assert "ok reachable It answers at https://10.0.0.1." in pages.text(answer)
    assert "not ok create pods We may not create pods in iac-agents. Apply the Role." in pages.text(answer)
    assert ("<html" in answer.content.decode()) is (not headers)


def test_a_config_goes_after_its_pools(console: Client) -> None:
    pool = fleets.pool()
    address = f"/k8s-configs/{pool.k8s_config_id}/delete"
    assert address not in pages.forms(console.get(f"/k8s-configs/{pool.k8s_config_id}"))
    refused = console.post(address)
    assert refused.status_code == 409 and "still needed by pool edge" in pages.text(refused)
    pool.delete()
    gone = console.post(address, follow=True)
    assert "is deleted." in pages.text(gone) and not K8sConfig.objects.exists()


def test_each_deed_needs_its_right(console: Client) -> None:
    config = rows.k8s_config()
    looker = browser(rows.person("pools.view_k8sconfig"))
    one = f"/k8s-configs/{config.pk}"
    page = looker.get(one)
    assert page.status_code == 200 and set(pages.forms(page)) == {"/logout/"}
    answers: list[Any] = [looker.get(NEW), looker.get(f"{one}/settings"), looker.post(f"{one}/check")]
    assert {answer.status_code for answer in [*answers, looker.post(f"{one}/delete")]} == {403}
    stranger = browser(rows.person())
    assert {stranger.get(path).status_code for path in (one, f"{one}/settings")} == {404}
    assert "None that you may see" in pages.text(stranger.get("/k8s-configs/"))


def test_a_new_config_begins_with_the_agents_own_command(console: Client) -> None:
    assert "- agents.runner</textarea>" in console.get(NEW).content.decode()
