from tasks.models.attempt import Attempt
from tasks.models.event import TaskEvent
from tasks.models.late_result import LateResult
from tasks.models.log import LogChunk
from tasks.models.plan import Plan, PlanPart
from tasks.models.task import Task, TaskInput

__all__ = ["Attempt", "LateResult", "LogChunk", "Plan", "PlanPart", "Task", "TaskEvent", "TaskInput"]
