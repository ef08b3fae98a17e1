"""What people fill in about clusters."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from iacplatform.base.generic import ModelForm
from iacplatform.base.widgets import Unshown
from pools.models import OF_PODS, K8sConfig
from pools.models.cluster import runner_command
from pools.yaml_fields import YamlField

_QUIET = {"rows": 6, "autocomplete": "off", "spellcheck": "false", "class": "code"}


class K8sConfigForm(ModelForm):
    """A K8s config; its kubeconfig is taken and never shown. Left empty, the stored one stays."""

    kubeconfig = forms.CharField(
        required=False,
        strip=False,
        widget=Unshown(attrs=_QUIET),
        help_text="YAML or JSON. It is stored encrypted and never shown again; empty: the stored one stays.",
    )
    command = YamlField(empty=list, example='["python", "-m", "agents.runner"]', initial=runner_command)
    env = YamlField(
        empty=dict,
        example="HTTPS_PROXY: http://proxy:3128",
        note=". Whoever may see this config sees it: it is no place for secrets.",
        label="Environment",
    )
    resources = YamlField(empty=dict, example='{"requests": {"cpu": "500m", "memory": "512Mi"}}', rows=6)
    node_selector = YamlField(empty=dict, example="kubernetes.io/arch: amd64")
    tolerations = YamlField(empty=list, texts=False, example='[{"key": "ci", "operator": "Exists"}]')
    image_pull_secrets = YamlField(empty=list, example='["registry-login"]')
    labels = YamlField(empty=dict, example="team: platform")
    annotations = YamlField(empty=dict, example='"example.com/owner": "platform"')

    class Meta:
        model = K8sConfig
        fields = [
            "name",
            "in_cluster",
            "namespace",
            *OF_PODS,
        ]
        labels = {"in_cluster": "In the cluster that the platform runs in", "service_account_name": "Service account"}
        help_texts = {
            "name": "Letters, digits, dashes and underscores.",
            "in_cluster": "Use the service account of the pod that the platform runs in; then no kubeconfig is needed.",
            "namespace": "Where the pods are started. It has to exist.",
            "image": "Of the agent, such as registry.example.com/iac-agent:1.0. deploy/agent/Dockerfile builds one.",
            "service_account_name": "Of the pods; empty: the namespace's default one. No token of it is mounted.",
        }

    def clean(self) -> dict[str, Any] | None:
        """Give the kubeconfig to the row before the row is judged; in-cluster needs none."""
        text = self.cleaned_data.get("kubeconfig") or ""
        if self.cleaned_data.get("in_cluster") and not text:
            self.instance.set_kubeconfig("")
        elif text:
            self._take(text)
        return super().clean()

    def add_error(self, field: str | None, error: Any) -> None:
        """Add what is wrong; of a field only the first sentence, as the next ones follow from it."""
        if hasattr(error, "error_dict"):
            fresh = {name: found for name, found in error.error_dict.items() if name not in self.errors}
            error = ValidationError(fresh)
        super().add_error(field, error)

    def _take(self, text: str) -> None:
        try:
            self.instance.set_kubeconfig(text)
        except ValidationError as error:
            self.add_error(None, error)
