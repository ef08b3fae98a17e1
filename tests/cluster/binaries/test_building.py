"""The programs are built once for a machine, whole or not at all, and a machine that cannot build them says why.

A stand-in for `go` notes its calls; what it is asked to build is a few bytes.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster.binaries import go
from tests.cluster.binaries.programs import API_SERVER, ETCD, FOR_TESTS, Missing, Program
from tests.e2e.parts import REPOSITORY

NAMES = [program.name for program in FOR_TESTS]


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """An empty cache, and a `go` of version 1.26 that builds at once."""
    environment = {name: value for name, value in os.environ.items() if name != "KUBEBUILDER_ASSETS"}
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    _install_go(tmp_path, 'while [ "$1" != -o ]; do shift; done; echo built > "$2"')
    return environment | {"XDG_CACHE_HOME": str(tmp_path / "cache"), "PATH": path}


def _install_go(tmp_path: Path, build: str, version: str = "1.26.0") -> None:
    program = tmp_path / "bin" / "go"
    program.parent.mkdir(exist_ok=True)
    calls = tmp_path / "calls"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = version ] && {{ echo go version go{version} linux/amd64; exit; }}\n'
        f'echo "$CGO_ENABLED $*" >> {calls}\n{build}\n'
    )
    program.chmod(0o755)


def _start(surroundings: dict[str, str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cluster.binaries"],
        cwd=REPOSITORY,
        env=surroundings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _built(tmp_path: Path) -> list[str]:
    return sorted(file.name for file in (tmp_path / "cache").rglob("*") if file.is_file() and file.name != "lock")


def test_all_are_built_with_one_line_and_then_never_again(surroundings: dict[str, str], tmp_path: Path) -> None:
    said, complained = _start(surroundings).communicate()
    assert said.count("\n") == 1
    assert "Building etcd, kube-apiserver" in said
    assert complained == ""
    assert _built(tmp_path) == sorted(NAMES)
    assert _start(surroundings).communicate() == ("", "")
    calls = (tmp_path / "calls").read_text().splitlines()
    assert len(calls) == len(NAMES)
    assert all(call.startswith("0 build -trimpath") for call in calls)
    assert "-X k8s.io/component-base/version.gitVersion=v1.36.3" in calls[3]
    assert "-X github.com/opentofu/opentofu/version.dev=no" in calls[-1]


def test_two_clones_at_once_build_once(surroundings: dict[str, str], tmp_path: Path) -> None:
    both = [_start(surroundings), _start(surroundings)]
    assert [build.communicate()[1] for build in both] == ["", ""]
    assert len((tmp_path / "calls").read_text().splitlines()) == len(NAMES)


def test_a_build_that_fails_says_what_and_why_and_leaves_nothing(surroundings: dict[str, str], tmp_path: Path) -> None:
    half_then_fail = 'while [ "$1" != -o ]; do shift; done; echo half > "$2"; echo "no route to the proxy" >&2; exit 1'
    _install_go(tmp_path, half_then_fail)
    build = _start(surroundings)
    complained = build.communicate()[1]
    assert build.returncode == 0  # all other tests can run
    assert "could not be built (go.etcd.io/etcd/server/v3):\nno route to the proxy" in complained
    assert "KUBEBUILDER_ASSETS" in complained
    assert _built(tmp_path) == []


def test_programs_of_the_users_own_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "etcd").touch()
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert ETCD.found() == tmp_path / "etcd"
    assert API_SERVER.path == API_SERVER.built


def test_a_program_that_is_missing_says_how_it_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    with pytest.raises(Missing, match="There is no etcd: run `make control-plane`"):
        Program(ETCD.name, ETCD.module, ETCD.package).found()


def test_a_built_program_lies_outside_of_the_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    made = Program(ETCD.name, ETCD.module, ETCD.package).built
    assert made.is_relative_to(Path.home() / ".cache" / "iacplatform-tests")
    assert made != Program(ETCD.name, ETCD.module, ETCD.package, linker_flags="").built


@pytest.mark.parametrize(
    ("version", "is_enough"), [("1.26.0", True), ("1.30", True), ("1.25.9", False), ("1.9", False)]
)
def test_a_go_that_is_too_old_is_not_used(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, version: str, is_enough: bool
) -> None:
    _install_go(tmp_path, "", version)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":")
    monkeypatch.setattr(go, "_of_wheel", lambda: "the wheel's")
    assert go.command() == (str(tmp_path / "bin" / "go") if is_enough else "the wheel's")
