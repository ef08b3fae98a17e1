"""Pools, tokens, pods and K8s configs in the API."""

import json
from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from iacplatform.base import clock
from pools.models import K8sConfig, Pod, PodPhase, Pool, PoolToken
from tests import factories
from tests.tasks import factories as tasks

POOLS = "/api/v1/pools"
CONFIGS = "/api/v1/k8s-configs"
KUBECONFIG = {
    "apiVersion": "v1",
    "kind": "Config",
    "current-context": "here",
    "clusters": [{"name": "c", "cluster": {"server": "https://10.0.0.1", "certificate-authority-data": "eA=="}}],
    "users": [{"name": "u", "user": {"token": "hunter2-token"}}],
    "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
}


def test_a_static_pool_is_made_with_defaults(api: APIClient) -> None:
    made = api.post(POOLS, {"name": "builders"}, format="json")
    assert made.status_code == 201, made.content
    pool = made.json()
    assert pool["pool_id"].startswith("pool-") and len(pool["pool_id"]) == 21
    expected: dict[str, Any] = {
        "name": "builders",
        "pool_type": "static",
        "k8s_config": None,
        "min_replicas": 1,
        "idle_seconds": 300,
        "reservation_seconds": 3600,
        "freeze_windows": [],
        "frozen": False,
        "desired": None,
        "condition": None,
    }
    assert expected.items() <= pool.items()
    assert api.get(f"{POOLS}/{pool['pool_id']}").json() == pool
    assert [each["name"] for each in api.get(POOLS).json()["results"]] == ["builders", "local"]


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("k8s_config", {"pool_type": "k8s"}),
        ("k8s_config", {"pool_type": "k8s", "k8s_config": 999}),
        ("min_replicas", {"min_replicas": 6, "max_replicas": 5}),
        ("min_replicas", {"min_replicas": -1}),
        ("slots_per_pod", {"slots_per_pod": 0}),
        ("slots_per_pod", {"slots_per_pod": 65}),
        ("max_replicas", {"max_replicas": 10**20}),
        ("pool_type", {"pool_type": "docker"}),
        ("freeze_windows", {"freeze_windows": "never"}),
        ("freeze_windows", {"freeze_windows": [{"days": ["mon"]}]}),
        ("desired", {"desired": 3}),
        ("colour", {"colour": "red"}),
    ],
)
def test_a_wrong_value_is_refused_by_field(api: APIClient, field: str, body: dict[str, Any]) -> None:
    answer = api.post(POOLS, {"name": "builders", **body}, format="json")
    assert answer.status_code == 400 and field in answer.json()["errors"], answer.content


def test_a_pool_of_pods_needs_a_config_and_a_static_one_has_none(api: APIClient) -> None:
    config = factories.k8s_config()
    made = api.post(POOLS, {"name": "pods", "pool_type": "k8s", "k8s_config": config.pk}, format="json")
    assert made.status_code == 201 and made.json()["k8s_config"] == config.pk
    refused = api.post(POOLS, {"name": "static", "k8s_config": config.pk}, format="json")
    assert refused.status_code == 400 and "k8s_config" in refused.json()["errors"]


def test_the_type_of_a_pool_never_changes(api: APIClient) -> None:
    pool = factories.pool()
    change = {"pool_type": "k8s", "k8s_config": factories.k8s_config().pk}
    refused = api.patch(f"{POOLS}/{pool.pk}", change, format="json")
    assert refused.status_code == 400 and "never changes" in refused.json()["errors"]["pool_type"][0]


def test_a_freeze_shows(api: APIClient) -> None:
    now = clock.now()
    start, end = ((now + timedelta(hours=hours)).strftime("%H:%M") for hours in (-1, 1))
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    window = {"days": days, "start": start, "end": end, "timezone": "UTC"}
    made = api.post(POOLS, {"name": "frozen", "freeze_windows": [window]}, format="json").json()
    assert (made["frozen"], made["freeze_windows"]) == (True, [window])


def test_the_local_pool_stays(api: APIClient) -> None:
    local = Pool.objects.local()
    refused = api.delete(f"{POOLS}/{local.pk}")
    assert refused.status_code == 409 and "cannot be deleted" in refused.json()["detail"]
    assert api.patch(f"{POOLS}/{local.pk}", {"name": "other"}, format="json").status_code == 400


def test_a_pool_goes_after_all_that_uses_it(api: APIClient) -> None:
    pool = factories.k8s_pool(name="red")
    workspace = factories.workspace(name="web", execution_mode="k8s", pool=pool)
    pod = Pod.objects.create(pool=pool, name="red-1", phase=PodPhase.RUNNING)
    agent = tasks.agent("worker", pool=pool, connected=True)

    def refusal() -> str:
        answer = api.delete(f"{POOLS}/{pool.pk}")
        assert answer.status_code == 409 and answer.json()["code"] == "in_use"
        return str(answer.json()["detail"])

    assert "red-1" in refusal()
    pod.phase = PodPhase.GONE
    pod.save()
    assert "worker" in refusal()
    agent.session = ""
    agent.save()
    assert "web" in refusal()
    workspace.delete()
    assert api.delete(f"{POOLS}/{pool.pk}").status_code == 204
    assert not Pool.objects.filter(pk=pool.pk).exists()


