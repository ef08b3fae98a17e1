"""Every address of the platform. An app's own `urls.py` lists its part of the API; here it is put together."""

from typing import Any

from django.contrib import admin
from django.urls import include, path
from rest_framework.authentication import SessionAuthentication

from agents import removal as pool_removal
from iacplatform import api, documents, probes
from iacplatform.base.authentication import BearerToken, TokenAsPassword
from pools.api import PoolDetail
from tasks import removal as workspace_removal
from tasks.authentication import AttemptAuthentication
from workspaces.api import WorkspaceDetail
from workspaces.state_api import Rollback, State, StateVersionList

STATE = State.as_view(
    authentication_classes=[AttemptAuthentication, BearerToken, TokenAsPassword, SessionAuthentication]
)
UPLOADS = StateVersionList.as_view(demand_idle=workspace_removal.demand_idle)
ROLLBACK = Rollback.as_view(demand_idle=workspace_removal.demand_idle)

API: list[Any] = [
    path("pools/<str:pool>", PoolDetail.as_view(remove=pool_removal.remove), name="api-pool"),
    path("workspaces/<str:ws>", WorkspaceDetail.as_view(remove=workspace_removal.remove), name="api-workspace"),
    path("workspaces/<str:ws>/state", STATE, name="api-state"),
    path("workspaces/<str:ws>/state-versions", UPLOADS, name="api-state-versions"),
    path("workspaces/<str:ws>/state-versions/<int:serial>/rollback", ROLLBACK, name="api-state-rollback"),
    path("", include("pools.urls")),
    path("", include("workspaces.urls")),
    path("", include("tasks.urls")),
    path("", include("agents.urls")),
]

urlpatterns = [
    path("healthz", probes.healthz, name="healthz"),
    path("readyz", probes.readyz, name="readyz"),
    path("metrics", probes.metrics, name="metrics"),
    path("api/v1/", include(API)),
    path("agents/v1/", include("agents.attempt_urls")),
    path("api/schema/", documents.Schema.as_view(), name="schema"),
    path("api/docs/", documents.Browser.as_view(url_name="schema"), name="docs"),
    path("admin/", admin.site.urls),
    path("", include("iacplatform.console.urls")),
]

admin.site.site_header = admin.site.site_title = "IaC Platform"
admin.site.index_title = "Every table, for administrators"

handler400 = api.bad_request
handler403 = api.forbidden
handler404 = api.not_found
handler500 = api.server_error
