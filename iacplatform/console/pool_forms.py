"""What people fill in about a pool, and its freeze windows row by row. Which values are right, the models say."""

import json
from collections.abc import Sequence
from typing import Any
from zoneinfo import available_timezones

from django import forms

from iacplatform.base.generic import BaseFormSet, ModelForm
from iacplatform.base.problems import Problem
from iacplatform.console.windows import NAMES, sentence
from pools import freeze
from pools.models import K8sConfig, Pool, PoolType

OF_PODS = ("k8s_config", "min_replicas", "max_replicas", "slots_per_pod", "idle_seconds")
"""Fields that mean something only where we start pods."""
MOST_WINDOWS = 50
BEFORE = "windows-before"
"""Names the field with the windows that a form was made from."""


class WindowsChanged(Problem):
    """Somebody else changed a pool's freeze windows while this form was filled in."""

    code = "windows_changed"


class PoolForm(ModelForm):
    """A pool's settings without its freeze windows. The type of one that exists is fixed."""

    class Meta:
        model = Pool
        fields = ["name", "pool_type", *OF_PODS, "reservation_seconds"]
        labels = {
            "pool_type": "Who starts its agents",
            "k8s_config": "K8s config",
            "min_replicas": "Pods at least",
            "max_replicas": "Pods at most",
            "slots_per_pod": "Slots of each pod",
            "idle_seconds": "Seconds until an idle pod goes",
            "reservation_seconds": "Seconds that a slot is kept after a plan",
        }
        help_texts = {
            "name": "Letters, digits, dashes and underscores.",
            "pool_type": "It never changes: make another pool to change it.",
            "k8s_config": "The cluster, and what a pod looks like there.",
            "min_replicas": "So many are there outside freeze windows, also without work.",
            "max_replicas": "Lowering it takes no pod away that holds work.",
            "slots_per_pod": "Tasks at once in each new pod; they can read each other's files.",
            "reservation_seconds": "The plan stays when the time is over; it is then applied on any slot.",
        }

    def __init__(self, *args: Any, user: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        fields: Any = self.fields
        fields["pool_type"].choices = [(PoolType.STATIC, "people"), (PoolType.K8S, "the platform, in Kubernetes")]
        fields["k8s_config"].queryset = K8sConfig.objects.visible_to(user)
        fields["k8s_config"].empty_label = "(none)"
        if not self.instance._state.adding:
            self._settle(fields)

    def clean_k8s_config(self) -> K8sConfig | None:
        """Return the config; of a static pool, whose form does not show the field, none."""
        is_static = self.cleaned_data.get("pool_type") == PoolType.STATIC
        return None if is_static else self.cleaned_data["k8s_config"]

    def keep(self, windows: "Windows") -> Pool:
        """Store what was changed and nothing else, and return the pool. Raises `WindowsChanged`.

        Within a transaction.
        """
        pool: Pool = self.instance
        if pool._state.adding:
            pool.freeze_windows = windows.given()
            pool.save()
            return pool
        stored = Pool.objects.select_for_update(no_key=True).get(pk=pool.pk)
        pool.freeze_windows = windows.upon(stored.freeze_windows)
        pool.save(update_fields=[*self.changed_data, "freeze_windows"])
        return pool

    def _settle(self, fields: dict[str, Any]) -> None:
        """Take away what a pool that exists cannot change or does not have."""
        fields["pool_type"].disabled = True
        fields["name"].disabled = self.instance.is_local
        if self.instance.pool_type == PoolType.STATIC:
            for name in OF_PODS:
                del fields[name]


class WindowForm(forms.Form):
    """A freeze window; a row that was left as it was means nothing."""

    days = forms.MultipleChoiceField(
        required=False, choices=list(NAMES.items()), widget=forms.CheckboxSelectMultiple, label="Days"
    )
    start = forms.CharField(required=False, label="From", widget=forms.TextInput(attrs={"type": "time"}))
    end = forms.CharField(required=False, label="To", widget=forms.TextInput(attrs={"type": "time"}))
    timezone = forms.CharField(
        required=False, initial="UTC", label="Time zone", widget=forms.TextInput(attrs={"list": "timezones"})
    )


class Windows(BaseFormSet):
    """The freeze windows of a pool, with an empty row for another one.

    `before`: the windows that were stored when the form was shown, as JSON; empty: it does not say.
    """

    before = ""

    @property
    def timezones(self) -> list[str]:
        """The names that a zone may have, to choose from."""
        return sorted(name for name in available_timezones() if "/" in name or name == "UTC")

    def clean(self) -> None:
        """Raise where the windows break a rule of theirs."""
        freeze.validate(self.given())

    def given(self) -> list[dict[str, Any]]:
        """Return the windows as a pool keeps them."""
        filled = [form for form in self.initial_forms if form not in self.deleted_forms]
        added = [form for form in self.extra_forms if form.has_changed()]
        return [_window(form.cleaned_data) for form in [*filled, *added]]

    def upon(self, stored: list[freeze.Window]) -> list[freeze.Window]:
        """Return what is to be stored where these windows are now.

        Raises `WindowsChanged` where both this form and somebody else changed what it was made from; given once more,
        the form takes the place of what is stored now.
        """
        typed: list[freeze.Window] = list(self.given())
        if self.before in {"", _as_json(stored)} or typed == stored:
            return typed
        if self.before == _as_json(typed):
            return stored
        self.before = _as_json(stored)
        now = "; ".join(map(sentence, stored)) or "none"
        raise WindowsChanged(
            f"Somebody else changed the freeze windows meanwhile; they are now: {now}. Nothing of this form is stored "
            "yet: save it again to put its windows in their place, or leave it and open the settings anew."
        )


_WindowSet: Any = forms.formset_factory(WindowForm, formset=Windows, extra=1, can_delete=True, max_num=MOST_WINDOWS)


def windows(pool: Pool | None, data: Any = None) -> Windows:
    """Return the rows of the pool's windows, or what was typed in them."""
    stored = pool.freeze_windows if pool and data is None else []
    made: Windows = _WindowSet(data, prefix="windows", initial=stored)
    made.before = _as_json(stored) if data is None else data.get(BEFORE, "")
    return made


def _as_json(windows: Sequence[freeze.Window]) -> str:
    return json.dumps(windows, sort_keys=True)


def _window(typed: dict[str, Any]) -> dict[str, Any]:
    return {name: typed.get(name, "") for name in sorted(freeze.FIELDS)}
