"""docs/kubernetes.md can be followed: what it writes is taken, and its rights and figures are those of the code."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from agents.fleet import failures, observations, troubles
from pools import budgets, kubeconfig, pod_specs
from pools.models.status import BURST

BASE = Path(settings.BASE_DIR)
PAGE = " ".join((BASE / "docs/kubernetes.md").read_text().split())


def manifest(name: str) -> list[Any]:
    return list(yaml.safe_load_all((BASE / "deploy/kubernetes" / name).read_text()))


def test_the_kubeconfig_that_it_writes_is_taken() -> None:
    written = re.search(r"<<END\n(apiVersion: v1\n.*?)END\n", (BASE / "docs/kubernetes.md").read_text(), re.DOTALL)
    assert written is not None
    filled = written[1].replace("$server", "https://10.0.0.1:6443").replace("$ca", "eA==").replace("$token", "secret")
    assert "$" not in filled
    assert kubeconfig.fault_of(filled) == ""


def test_it_names_every_right_of_the_role_and_no_other() -> None:
    role = next(each for each in manifest("rbac.yaml") if each["kind"] == "Role")
    rights = {f"{rule['resources'][0]}: {', '.join(rule['verbs'])}" for rule in role["rules"]}
    told = PAGE.partition("In this one namespace")[2].partition("network-policy.yaml")[0]
    assert set(re.findall(r"\| ([a-z]+: [a-z, ]+) \|", told)) == rights


@pytest.mark.parametrize("name", ["namespace.yaml", "rbac.yaml", "network-policy.yaml"])
def test_every_manifest_is_applied_and_is_for_the_namespace_that_it_names(name: str) -> None:
    assert f"kubectl apply -f deploy/kubernetes/{name}" in PAGE
    places = {each["metadata"].get("namespace", each["metadata"]["name"]) for each in manifest(name)}
    assert places == {"iac-agents"}


FIGURES = {
    "cannot be made | {} s": failures.PULL_SECONDS,
    "for another reason | {} minutes": observations.START_SECONDS // 60,
    "since its container started | {} minutes": observations.CONNECT_SECONDS // 60,
    "comes {} and 80 s later": ", ".join(map(str, troubles.POD_SECONDS[:-1])),
    "one is tried every {} minutes": troubles.PROBE_SECONDS // 60,
    "are tried again after {}, then every 60 s": ", ".join(map(str, troubles.REFUSED_SECONDS[:-1])),
    "makes at most {:.0f} calls a second": budgets.PER_SECOND,
    "({} at once after a rest)": BURST,
    "as user and group {}, not as root": pod_specs.USER,
    "It has {} s to finish": pod_specs.GRACE_SECONDS,
    "for {} s (`IACPLATFORM_POOL_STABLE_SECONDS`)": settings.POOL_STABLE_SECONDS,
}


@pytest.mark.parametrize("said", FIGURES)
def test_its_figures_are_those_of_the_code(said: str) -> None:
    assert said.format(FIGURES[said]) in PAGE


def test_its_sizes_are_those_of_the_pod() -> None:
    sizes = (pod_specs.WORK_SIZE, pod_specs.TEMPORARY_SIZE)
    work, temporary = (size.replace("Gi", " GiB") for size in sizes)
    assert f"`{pod_specs.WORK}` (at most {work}) and `/tmp` (at most {temporary})" in PAGE
