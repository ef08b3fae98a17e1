"""The admin's pages of pools: every model is there, secrets are shown once or never, rules hold."""

import json
import re

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import IntegrityError, connection, transaction
from django.test import Client

from pools.models import K8sConfig, Pool, PoolToken
from tests import factories
from tests.api.test_pools_are_made_and_changed import KUBECONFIG

pytestmark = pytest.mark.django_db

ADMIN = "/admin/pools"
SIZES = {"min_replicas": 1, "max_replicas": 2, "slots_per_pod": 1, "idle_seconds": 1, "reservation_seconds": 1}
SHAPES = {
    name: json.dumps(value) for name, value in {"command": ["a"], "env": {}, "resources": {}, "tolerations": []}.items()
}
CONFIG = {"name": "prod", "namespace": "iac", "image": "agent:1", **SHAPES}


def test_every_model_has_its_page(admin_client: Client) -> None:
    for model in apps.get_app_config("pools").get_models():
        assert model in admin.site._registry
        assert admin_client.get(f"{ADMIN}/{model._meta.model_name}/").status_code == 200


@pytest.mark.parametrize(
    "fields", [{"pool_type": "k8s"}, {"pool_type": "static", "k8s_config": "own"}, {"min_replicas": 3}]
)
def test_the_rules_of_pools_hold_here_too(admin_client: Client, fields: dict[str, str]) -> None:
    chosen = {**fields, "k8s_config": factories.k8s_config().pk} if "k8s_config" in fields else fields
    answer = admin_client.post(
        f"{ADMIN}/pool/add/", {"name": "red", "pool_type": "static", "freeze_windows": "[]", **SIZES, **chosen}
    )
    assert answer.status_code == 200 and not Pool.objects.filter(name="red").exists()


@pytest.mark.parametrize(
    "columns",
    [
        "pool_type = 'k8s'",
        "pool_type = 'k8s', k8s_config_id = (SELECT max(id) FROM pools_k8sconfig)",
        "k8s_config_id = (SELECT max(id) FROM pools_k8sconfig)",
        "min_replicas = 9",
        "slots_per_pod = 0",
        "name = '-x'",
    ],
)
def test_the_database_holds_the_same_rules(columns: str) -> None:
    factories.pool(name="red")
    factories.k8s_config()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE pools_pool SET {columns} WHERE name = 'red'")


@pytest.mark.parametrize("model", ["pool", "k8sconfig"])
def test_a_new_row_shows_nothing_that_it_will_not_have(admin_client: Client, model: str) -> None:
    page = admin_client.get(f"{ADMIN}/{model}/add/").content.decode()
    assert not {text for text in ("DatabaseDefault", "Pool id", "Created at") if text in page}


def test_the_local_pool_has_no_delete_button(admin_client: Client) -> None:
    local, other = Pool.objects.local(), factories.pool()
    assert admin_client.get(f"{ADMIN}/pool/{local.pk}/delete/").status_code == 403
    assert admin_client.post(f"{ADMIN}/pool/{other.pk}/delete/", {"post": "yes"}).status_code == 302


def test_a_pool_that_is_named_is_not_deleted(admin_client: Client) -> None:
    pool = factories.pool()
    factories.workspace(execution_mode="agent", pool=pool)
    admin_client.post(f"{ADMIN}/pool/{pool.pk}/delete/", {"post": "yes"})
    assert Pool.objects.filter(pk=pool.pk).exists()


def test_a_kubeconfig_is_taken_and_never_shown(admin_client: Client) -> None:
    filled = {**CONFIG, "kubeconfig": json.dumps(KUBECONFIG)}
    assert admin_client.post(f"{ADMIN}/k8sconfig/add/", filled).status_code == 302
    config = K8sConfig.objects.get()
    page = admin_client.get(f"{ADMIN}/k8sconfig/{config.pk}/change/")
    assert b"hunter2" not in page.content
    assert admin_client.post(f"{ADMIN}/k8sconfig/{config.pk}/change/", {**CONFIG, "kubeconfig": ""}).status_code == 302
    config.refresh_from_db()
    assert json.loads(config.kubeconfig()) == KUBECONFIG


@pytest.mark.parametrize("fields", [{"kubeconfig": "hunter2"}, {"kubeconfig": ""}, {"in_cluster": "on", "env": "[]"}])
def test_a_config_that_reaches_no_cluster_is_refused(admin_client: Client, fields: dict[str, str]) -> None:
    answer = admin_client.post(f"{ADMIN}/k8sconfig/add/", {**CONFIG, **fields})
    assert answer.status_code == 200 and b"hunter2" not in answer.content
    assert not K8sConfig.objects.exists()


def test_a_token_is_shown_once_and_revoked_by_an_action(admin_client: Client) -> None:
    filled = {"pool": factories.pool().pk, "name": "rack", "expires_at_0": "", "expires_at_1": ""}
    answer = admin_client.post(f"{ADMIN}/pooltoken/add/", filled, follow=True)
    found = re.search(r"iacp_[\w-]+", answer.content.decode())
    assert found is not None and PoolToken.objects.valid().matching(found.group()).exists()
    assert found.group().encode() not in admin_client.get(f"{ADMIN}/pooltoken/").content
    row = PoolToken.objects.get()
    admin_client.post(f"{ADMIN}/pooltoken/", {"action": "revoke", "_selected_action": [row.pk]})
    assert not PoolToken.objects.valid().exists()
