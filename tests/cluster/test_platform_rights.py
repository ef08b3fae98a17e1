"""The platform's service account may do what its Role under deploy/ says, and nothing else."""

from typing import Any

import pytest
from kubernetes import client
from kubernetes.client.exceptions import ApiException

from pools.checks import PERMISSIONS
from tests.cluster import manifests
from tests.cluster.cluster import Cluster
from tests.cluster.official import official
from tests.cluster.pods import is_running, pod
from tests.waiting import until


def _may(cluster: Cluster, verb: str, resource: str, namespace: str) -> bool:
    authorization = client.AuthorizationV1Api(official(cluster).api_client)
    about = {"verb": verb, "resource": resource, "namespace": namespace}
    asked: Any = {"spec": {"resourceAttributes": about}}
    answer: Any = authorization.create_self_subject_access_review(asked)
    return bool(answer.status.allowed)


def test_the_platform_runs_a_pod_with_a_secret_and_takes_both_away(cluster: Cluster) -> None:
    core, namespace = official(cluster), cluster.namespace
    core.create_namespaced_secret(namespace, {"metadata": {"name": "token"}, "stringData": {"token": "x"}})
    core.create_namespaced_pod(namespace, pod(cluster, "one", image="silent/agent:1"))
    cluster.until_pod("one", is_running)
    core.patch_namespaced_pod("one", namespace, {"metadata": {"annotations": {"seen": "yes"}}})
    assert [found.metadata.name for found in core.list_namespaced_pod(namespace).items] == ["one"]
    core.delete_namespaced_pod("one", namespace)
    core.delete_namespaced_secret("token", namespace)
    cluster.until_gone("one")
    assert core.list_namespaced_event(namespace).items


def test_the_role_is_what_the_platform_looks_for() -> None:
    (role,) = [thing for thing in manifests.of(manifests.FOLDER / "rbac.yaml", "any") if thing["kind"] == "Role"]
    granted = {(verb, name) for rule in role["rules"] for name in rule["resources"] for verb in rule["verbs"]}
    assert granted == set(PERMISSIONS)


def test_the_platform_may_do_nothing_else_in_its_namespace(cluster: Cluster) -> None:
    others = [
        ("update", "pods"),
        ("watch", "pods"),
        ("get", "pods/log"),
        ("create", "pods/exec"),
        ("get", "secrets"),
        ("list", "secrets"),
        ("list", "configmaps"),
        ("create", "serviceaccounts/token"),
        ("create", "roles"),
    ]
    assert [what for what in others if _may(cluster, *what, cluster.namespace)] == []


def test_the_platform_may_do_nothing_elsewhere(cluster: Cluster) -> None:
    assert _may(cluster, "list", "pods", cluster.namespace)
    assert not _may(cluster, "list", "pods", "default")
    assert not _may(cluster, "list", "nodes", "")
    with pytest.raises(ApiException, match=r"cannot list resource .+pods.+ in API group .+ in the namespace .+default"):
        official(cluster).list_namespaced_pod("default")


def test_rights_are_taken_away_and_given_back(cluster: Cluster) -> None:
    cluster.forbid()
    until("they are gone", lambda: not _may(cluster, "create", "pods", cluster.namespace))
    cluster.allow()
    until("they are back", lambda: _may(cluster, "create", "pods", cluster.namespace))
