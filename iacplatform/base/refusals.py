"""What the exceptions of Django, DRF and PostgreSQL mean in the platform's words."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from django.core.exceptions import (
    NON_FIELD_ERRORS,
    ObjectDoesNotExist,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.core.exceptions import ValidationError as ModelInvalid
from django.db import DatabaseError
from django.db.models import ProtectedError, RestrictedError
from django.http import Http404
from rest_framework import exceptions

from iacplatform.base import database_refusals, encryption
from iacplatform.base.problems import Errors, Forbidden, InUse, Invalid, NotFound, Problem, TooLarge

WHOLE = "non_field_errors"
"""Where sentences stand that belong to no single field."""

_GONE = "There is nothing here, or nothing that you may see."


def as_problem(error: Exception) -> Problem | None:
    """Return what the exception means to the caller; None: it is a fault of ours."""
    if isinstance(error, Problem):
        return error
    return next((make(error) for kinds, make in _MEANINGS if isinstance(error, kinds)), None)


def _invalid(error: exceptions.ValidationError) -> Problem:
    return _of_fields(dict(_flat(error.detail)))


def _model_invalid(error: ModelInvalid) -> Problem:
    by_field = error.message_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.messages}
    return _of_fields({WHOLE if name == NON_FIELD_ERRORS else name: texts for name, texts in by_field.items()})


def _of_fields(errors: Errors) -> Problem:
    first = next(iter(errors.items()), (WHOLE, ["The request is not valid."]))
    detail = first[1][0] if first[0] == WHOLE else f"{first[0]}: {first[1][0]}"
    return Invalid(detail, errors=errors)


def _flat(detail: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Yield dotted field names with their sentences, from DRF's nested lists and dictionaries."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            yield from _flat(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(detail, list) and any(isinstance(each, Mapping | list) for each in detail):
        for number, inner in enumerate(detail):
            yield from _flat(inner, f"{path}.{number}" if path else str(number))
    elif detail:
        yield path or WHOLE, [str(each) for each in (detail if isinstance(detail, list) else [detail])]


def _media_type(error: exceptions.UnsupportedMediaType) -> Problem:
    detail = "This address takes application/json: send that as the Content-Type, and a JSON body."
    return Problem(detail, code="unsupported_media_type", status=error.status_code)


def _of_drf(error: exceptions.APIException) -> Problem:
    headers = {"WWW-Authenticate": header} if (header := getattr(error, "auth_header", "")) else {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    code = error.get_codes()
    detail = " ".join(texts[0] for _, texts in _flat(error.detail))
    return Problem(detail, code=code if isinstance(code, str) else "error", status=error.status_code, headers=headers)


def _protected(error: ProtectedError | RestrictedError) -> Problem:
    rows = error.protected_objects if isinstance(error, ProtectedError) else error.restricted_objects
    names = sorted({f"{row._meta.verbose_name} {row}" for row in rows})
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return InUse(f"It is still needed by {', '.join(names[:5])}{more}: remove or change that first.")


def _too_large(_: Exception) -> Problem:
    return TooLarge("The body is larger than this address takes.")


def _gone(error: ObjectDoesNotExist) -> Problem | None:
    # A row that lacks its companion (this error is an AttributeError too) is a fault of ours.
    return None if isinstance(error, AttributeError) else NotFound("It was deleted a moment ago.")


def _unreadable(error: encryption.Unreadable) -> Problem:
    detail = f"A stored value cannot be opened. {error} manage.py doctor names every key that is missing."
    return Problem(detail, status=500, code="value_unreadable")


_MEANINGS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], Problem | None]], ...] = (
    (exceptions.ValidationError, _invalid),
    (exceptions.UnsupportedMediaType, _media_type),
    (exceptions.APIException, _of_drf),
    (ModelInvalid, _model_invalid),
    (ObjectDoesNotExist, _gone),
    (encryption.Unreadable, _unreadable),
    (Http404, lambda _: NotFound(_GONE)),
    (PermissionDenied, lambda error: Forbidden(str(error) or "You may not do this.")),
    ((ProtectedError, RestrictedError), _protected),
    (DatabaseError, database_refusals.as_problem),
    (RequestDataTooBig, _too_large),
    (SuspiciousOperation, lambda _: Invalid("The request cannot be understood.")),
)
