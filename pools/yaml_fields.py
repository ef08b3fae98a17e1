"""Objects and lists in forms, typed as people know them from manifests: YAML, of which JSON is a part."""

from typing import Any

import yaml
from django import forms
from django.core.exceptions import ValidationError

from pools.kubeconfig import UNREADABLE

LONGEST = 64 * 1024


class _NoAliases:
    """Takes no aliases: a few lines of them, merged into one another, fill the memory."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the node, or raise where it is an alias."""
        if self.check_event(yaml.AliasEvent):  # type: ignore[attr-defined] # of the loader that it is part of
            raise yaml.YAMLError
        return super().compose_node(parent, index)  # type: ignore[misc] # the same


class _Texts(_NoAliases, yaml.BaseLoader):
    """Reads every value as a text: `cpu: 1` means "1"."""


class _Values(_NoAliases, yaml.SafeLoader):
    """Reads numbers as numbers."""


class YamlField(forms.CharField):
    """An object or a list. `empty` makes what nothing typed stands for; `texts`: every value in it is a text."""

    def __init__(
        self, *, empty: type, texts: bool = True, example: str, note: str = "", rows: int = 3, **options: Any
    ) -> None:
        shown = {"rows": rows, "class": "code", "spellcheck": "false", "autocomplete": "off"}
        help_text = f"YAML or JSON, for example {example}{note}"
        super().__init__(required=False, help_text=help_text, widget=forms.Textarea(attrs=shown), **options)
        self._empty = empty
        self._loader = _Texts if texts else _Values

    def prepare_value(self, value: Any) -> Any:
        """Return what was typed, or the stored value as YAML; an empty one is nothing."""
        if isinstance(value, str):
            return value
        return yaml.safe_dump(value, allow_unicode=True, sort_keys=False).strip() if value else ""

    def to_python(self, value: Any) -> Any:
        """Return what the text means; raise with the place where it means nothing."""
        text = super().to_python(value) or ""
        if len(text) > LONGEST:
            raise ValidationError(f"Give at most {LONGEST:,} characters.")
        try:
            parsed = yaml.load(text, Loader=self._loader)  # noqa: S506 - both are safe loaders
        except UNREADABLE as error:
            raise ValidationError(_fault(error)) from error
        return self._empty() if parsed is None or parsed == "" else parsed

    def run_validators(self, value: Any) -> None:
        """Ask nothing more: the model judges the value."""

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether the text means something else than the stored value."""
        try:
            return bool(self.to_python(data) != (initial or self._empty()))
        except ValidationError:
            return True


def _fault(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f", in line {mark.line + 1}" if mark else ""
    return f"This is neither YAML without aliases nor JSON{where}."
