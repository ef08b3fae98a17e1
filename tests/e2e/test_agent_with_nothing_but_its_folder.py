"""A pod's root is read-only and its user has no home: an agent, and the engines that it starts, need only its folder."""

from pathlib import Path

from tests.e2e.configurations import trivial
from tests.e2e.crew import Crew

NOWHERE = Path("/nonexistent")


def test_without_a_home_and_a_place_for_temporary_files_it_plans_and_applies(crew: Crew) -> None:
    crew.agent("bare", HOME=str(NOWHERE), TMPDIR=str(NOWHERE), XDG_STATE_HOME=str(NOWHERE))
    task = crew.workspace(trivial()).task()
    task.until("apply_pending")
    task.confirm()
    task.until("applied")
    assert not NOWHERE.exists()


def test_without_a_token_to_read_it_ends_with_a_sentence(crew: Crew) -> None:
    given = {"IAC_AGENT_TOKEN": "", "IAC_AGENT_TOKEN_FILE": str(NOWHERE / "token")}
    agent = crew.platform.agent("blind", "", connected=False, **given)
    assert agent.ended() == 2
    assert f"The token file {NOWHERE}/token cannot be read" in agent.output()
    assert "Traceback" not in agent.output()
