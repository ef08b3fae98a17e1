"""The tasks' part of the API. What needs to know agents (`explain`, `release-lock`) is in `agents.urls`."""

from django.urls import path

from tasks.api import contents, rows, verbs

TASK = "workspaces/<str:ws>/tasks/<int:task_id>"

urlpatterns = [
    path("tasks", rows.TaskList.as_view(), name="api-tasks"),
    path("tasks/<int:task_id>", rows.TaskDetail.as_view(), name="api-task"),
    path("workspaces/<str:ws>/tasks", rows.TasksOfWorkspace.as_view(), name="api-workspace-tasks"),
    path(TASK, rows.TaskDetail.as_view(), name="api-workspace-task"),
    path(f"{TASK}/confirm-apply", verbs.ConfirmApply.as_view(), name="api-task-confirm-apply"),
    path(f"{TASK}/discard", verbs.Discard.as_view(), name="api-task-discard"),
    path(f"{TASK}/cancel", verbs.Cancel.as_view(), name="api-task-cancel"),
    path(f"{TASK}/force-cancel", verbs.ForceCancel.as_view(), name="api-task-force-cancel"),
    path(f"{TASK}/retry", verbs.Retry.as_view(), name="api-task-retry"),
    path(f"{TASK}/mark-failed", verbs.MarkFailed.as_view(), name="api-task-mark-failed"),
    path(f"{TASK}/events", contents.Events.as_view(), name="api-task-events"),
    path(f"{TASK}/log", contents.Log.as_view(), name="api-task-log"),
    path(f"{TASK}/plan", contents.PlanJSON.as_view(), name="api-task-plan"),
]
