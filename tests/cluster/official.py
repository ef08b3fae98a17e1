"""The official client, with the kubeconfig that a platform under test gets."""

from typing import Any

import yaml
from kubernetes import client, config

from tests.cluster.cluster import Cluster


def official(cluster: Cluster) -> Any:
    """Return its API of pods and Secrets; it tries nothing twice."""
    settings = client.Configuration()
    settings.retries = False
    config.load_kube_config_from_dict(yaml.safe_load(cluster.kubeconfig), client_configuration=settings)
    return client.CoreV1Api(client.ApiClient(settings))
