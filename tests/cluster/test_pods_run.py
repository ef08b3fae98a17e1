"""A pod is placed by the real scheduler, and its command runs with what the pod gives it."""

import pytest

from tests.cluster.api import Object
from tests.cluster.cluster import Cluster
from tests.cluster.containers import TEMPORARY
from tests.cluster.pods import container_state, has_ended, python

SHOW_TOKEN = "import os; print(open(os.environ['TOKEN_FILE']).read(), end='')"


def _mounting(cluster: Cluster, mode: int, **settings: object) -> Object:
    """Return a pod that shows the token of a Secret, which it mounts with a mode."""
    pod = python(
        cluster,
        "one",
        SHOW_TOKEN,
        env=[{"name": "TOKEN_FILE", "value": "/var/run/iac/token"}],
        volumeMounts=[{"name": "secret", "mountPath": "/var/run/iac", "readOnly": True}],
        spec={"volumes": [{"name": "secret", "secret": {"secretName": "token", "defaultMode": mode}}]},
    )
    pod["spec"]["securityContext"].update(settings)
    return pod


def _add_token(cluster: Cluster) -> None:
    cluster.create("secrets", {"metadata": {"name": "token"}, "stringData": {"token": "it is a secret"}})


def test_a_pod_runs_its_command_with_the_secret_it_mounts(cluster: Cluster) -> None:
    _add_token(cluster)
    cluster.create("pods", _mounting(cluster, 0o400))
    done = cluster.until_pod("one", has_ended)
    assert done["status"]["phase"] == "Succeeded", cluster.node.output("one")
    assert container_state(done)["terminated"]["exitCode"] == 0
    assert done["spec"]["nodeName"] == cluster.node.name
    assert cluster.node.output("one") == "it is a secret"


def test_a_secret_that_the_pods_user_may_not_read_fails_the_pod(cluster: Cluster) -> None:
    _add_token(cluster)
    pod = _mounting(cluster, 0o400)
    del pod["spec"]["securityContext"]["fsGroup"]
    cluster.create("pods", pod)
    done = cluster.until_pod("one", has_ended)
    assert done["status"]["phase"] == "Failed"
    assert "Permission denied: token (mode 400 of root" in container_state(done)["terminated"]["message"]


def test_a_pod_waits_for_the_secret_that_it_mounts(cluster: Cluster) -> None:
    cluster.create("pods", _mounting(cluster, 0o440))
    waiting = cluster.until_pod("one", lambda seen: "waiting" in container_state(seen))
    assert container_state(waiting)["waiting"] == {"reason": "ContainerCreating"}
    _add_token(cluster)
    cluster.until_pod("one", has_ended)
    assert [event["message"] for event in cluster.events("one") if event["reason"] == "FailedMount"] == [
        'MountVolume.SetUp failed for volume "secret" : secret "token" not found'
    ]


def test_the_environment_is_the_pods_and_the_images_and_nothing_of_the_test_runs(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("IAC_OF_THE_TEST_RUN", "1")
    cluster.node.environment["OF_THE_IMAGE"] = "yes"
    _add_token(cluster)
    env = [
        {"name": "PLAIN", "value": "1"},
        {"name": "OTHER", "value": "$(PLAIN) and 2"},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": "token", "key": "token"}}},
        {"name": "NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
    ]
    program = "import os; print({name: value for name, value in os.environ.items() if name not in dict(LC_CTYPE=1)})"
    cluster.create("pods", python(cluster, "one", program, env=env))
    cluster.until_pod("one", has_ended)
    printed = cluster.node.output("one")
    for wanted in (
        "'PLAIN': '1'",
        "'OTHER': '1 and 2'",
        "'TOKEN': 'it is a secret'",
        "'NAME': 'one'",
        "'OF_THE_IMAGE': 'yes'",
    ):
        assert wanted in printed
    assert "IAC_OF_THE_TEST_RUN" not in printed


def test_an_empty_folder_of_the_pod_is_there_under_another_path(cluster: Cluster) -> None:
    program = "import os, sys; os.mkdir(sys.argv[1]); print(os.environ['WORK'] + '/deep' == sys.argv[1])"
    pod = python(
        cluster,
        "one",
        program,
        args=["/work/deep"],
        env=[{"name": "WORK", "value": "/work"}],
        volumeMounts=[{"name": "work", "mountPath": "/work"}],
        spec={"volumes": [{"name": "work", "emptyDir": {"sizeLimit": "1Gi"}}]},
    )
    cluster.create("pods", pod)
    cluster.until_pod("one", has_ended)
    assert cluster.node.output("one") == "True\n"


def test_a_provider_has_room_for_its_socket_in_the_pods_temporary_folder(cluster: Cluster) -> None:
    program = """
import os, socket, tempfile
socket.socket(socket.AF_UNIX).bind(os.path.join(tempfile.mkdtemp("terraform-provider-of-some-length"), "plugin"))
print(tempfile.gettempdir())
"""
    mounts = [{"name": "tmp", "mountPath": TEMPORARY}]
    volumes = [{"name": "tmp", "emptyDir": {}}]
    cluster.create("pods", python(cluster, "one", program, volumeMounts=mounts, spec={"volumes": volumes}))
    cluster.until_pod("one", has_ended)
    assert cluster.node.output("one").endswith("/volumes/tmp\n")


def test_a_pod_that_this_node_cannot_run_is_failed_and_told_so(cluster: Cluster) -> None:
    cluster.create("pods", python(cluster, "one", "", spec={"restartPolicy": "Always"}))
    done = cluster.until_pod("one", has_ended)
    assert "one container with the restartPolicy Never" in container_state(done)["terminated"]["message"]


def test_the_agent_is_on_the_path_of_python(cluster: Cluster) -> None:
    cluster.create("pods", python(cluster, "one", "import agents.runner; print('found')"))
    cluster.until_pod("one", has_ended)
    assert cluster.node.output("one") == "found\n"
