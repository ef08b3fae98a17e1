"""Which programs the tests need, what each is built from, and where it lies when it is built."""

import hashlib
import os
import platform
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

VERSION = "v1.36.3"
"""Of Kubernetes; a binary that is not told its version reports v0.0.0."""

_STAMP = "k8s.io/component-base/version"
_VERSION_FLAGS = f"-X {_STAMP}.gitVersion={VERSION} -X {_STAMP}.gitMajor=1 -X {_STAMP}.gitMinor=36"


class Missing(Exception):
    """A program is not there; the message says what to do."""


@dataclass(frozen=True)
class Program:
    """A command of a Go module, which stands in the folder `module` beside this file."""

    name: str
    module: str
    package: str
    linker_flags: str = "-s -w"

    @property
    def source(self) -> Path:
        """The folder of the pinned module."""
        return Path(__file__).parent / self.module

    @cached_property
    def built(self) -> Path:
        """Where our build puts it: a new place for everything that would make it another program."""
        return cache() / f"{self.module}-{self._origin()}" / self.name

    @property
    def path(self) -> Path:
        """The file to run, whether or not it is there yet: the user's own where KUBEBUILDER_ASSETS has one."""
        own = Path(os.environ.get("KUBEBUILDER_ASSETS", "/nonexistent")) / self.name
        return own if own.is_file() else self.built

    def found(self) -> Path:
        """Return the file to run, or raise `Missing`."""
        if self.path.is_file():
            return self.path
        raise Missing(
            f"There is no {self.name}: run `make control-plane`, which builds it in some minutes or says why it cannot, "
            "or name a folder that holds it in KUBEBUILDER_ASSETS."
        )

    def _origin(self) -> str:
        pinned = [(self.source / name).read_bytes() for name in ("go.mod", "go.sum")]
        target = f"{sys.platform} {platform.machine()} {self.linker_flags}".encode()
        return hashlib.sha256(b"\0".join([*pinned, target])).hexdigest()[:16]


def cache() -> Path:
    """Return the folder of this user that all clones share."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "iacplatform-tests"


def _kubernetes(name: str) -> Program:
    return Program(name, "kubernetes", f"k8s.io/kubernetes/cmd/{name}", f"-s -w {_VERSION_FLAGS}")


ETCD = Program("etcd", "etcd", "go.etcd.io/etcd/server/v3")
API_SERVER = _kubernetes("kube-apiserver")
CONTROLLER_MANAGER = _kubernetes("kube-controller-manager")
SCHEDULER = _kubernetes("kube-scheduler")
ALL = (ETCD, API_SERVER, CONTROLLER_MANAGER, SCHEDULER)
"""What a control plane consists of."""

PROVIDER_VERSION = "0.14.2"
PROVIDER = Program(
    f"terraform-provider-time_v{PROVIDER_VERSION}_x5", "time", "github.com/hashicorp/terraform-provider-time"
)
"""A provider that reaches nothing but the clock."""

TOFU_VERSION = "1.12.6"
TOFU = Program(
    "tofu",
    "tofu",
    "github.com/opentofu/opentofu/cmd/tofu",
    "-s -w -X github.com/opentofu/opentofu/version.dev=no",  # as its releases do: else it says 1.12.6-dev
)
"""OpenTofu."""

FOR_TESTS = (*ALL, PROVIDER, TOFU)
"""What the whole suite needs."""
