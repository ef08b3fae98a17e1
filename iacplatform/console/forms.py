"""What people fill in. Which values are right, the models say; a form asks them and keeps what was typed."""

from typing import Any

from django import forms

from iacplatform.base.generic import ModelForm
from iacplatform.base.widgets import Unshown
from pools.models import Pool
from tasks.states import TaskType
from workspaces import edits
from workspaces.models import Variable, Workspace

LONGEST = 2000


class Settings(ModelForm):
    """A workspace's settings."""

    class Meta:
        model = Workspace
        fields = [
            "name",
            "description",
            "execution_mode",
            "pool",
            "engine",
            "terraform_version",
            "working_directory",
            "auto_apply",
            "plan_timeout_seconds",
            "apply_timeout_seconds",
        ]
        labels = {"terraform_version": "Version of the engine", "auto_apply": "Apply without asking"}
        help_texts = {
            "name": "Letters, digits, dashes and underscores.",
            "execution_mode": "Local: the agents of this server. Agent: a static pool. Kubernetes: a pool of pods.",
            "pool": "Local mode needs none; Kubernetes mode needs a pool of that type.",
            "terraform_version": "A whole version such as 1.11.4, downloaded if need be; empty: what the agent has.",
            "working_directory": "The folder inside the configuration where the engine runs; empty: the top.",
            "auto_apply": "Plans by people who may confirm are applied at once; never a destroy, never a second plan.",
        }
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        pools: Any = self.fields["pool"]
        pools.queryset = Pool.objects.visible_to(user)
        pools.empty_label = "(none)"

    def keep(self) -> Workspace:
        """Store what was changed and nothing else, and return the workspace."""
        workspace: Workspace = self.instance
        edits.save(workspace, self.changed_data)
        return workspace


TASKS = [
    (TaskType.PLAN_AND_APPLY, "Plan and apply"),
    (TaskType.PLAN, "Plan only"),
    (TaskType.DESTROY, "Destroy everything"),
]


class NewTask(forms.Form):
    """A task to begin."""

    task_type = forms.ChoiceField(label="What to do", choices=TASKS, initial=TaskType.PLAN_AND_APPLY)
    description = forms.CharField(
        required=False,
        max_length=LONGEST,
        widget=forms.TextInput(attrs={"placeholder": "Why (optional)", "autocomplete": "off"}),
    )


class Lock(forms.Form):
    """A lock's reason."""

    reason = forms.CharField(
        max_length=LONGEST, widget=forms.TextInput(attrs={"placeholder": "Why", "autocomplete": "off"})
    )


class Files(forms.Form):
    """A new configuration: one file typed in, or several from disk."""

    path = forms.CharField(required=False, max_length=512, initial="main.tf", label="Path")
    text = forms.CharField(
        required=False,
        strip=False,
        label="Text",
        widget=forms.Textarea(attrs={"class": "code", "spellcheck": "false", "rows": 14}),
    )


_QUIET = {"rows": 2, "spellcheck": "false", "autocomplete": "off"}


class VariableForm(ModelForm):
    """A variable. The value of a sensitive one is never shown: left empty, it stays as it is."""

    value = forms.CharField(required=False, strip=False, widget=forms.Textarea(attrs=_QUIET))
    field_order = ["key", "value", "category", "hcl", "sensitive"]

    class Meta:
        model = Variable
        fields = ["key", "category", "hcl", "sensitive"]
        labels = {"hcl": "The value is an expression (HCL)", "sensitive": "Sensitive: never shown again"}
        help_texts = {"hcl": "", "sensitive": ""}

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self._is_secret():
            self.fields["value"].widget = Unshown(attrs=_QUIET)
        elif self.instance.pk:
            self.initial["value"] = self.instance.value()
        if self.instance.sensitive:
            self.fields["value"].help_text = "It is not shown. Leave this empty to keep it."

    def clean_value(self) -> str:
        """Return the value with the line ends that configurations have; browsers send others."""
        value: str = self.cleaned_data["value"]
        return value.replace("\r\n", "\n")

    def _is_secret(self) -> bool:
        return bool(self.instance.sensitive or (self.is_bound and self.data.get("sensitive")))

    def _post_clean(self) -> None:
        # The value is judged with the row, so it has to be there before the model's own rules are asked.
        value = self.cleaned_data.get("value", "")
        self.instance.given = None if self.instance.sensitive and not value else value
        super()._post_clean()  # type: ignore[misc] # Django's stubs leave it out

    def _get_validation_exclusions(self) -> set[str]:
        # The workspace comes from the address; the rule that a key stands there once is asked with it.
        excluded: set[str] = super()._get_validation_exclusions()  # type: ignore[misc] # the same
        return excluded - {"workspace"}
