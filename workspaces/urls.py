"""The workspaces' part of the API. What needs to know tasks is put in place above."""

from django.urls import path

from workspaces import api, configuration_api, state_api, state_contents_api

_VERSION = "workspaces/<str:ws>/state-versions/<int:serial>"

_VERSIONS = "workspaces/<str:ws>/configurations"

urlpatterns = [
    path("workspaces", api.WorkspaceList.as_view(), name="api-workspaces"),
    path("workspaces/<str:ws>/lock", api.Lock.as_view(), name="api-workspace-lock"),
    path("workspaces/<str:ws>/unlock", api.Unlock.as_view(), name="api-workspace-unlock"),
    path(_VERSIONS, configuration_api.ConfigurationList.as_view(), name="api-configurations"),
    path(f"{_VERSIONS}/<int:number>", configuration_api.ConfigurationDetail.as_view(), name="api-configuration"),
    path(
        f"{_VERSIONS}/<int:number>/download",
        configuration_api.ConfigurationDownload.as_view(),
        name="api-configuration-download",
    ),
    path(
        f"{_VERSIONS}/<int:number>/difference",
        configuration_api.ConfigurationDifference.as_view(),
        name="api-configuration-difference",
    ),
    path("workspaces/<str:ws>/variables", api.VariableList.as_view(), name="api-variables"),
    path("workspaces/<str:ws>/variables/<int:pk>", api.VariableDetail.as_view(), name="api-variable"),
    path("workspaces/<str:ws>/state-versions/kept-aside", state_api.KeptStateList.as_view(), name="api-kept-states"),
    path(
        "workspaces/<str:ws>/state-versions/kept-aside/<int:pk>",
        state_api.KeptStateDetail.as_view(),
        name="api-kept-state",
    ),
    path(_VERSION, state_api.StateVersionDetail.as_view(), name="api-state-version"),
    path(f"{_VERSION}/outputs", state_contents_api.Outputs.as_view(), name="api-state-outputs"),
    path(f"{_VERSION}/resources", state_contents_api.Resources.as_view(), name="api-state-resources"),
    path(f"{_VERSION}/difference", state_contents_api.Difference.as_view(), name="api-state-difference"),
]
