"""The check of a K8s config: step by step, in the cluster's own words, with a remedy for what is wrong."""

import json
from typing import Any

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from rest_framework.test import APIClient

from pools import checks
from pools.models import ClusterStatus, K8sConfig
from tests import factories
from tests.cluster.cluster import Cluster
from tests.cluster.faults import Answer, Hang, Reset
from tests.waiting import until

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

EVERY_STEP = [
    *("reachable", "version", "namespace", "get namespaces"),
    *("list pods", "get pods", "create pods", "patch pods", "delete pods"),
    *("create secrets", "delete secrets", "list events"),
    *("pod", "address"),
]


def failed(config: K8sConfig) -> dict[str, checks.Step]:
    """Return the steps of a check that are not right, by name."""
    return {step.name: step for step in checks.check(config) if not step.ok}


def test_a_config_that_works_passes_every_step_and_leaves_nothing_behind(cluster: Cluster, config: K8sConfig) -> None:
    steps = checks.check(config)
    assert [step.name for step in steps] == EVERY_STEP
    assert checks.passed(steps), [step for step in steps if not step.ok]
    assert "v1." in steps[1].words and cluster.pods() == []


def test_the_api_answers_it(config: K8sConfig) -> None:
    answer = factories.client(factories.admin()).post(f"/api/v1/k8s-configs/{config.pk}/check")
    assert answer.status_code == 200 and answer.json()["ok"] is True
    assert [step["name"] for step in answer.json()["steps"]] == EVERY_STEP
    assert set(answer.json()["steps"][0]) == {"name", "ok", "words", "remedy"}


def test_only_who_may_change_a_config_may_check_it(config: K8sConfig) -> None:
    address = f"/api/v1/k8s-configs/{config.pk}/check"
    assert factories.client(factories.person()).post(address).status_code == 404
    assert factories.client(factories.person("pools.view_k8sconfig")).post(address).status_code == 403
    assert APIClient().post(address).status_code == 401
    assert not ClusterStatus.objects.exists()


def test_the_admin_shows_it(config: K8sConfig, admin_client: Client) -> None:
    chosen = {"action": "check_clusters", "_selected_action": [config.pk]}
    answer: Any = admin_client.post("/admin/pools/k8sconfig/", chosen, follow=False)
    said = [str(message) for message in get_messages(answer.wsgi_request)]
    assert len(said) == len(EVERY_STEP) and "tests, reachable: It answers" in said[0]


def test_missing_rights_are_named_one_by_one(cluster: Cluster, config: K8sConfig) -> None:
    cluster.forbid()
    until("the rights are gone", lambda: "create pods" in failed(config))
    ClusterStatus.objects.all().delete()
    wrong = failed(config)
    assert set(wrong) == {*EVERY_STEP[3:12], "pod"}
    assert "rbac.yaml" in wrong["list events"].remedy
    assert "cannot create resource" in wrong["pod"].words and "rbac.yaml" in wrong["pod"].remedy


@pytest.mark.own_control_plane  # it has the token of an administrator
def test_a_namespace_that_is_missing_is_named(cluster: Cluster, config: K8sConfig) -> None:
    K8sConfig.objects.update(namespace="nowhere")
    elsewhere = failed(K8sConfig.objects.get())
    assert "namespace" not in elsewhere and {"get namespaces", "create pods", "pod"} <= set(
        elsewhere
    )  # we may not know
    ClusterStatus.objects.all().delete()
    all_rights = json.loads(cluster.kubeconfig)
    all_rights["users"][0]["user"]["token"] = cluster.home.credentials.admin_token
    config.set_kubeconfig(json.dumps(all_rights))
    config.namespace = "nowhere"
    config.save()
    wrong = failed(config)
    assert list(wrong) == ["namespace", "pod"] and "namespace.yaml" in wrong["namespace"].remedy
    assert 'namespaces "nowhere" not found' in wrong["pod"].words


def test_a_quota_that_is_used_up_is_told_with_its_figures(cluster: Cluster, config: K8sConfig) -> None:
    cluster.quota(pods=0)
    wrong = failed(config)
    assert list(wrong) == ["pod"] and "exceeded quota" in wrong["pod"].words and "quota" in wrong["pod"].remedy


def test_a_part_of_the_config_that_the_cluster_refuses_is_named(config: K8sConfig) -> None:
    K8sConfig.objects.update(resources={"requests": {"cpu": "2"}, "limits": {"cpu": "1"}})
    wrong = failed(K8sConfig.objects.get())
    assert list(wrong) == ["pod"] and "must be less than or equal to cpu limit" in wrong["pod"].words


def test_a_token_that_is_not_known_ends_the_check(cluster: Cluster, config: K8sConfig) -> None:
    whole = json.loads(cluster.kubeconfig)
    whole["users"][0]["user"]["token"] = "hunter2"
    config.set_kubeconfig(json.dumps(whole))
    config.save()
    steps = checks.check(config)
    assert [(step.name, step.ok) for step in steps] == [("reachable", True), ("version", False)]
    assert "token" in steps[1].remedy and not any("hunter2" in step.words for step in steps)


@pytest.mark.parametrize("fault", [Reset(), Answer(503)])
def test_a_cluster_that_does_not_answer_ends_the_check(cluster: Cluster, config: K8sConfig, fault: Any) -> None:
    cluster.proxy.fault(fault, times=None)
    steps = checks.check(config)
    assert [(step.name, step.ok) for step in steps] == [("reachable", False)] and steps[0].remedy


def test_a_cluster_that_begins_to_hang_keeps_a_person_waiting_for_one_time_out(
    cluster: Cluster, config: K8sConfig
) -> None:
    cluster.proxy.fault(Hang(), path="selfsubject", nth=2, times=None)
    steps = checks.check(config)
    assert (steps[-1].name, steps[-1].ok) == ("list pods", False) and "timed out" in steps[-1].words
    assert cluster.proxy.count("create", "selfsubjectaccessreviews") == 2


def test_a_cluster_that_asked_to_be_left_alone_is_and_the_check_says_until_when(
    cluster: Cluster, config: K8sConfig
) -> None:
    cluster.proxy.fault(Answer(429, retry_after=30))
    checks.check(config)
    cluster.proxy.forget()
    [step] = checks.check(config)
    assert (step.name, step.ok) == ("reachable", False) and "asked to be left alone until" in step.words
    assert "a little later" in step.remedy and cluster.proxy.count() == 0


def test_a_config_without_a_cluster_says_so(transactional_db: Any) -> None:
    steps = checks.check(factories.k8s_config())
    assert [(step.name, step.ok) for step in steps] == [("reachable", False)]
    assert "does not run in a pod" in steps[0].words


def test_an_address_that_only_this_machine_reaches_is_pointed_out(config: K8sConfig, settings: Any) -> None:
    settings.PUBLIC_URL = "http://127.0.0.1:8000"
    assert "IACPLATFORM_URL" in checks.check(config)[-1].remedy
    settings.PUBLIC_URL = "https://iac.example.com"
    ClusterStatus.objects.all().delete()
    assert checks.check(config)[-1].remedy == ""
