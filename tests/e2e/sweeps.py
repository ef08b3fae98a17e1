"""The sweep of a real platform, to be waited for."""

from functools import partial

from tests.e2e.crew import Crew
from tests.waiting import until


def let_them_run(crew: Crew, *, times: int) -> None:
    """Return after so many more sweeps."""
    for _ in range(times):
        until("the sweep has run", partial(_has_run_since, crew, _last(crew)))


def _last(crew: Crew) -> object:
    return crew.platform.sql("SELECT at FROM base_beat WHERE name = 'sweep'")


def _has_run_since(crew: Crew, before: object) -> bool:
    return _last(crew) != before
