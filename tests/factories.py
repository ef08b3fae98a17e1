"""Rows that many tests need, and clients of the API."""

import itertools
import json
from typing import Any

from django.contrib.auth.models import Permission, User
from knox.models import AuthToken
from rest_framework.test import APIClient

from pools.models import K8sConfig, Pool, PoolType
from workspaces.models import Configuration, Workspace

MAIN = 'resource "terraform_data" "one" {\n  input = 1\n}\n'

_numbers = itertools.count(1)


def admin(name: str = "ann") -> User:
    """Return a person who may do everything; the same for the same name."""
    known = User.objects.filter(username=name).first()
    return known or User.objects.create_superuser(name, password=None)


def person(*permissions: str, name: str = "") -> User:
    """Return a new person with exactly these permissions, such as `workspaces.view_workspace`."""
    made = User.objects.create_user(name or f"person-{next(_numbers)}")
    for permission in permissions:
        app, codename = permission.split(".")
        made.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return User.objects.get(pk=made.pk)


def token(user: User) -> str:
    """Return a new API token of the user."""
    return str(AuthToken.objects.create(user)[1])


def client(user: User) -> APIClient:
    """Return a client of the API with a token of the user; a fault of ours raises in it."""
    made = APIClient()
    made.credentials(HTTP_AUTHORIZATION=f"Bearer {token(user)}")
    return made


def workspace(**columns: Any) -> Workspace:
    """Return a new workspace of mode local, without a configuration."""
    return Workspace.objects.create(**{"name": f"workspace-{next(_numbers)}", **columns})


def configured(**columns: Any) -> Workspace:
    """Return a new workspace with one configuration, so that tasks can be made for it."""
    made = workspace(**columns)
    Configuration.objects.create(workspace=made, number=1, files={"main.tf": MAIN}, digest="0" * 64)
    return made


def pool(**columns: Any) -> Pool:
    """Return a new static pool."""
    return Pool.objects.create(**{"name": f"pool-{next(_numbers)}", **columns})


def k8s_config(**columns: Any) -> K8sConfig:
    """Return a new K8s config of the cluster that we would run in."""
    known = {"name": f"cluster-{next(_numbers)}", "in_cluster": True, "image": "agent:1"}
    return K8sConfig.objects.create(**{**known, **columns})


def k8s_pool(**columns: Any) -> Pool:
    """Return a new pool of pods."""
    return pool(**{"pool_type": PoolType.K8S, "k8s_config": k8s_config(), **columns})


def state(serial: int = 1, *, lineage: str = "lineage-1", resources: int = 0, note: str = "") -> bytes:
    """Return a terraform state with so many resource instances; `note` makes another content."""
    instance = {"schema_version": 0, "attributes": {"id": "x"}}
    one = {"mode": "managed", "type": "terraform_data", "name": "one", "instances": [instance]}
    outputs = {"note": {"value": note, "type": "string"}} if note else {}
    body = {"version": 4, "terraform_version": "1.11.4", "serial": serial, "lineage": lineage}
    return json.dumps({**body, "outputs": outputs, "resources": [one] * resources}).encode()
