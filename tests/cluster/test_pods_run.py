"""A pod is placed by the real scheduler, and its command runs with what the pod gives it."""

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.pods import container_state, python

pytestmark = pytest.mark.cluster


def test_a_pod_runs_its_command_with_the_secret_it_mounts(cluster: Cluster) -> None:
    cluster.create("secrets", {"metadata": {"name": "token"}, "stringData": {"token": "it is a secret"}})
    program = "import os; print(open(os.environ['TOKEN_FILE']).read())"
    volume = {"name": "secret", "secret": {"secretName": "token", "defaultMode": 0o400}}
    pod = python(
        cluster,
        "one",
        program,
        env=[{"name": "TOKEN_FILE", "value": "/var/run/iac/token"}],
        volumeMounts=[{"name": "secret", "mountPath": "/var/run/iac", "readOnly": True}],
        spec={"volumes": [volume]},
    )
    cluster.create("pods", pod)
    done = cluster.until_pod("one", lambda seen: seen["status"]["phase"] == "Succeeded")
    assert container_state(done)["terminated"]["exitCode"] == 0
    assert done["spec"]["nodeName"] == cluster.node.name
    assert cluster.node.output("one") == "it is a secret\n"
