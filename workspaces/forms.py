"""What people fill in about variables."""

from typing import Any

from django import forms

from iacplatform.base.generic import ModelForm
from workspaces.models import Variable


class SealedVariableForm(ModelForm):
    """A variable whose value is taken and never shown. Left empty, a stored value stays."""

    value = forms.CharField(
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text="It is stored encrypted and never shown here; empty: the stored value stays.",
    )

    class Meta:
        model = Variable
        fields = ["workspace", "key", "category", "hcl", "sensitive"]

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.is_bound:
            # A refused form must not send it back to the browser.
            self.fields["value"].widget = forms.PasswordInput()

    def clean(self) -> dict[str, Any] | None:
        """Give the value to the row before the row is judged."""
        value = self.cleaned_data.get("value") or ""
        self.instance.given = value.replace("\r\n", "\n") if value or not self.instance.pk else None
        return super().clean()
