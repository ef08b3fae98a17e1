"""Which values the parts of a pod's description may have; the cluster judges what they mean."""

import re
from collections.abc import Callable
from typing import Any

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_OBJECT = re.compile(r"(?=.{1,253}$)[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_KEY = re.compile(
    r"(?:(?=[^/]{1,253}/)[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
)
_LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?")
_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+|[numkKMGTPE]|[KMGTPE]i)?")
_IMAGE = re.compile(r"[^\s\x00-\x1f]{1,500}")
_LONGEST = 4096
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
"""NUL, and half a character: neither the database nor a cluster takes them."""

OUR_ENV = "IAC_"
TAKEN_ENV = frozenset(
    {
        "IAC_AGENT_CLI_CONFIG",
        "IAC_AGENT_DOWNLOAD_SECONDS",
        "IAC_AGENT_KEPT_MIB",
        "IAC_AGENT_SHARED_TASKS",
        "IAC_AGENT_TASK_MIB",
        *(f"IAC_AGENT_{engine}_{word}" for engine in ("TERRAFORM", "TOFU") for word in ("MIRROR", "VERSION")),
    }
)
"""Variables of the agent that a config may set; the platform sets the others."""
OUR_LABELS = re.compile(r"iacplatform\.io/.*|app\.kubernetes\.io/(name|managed-by)")
OUR_ANNOTATIONS = re.compile(
    r"iacplatform\.io/.*|cluster-autoscaler\.kubernetes\.io/safe-to-evict|karpenter\.sh/do-not-disrupt"
)
"""What the platform writes on pods, and takes away again."""


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and not _UNSTORABLE.search(value)


def _seconds(value: Any) -> bool:
    return type(value) is int and -(2**63) <= value < 2**63


_TOLERATION: dict[str, Callable[[Any], bool]] = {
    **dict.fromkeys(("key", "operator", "value", "effect"), _text),
    "tolerationSeconds": _seconds,
}


def _map(value: Any) -> bool:
    return isinstance(value, dict) and len(value) <= 100 and all(_text(each) for pair in value.items() for each in pair)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 100 and all(_text(each) for each in value)


def _matches(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and bool(pattern.fullmatch(value))


def _command(value: Any) -> bool:
    return _texts(value) and bool(value)


def _env(value: Any) -> bool:
    return _map(value) and all(_is_free(name) for name in value)


def _is_free(name: str) -> bool:
    return bool(_ENV_NAME.fullmatch(name)) and (name in TAKEN_ENV or not name.startswith(OUR_ENV))


def _resources(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"requests", "limits"}
        and all(_map(each) and all(map(_QUANTITY.fullmatch, each.values())) for each in value.values())
    )


def _tolerations(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 100 and all(_toleration(each) for each in value)


def _toleration(value: Any) -> bool:
    if not isinstance(value, dict) or not value.keys() <= _TOLERATION.keys():
        return False
    return all(_TOLERATION[name](each) for name, each in value.items())


def _objects(value: Any) -> bool:
    return _texts(value) and all(map(_OBJECT.fullmatch, value))


def _labels(value: Any) -> bool:
    return _map(value) and all(_KEY.fullmatch(name) and _LABEL_VALUE.fullmatch(value[name]) for name in value)


def _own_labels(value: Any) -> bool:
    return _labels(value) and not any(map(OUR_LABELS.fullmatch, value))


def _own_annotations(value: Any) -> bool:
    return _map(value) and all(_KEY.fullmatch(name) and not OUR_ANNOTATIONS.fullmatch(name) for name in value)


RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "namespace": (_matches(_LABEL), "Give the name of a namespace: lower-case letters, digits and dashes."),
    "image": (_matches(_IMAGE), 'Give the image\'s name, without blanks, such as "registry.example/iac-agent:1".'),
    "command": (_command, 'Give a list of words, such as ["python", "-m", "agents.runner"].'),
    "env": (
        _env,
        'Give an object of names and texts, such as {"HTTPS_PROXY": "http://proxy:3128"}. The platform sets what '
        f"begins with IAC_, except {', '.join(sorted(TAKEN_ENV))}.",
    ),
    "resources": (_resources, 'Give requests and limits, such as {"requests": {"cpu": "500m", "memory": "512Mi"}}.'),
    "node_selector": (_labels, "Give an object of label names and values."),
    "tolerations": (
        _tolerations,
        'Give a list of tolerations, such as [{"key": "ci", "operator": "Exists"}]; each may say key, operator, value, '
        "effect and tolerationSeconds.",
    ),
    "service_account_name": (
        lambda value: value == "" or _matches(_OBJECT)(value),
        "Give the name of a service account, or leave it empty for that of the namespace.",
    ),
    "image_pull_secrets": (_objects, "Give a list of names of secrets."),
    "labels": (
        _own_labels,
        "Give an object of label names and values. The platform itself writes iacplatform.io/…, "
        "app.kubernetes.io/name and app.kubernetes.io/managed-by.",
    ),
    "annotations": (
        _own_annotations,
        "Give an object of annotation names and values. The platform itself writes iacplatform.io/… and those that "
        "keep a cluster's autoscaler from a pod that works.",
    ),
}


def faults(config: Any) -> dict[str, str]:
    """Return a sentence for each field of a K8s config whose value has the wrong shape."""
    return {name: sentence for name, (fits, sentence) in RULES.items() if not fits(getattr(config, name))}
