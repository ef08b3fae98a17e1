"""How a config reaches its cluster: address and credentials, from the config's own text or from the pod we run in."""

import base64
import binascii
import os
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from iacplatform.base.encryption import Unreadable
from pools import kubeconfig
from pools.errors import Unreachable
from pools.models import K8sConfig

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds its own service account (Kubernetes documentation, "Accessing the Kubernetes API from a Pod")."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """`authority`, `certificate` and `key` are PEM texts; without `authority` the system's own certificates count."""

    server: str
    token: str = field(default="", repr=False)
    authority: str = ""
    certificate: str = ""
    key: str = field(default="", repr=False)
    verify: bool = True
    server_name: str = ""  # that its certificate has to bear, where it is not the address's
    proxy: str = ""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may show."""
        return tuple(text for text in (self.token, self.key) if text)

    def context(self) -> ssl.SSLContext:
        """Return how its TLS is judged, and who we are; raise `Unreachable` where a part cannot be read."""
        try:
            context = ssl.create_default_context(cadata=self.authority or None)
            context.check_hostname = self.verify
            context.verify_mode = ssl.CERT_REQUIRED if self.verify else ssl.CERT_NONE
            if self.certificate:
                self._show(context)
        except (ssl.SSLError, ValueError) as error:
            raise Unreachable("The kubeconfig's certificates or its key cannot be read: they are not PEM.") from error
        return context

    def _show(self, context: ssl.SSLContext) -> None:
        # OpenSSL takes a certificate of ours from files alone; they are gone before the first call.
        with TemporaryDirectory() as folder:
            certificate, key = Path(folder) / "certificate", Path(folder) / "key"
            certificate.write_text(self.certificate)
            key.write_text(self.key)
            context.load_cert_chain(certificate, key)


def of(config: K8sConfig) -> Access:
    """Return how the config reaches its cluster, or raise `Unreachable` with what is missing."""
    if config.in_cluster:
        return _in_cluster()
    text = _opened(config)
    if config.route == kubeconfig.UNKNOWN:
        _find_out_route(config, text)
    if (kubeconfig.server(text), kubeconfig.route(text)) != (config.server, config.route):
        # A sealed text that was moved here from another row, past the rule that a config keeps its cluster.
        raise Unreachable("The kubeconfig names another cluster than this config. Give the kubeconfig again.")
    return _described(text)


def _opened(config: K8sConfig) -> str:
    try:
        return config.kubeconfig()
    except Unreadable as error:
        raise Unreachable(f"The kubeconfig cannot be opened: {error}") from error


def _find_out_route(config: K8sConfig, text: str) -> None:
    # Without the address of the row the sealed text is no proof of where its pods are: it may be another row's.
    if not (config.server and _names(config.server, text)):
        raise Unreachable(
            "Its key was missing when the platform wrote down where kubeconfigs lead. Give this kubeconfig again."
        )
    config.write_down_route(kubeconfig.route(text))


def _names(server: str, text: str) -> bool:
    try:
        return kubeconfig.server(text) == server
    except kubeconfig.UNREADABLE:
        return False


def _described(text: str) -> Access:
    cluster, user = kubeconfig.current(text)
    return Access(
        server=str(cluster.get("server") or "").rstrip("/"),
        token=str(user.get("token") or ""),
        authority=_decoded(cluster, "certificate-authority-data"),
        certificate=_decoded(user, "client-certificate-data"),
        key=_decoded(user, "client-key-data"),
        verify=cluster.get("insecure-skip-tls-verify") is not True,
        server_name=str(cluster.get("tls-server-name") or ""),
        proxy=str(cluster.get("proxy-url") or ""),
    )


def _decoded(section: dict[str, Any], name: str) -> str:
    try:
        return base64.b64decode(str(section.get(name) or ""), validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise Unreachable(f"The kubeconfig's {name} is not base64 of a PEM text.") from error


def _in_cluster() -> Access:
    host, port = (os.environ.get(f"KUBERNETES_SERVICE_{part}", "") for part in ("HOST", "PORT"))
    if not host or not port:
        raise Unreachable("This server does not run in a pod of a cluster. Give the K8s config a kubeconfig instead.")
    address = f"[{host}]" if ":" in host else host
    try:
        token, authority = ((ACCOUNT / name).read_text().strip() for name in ("token", "ca.crt"))
    except OSError as error:
        raise Unreachable(
            f"This server's pod has no service account under {ACCOUNT}: mount one, or give a kubeconfig."
        ) from error
    return Access(server=f"https://{address}:{port}", token=token, authority=authority)
