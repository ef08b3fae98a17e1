"""Rules about single values that models, forms and serializers share."""

from django.core.exceptions import ValidationError

from iacplatform.base import ids


def name(value: str) -> None:
    """Raise unless `value` is 1-90 letters, digits, dashes and underscores without a leading dash."""
    if not ids.NAME.fullmatch(value):
        raise ValidationError(
            "Use 1 to 90 letters, digits, dashes and underscores; a name cannot start with a dash.", code="name"
        )