def test_a_token_is_shown_once_and_revoked(api: APIClient) -> None:
    address = f"{POOLS}/{factories.pool().pk}/tokens"
    made = api.post(address, {"name": "rack 1"}, format="json")
    assert made.status_code == 201
    text = made.json()["token"]
    assert text.startswith("iacp_") and made.json()["prefix"] == text[:9]
    assert PoolToken.objects.valid().matching(text).exists()
    assert text.encode() not in api.get(address).content
    assert api.get(address).json()["results"][0]["name"] == "rack 1"
    assert api.delete(f"{address}/{made.json()['id']}").status_code == 204
    assert not PoolToken.objects.valid().matching(text).exists()
    assert api.get(address).json()["results"][0]["revoked_at"] is not None


def test_a_token_belongs_to_its_pool(api: APIClient) -> None:
    token, _ = PoolToken.issue(pool=factories.pool())
    assert api.delete(f"{POOLS}/{factories.pool().pk}/tokens/{token.pk}").status_code == 404
    assert api.post(f"{POOLS}/pool-none/tokens", {}, format="json").status_code == 404


def test_pods_are_listed(api: APIClient) -> None:
    pool = factories.k8s_pool()
    Pod.objects.create(pool=pool, name="red-1", slots=2)
    listed = api.get(f"{POOLS}/{pool.pk}/pods").json()["results"]
    assert [(each["name"], each["phase"], each["slots"]) for each in listed] == [("red-1", "intended", 2)]


def test_a_kubeconfig_is_never_read_back(api: APIClient) -> None:
    body = {"name": "prod", "kubeconfig": json.dumps(KUBECONFIG), "image": "agent:1"}
    made = api.post(CONFIGS, body, format="json")
    assert made.status_code == 201, made.content
    one = f"{CONFIGS}/{made.json()['id']}"
    answers = [made, api.get(CONFIGS), api.get(one), api.patch(one, {"namespace": "iac"}, format="json")]
    assert not any(b"hunter2" in answer.content for answer in answers)
    assert made.json()["has_kubeconfig"] and made.json()["command"] == ["python", "-m", "agents.runner"]
    stored = K8sConfig.objects.get()
    assert json.loads(stored.kubeconfig()) == KUBECONFIG and stored.namespace == "iac"
    assert b"hunter2" not in bytes(stored.sealed_kubeconfig or b"")


def test_one_way_to_the_cluster_has_to_be_given(api: APIClient) -> None:
    known = {"name": "prod", "image": "agent:1"}
    for body in ({}, {"in_cluster": True, "kubeconfig": json.dumps(KUBECONFIG)}):
        assert "in_cluster" in api.post(CONFIGS, {**known, **body}, format="json").json()["errors"]
    made = api.post(CONFIGS, {**known, "kubeconfig": json.dumps(KUBECONFIG)}, format="json").json()
    moved = api.patch(f"{CONFIGS}/{made['id']}", {"in_cluster": True, "kubeconfig": ""}, format="json")
    assert moved.status_code == 200 and not moved.json()["has_kubeconfig"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("namespace", "Not A Namespace"),
        ("command", []),
        ("command", "python"),
        ("command", [{"a": 1}]),
        ("env", {"A B": "x"}),
        ("env", ["A"]),
        ("env", {"A": 5}),
        ("resources", {"cpu": "1"}),
        ("resources", {"limits": {"cpu": 1}}),
        ("node_selector", []),
        ("tolerations", {}),
        ("tolerations", ["x"]),
        ("image_pull_secrets", "x"),
        ("labels", {"a": None}),
        ("annotations", 5),
        ("image", ""),
    ],
)
def test_a_part_of_a_pod_of_the_wrong_shape_is_refused(api: APIClient, field: str, value: Any) -> None:
    body = {"name": "prod", "in_cluster": True, "image": "agent:1", field: value}
    answer = api.post(CONFIGS, body, format="json")
    assert answer.status_code == 400 and any(name.startswith(field) for name in answer.json()["errors"]), answer.content


def test_a_config_goes_after_its_pools(api: APIClient) -> None:
    pool = factories.k8s_pool()
    assert api.delete(f"{CONFIGS}/{pool.k8s_config_id}").json()["code"] == "in_use"
    pool.delete()
    assert api.delete(f"{CONFIGS}/{pool.k8s_config_id}").status_code == 204


def test_a_stranger_finds_no_pools(stranger: APIClient) -> None:
    pool = factories.k8s_pool()
    for path in (
        f"{POOLS}/{pool.pk}",
        f"{POOLS}/{pool.pk}/tokens",
        f"{POOLS}/{pool.pk}/pods",
        f"{CONFIGS}/{pool.k8s_config_id}",
    ):
        assert stranger.get(path).status_code == 404
        assert stranger.delete(path).status_code in {404, 405}
    assert stranger.post(POOLS, {"name": "x"}, format="json").status_code == 403


def test_a_number_beyond_all_bounds_names_no_config(api: APIClient) -> None:
    body = b'{"name": "pods", "pool_type": "k8s", "k8s_config": 1e400}'
    assert api.generic("POST", "/api/v1/pools", body.decode(), content_type="application/json").status_code == 400
