"""Where a cluster is and who we are there comes from the config's own text, and from nothing around us."""

import base64
import datetime
import json
import socket
import ssl
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from pools import access, kube, refusals, wire
from pools.models import K8sConfig
from tests import factories
from tests.cluster.credentials import Credentials

pytestmark = pytest.mark.django_db(transaction=True)

TOKEN = "hunter2-token"
NOTHING: Mapping[str, Any] = {}
Serve = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture(scope="module")
def credentials(tmp_path_factory: pytest.TempPathFactory) -> Credentials:
    return Credentials.made(tmp_path_factory.mktemp("tls") / "credentials")


@contextmanager
def server(serve: Serve, credentials: Credentials | None = None, *, asks: bool = False) -> Iterator[str]:
    """Serve at the yielded address, with TLS where there are credentials; `asks` for the client's certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):
                serve(self)

        def log_message(self, format: str, *args: Any) -> None: ...

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: Any, client_address: Any) -> None: ...

    with Quiet(("127.0.0.1", 0), Handler) as listening:
        if credentials:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(credentials.file("server.crt"), credentials.file("server.key"))
            if asks:
                context.verify_mode = ssl.CERT_REQUIRED
                context.load_verify_locations(credentials.file("client.crt"))
            listening.socket = context.wrap_socket(listening.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=listening.serve_forever, args=(0.05,), daemon=True).start()
        yield f"{'https' if credentials else 'http'}://127.0.0.1:{listening.server_port}"
        listening.shutdown()


def version(handler: BaseHTTPRequestHandler) -> None:
    body = b'{"gitVersion": "v1.99"}'
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(address: str, cluster: Mapping[str, Any] = NOTHING, *, user: Mapping[str, Any] = NOTHING) -> K8sConfig:
    whole = {
        "kind": "Config",
        "current-context": "x",
        "clusters": [{"name": "c", "cluster": {"server": address, **cluster}}],
        "users": [{"name": "u", "user": dict(user) or {"token": TOKEN}}],
        "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
    }
    made = K8sConfig(name=f"at-{time.monotonic_ns()}", image="agent:1")
    made.set_kubeconfig(json.dumps(whole))
    made.save()
    return made


def asked(made: K8sConfig) -> str:
    with kube.Cluster(made) as door:
        return door.version()


def authority(credentials: Credentials) -> dict[str, str]:
    return {"certificate-authority-data": encoded(credentials.authority)}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_authority_of_the_kubeconfig_is_believed(credentials: Credentials) -> None:
    with server(version, credentials) as address:
        assert asked(config(address, authority(credentials))) == "v1.99"


def test_another_authority_is_not(credentials: Credentials, tmp_path: Path) -> None:
    other = Credentials.made(tmp_path / "other")
    with server(version, credentials) as address, pytest.raises(kube.Unreachable, match="certificate verify failed"):
        asked(config(address, authority(other)))


def test_without_one_only_the_systems_own_are(credentials: Credentials) -> None:
    with server(version, credentials) as address, pytest.raises(kube.Unreachable, match="certificate verify failed"):
        asked(config(address))


def test_a_certificate_of_another_name_is_not_believed(credentials: Credentials) -> None:
    with server(version, credentials) as address:
        with pytest.raises(kube.Unreachable, match=r"(?i)hostname mismatch|doesn't match"):
            asked(config(address, {**authority(credentials), "tls-server-name": "cluster.example"}))
        assert asked(config(address, {**authority(credentials), "tls-server-name": "localhost"})) == "v1.99"


@pytest.mark.filterwarnings("ignore::urllib3.exceptions.InsecureRequestWarning")
def test_verification_is_left_out_where_the_kubeconfig_says_so(credentials: Credentials) -> None:
    with server(version, credentials) as address:
        assert asked(config(address, {"insecure-skip-tls-verify": True})) == "v1.99"


def client_certificate(folder: Path) -> tuple[str, str]:
    """Write a certificate that signs itself to `client.crt`; return it and its key as PEM texts."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "platform")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now - day).not_valid_after(now + day)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    certificate = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    (folder / "client.crt").write_bytes(certificate)
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.decode(), key.private_bytes(*form).decode()


