"""The manifests under deploy/ as a user applies them, in the namespace of a test."""

from pathlib import Path

import yaml

from tests.cluster.api import Api, Object
from tests.e2e.parts import REPOSITORY

FOLDER = REPOSITORY / "deploy" / "kubernetes"
NAMESPACE = "iac-agents"
"""The name that all of them carry, for a user (or a test) to change."""

COLLECTIONS = {
    "Namespace": "/api/v1/namespaces",
    "ServiceAccount": "/api/v1/namespaces/{namespace}/serviceaccounts",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings",
    "NetworkPolicy": "/apis/networking.k8s.io/v1/namespaces/{namespace}/networkpolicies",
}


def files() -> list[Path]:
    """Return all manifests, the namespace first."""
    return [FOLDER / name for name in ("namespace.yaml", "rbac.yaml", "network-policy.yaml")]


def of(file: Path, namespace: str) -> list[Object]:
    """Return the objects of a manifest, for another namespace."""
    text = file.read_text().replace(NAMESPACE, namespace)
    return list(yaml.safe_load_all(text))


def apply(api: Api, namespace: str) -> None:
    """Create everything that the manifests hold."""
    for thing in [thing for file in files() for thing in of(file, namespace)]:
        api.create(COLLECTIONS[thing["kind"]].format(namespace=namespace), thing)


def role_binding(namespace: str) -> Object:
    """Return what gives the platform its rights."""
    found: Object = next(thing for thing in of(FOLDER / "rbac.yaml", namespace) if thing["kind"] == "RoleBinding")
    return found
