"""The workspaces' part of the API. What needs to know tasks is put in place above."""

from django.urls import path

from workspaces import api, state_api

urlpatterns = [
    path("workspaces", api.WorkspaceList.as_view(), name="api-workspaces"),
    path("workspaces/<str:ws>/lock", api.Lock.as_view(), name="api-workspace-lock"),
    path("workspaces/<str:ws>/unlock", api.Unlock.as_view(), name="api-workspace-unlock"),
    path("workspaces/<str:ws>/configurations", api.ConfigurationList.as_view(), name="api-configurations"),
    path(
        "workspaces/<str:ws>/configurations/<int:number>", api.ConfigurationDetail.as_view(), name="api-configuration"
    ),
    path("workspaces/<str:ws>/variables", api.VariableList.as_view(), name="api-variables"),
    path("workspaces/<str:ws>/variables/<int:pk>", api.VariableDetail.as_view(), name="api-variable"),
    path("workspaces/<str:ws>/state-versions/kept-aside", state_api.KeptStateList.as_view(), name="api-kept-states"),
    path(
        "workspaces/<str:ws>/state-versions/kept-aside/<int:pk>",
        state_api.KeptStateDetail.as_view(),
        name="api-kept-state",
    ),
    path(
        "workspaces/<str:ws>/state-versions/<int:serial>",
        state_api.StateVersionDetail.as_view(),
        name="api-state-version",
    ),
]
