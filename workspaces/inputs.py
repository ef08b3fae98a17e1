"""What a task takes from its workspace when it is made: the newest configuration and the variables.

These two are of one moment, that in which the request came. Where it had to wait for the workspace's lock, the columns
of the workspace are those of when it got it: PostgreSQL reads only the locked row again.
"""

from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import Expression, F, OuterRef, Subquery
from django.db.models.functions import JSONObject

from workspaces.models import Configuration, Variable, Workspace
from workspaces.models.workspace import pool_now

_COLUMNS = ("key", "category", "hcl", "sensitive", "sealed_value")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """`workspace`: its row is locked, and as it is now. `configuration_id`: None where nothing was uploaded yet; it and
    `variables` are those of when the request came."""

    workspace: Workspace
    pool_id: str | None
    configuration_id: int | None
    variables: list[Variable]


def locked(workspace_id: str, **columns: Expression) -> Inputs:
    """Return the inputs, with the workspace locked for a change, in one query. Raises `NotFound`.

    `columns`: what else the workspace's row is to show.
    """
    newest = Configuration.objects.newest_first(OuterRef("pk")).values("pk")[:1]
    rows = Workspace.objects.annotate(newest=Subquery(newest), known=_variables(), pool_now=pool_now(), **columns)
    workspace: Any = rows.locked_for_change(workspace_id)
    variables = [_variable(workspace, row) for row in workspace.known]
    found = {"pool_id": workspace.pool_now, "configuration_id": workspace.newest}
    return Inputs(workspace=workspace, variables=variables, **found)


def _variables() -> ArraySubquery:
    rows = Variable.objects.filter(workspace=OuterRef("pk")).order_by("category", "key")
    return ArraySubquery(rows.values(row=JSONObject(**{name: F(name) for name in _COLUMNS})))


def _variable(workspace: Workspace, row: dict[str, Any]) -> Variable:
    sealed = bytes.fromhex(row["sealed_value"].removeprefix("\\x"))  # as PostgreSQL writes bytes in JSON
    return Variable(**{**row, "workspace": workspace, "sealed_value": sealed})
