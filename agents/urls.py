"""The agents' part of the API, and what it adds to a task's addresses."""

from django.urls import path

from agents import aftermath_api, api, pod_api
from tasks.urls import TASK

urlpatterns = [
    path("agents", api.AgentList.as_view(), name="api-agents"),
    path("agents/<str:agent_id>", api.AgentDetail.as_view(), name="api-agent"),
    path("agents/<str:agent_id>/drain", api.Drain.as_view(), name="api-agent-drain"),
    path("pools/<str:pool>/pods", pod_api.PodList.as_view(), name="api-pool-pods"),
    path(f"{TASK}/aftermath", aftermath_api.Aftermath.as_view(), name="api-task-aftermath"),
    path(f"{TASK}/evidence", aftermath_api.EvidenceView.as_view(), name="api-task-evidence"),
    path(f"{TASK}/explain", api.Explain.as_view(), name="api-task-explain"),
    path(f"{TASK}/timeline", api.TimelineOfTask.as_view(), name="api-task-timeline"),
    path(f"{TASK}/release-lock", api.ReleaseLock.as_view(), name="api-task-release-lock"),
]
