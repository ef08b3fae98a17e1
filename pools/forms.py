"""What people fill in about clusters."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from pools.models import K8sConfig


class K8sConfigForm(forms.ModelForm):  # type: ignore[type-arg]
    """A K8s config; its kubeconfig is taken and never shown. Left empty, the stored one stays."""

    kubeconfig = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off", "spellcheck": "false"}),
        help_text="YAML or JSON. It is stored encrypted and never shown again; empty: the stored one stays.",
    )

    class Meta:
        model = K8sConfig
        fields = [
            "name",
            "in_cluster",
            "namespace",
            "image",
            "command",
            "env",
            "resources",
            "node_selector",
            "tolerations",
            "service_account_name",
            "image_pull_secrets",
            "labels",
            "annotations",
        ]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.is_bound:
            # A refused form must not send it back to the browser.
            self.fields["kubeconfig"].widget = forms.PasswordInput()

    def clean(self) -> dict[str, Any] | None:
        """Give the kubeconfig to the row before the row is judged; in-cluster needs none."""
        text = self.cleaned_data.get("kubeconfig") or ""
        if self.cleaned_data.get("in_cluster") and not text:
            self.instance.set_kubeconfig("")
        elif text:
            self._take(text)
        return super().clean()

    def _take(self, text: str) -> None:
        try:
            self.instance.set_kubeconfig(text)
        except ValidationError as error:
            self.add_error(None, error)
