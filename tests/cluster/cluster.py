"""A namespace for one test, with all that stands around it: the platform's rights, a node, and the fault proxy."""

import secrets
from collections.abc import Callable
from contextlib import ExitStack
from typing import Protocol

import httpx

from tests.cluster import kubeconfig, manifests, node_object
from tests.cluster.api import Api, Identity, Object, Refused
from tests.cluster.credentials import Credentials
from tests.cluster.fault_proxy import FaultProxy
from tests.cluster.node_object import OWNER
from tests.cluster.process_node import ProcessNode
from tests.waiting import ENOUGH_SECONDS, TooLate, until

ACCOUNT = "iacplatform"
TOKEN_SECONDS = 6 * 3600


class Home(Protocol):
    """A running Kubernetes: our control plane, or a user's cluster."""

    credentials: Credentials

    def until_ready(self) -> None:
        """Return when it answers, whatever a test has done to it."""

    @property
    def identity(self) -> Identity:
        """The administrator."""

    @property
    def admin(self) -> Api:
        """The API with every right."""


class Cluster:
    """See the docstring of the package. A context: with it the namespace, its pods and its nodes are gone."""

    def __init__(self, home: Home) -> None:
        self.home, self.api = home, home.admin
        self.namespace = f"iac-test-{secrets.token_hex(4)}"
        self.placement = node_object.placement(self.namespace)
        self.proxy = FaultProxy(home.identity, home.credentials)
        self.nodes: list[ProcessNode] = []
        self.kubeconfig = ""
        self._ends = ExitStack()

    def __enter__(self) -> "Cluster":
        with self._ends as ends:
            ends.callback(self._remove_namespace)
            manifests.apply(self.api, self.namespace)
            self.api.patch(f"/api/v1/namespaces/{self.namespace}", {"metadata": {"labels": {OWNER: self.namespace}}})
            ends.enter_context(self.proxy)
            self.kubeconfig = self._kubeconfig()
            self.another_node()
            until("pods have their service account", lambda: self._has("serviceaccounts", "default"))
            self._ends = ends.pop_all()
        return self

    def __exit__(self, *error: object) -> None:
        self.home.until_ready()
        self._ends.close()

    @property
    def node(self) -> ProcessNode:
        """The first node."""
        return self.nodes[0]

    def another_node(self, **allocatable: str) -> ProcessNode:
        """Start one more node; `cpu`, `memory` and `pods` are what it has for pods, as Kubernetes writes amounts."""
        name = f"{self.namespace}-{len(self.nodes)}"
        node = ProcessNode(self.api, name, owner=self.namespace, **allocatable)
        self.nodes.append(self._ends.enter_context(node))
        return node

    def outputs(self) -> dict[str, str]:
        """Return what each pod has printed, by node and name."""
        return {f"{node.name}/{name}": text for node in self.nodes for name, text in node.outputs().items()}

    def path(self, resource: str, name: str = "") -> str:
        """Return the API's path of a core object of this namespace, or of all of its kind."""
        return f"/api/v1/namespaces/{self.namespace}/{resource}{name and f'/{name}'}"

    def pods(self, **labels: str) -> list[Object]:
        """Return the pods with these labels."""
        return self._labelled("pods", labels)

    def secrets(self, **labels: str) -> list[Object]:
        """Return the Secrets with these labels."""
        return self._labelled("secrets", labels)

    def pod(self, name: str) -> Object | None:
        """Return a pod, None where there is none."""
        try:
            return self.api.get(self.path("pods", name))
        except Refused as error:
            if error.code == httpx.codes.NOT_FOUND:
                return None
            raise

    def events(self, name: str) -> list[Object]:
        """Return the events about a pod or another object of this name."""
        return self.api.items(self.path("events"), fieldSelector=f"involvedObject.name={name}")

    def create(self, resource: str, thing: Object) -> Object:
        """Create an object."""
        return self.api.create(self.path(resource), thing)

    def delete(self, resource: str, name: str, *, grace: int | None = None) -> None:
        """Delete an object; `grace=0` takes it away at once, whatever its node says."""
        self.api.delete(self.path(resource, name), grace=grace)

    def until_pod(self, name: str, look: Callable[[Object], object], *, seconds: float = ENOUGH_SECONDS) -> Object:
        """Return the pod as soon as `look` finds what it wants in it."""

        def found() -> Object | None:
            pod = self.pod(name)
            return pod if pod and look(pod) else None

        try:
            return until(f"the pod {name} is as the test wants it", found, seconds=seconds)
        except TooLate as error:
            error.add_note(f"The pod is {self.pod(name)}")
            raise

    def until_gone(self, name: str, *, seconds: float = ENOUGH_SECONDS) -> None:
        """Return when there is no pod of this name."""
        until(f"pod {name} is gone", lambda: self.pod(name) is None, seconds=seconds)

    def quota(self, **hard: str | int) -> None:
        """Limit the namespace, as in `quota(pods=1)`; return when the limit counts."""
        limits = {name: str(amount) for name, amount in hard.items()}
        self.create("resourcequotas", {"metadata": {"name": "tests"}, "spec": {"hard": limits}})
        path = self.path("resourcequotas", "tests")
        until("the quota counts", lambda: self.api.get(path).get("status", {}).get("used"))

    def lift_quota(self) -> None:
        """Limit it no more."""
        self.delete("resourcequotas", "tests")

    def forbid(self) -> None:
        """Take the platform's rights away."""
        self.api.delete(f"{self._bindings}/{ACCOUNT}")

    def allow(self) -> None:
        """Give them back."""
        self.api.create(self._bindings, manifests.role_binding(self.namespace))

    @property
    def _bindings(self) -> str:
        return manifests.COLLECTIONS["RoleBinding"].format(namespace=self.namespace)

    def _labelled(self, resource: str, labels: dict[str, str]) -> list[Object]:
        return self.api.items(
            self.path(resource), labelSelector=",".join(f"{key}={value}" for key, value in labels.items())
        )

    def _has(self, resource: str, name: str) -> bool:
        return name in [thing["metadata"]["name"] for thing in self.api.items(self.path(resource))]

    def _kubeconfig(self) -> str:
        asked = {"spec": {"expirationSeconds": TOKEN_SECONDS}}
        granted = self.api.create(f"{self.path('serviceaccounts', ACCOUNT)}/token", asked)
        authority = self.home.credentials.authority
        return kubeconfig.of_token(self.proxy.url, authority, granted["status"]["token"], namespace=self.namespace)

    def _remove_namespace(self) -> None:
        for pod in self.pods():
            self.delete("pods", pod["metadata"]["name"], grace=0)
        self.api.delete(f"/api/v1/namespaces/{self.namespace}")
