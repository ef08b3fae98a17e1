"""What is sealed at rest: the columns of every layer, and for whom the value of a row is sealed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import BinaryField, Model, QuerySet
from django.db.models.functions import Substr

from iacplatform.base import encryption
from pools.models import K8sConfig
from tasks.models import PlanPart, TaskInput
from workspaces.models import KeptState, StateVersion, Variable


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column with sealed values. `owner` says of a row for whom its value is sealed."""

    model: type[Model]
    name: str
    owner: Callable[[Any], str]

    def __str__(self) -> str:
        return f"{self.model._meta.verbose_name} {self.name}"

    def rows(self) -> QuerySet[Any]:
        """Return the rows that have a value, each with `head`, the bytes that name its key."""
        head = Substr(self.name, 1, encryption.HEAD_BYTES, output_field=BinaryField())
        filled: QuerySet[Any] = self.model._default_manager.exclude(**{self.name: None}).annotate(head=head)
        return filled

    def older(self) -> QuerySet[Any]:
        """Narrow to rows that are not sealed with the newest key."""
        newest = encryption.newest_head()
        begins = Substr(self.name, 1, len(newest), output_field=BinaryField())
        narrowed: QuerySet[Any] = self.rows().annotate(begins=begins).exclude(begins=newest)
        return narrowed


COLUMNS = (
    Column(model=Variable, name="sealed_value", owner=lambda row: row.owner),
    Column(model=K8sConfig, name="sealed_kubeconfig", owner=lambda row: row.owner),
    Column(model=StateVersion, name="sealed_content", owner=lambda row: row.owner(row.workspace_id)),
    Column(model=KeptState, name="sealed_content", owner=lambda row: row.owner(row.workspace_id, row.task_id)),
    Column(model=TaskInput, name="sealed_variables", owner=lambda row: row.owner(row.task_id)),
    Column(model=PlanPart, name="sealed_content", owner=lambda row: row.owner(row.attempt_id, row.part)),
)
