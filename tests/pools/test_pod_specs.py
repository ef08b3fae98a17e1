"""The pods that we make: exactly these members, whatever a config says."""

from typing import Any

import pytest
from pytest_django import Settings

from pools import pod_specs
from pools.models import K8sConfig, Pod, Pool
from tests import factories

pytestmark = pytest.mark.django_db
SERVER = "https://iac.example.com"


@pytest.fixture
def pool(settings: Settings) -> Pool:
    settings.PUBLIC_URL = SERVER
    return factories.k8s_pool(name="red")


def made(pool: Pool, **columns: Any) -> Pod:
    K8sConfig.objects.filter(pools=pool).update(**columns)
    return Pod.objects.create(pool=Pool.objects.get(pk=pool.pk), name="iac-red-1", slots=3)


def env(manifest: pod_specs.Manifest) -> dict[str, str]:
    return {each["name"]: each["value"] for each in manifest["spec"]["containers"][0]["env"]}


def test_a_pod_is_exactly_this(pool: Pool) -> None:
    row = made(pool)
    assert pod_specs.pod(row) == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "iac-red-1",
            "labels": {
                "app.kubernetes.io/name": "iac-agent",
                "app.kubernetes.io/managed-by": "iacplatform",
                "iacplatform.io/pool": pool.pk,
                "iacplatform.io/pod": str(row.pk),
            },
            "annotations": {},
        },
        "spec": {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": 900,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 10001,
                "runAsGroup": 10001,
                "fsGroup": 10001,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [
                {
                    "name": "agent",
                    "image": "agent:1",
                    "command": ["python", "-m", "agents.runner"],
                    "env": [
                        {"name": "HOME", "value": "/var/lib/iac-agent"},
                        {"name": "IAC_AGENT_TASK_MIB", "value": "2389"},
                        {"name": "IAC_AGENT_KEPT_MIB", "value": "2048"},
                        {"name": "IAC_AGENT_SHARED_TASKS", "value": "true"},
                        {"name": "IAC_SERVER", "value": SERVER},
                        {"name": "IAC_AGENT_NAME", "value": "iac-red-1"},
                        {"name": "IAC_AGENT_POD_NAME", "value": "iac-red-1"},
                        {"name": "IAC_AGENT_CAPACITY", "value": "3"},
                        {"name": "IAC_AGENT_WORKDIR", "value": "/var/lib/iac-agent/work"},
                        {"name": "IAC_AGENT_TOKEN_FILE", "value": "/var/run/iac-agent/token"},
                    ],
                    "resources": {},
                    "terminationMessagePolicy": "FallbackToLogsOnError",
                    "securityContext": {
                        "allowPrivilegeEscalation": False,
                        "readOnlyRootFilesystem": True,
                        "capabilities": {"drop": ["ALL"]},
                    },
                    "volumeMounts": [
                        {"name": "work", "mountPath": "/var/lib/iac-agent"},
                        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the container's own
                        {"name": "token", "mountPath": "/var/run/iac-agent", "readOnly": True},
                    ],
                }
            ],
            "volumes": [
                {"name": "work", "emptyDir": {"sizeLimit": "10Gi"}},
                {"name": "tmp", "emptyDir": {"sizeLimit": "1Gi"}},
                {"name": "token", "secret": {"secretName": "iac-red-1", "defaultMode": 0o440}},
            ],
        },
    }


def test_tasks_share_a_pod_only_where_it_has_several_slots(pool: Pool) -> None:
    row = made(pool)
    assert env(pod_specs.pod(row))["IAC_AGENT_SHARED_TASKS"] == "true"
    row.slots = 1
    assert "IAC_AGENT_SHARED_TASKS" not in env(pod_specs.pod(row))


@pytest.mark.parametrize("slots", [1, 2, 7])
def test_full_tasks_leave_a_tenth_of_the_volume_free(pool: Pool, slots: int) -> None:
    given = _sizes(pool, slots)
    assert given["IAC_AGENT_KEPT_MIB"] + slots * given["IAC_AGENT_TASK_MIB"] <= 10 * 1024 * 9 / 10


def test_of_many_slots_each_has_what_an_engine_needs(pool: Pool) -> None:
    assert _sizes(pool, 64)["IAC_AGENT_TASK_MIB"] == 1024


def test_who_wants_the_tasks_of_a_pod_kept_apart_can_say_so(pool: Pool) -> None:
    row = made(pool, env={"IAC_AGENT_SHARED_TASKS": "false"})
    assert env(pod_specs.pod(row))["IAC_AGENT_SHARED_TASKS"] == "false"


