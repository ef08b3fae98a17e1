"""Where a config leads cannot change while pods of it are there: nobody could look for them any more."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from rest_framework.test import APIClient

from pools.forms import K8sConfigForm
from pools.models import K8sConfig, Pod, PodPhase, Pool
from tests import factories
from tests.api.test_pools_are_made_and_changed import KUBECONFIG
from tests.races.racing import interleave

pytestmark = pytest.mark.django_db
HERE = "https://10.0.0.1"
ELSEWHERE = "https://10.0.0.2"


def kubeconfig(server: str = HERE, token: str = "hunter2-token", **cluster: str) -> str:
    whole: dict[str, Any] = json.loads(json.dumps(KUBECONFIG))
    whole["clusters"][0]["cluster"] |= {"server": server, **cluster}
    whole["users"][0]["user"]["token"] = token
    return json.dumps(whole)


@pytest.fixture
def api(db: Any) -> APIClient:
    return factories.client(factories.admin())


@pytest.fixture
def config(db: Any) -> K8sConfig:
    made = K8sConfig(name="prod", image="agent:1", namespace="iac")
    made.set_kubeconfig(kubeconfig())
    made.save()
    return made


@pytest.fixture
def pod(config: K8sConfig) -> Pod:
    return Pod.objects.create(pool=factories.k8s_pool(k8s_config=config), name="iac-1")


def patched(api: APIClient, config: K8sConfig, **change: Any) -> Any:
    return api.patch(f"/api/v1/k8s-configs/{config.pk}", change, format="json")


PROXY, NAME = {"proxy-url": "http://10.0.0.3:3128"}, {"tls-server-name": "blue.example"}

MOVES: dict[str, tuple[str, Callable[[], dict[str, Any]], dict[str, Any]]] = {
    "server": ("kubeconfig", lambda: {"kubeconfig": kubeconfig(ELSEWHERE)}, {"server": ELSEWHERE}),
    "proxy": (
        "kubeconfig",
        lambda: {"kubeconfig": kubeconfig(**PROXY)},
        {"route": "proxy-url http://10.0.0.3:3128"},
    ),
    "name": ("kubeconfig", lambda: {"kubeconfig": kubeconfig(**NAME)}, {"route": "tls-server-name blue.example"}),
    "namespace": ("namespace", lambda: {"namespace": "other"}, {"namespace": "other"}),
    "in_cluster": (
        "in_cluster",
        lambda: {"in_cluster": True, "kubeconfig": ""},
        {"in_cluster": True, "sealed_kubeconfig": None},
    ),
}


@pytest.mark.parametrize("move", MOVES)
def test_it_stays_while_a_pod_is_meant_to_be(api: APIClient, config: K8sConfig, pod: Pod, move: str) -> None:
    field, change, columns = MOVES[move]
    answer = patched(api, config, **change())
    assert answer.status_code == 400 and "make another config" in answer.json()["errors"][field][0]
    with pytest.raises(DatabaseError, match="cannot change now"), transaction.atomic():
        K8sConfig.objects.filter(pk=config.pk).update(**columns)


@pytest.mark.parametrize("move", MOVES)
def test_it_may_change_when_all_pods_are_gone(api: APIClient, config: K8sConfig, pod: Pod, move: str) -> None:
    Pod.objects.update(phase=PodPhase.GONE)
    answer = patched(api, config, **MOVES[move][1]())
    assert answer.status_code == 200, answer.content


def test_new_credentials_and_another_image_are_taken_at_any_time(api: APIClient, config: K8sConfig, pod: Pod) -> None:
    answer = patched(api, config, kubeconfig=kubeconfig(token="new"), image="agent:2", labels={"team": "a"})
    assert answer.status_code == 200, answer.content
    config.refresh_from_db()
    assert ("new" in config.kubeconfig(), config.image, config.server) == (True, "agent:2", HERE)


def test_the_form_says_the_same(config: K8sConfig, pod: Pod) -> None:
    stored = {name: getattr(config, name) for name in K8sConfigForm.Meta.fields}
    filled = {name: json.dumps(value) if isinstance(value, list | dict) else value for name, value in stored.items()}
    form = K8sConfigForm({**filled, "kubeconfig": kubeconfig(ELSEWHERE)}, instance=config)
    assert "make another config" in form.errors["kubeconfig"][0]


def test_the_address_is_written_down_and_shown(api: APIClient) -> None:
    body = {"name": "new", "image": "a", "kubeconfig": kubeconfig(f"{HERE}/")}
    made = api.post("/api/v1/k8s-configs", body, format="json").json()
    assert made["server"] == HERE and "hunter2" not in json.dumps(made)
    gone = patched(api, K8sConfig.objects.get(), in_cluster=True, kubeconfig="")
    assert gone.json()["server"] == ""


@pytest.mark.parametrize("way", [PROXY, NAME])
def test_a_way_to_the_cluster_that_is_kept_is_no_move(api: APIClient, pod: Pod, way: dict[str, str]) -> None:
    there, config = kubeconfig(**way), pod.pool.k8s_config
    assert config is not None
    Pod.objects.update(phase=PodPhase.GONE)
    assert patched(api, config, kubeconfig=there).status_code == 200
    Pod.objects.update(phase=PodPhase.RUNNING)
    assert patched(api, config, kubeconfig=kubeconfig(token="new", **way)).status_code == 200
    assert patched(api, config, kubeconfig=kubeconfig()).status_code == 400


def test_a_pool_keeps_its_config_while_pods_of_it_are_there(api: APIClient, pod: Pod) -> None:
    other = factories.k8s_config()
    refused = api.patch(f"/api/v1/pools/{pod.pool_id}", {"k8s_config": other.pk}, format="json")
    assert refused.status_code == 400 and "maximum to 0" in refused.json()["errors"]["k8s_config"][0]
    with pytest.raises(DatabaseError, match="cannot change now"), transaction.atomic():
        Pool.objects.filter(pk=pod.pool_id).update(k8s_config=other)
    Pod.objects.update(phase=PodPhase.GONE)
    Pool.objects.filter(pk=pod.pool_id).update(k8s_config=other)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("first", ["the pod", "the move"])
def test_a_pod_that_is_made_meanwhile_is_seen(config: K8sConfig, first: str) -> None:
    pool = factories.k8s_pool(k8s_config=config)

    def make() -> None:
        with transaction.atomic():
            Pod.objects.create(pool=pool, name="iac-1")
            Pool.objects.filter(pk="none").count()  # the pod is there, and not committed

    def move() -> None:
        with transaction.atomic():
            K8sConfig.objects.filter(pk=config.pk).update(namespace="other")
            Pool.objects.filter(pk="none").count()

    both = (make, move) if first == "the pod" else (move, make)
    interleave(*both, before="SELECT COUNT(*)")
    config.refresh_from_db()
    made = Pod.objects.get()
    assert made and config.namespace == ("iac" if first == "the pod" else "other")
