"""The pods that we make: built here from a list of allowed parts, never merged with what somebody wrote.

Each passes the pod-security profile "restricted". Its agent gets its token from a Secret of the pod's own name, which
belongs to the pod, so that the cluster removes it with the pod; the kubelet waits for it before it starts the agent.
"""

import hashlib
import json
from typing import Any

from django.conf import settings

from pools import sightings
from pools.models import K8sConfig, Pod

USER = 10001
"""Of the image (deploy/agent/Dockerfile), and the group that may read the token."""
WORK = "/var/lib/iac-agent"
SECRETS = "/var/run/iac-agent"
TOKEN_KEY = "token"  # noqa: S105 - a file's name
WORK_MIB = 10 * 1024
WORK_SIZE = f"{WORK_MIB // 1024}Gi"
KEPT_MIB = 2 * 1024
"""Of it, what an agent may keep beside its tasks."""
MARGIN_MIB = WORK_MIB // 10
"""Of it, what nobody gets: tasks go on writing between two of their agent's looks."""
LEAST_TASK_MIB = 1024
"""With so many slots that their parts are smaller than an engine with its providers, not all can be full at once."""
TEMPORARY_SIZE = "1Gi"
GRACE_SECONDS = 900
"""An agent that is told to end finishes the task it runs."""

Manifest = dict[str, Any]


def pod(row: Pod) -> Manifest:
    """Return the pod of a row, as the Kubernetes API takes it."""
    config = row.pool.k8s_config
    if config is None:
        raise ValueError(f"The pool {row.pool} is static: people start its agents.")
    return _built(config, pool_id=row.pool_id, row=str(row.pk), name=row.name, slots=row.slots)


def secret(row: Pod, token: str, uid: str) -> Manifest:
    """Return the Secret with the token of the pod's agent; `uid` is the pod's, whose end is the Secret's."""
    owner = {"apiVersion": "v1", "kind": "Pod", "name": row.name, "uid": uid}
    labels = _labels(row.pool_id, str(row.pk))
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": row.name, "labels": labels, "ownerReferences": [owner]},
        "type": "Opaque",
        "immutable": True,
        "stringData": {TOKEN_KEY: token},
    }


def sample(config: K8sConfig) -> Manifest:
    """Return a pod of the config that belongs to no pool, for the cluster to judge."""
    return _built(config, pool_id="none", row="0", name=f"iac-check-{config.pk}", slots=1)


def hash_of(config: K8sConfig) -> str:
    """Return what changes when pods made from now on are different from those made before."""
    return hashlib.sha256(json.dumps(sample(config), sort_keys=True).encode()).hexdigest()


def _built(config: K8sConfig, *, pool_id: str, row: str, name: str, slots: int) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "labels": {**config.labels, **_labels(pool_id, row)},
            "annotations": dict(config.annotations),
        },
        "spec": {**_placement(config), **_safety(), "containers": [_container(config, name, slots)], **_volumes(name)},
    }


def _labels(pool_id: str, row: str) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "iac-agent",
        sightings.MANAGED_BY: sightings.PLATFORM,
        sightings.POOL: pool_id,
        sightings.ROW: row,
    }


def _placement(config: K8sConfig) -> Manifest:
    """Return what the config says about where the pod runs and as whom; nothing is given for what it leaves empty."""
    given: Manifest = {
        "nodeSelector": config.node_selector,
        "tolerations": config.tolerations,
        "serviceAccountName": config.service_account_name,
        "imagePullSecrets": [{"name": name} for name in config.image_pull_secrets],
    }
    return {name: value for name, value in given.items() if value}


def _safety() -> Manifest:
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": GRACE_SECONDS,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }


def _container(config: K8sConfig, name: str, slots: int) -> Manifest:
    return {
        "name": sightings.CONTAINER,
        "image": config.image,
        "command": config.command,
        "env": _environment(config.env, name, slots),
        "resources": config.resources,
        # The last lines of an agent that fails become the message of its end.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [
            {"name": "work", "mountPath": WORK},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - the container's own
            {"name": "token", "mountPath": SECRETS, "readOnly": True},
        ],
    }


def _environment(of_config: dict[str, str], name: str, slots: int) -> list[dict[str, str]]:
    """Return the config's variables and then ours, which always hold."""
    ours = {
        "IAC_SERVER": settings.PUBLIC_URL,
        "IAC_AGENT_NAME": name,
        "IAC_AGENT_POD_NAME": name,
        "IAC_AGENT_CAPACITY": str(slots),
        "IAC_AGENT_WORKDIR": f"{WORK}/work",
        "IAC_AGENT_TOKEN_FILE": f"{SECRETS}/{TOKEN_KEY}",
    }
    defaults = {"HOME": WORK, "IAC_AGENT_TASK_MIB": _task_mib(slots), "IAC_AGENT_KEPT_MIB": str(KEPT_MIB)}
    # The pod's seccomp profile lets no agent keep tasks apart: who wants several in one pod has accepted that.
    shared = {"IAC_AGENT_SHARED_TASKS": "true"} if slots > 1 else {}
    return [{"name": key, "value": value} for key, value in {**defaults, **shared, **of_config, **ours}.items()]


def _task_mib(slots: int) -> str:
    """Return most that a task may take: its agent ends it before the cluster throws out the pod with all tasks."""
    return str(max(LEAST_TASK_MIB, (WORK_MIB - MARGIN_MIB - KEPT_MIB) // slots))


def _volumes(name: str) -> Manifest:
    return {
        "volumes": [
            {"name": "work", "emptyDir": {"sizeLimit": WORK_SIZE}},
            {"name": "tmp", "emptyDir": {"sizeLimit": TEMPORARY_SIZE}},
            {"name": "token", "secret": {"secretName": name, "defaultMode": 0o440}},
        ]
    }
