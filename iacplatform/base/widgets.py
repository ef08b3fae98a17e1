"""Form fields that any page may use."""

from typing import Any

from django import forms


class Unshown(forms.Textarea):
    """A field whose content is never sent back to the browser."""

    def format_value(self, value: Any) -> str:
        """Return nothing."""
        return ""
