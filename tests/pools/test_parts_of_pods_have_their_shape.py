"""What a K8s config may say about its pods; the rest is the platform's, or the cluster refuses it."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError

from pools import kubeconfig
from pools.models import K8sConfig
from pools.yaml_fields import YamlField

pytestmark = pytest.mark.django_db

WRONG: list[tuple[str, Any]] = [
    ("env", {"IAC_AGENT_TOKEN": "stolen"}),
    ("env", {"IAC_SERVER": "https://elsewhere"}),
    ("env", {"A=B": "x"}),
    ("env", {"A": "a\0b"}),
    ("env", {"A": "\ud800"}),
    ("command", ["\udfff"]),
    ("image", "two words"),
    ("image", "a\nb"),
    ("resources", {"requests": {"cpu": "much"}}),
    ("resources", {"limits": {"memory": ""}}),
    ("node_selector", {"a b": "c"}),
    ("node_selector", {"a": "b c"}),
    ("tolerations", [{"key": "a", "effects": "NoSchedule"}]),
    ("tolerations", [{"key": 5}]),
    ("tolerations", [{"tolerationSeconds": True}]),
    ("tolerations", [{"tolerationSeconds": 2**63}]),
    ("tolerations", [{"value": "a\0b"}]),
    ("tolerations", [{"value": "\ud800"}]),
    ("tolerations", [{"value": "a" * 5000}]),
    ("service_account_name", "Not Allowed"),
    ("service_account_name", "../other"),
    ("image_pull_secrets", ["UPPER"]),
    ("image_pull_secrets", [""]),
    ("labels", {"app.kubernetes.io/managed-by": "somebody"}),
    ("labels", {"app.kubernetes.io/name": "other"}),
    ("labels", {"iacplatform.io/pool": "pool-1"}),
    ("labels", {"iacplatform.io/": "x"}),
    ("labels", {"team": "a/b"}),
    ("annotations", {"karpenter.sh/do-not-disrupt": "true"}),
    ("annotations", {"cluster-autoscaler.kubernetes.io/safe-to-evict": "true"}),
    ("annotations", {"iacplatform.io/x": "y"}),
    ("annotations", {"/x": "y"}),
]
RIGHT: list[tuple[str, Any]] = [
    ("env", {"HTTPS_PROXY": "http://proxy:3128", "IAC_AGENT_CLI_CONFIG": "/etc/terraformrc", "_a1": ""}),
    (
        "env",
        {"IAC_AGENT_TERRAFORM_MIRROR": "https://mirror", "IAC_AGENT_TOFU_MIRROR": "", "IAC_AGENT_TOFU_VERSION": ""},
    ),
    ("image", "registry.example:5000/team/iac-agent@sha256:abc"),
    ("resources", {"requests": {"cpu": "500m", "memory": "1.5Gi"}, "limits": {"ephemeral-storage": "1e9"}}),
    ("resources", {}),
    ("node_selector", {"kubernetes.io/arch": "amd64", "empty": ""}),
    ("tolerations", [{"key": "a", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 30}, {}]),
    ("service_account_name", "builder.v2"),
    ("service_account_name", ""),
    ("image_pull_secrets", ["registry-key"]),
    ("labels", {"team": "a", "example.com/cost-centre": "A_1.b", "app.kubernetes.io/part-of": "x"}),
    ("annotations", {"example.com/note": "any text / at all"}),
]


def judged(field: str, value: Any) -> dict[str, list[str]]:
    """Return the sentences by field, none for a config that is taken."""
    config = K8sConfig(name="prod", image="agent:1", in_cluster=True)
    setattr(config, field, value)
    try:
        config.clean()
    except ValidationError as error:
        return error.message_dict
    return {}


@pytest.mark.parametrize(("field", "value"), WRONG)
def test_what_the_platform_or_the_cluster_would_refuse_is_refused_by_field(field: str, value: Any) -> None:
    assert list(judged(field, value)) == [field]


@pytest.mark.parametrize(("field", "value"), RIGHT)
def test_what_clusters_take_is_taken(field: str, value: Any) -> None:
    assert judged(field, value) == {}


@pytest.mark.parametrize("text", ["!!timestamp x", "!!bool x", "!!int ''", "{a: !!timestamp x}", "!!float x"])
def test_yaml_whose_values_are_not_what_they_say_is_refused_with_a_sentence(text: str) -> None:
    assert kubeconfig.fault_of(text) != ""
    with pytest.raises(ValidationError, match="neither YAML"):
        YamlField(empty=list, texts=False, example="[]").to_python(text)
