"""A server at an address that a config leads to: it may be no cluster at all."""

import base64
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from pools import kube
from pools.models import K8sConfig
from tests.cluster.credentials import Credentials

TOKEN = "hunter2-token"
NOTHING: Mapping[str, Any] = {}
Serve = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def server(serve: Serve, credentials: Credentials | None = None, *, asks: bool = False) -> Iterator[str]:
    """Serve at the yielded address, with TLS where there are credentials; `asks` for the client's certificate."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            with suppress(OSError):
                serve(self)

        do_CONNECT = do_GET

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


def say(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    """Answer with this body."""
    handler.send_response(status)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def version(handler: BaseHTTPRequestHandler) -> None:
    """Answer as a cluster that is asked for its version."""
    say(handler, b'{"gitVersion": "v1.99"}')


def config(address: str, cluster: Mapping[str, Any] = NOTHING, *, user: Mapping[str, Any] = NOTHING) -> K8sConfig:
    """Return a config that leads there; `cluster` and `user`: what its kubeconfig says of them besides."""
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
    """Return what the cluster of the config says that it runs."""
    with kube.Cluster(made) as door:
        return door.version()


def encoded(text: str) -> str:
    """Return a text as a kubeconfig holds what is a file elsewhere."""
    return base64.b64encode(text.encode()).decode()


def authority(credentials: Credentials) -> dict[str, str]:
    """Return what a kubeconfig says of its cluster, so that these are believed."""
    return {"certificate-authority-data": encoded(credentials.authority)}
