"""Every hint between processes is lost; the rows are the truth, so everything still completes, only later."""

import pytest

from tests.e2e.configurations import trivial
from tests.e2e.crew import Crew
from tests.e2e.work import Workspace
from tests.waiting import until

DEAF = {"DJANGO_SETTINGS_MODULE": "tests.e2e.deaf_settings", "IACPLATFORM_AGENT_LEASE_SECONDS": "12"}
"""With a heartbeat every 3 s, at which agents hear what no hint has told them."""


@pytest.mark.server(**DEAF)
def test_everything_completes_though_no_process_hears_another(crew: Crew) -> None:
    platform = crew.platform
    crew.agent("one")
    _, url = platform.another_web("deaf-web", **DEAF)
    here = platform.client(url)
    workspace = Workspace.new(here, trivial(), **crew.place)
    task = workspace.task()
    task.until("apply_pending", seconds=90)
    task.confirm()
    task.until("applied", seconds=90)


def test_a_listener_that_was_cut_off_hears_again(crew: Crew) -> None:
    crew.agent("one")
    listeners = until("somebody listens", lambda: _listeners(crew))
    for pid in listeners:
        crew.platform.sql("SELECT pg_terminate_backend(%s)", pid)
    task = crew.workspace(trivial(), auto_apply=True).task()
    task.until("applied")
    until("others listen", lambda: _listeners(crew) - listeners)


def _listeners(crew: Crew) -> set[int]:
    """Return the server processes of the connections that hear hints."""
    rows = crew.platform.sql("SELECT pid FROM pg_stat_activity WHERE application_name LIKE '%%listener%%'")
    return {pid for (pid,) in rows}
