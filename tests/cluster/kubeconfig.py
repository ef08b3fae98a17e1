"""Kubeconfigs: how they are written for somebody, and what those of a user say."""

import base64
import json


def of_token(url: str, authority: str, token: str, *, namespace: str = "default") -> str:
    """Return the text of a kubeconfig for the owner of a token; JSON, which is YAML too."""
    cluster = {"server": url, "certificate-authority-data": base64.b64encode(authority.encode()).decode()}
    context = {"cluster": "tests", "user": "tests", "namespace": namespace}
    everything = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": cluster}],
        "users": [{"name": "tests", "user": {"token": token}}],
        "contexts": [{"name": "tests", "context": context}],
        "current-context": "tests",
    }
    return json.dumps(everything, indent=2)
