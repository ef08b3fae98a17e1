"""Where a config leads cannot change while pods of it are there: nobody could look for them any more."""

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from rest_framework.test import APIClient

from pools import access
from pools.errors import Unreachable
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


@pytest.fixture
def unknown(pod: Pod) -> K8sConfig:
    """A config behind a proxy, with a pod, whose key was missing when addresses and routes were written down."""
    config = pod.pool.k8s_config
    assert config is not None
    Pod.objects.update(phase=PodPhase.GONE)
    config.set_kubeconfig(kubeconfig(**PROXY))
    config.server, config.route = "", "unknown"
    config.save()
    Pod.objects.update(phase=PodPhase.RUNNING)
    return config


def lose_the_key(config: K8sConfig) -> None:
    gone = b"iac1.gone." + bytes(config.sealed_kubeconfig or b"").split(b".", 2)[2]
    K8sConfig.objects.filter(pk=config.pk).update(sealed_kubeconfig=gone)


@pytest.mark.parametrize("is_key_back", [True, False])
def test_where_it_leads_is_unknown_the_very_kubeconfig_is_taken(
    api: APIClient, unknown: K8sConfig, is_key_back: bool
) -> None:
    if not is_key_back:
        lose_the_key(unknown)
    with pytest.raises(Unreachable):
        access.of(K8sConfig.objects.get(pk=unknown.pk))
    answer = patched(api, unknown, kubeconfig=kubeconfig(**PROXY))
    assert answer.status_code == 200, answer.content
    assert access.of(K8sConfig.objects.get(pk=unknown.pk)).proxy == PROXY["proxy-url"]
    assert patched(api, unknown, kubeconfig=kubeconfig()).status_code == 400


def test_a_route_is_found_out_where_the_key_is_back_and_the_address_is_known(unknown: K8sConfig) -> None:
    K8sConfig.objects.filter(pk=unknown.pk).update(server=HERE)
    assert access.of(K8sConfig.objects.get(pk=unknown.pk)).proxy == PROXY["proxy-url"]
    assert K8sConfig.objects.get(pk=unknown.pk).route == "proxy-url http://10.0.0.3:3128"
    with pytest.raises(DatabaseError, match="cannot change now"), transaction.atomic():
        K8sConfig.objects.filter(pk=unknown.pk).update(route="")


def test_it_is_not_taken_from_a_text_that_names_another_address(unknown: K8sConfig) -> None:
    K8sConfig.objects.filter(pk=unknown.pk).update(server=ELSEWHERE)
    with pytest.raises(Unreachable, match="Give this kubeconfig again"):
        access.of(K8sConfig.objects.get(pk=unknown.pk))
    assert K8sConfig.objects.get(pk=unknown.pk).route == "unknown"


def test_it_is_not_written_over_what_somebody_gave_meanwhile(unknown: K8sConfig) -> None:
    K8sConfig.objects.filter(pk=unknown.pk).update(server=HERE)
    early = K8sConfig.objects.get(pk=unknown.pk)
    K8sConfig.objects.filter(pk=unknown.pk).update(route="tls-server-name blue.example")
    access.of(early)
    assert K8sConfig.objects.get(pk=unknown.pk).route == "tls-server-name blue.example"


def test_another_one_is_not_where_the_stored_one_can_be_opened_to_see(api: APIClient, unknown: K8sConfig) -> None:
    for other in (kubeconfig(), kubeconfig(ELSEWHERE, **PROXY)):
        assert patched(api, unknown, kubeconfig=other).status_code == 400
    assert patched(api, unknown, namespace="other").status_code == 400


def test_one_that_leads_to_another_address_is_not_where_that_is_known(api: APIClient, unknown: K8sConfig) -> None:
    K8sConfig.objects.filter(pk=unknown.pk).update(server=HERE)
    lose_the_key(unknown)
    assert patched(api, unknown, kubeconfig=kubeconfig(ELSEWHERE, **PROXY)).status_code == 400
    with pytest.raises(DatabaseError, match="cannot change now"), transaction.atomic():
        K8sConfig.objects.filter(pk=unknown.pk).update(server=ELSEWHERE)
    assert patched(api, unknown, kubeconfig=kubeconfig(**PROXY)).status_code == 200


def test_all_else_of_it_may_change_meanwhile(api: APIClient, unknown: K8sConfig) -> None:
    assert patched(api, unknown, image="agent:2").status_code == 200


def test_an_update_writes_down_what_can_be_opened_by_now_and_marks_the_rest(unknown: K8sConfig) -> None:
    migration = import_module("pools.migrations.0008_unknown_routes")
    K8sConfig.objects.update(route="")
    lost = K8sConfig(name="lost", image="agent:1")
    lost.set_kubeconfig(kubeconfig(**PROXY))
    lost.route = ""
    lost.save()
    lose_the_key(lost)
    with connection.cursor() as cursor:
        cursor.execute(migration.DROP)
        migration.name_places(apps, None)
        cursor.execute(migration.MAKE)
    found = K8sConfig.objects.exclude(sealed_kubeconfig=None).order_by("-name").values_list("server", "route")
    assert list(found) == [(HERE, "proxy-url http://10.0.0.3:3128"), (HERE, "unknown")]


def test_an_update_that_ran_without_keys_leaves_no_pool_without_its_cluster(config: K8sConfig, pod: Pod) -> None:
    migration, sealed = import_module("pools.migrations.0008_unknown_routes"), config.sealed_kubeconfig
    lose_the_key(config)
    with connection.cursor() as cursor:
        cursor.execute(migration.DROP)
        migration.name_places(apps, None)
        cursor.execute(migration.MAKE)
    K8sConfig.objects.filter(pk=config.pk).update(sealed_kubeconfig=sealed)
    assert access.of(K8sConfig.objects.get(pk=config.pk)).server == HERE
    assert K8sConfig.objects.get(pk=config.pk).route == ""


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
