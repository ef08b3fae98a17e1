"""News of tasks; `iacplatform.base.news` sends it."""

from django.dispatch import Signal

task_moved = Signal()
"""After every move: `task_id`, `workspace_id`, `event`, `status`, whether it `queues` in its workspace, and `agent_id`,
whose slot it holds or held; `pool_id`, the pool that its workspace names, where that was read already."""
