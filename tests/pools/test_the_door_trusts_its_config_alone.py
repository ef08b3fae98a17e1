"""Where a cluster is and who we are there comes from the config's own text, and from nothing around us."""

import traceback
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from pools import access, kube, wire
from pools.models import K8sConfig
from tests import factories
from tests.cluster.credentials import Credentials
from tests.pools.servers import TOKEN, asked, config, server, version

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_environments_proxies_and_kubeconfigs_are_not_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with server(version) as address:
        assert asked(config(address)) == "v1.99"


def test_the_kubeconfigs_own_proxy_is_used() -> None:
    asked_for: list[str] = []

    def forward(handler: BaseHTTPRequestHandler) -> None:
        asked_for.append(handler.path)
        version(handler)

    with server(forward) as proxy:
        assert asked(config("http://cluster.invalid", {"proxy-url": proxy})) == "v1.99"
    assert asked_for == ["http://cluster.invalid/version"]


def account(monkeypatch: pytest.MonkeyPatch, folder: Path, address: str, authority: str) -> None:
    """Let this process look as if it ran in a pod."""
    (folder / "token").write_text(f"{TOKEN}\n")
    (folder / "ca.crt").write_text(authority)
    monkeypatch.setattr(access, "ACCOUNT", folder)
    host, port = address.removeprefix("https://").split(":")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", port)


def test_within_a_cluster_the_pods_own_account_is_used(
    credentials: Credentials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens: list[str | None] = []

    def told(handler: BaseHTTPRequestHandler) -> None:
        tokens.append(handler.headers.get("Authorization"))
        version(handler)

    with server(told, credentials) as address:
        account(monkeypatch, tmp_path, address, credentials.authority)
        assert asked(factories.k8s_config()) == "v1.99"
        (tmp_path / "token").write_text("rotated")
        asked(factories.k8s_config())
    assert tokens == [f"Bearer {TOKEN}", "Bearer rotated"]


def test_a_pod_without_an_account_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    account(monkeypatch, tmp_path, "https://10.0.0.1:443", "x")
    (tmp_path / "token").unlink()
    with pytest.raises(kube.Unreachable, match="no service account under"):
        asked(factories.k8s_config())


def test_outside_a_cluster_an_in_cluster_config_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(kube.Unreachable, match="Give the K8s config a kubeconfig"):
        asked(factories.k8s_config())


def test_credentials_are_in_no_representation() -> None:
    reached = access.of(config("https://127.0.0.1:1"))
    assert TOKEN not in repr(reached) and reached.token == TOKEN


@pytest.mark.parametrize(
    ("address", "cluster"), [("https://127.0.0.1:2", {}), ("https://127.0.0.1:1", {"tls-server-name": "blue"})]
)
def test_a_kubeconfig_that_was_moved_from_another_row_is_not_acted_on(address: str, cluster: dict[str, str]) -> None:
    here, there = config("https://127.0.0.1:1"), config(address, cluster)
    K8sConfig.objects.filter(pk=here.pk).update(sealed_kubeconfig=there.sealed_kubeconfig)
    with pytest.raises(kube.Unreachable, match="names another cluster"):
        asked(K8sConfig.objects.get(pk=here.pk))


def test_a_kubeconfig_whose_key_is_missing_says_which_key(settings: Any) -> None:
    sealed = config("https://127.0.0.1:1")
    settings.ENCRYPTION_KEYS = f"another:{'1' * 64}"
    with pytest.raises(kube.Unreachable, match=r"No key .* is configured"):
        asked(sealed)


@pytest.mark.parametrize("token", [f"{TOKEN}\n", f"{TOKEN}\nX-More: 1"])
def test_a_token_that_cannot_be_sent_is_told_to_nobody(token: str) -> None:
    with server(version) as address:
        refused = wire.Wire(access.Access(server=address, token=token))
        with pytest.raises(kube.Unreachable, match="cannot be sent") as told:
            refused.ask("GET", "/version")
    assert TOKEN not in "".join(traceback.format_exception(told.value))
