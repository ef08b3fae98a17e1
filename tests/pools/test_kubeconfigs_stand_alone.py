"""A kubeconfig is taken when it holds all that it needs and runs nothing on the server."""

import copy
import json
from typing import Any

import pytest

from pools import kubeconfig
from tests.api.test_pools_are_made_and_changed import KUBECONFIG


def changed(section: str, **members: Any) -> str:
    """Return the kubeconfig with members added to the first entry of a section."""
    whole: dict[str, Any] = copy.deepcopy(KUBECONFIG)
    whole[f"{section}s"][0][section].update(members)
    return json.dumps(whole)


def without(name: str) -> str:
    """Return the kubeconfig without a member."""
    return json.dumps({key: value for key, value in KUBECONFIG.items() if key != name})


def test_json_and_yaml_are_taken() -> None:
    assert kubeconfig.fault_of(json.dumps(KUBECONFIG)) == ""
    assert kubeconfig.fault_of(json.dumps(KUBECONFIG, indent=2)) == ""
    yaml = """
    apiVersion: v1
    kind: Config
    current-context: a
    clusters: [{name: c, cluster: {server: "https://x"}}]
    users: [{name: u, user: {token: t}}]
    contexts: [{name: a, context: {cluster: c, user: u}}]
    """
    assert kubeconfig.fault_of(yaml) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "just words",
        "{",
        "a: [",
        "- 1",
        "!!python/object/apply:os.system ['id']",
        "[" * 10_000,
        json.dumps({"kind": "Pod"}),
        without("clusters"),
        without("users"),
        without("contexts"),
        without("current-context"),
        json.dumps({**KUBECONFIG, "clusters": []}),
        json.dumps({**KUBECONFIG, "clusters": [5]}),
        json.dumps({**KUBECONFIG, "current-context": "elsewhere"}),
        json.dumps({**KUBECONFIG, "current-context": []}),
        json.dumps(KUBECONFIG) + " " * kubeconfig.MAX_BYTES,
        "\ud800",
    ],
)
def test_what_is_no_kubeconfig_is_refused(text: str) -> None:
    assert kubeconfig.fault_of(text) != ""


@pytest.mark.parametrize(
    "text",
    [
        changed("user", exec={"command": "/bin/sh"}),
        changed("user", **{"auth-provider": {"name": "gcp"}}),
        changed("user", tokenFile="/var/run/secrets/token"),
        changed("user", **{"client-key": "/etc/key"}),
        changed("user", **{"client-certificate": "/etc/crt"}),
        changed("cluster", **{"certificate-authority": "/etc/ca"}),
    ],
)
def test_what_runs_programs_or_reads_files_of_the_server_is_refused(text: str) -> None:
    assert "names a" in kubeconfig.fault_of(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (changed("user", **{"as": "system:admin"}), "does not act on"),
        (changed("user", username="ann", password="hunter2"), "password, username"),
        (changed("cluster", **{"something-new": "x"}), "something-new"),
        (changed("context", user="nobody"), "has to name one of the clusters and one of the users"),
        (changed("context", cluster=None), "has to name one of the clusters and one of the users"),
        (changed("cluster", server="10.0.0.1:6443"), "has to be an address"),
        (changed("cluster", server="file:///etc/passwd"), "has to be an address"),
        (changed("cluster", server="https://ann:hunter2@10.0.0.1"), "has to be an address"),
        (changed("cluster", server="https://10.0.0.1/?x=y"), "has to be an address"),
        (changed("cluster", server="https://10.0.0.1:99999"), "has to be an address"),
        (changed("cluster", server="https://[::1"), "has to be an address"),
        (changed("cluster", server=None), "has to be an address"),
        (changed("cluster", server=f"https://{'a' * 500}"), "has to be an address"),
        (changed("cluster", server="https://a\nb"), "has to be an address"),
        (changed("cluster", server="https://a\0b"), "has to be an address"),
        (changed("cluster", server="https://a\ud800b"), "has to be an address"),
        (changed("cluster", **{"proxy-url": "socks5://proxy:1080"}), "proxy-url"),
        (changed("cluster", **{"tls-server-name": "a\0b"}), "tls-server-name"),
        (changed("cluster", **{"tls-server-name": ["a"]}), "tls-server-name"),
        (changed("user", token=""), "neither a token nor a client certificate"),
        (changed("user", token="hunter2\n"), "copy it once more"),
        (changed("user", token="hunter2 hunter3"), "copy it once more"),
        (changed("user", token="hünter2"), "copy it once more"),
        (changed("user", token="", **{"client-certificate-data": "eA=="}), "neither a token nor a client certificate"),
    ],
)
def test_what_would_be_acted_on_otherwise_than_meant_is_refused(text: str, words: str) -> None:
    fault = kubeconfig.fault_of(text)
    assert words in fault and "hunter2" not in fault


@pytest.mark.parametrize(
    "text",
    [
        changed("cluster", **{"proxy-url": "http://proxy:3128", "tls-server-name": "k8s", "extensions": []}),
        changed("cluster", server="https://[2001:db8::1]:6443/k8s/clusters/c-1"),
        changed("context", namespace="iac"),
        changed("user", token="", **{"client-certificate-data": "eA==", "client-key-data": "eA=="}),
    ],
)
def test_what_we_act_on_is_taken(text: str) -> None:
    assert kubeconfig.fault_of(text) == ""


def test_the_address_is_that_of_the_current_context() -> None:
    whole: dict[str, Any] = json.loads(changed("cluster", server="https://10.0.0.1/"))
    whole["clusters"].append({"name": "d", "cluster": {"server": "https://10.0.0.2"}})
    assert kubeconfig.server(json.dumps(whole)) == "https://10.0.0.1"
    whole["contexts"][0]["context"]["cluster"] = "d"
    assert kubeconfig.server(json.dumps(whole)) == "https://10.0.0.2"


def test_the_refusal_quotes_no_secret() -> None:
    assert "hunter2" not in kubeconfig.fault_of(changed("user", exec={"command": "hunter2"}))


def test_a_few_lines_that_would_unfold_without_end_are_refused_at_once() -> None:
    tenfold = [f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}" for level in range(1, 5)]
    text = "\n".join(["a0: &a0 {k: 1}", *tenfold])
    assert "aliases" in kubeconfig.fault_of(text)
