"""Which values the parts of a pod's description may have; the cluster judges what they mean."""

import re
from collections.abc import Callable
from typing import Any

_LABEL = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}")
_LONGEST = 4096


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) <= _LONGEST and "\0" not in value


def _map(value: Any) -> bool:
    return isinstance(value, dict) and len(value) <= 100 and all(_text(each) for pair in value.items() for each in pair)


def _texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 100 and all(_text(each) for each in value)


def _command(value: Any) -> bool:
    return _texts(value) and bool(value)


def _env(value: Any) -> bool:
    return _map(value) and all(_ENV_NAME.fullmatch(name) for name in value)


def _resources(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= {"requests", "limits"}
        and all(_map(each) for each in value.values())
    )


def _tolerations(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 100 and all(isinstance(each, dict) for each in value)


def _label(value: Any) -> bool:
    return isinstance(value, str) and bool(_LABEL.fullmatch(value))


RULES: dict[str, tuple[Callable[[Any], bool], str]] = {
    "namespace": (_label, "Give the name of a namespace: lower-case letters, digits and dashes."),
    "command": (_command, 'Give a list of words, such as ["python", "-m", "agents.runner"].'),
    "env": (_env, 'Give an object of names and texts, such as {"HTTPS_PROXY": "http://proxy:3128"}.'),
    "resources": (_resources, 'Give requests and limits, such as {"requests": {"cpu": "500m", "memory": "512Mi"}}.'),
    "node_selector": (_map, "Give an object of label names and values."),
    "tolerations": (_tolerations, 'Give a list of tolerations, such as [{"key": "ci", "operator": "Exists"}].'),
    "image_pull_secrets": (_texts, "Give a list of names of secrets."),
    "labels": (_map, "Give an object of label names and values."),
    "annotations": (_map, "Give an object of annotation names and values."),
}


def faults(config: Any) -> dict[str, str]:
    """Return a sentence for each field of a K8s config whose value has the wrong shape."""
    return {name: sentence for name, (fits, sentence) in RULES.items() if not fits(getattr(config, name))}
