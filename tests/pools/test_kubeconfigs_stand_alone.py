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


def test_the_refusal_quotes_no_secret() -> None:
    assert "hunter2" not in kubeconfig.fault_of(changed("user", exec={"command": "hunter2"}))


def test_a_few_lines_that_would_unfold_without_end_are_refused_at_once() -> None:
    tenfold = [f"a{level}: &a{level} {{<<: [{', '.join([f'*a{level - 1}'] * 10)}]}}" for level in range(1, 5)]
    text = "\n".join(["a0: &a0 {k: 1}", *tenfold])
    assert "aliases" in kubeconfig.fault_of(text)
