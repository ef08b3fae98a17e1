"""A cluster that somebody else runs, as the tests use it: with the rights of a kubeconfig, and never broken."""

from functools import cached_property
from pathlib import Path
from typing import Any

from kubernetes import client, config

from tests.cluster.api import Api, Identity, Object
from tests.cluster.credentials import Credentials
from tests.cluster.node_object import OWNER
from tests.waiting import until

CLEAN_SECONDS = 180.0
"""A cluster takes its time to empty a namespace."""


class UsersCluster:
    """`file` is a kubeconfig that may make namespaces, nodes, roles and their bindings. A context."""

    def __init__(self, file: Path, home: Path) -> None:
        self.credentials = Credentials.made(home / "credentials")  # of the proxy
        self._settings: Any = client.Configuration()
        config.load_kube_config(str(file), client_configuration=self._settings)

    def __enter__(self) -> "UsersCluster":
        self.until_ready()
        return self

    def __exit__(self, *error: object) -> None:
        until("our namespaces are gone", lambda: not self._left(), seconds=CLEAN_SECONDS)
        self.admin.close()

    def until_ready(self) -> None:
        """Fail, unless it answers."""
        assert self.admin.is_ready(), f"The cluster at {self.identity.url} does not answer."

    @cached_property
    def identity(self) -> Identity:
        """Who the kubeconfig's current context says."""
        settings = self._settings
        assert settings.verify_ssl, "These tests take no cluster whose certificate cannot be checked."
        return Identity(
            url=settings.host,
            authority=Path(settings.ssl_ca_cert).read_text() if settings.ssl_ca_cert else "",
            token=(settings.get_api_key_with_prefix("BearerToken", alias="authorization") or "").removeprefix(
                "Bearer "
            ),
            certificate=(settings.cert_file, settings.key_file) if settings.cert_file else None,
        )

    @cached_property
    def admin(self) -> Api:
        """The API with the rights of the kubeconfig."""
        return Api(self.identity)

    def _left(self) -> list[Object]:
        """Return the namespaces of tests that are on their way out."""
        ours = self.admin.items("/api/v1/namespaces", labelSelector=OWNER)
        return [namespace for namespace in ours if namespace["status"]["phase"] == "Terminating"]