def test_each_part_of_the_config_has_its_place(pool: Pool) -> None:
    row = made(
        pool,
        image="agent:2",
        command=["run"],
        env={"A": "b"},
        resources={"limits": {"cpu": "1"}},
        node_selector={"disk": "ssd"},
        tolerations=[{"key": "ci", "operator": "Exists"}],
        service_account_name="builder",
        image_pull_secrets=["key"],
        labels={"team": "a"},
        annotations={"note": "b"},
    )
    manifest = pod_specs.pod(row)
    spec, container = manifest["spec"], manifest["spec"]["containers"][0]
    assert (container["image"], container["command"], env(manifest)["A"]) == ("agent:2", ["run"], "b")
    assert container["resources"] == {"limits": {"cpu": "1"}}
    assert (spec["nodeSelector"], spec["tolerations"]) == ({"disk": "ssd"}, [{"key": "ci", "operator": "Exists"}])
    assert (spec["serviceAccountName"], spec["imagePullSecrets"]) == ("builder", [{"name": "key"}])
    assert spec["automountServiceAccountToken"] is False
    assert manifest["metadata"]["labels"]["team"] == "a" and manifest["metadata"]["annotations"] == {"note": "b"}


def test_what_a_row_written_past_all_checks_says_does_not_win(pool: Pool) -> None:
    labels = {"iacplatform.io/pool": "other", "app.kubernetes.io/managed-by": "other"}
    row = made(pool, env={"IAC_SERVER": "https://evil", "IAC_AGENT_TOKEN_FILE": "/etc/passwd"}, labels=labels)
    manifest = pod_specs.pod(row)
    assert env(manifest)["IAC_SERVER"] == SERVER and env(manifest)["IAC_AGENT_TOKEN_FILE"].startswith("/var/run/")
    assert manifest["metadata"]["labels"]["iacplatform.io/pool"] == pool.pk


def test_a_home_of_the_image_may_be_chosen(pool: Pool) -> None:
    assert env(pod_specs.pod(made(pool, env={"HOME": "/home/iac"})))["HOME"] == "/home/iac"


def test_the_token_is_in_a_secret_of_the_pod_and_nowhere_in_the_pod(pool: Pool) -> None:
    row = made(pool)
    assert pod_specs.secret(row, "iacp_text", "uid-1") == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "iac-red-1",
            "labels": pod_specs.pod(row)["metadata"]["labels"],
            "ownerReferences": [{"apiVersion": "v1", "kind": "Pod", "name": "iac-red-1", "uid": "uid-1"}],
        },
        "type": "Opaque",
        "immutable": True,
        "stringData": {"token": "iacp_text"},
    }


def test_a_static_pool_has_no_pods(db: Any) -> None:
    row = Pod.objects.create(pool=factories.pool(), name="iac-1")
    with pytest.raises(ValueError, match="is static"):
        pod_specs.pod(row)


@pytest.mark.parametrize(
    "change", [{"image": "agent:2"}, {"env": {"A": "b"}}, {"labels": {"a": "b"}}, {"tolerations": [{"key": "a"}]}]
)
def test_the_hash_changes_with_what_pods_are_made_of(pool: Pool, change: dict[str, Any]) -> None:
    before = pod_specs.hash_of(K8sConfig.objects.get())
    K8sConfig.objects.update(**change)
    assert pod_specs.hash_of(K8sConfig.objects.get()) != before


def test_the_hash_changes_with_the_address_that_agents_call(pool: Pool, settings: Settings) -> None:
    before = pod_specs.hash_of(K8sConfig.objects.get())
    settings.PUBLIC_URL = "https://moved.example.com"
    assert pod_specs.hash_of(K8sConfig.objects.get()) != before


def test_the_hash_stays_with_a_new_name_and_new_credentials(pool: Pool) -> None:
    before = pod_specs.hash_of(K8sConfig.objects.get())
    K8sConfig.objects.update(name="renamed", in_cluster=False, sealed_kubeconfig=b"new")
    assert pod_specs.hash_of(K8sConfig.objects.get()) == before


def _sizes(pool: Pool, slots: int) -> dict[str, int]:
    row = made(pool)
    row.slots = slots
    return {name: int(value) for name, value in env(pod_specs.pod(row)).items() if name.endswith("_MIB")}
