"""A control plane of real processes on this machine's loopback: started, killed part by part, started again."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from tests.cluster import kubeconfig
from tests.cluster.api import Api, Identity
from tests.cluster.binaries import programs
from tests.cluster.credentials import Credentials
from tests.cluster.spawning import Daemon
from tests.e2e.surroundings import free_port
from tests.waiting import until

READY_SECONDS = 90.0
"""A start takes five seconds on a quiet machine."""

SILENT_NODE_SECONDS = 5
"""A node that says nothing for so long is Unknown; 50 in a cluster of others."""

EVICTED_SECONDS = 3
"""So long after that its pods are deleted, where another node is well; 300 in a cluster of others."""

CONTROLLERS = (
    "namespace",
    "serviceaccount",
    "resourcequota",
    "garbage-collector",
    "node-lifecycle",
    "taint-eviction",
    "pod-garbage-collector",
    "root-ca-certificate-publisher",
)


class ControlPlane:
    """`etcd`, `api_server`, `controller_manager` and `scheduler` are its parts. A context: everything ends with it."""

    def __init__(self, home: Path) -> None:
        """Keep everything in `home`; raise `programs.Missing` where a program is not built."""
        self.home = home
        self.credentials = Credentials.made(home / "credentials")
        self.url = f"https://127.0.0.1:{free_port()}"
        self.etcd_url = f"http://127.0.0.1:{free_port()}"
        self.etcd = self._part(programs.ETCD, self._etcd())
        self.api_server = self._part(programs.API_SERVER, self._api_server())
        self.controller_manager = self._part(programs.CONTROLLER_MANAGER, self._controller_manager())
        self.scheduler = self._part(programs.SCHEDULER, self._scheduler())

    @property
    def parts(self) -> list[Daemon]:
        """All four, in the order in which they start."""
        return [self.etcd, self.api_server, self.controller_manager, self.scheduler]

    def __enter__(self) -> "ControlPlane":
        try:
            self.until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error: object) -> None:
        self.rest()
        self.admin.close()

    def rest(self) -> None:
        """End all parts; `until_ready` brings them back."""
        for part in reversed(self.parts):
            part.kill()

    def until_ready(self) -> None:
        """Start what does not run, and return when the API answers and the namespace `default` can have pods."""
        self._start(self.etcd, self.api_server)
        until("the API server is ready", self._answers, seconds=READY_SECONDS)
        # Those two give up when they find no API server.
        self._start(self.controller_manager, self.scheduler)

    @cached_property
    def identity(self) -> Identity:
        """The administrator, past the proxy."""
        return Identity(self.url, self.credentials.authority, self.credentials.admin_token)

    @cached_property
    def admin(self) -> Api:
        """The API with every right; for tests only."""
        return Api(self.identity)

    def _answers(self) -> bool:
        assert self.etcd.is_running, self.etcd.output()[-2000:]
        assert self.api_server.is_running, self.api_server.output()[-2000:]
        return self.admin.is_ready()

    def _start(self, *parts: Daemon) -> None:
        for part in parts:
            if not part.is_running:
                part.start()

    def _part(self, program: programs.Program, options: Mapping[str, object]) -> Daemon:
        arguments = [f"--{name}={value}" for name, value in options.items()]
        return Daemon(
            name=program.name,
            command=[str(program.found()), *arguments],
            environment={"PATH": "/usr/bin:/bin", "HOME": str(self.home)},
            log=self.home / f"{program.name}.log",
        )

    def _etcd(self) -> dict[str, object]:
        peers = f"http://127.0.0.1:{free_port()}"
        return {
            "data-dir": self.home / "etcd",
            "listen-client-urls": self.etcd_url,
            "advertise-client-urls": self.etcd_url,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"default={peers}",
            "unsafe-no-fsync": "true",
            "log-level": "warn",
        }

    def _api_server(self) -> dict[str, object]:
        secret = self.credentials.file
        return {
            "etcd-servers": self.etcd_url,
            "bind-address": "127.0.0.1",
            "secure-port": self.url.rpartition(":")[2],
            "endpoint-reconciler-type": "none",  # loopback is no address that the Service "kubernetes" may have
            "tls-cert-file": secret("server.crt"),
            "tls-private-key-file": secret("server.key"),
            "token-auth-file": secret("tokens.csv"),
            "authorization-mode": "RBAC",
            "service-account-issuer": "https://kubernetes.default.svc",
            "service-account-key-file": secret("accounts.key"),
            "service-account-signing-key-file": secret("accounts.key"),
            "service-cluster-ip-range": "10.0.0.0/24",
            "default-not-ready-toleration-seconds": EVICTED_SECONDS,
            "default-unreachable-toleration-seconds": EVICTED_SECONDS,
            "profiling": "false",
        }

    def _controller_manager(self) -> dict[str, object]:
        return {
            **self._client("controller-manager"),
            "service-account-private-key-file": self.credentials.file("accounts.key"),
            "root-ca-file": self.credentials.file("ca.crt"),
            "controllers": ",".join(f"{name}-controller" for name in CONTROLLERS),
            "node-monitor-period": "1s",
            "node-monitor-grace-period": f"{SILENT_NODE_SECONDS}s",
        }

    def _scheduler(self) -> dict[str, object]:
        return self._client("scheduler")

    def _client(self, name: str) -> dict[str, object]:
        file = self.home / "credentials" / f"{name}.kubeconfig"
        file.write_text(kubeconfig.of_token(self.url, self.credentials.authority, self.credentials.admin_token))
        return {
            "kubeconfig": file,
            "leader-elect": "false",
            "secure-port": "0",
            "profiling": "false",
            # More than the default: nobody here waits for a busy cluster's manners.
            "kube-api-qps": "200",
            "kube-api-burst": "400",
        }
