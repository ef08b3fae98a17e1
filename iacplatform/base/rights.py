"""Who may do what: Django's permissions, asked in one place.

Seeing needs the model's `view` permission, changing its `add`, `change` or `delete`; verbs name theirs. What a caller
may not see does not exist for them (404); what they see but may not do is refused (403).
"""

from typing import Any, TypeVar

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser
from django.db.models import Model, QuerySet
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from iacplatform.base.problems import Forbidden

Rows = TypeVar("Rows", bound=QuerySet[Any])

_VERB_OF_METHOD = {"POST": "add", "PUT": "change", "PATCH": "change", "DELETE": "delete"}


def name(verb: str, model: type[Model]) -> str:
    """Return the permission's name, e.g. `tasks.view_task`."""
    return f"{model._meta.app_label}.{verb}_{model._meta.model_name}"


def narrow(rows: Rows, user: AbstractBaseUser | AnonymousUser) -> Rows:
    """Return the rows when `user` may see rows of this model, else none of them."""
    return rows if may(user, name("view", rows.model)) else rows.none()


def may(user: Any, permission: str) -> bool:
    """Return whether `user` is active and holds `permission`."""
    return bool(user.is_active and user.has_perm(permission))


def demand(user: Any, permission: str) -> None:
    """Raise `Forbidden` unless `user` holds `permission`."""
    if not may(user, permission):
        raise Forbidden(f"You need the permission {permission}; ask an administrator for it.")


class ModelRights(BasePermission):
    """A logged-in caller; writing to a view with a `rights_model` needs that model's permission.

    A view may set `rights_verb` (e.g. `confirm`) for the one verb that it does.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Return False for strangers; raise `Forbidden`, which names the permission, for callers who lack it."""
        if not request.user.is_authenticated:
            return False
        model = getattr(view, "rights_model", None)
        verb = getattr(view, "rights_verb", None) or _VERB_OF_METHOD.get(request.method or "")
        if model is not None and verb:
            demand(request.user, name(verb, model))
        return True