def test_a_client_certificate_is_shown_and_left_nowhere(
    credentials: Credentials, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    certificate, key = client_certificate(credentials.folder)
    user = {"client-certificate-data": encoded(certificate), "client-key-data": encoded(key)}
    with server(version, credentials, asks=True) as address:
        assert asked(config(address, authority(credentials), user=user)) == "v1.99"
        with pytest.raises(kube.Unreachable):
            asked(config(address, authority(credentials)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("user", "cluster", "words"),
    [
        ({}, {"certificate-authority-data": encoded("x")}, "cannot be read"),
        ({}, {"certificate-authority-data": "€"}, "certificate-authority-data is not base64"),
        ({"client-certificate-data": encoded("x"), "client-key-data": encoded("y")}, {}, "cannot be read"),
        ({"client-certificate-data": encoded("x"), "client-key-data": "hunter2!"}, {}, "client-key-data is not base64"),
    ],
)
def test_credentials_that_cannot_be_read_are_named_and_not_shown(
    user: dict[str, Any], cluster: dict[str, Any], words: str
) -> None:
    with pytest.raises(kube.Unreachable, match=words) as refused:
        asked(config("https://127.0.0.1:1", cluster, user=user))
    assert "hunter2" not in str(refused.value)


def test_a_port_where_nobody_listens_and_a_name_that_nobody_has() -> None:
    with pytest.raises(kube.Unreachable, match="Connection refused"):
        asked(config(f"https://127.0.0.1:{free_port()}"))
    with pytest.raises(kube.Unreachable, match="No answer"):
        asked(config("https://cluster.invalid"))


def test_a_person_reads_where_and_why_and_no_names_of_parts_of_a_client() -> None:
    address = f"https://127.0.0.1:{free_port()}"
    with pytest.raises(kube.Unreachable) as refused:
        asked(config(address))
    why = "Failed to establish a new connection: [Errno 111] Connection refused"
    assert refused.value.words == f"No answer from {address}: {why}"


def test_a_connection_that_is_never_taken_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "CONNECT_SECONDS", 0.3)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        with pytest.raises(kube.Unreachable, match="timed out"):
            asked(config(f"https://127.0.0.1:{deaf.getsockname()[1]}"))


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


def test_a_redirect_is_not_followed() -> None:
    followed: list[str] = []

    def elsewhere(handler: BaseHTTPRequestHandler) -> None:
        followed.append(handler.path)
        handler.send_response(302)
        handler.send_header("Location", "/inside")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    with server(elsewhere) as address, pytest.raises(kube.Unreachable, match="302"):
        asked(config(address))
    assert followed == ["/version"]


def test_what_another_service_says_is_not_told() -> None:
    def metadata(handler: BaseHTTPRequestHandler) -> None:
        body = b'{"AccessKeyId": "inside", "message": "inside", "code": "inside"}'
        handler.send_response(403)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with server(metadata) as address, pytest.raises(kube.Denied) as refused:
        asked(config(address))
    assert "inside" not in str(refused.value)


def test_an_answer_that_trickles_ends_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "WHOLE_ANSWER_SECONDS", 0.3)
    ended = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        while not ended.wait(0.05):
            handler.wfile.write(b" ")
            handler.wfile.flush()

    with server(trickle) as address, pytest.raises(kube.Unreachable, match="took longer"):
        asked(config(address))
    ended.set()


def test_an_answer_without_end_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "LARGEST_ANSWER", 1_000_000)

    def flood(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b" " * 100_000)

    with server(flood) as address, pytest.raises(kube.Unreachable, match="more than 1,000,000 bytes"):
        asked(config(address))


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


def test_a_kubeconfig_that_was_moved_from_another_row_is_not_acted_on() -> None:
    here, there = config("https://127.0.0.1:1"), config("https://127.0.0.1:2")
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


def test_nothing_is_quoted_of_a_service_that_does_not_speak_http() -> None:
    def greet(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-hunter2\r\n")

    with server(greet) as address, pytest.raises(kube.Unreachable, match="does not speak HTTP") as told:
        asked(config(address))
    assert "hunter2" not in told.value.words


def test_a_byte_that_no_database_takes_is_left_out_of_what_a_cluster_says() -> None:
    def say(handler: BaseHTTPRequestHandler) -> None:
        body = b'{"gitVersion": "v1\\u0000.99"}'
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    with server(say) as address:
        assert asked(config(address)) == "v1\ufffd.99"


@pytest.mark.parametrize("text", ["soon", "-5", "Fri, 31 Dec 99999999999999999999 23:59:59 GMT"])
def test_a_time_that_is_none_is_no_time_to_wait(text: str) -> None:
    assert not refusals.retry_after(wire.Answer(429, {"retry-after": text}, {}))
