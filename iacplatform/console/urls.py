"""The console's addresses, as in the contract; parts of a page and the forms on it stand below the page."""

from django.urls import path

from iacplatform.console import (
    agents,
    configurations,
    k8s_configs,
    locks,
    logs,
    now,
    pool_settings,
    pool_tokens,
    pools,
    session,
    settings,
    states,
    tasks,
    variables,
    versions,
    workspaces,
)

app_name = "console"

_WS = "workspaces/<str:ws>"
_TASK = f"{_WS}/tasks/<int:task_id>"
_CONFIG = "k8s-configs/<int:config_id>"

urlpatterns = [
    path("", now.now, name="now"),
    path("login/", session.login, name="login"),
    path("logout/", session.logout, name="logout"),
    path("tasks/", tasks.index, name="tasks"),
    path("workspaces/", workspaces.index, name="workspaces"),
    path("workspaces/new", settings.create, name="workspace_new"),
    path(_WS, workspaces.overview, name="workspace"),
    path(f"{_WS}/settings", settings.change, name="settings"),
    path(f"{_WS}/lock", locks.lock, name="lock"),
    path(f"{_WS}/unlock", locks.unlock, name="unlock"),
    path(f"{_WS}/configurations", configurations.index, name="configurations"),
    path(f"{_WS}/configurations/<int:number>", versions.detail, name="configuration"),
    path(f"{_WS}/configurations/<int:number>/difference", versions.difference, name="difference"),
    path(f"{_WS}/variables", variables.index, name="variables"),
    path(f"{_WS}/variables/<int:variable_id>", variables.change, name="variable"),
    path(f"{_WS}/variables/<int:variable_id>/delete", variables.delete, name="variable_delete"),
    path(f"{_WS}/state-versions", states.index, name="states"),
    path(f"{_WS}/state-versions/<int:serial>", states.detail, name="state"),
    path(f"{_WS}/state-versions/<int:serial>/rollback", states.roll_back, name="state_rollback"),
    path(f"{_WS}/tasks", tasks.create, name="task_create"),
    path(_TASK, tasks.detail, name="task"),
    path(f"{_TASK}/live", tasks.live, name="task_live"),
    path(f"{_TASK}/timeline", tasks.timeline, name="timeline"),
    path(f"{_TASK}/log/<str:phase>", logs.tail, name="log"),
    path(f"{_TASK}/<str:action>", tasks.act, name="task_action"),
    path("pools/", pools.index, name="pools"),
    path("pools/new", pool_settings.create, name="pool_new"),
    path("pools/<str:pool_id>", pools.detail, name="pool"),
    path("pools/<str:pool_id>/settings", pool_settings.change, name="pool_settings"),
    path("pools/<str:pool_id>/live", pools.live, name="pool_live"),
    path("pools/<str:pool_id>/unfreeze", pools.unfreeze, name="pool_unfreeze"),
    path("pools/<str:pool_id>/delete", pools.delete, name="pool_delete"),
    path("pools/<str:pool_id>/tokens", pool_tokens.issue, name="token_issue"),
    path("pools/<str:pool_id>/tokens/<int:token_id>/revoke", pool_tokens.revoke, name="token_revoke"),
    path("k8s-configs/", k8s_configs.index, name="k8s_configs"),
    path("k8s-configs/new", k8s_configs.create, name="k8s_config_new"),
    path(_CONFIG, k8s_configs.detail, name="k8s_config"),
    path(f"{_CONFIG}/settings", k8s_configs.change, name="k8s_config_settings"),
    path(f"{_CONFIG}/check", k8s_configs.check, name="k8s_config_check"),
    path(f"{_CONFIG}/delete", k8s_configs.delete, name="k8s_config_delete"),
    path("agents/", agents.index, name="agents"),
    path("agents/<str:agent_id>/drain", agents.drain, name="agent_drain"),
]
