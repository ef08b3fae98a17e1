"""A stopped attempt whose engine has run tells what it did: its whole log, its result, the state it could not store."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from agents.protocol import Finished, Stop
from tests import processes
from tests.runner.conftest import REPOSITORY, _environment
from tests.runner.http_side import TOKEN, State
from tests.runner.scene import Scene
from tests.waiting import ENOUGH_SECONDS

STATE = "/api/v1/workspaces/ws-0123456789/state"
FOLDER = Path("tasks") / "1"
ERRORED = FOLDER / "config" / "errored.tfstate"
IMPATIENT = """
import sys
from agents.runner import agent, control
agent.EVIDENCE_SECONDS = control.EVIDENCE_SECONDS = 0.5
from agents.runner.__main__ import main
sys.exit(main())
"""


def stop(scene: Scene) -> None:
    scene.platform.tell(Stop(task=1, epoch=2, reason="A person marked it as failed."))


def gone(scene: Scene, workdir: Path) -> None:
    scene.eventually(lambda: not (workdir / FOLDER).exists())


@pytest.mark.usefixtures("fake_agent")
def test_the_log_comes_to_its_end_and_the_result_says_what_happened(scene: Scene, workdir: Path) -> None:
    scene.platform.offer(scene.applying(seconds=60, tick="tick"))
    scene.eventually(lambda: "tick" in scene.platform.log(1, 2))
    stop(scene)
    result = scene.result(1, 2)
    assert (result.outcome, result.error_code, result.exit_code) == ("cancelled", "stopped", 1)
    assert "Stopped during apply" in result.error_message and result.error_message in scene.platform.log(1, 2)
    assert result.log_bytes == len(scene.platform.log(1, 2).encode())
    assert scene.signals() == ["apply"]
    gone(scene, workdir)


@pytest.mark.usefixtures("fake_agent")
def test_an_apply_that_ends_well_all_the_same_is_said_to_be_applied(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=60, on_interrupt=0, tick="tick"))
    scene.eventually(lambda: "tick" in scene.platform.log(1, 2))
    stop(scene)
    assert scene.result(1, 2).outcome == "applied"


@pytest.mark.usefixtures("fake_agent")
def test_what_ended_in_an_outage_and_is_not_kept_is_brought_all_the_same(scene: Scene, workdir: Path) -> None:
    scene.platform.offer(scene.applying(until=scene.gate(), tick="tick"))
    engine = scene.process_of("apply")
    scene.platform.cut()
    scene.eventually(lambda: not scene.platform.is_connected)
    scene.open_gate()
    scene.eventually(lambda: not processes.alive(engine))
    scene.platform.keeps = lambda work: False
    scene.platform.mend()
    result = scene.result(1, 2)
    assert result.outcome == "applied" and result.log_bytes == len(scene.platform.log(1, 2).encode())
    assert scene.signals() == []
    gone(scene, workdir)


@pytest.mark.usefixtures("fake_agent")
def test_it_is_said_again_until_it_is_received(scene: Scene) -> None:
    scene.platform.offer(scene.applying(seconds=60))
    scene.wait_for_start("apply")
    scene.platform.acknowledges = False
    stop(scene)
    scene.eventually(scene.signals)
    scene.platform.drop()
    scene.eventually(lambda: scene.platform.welcomes > 1)
    scene.eventually(lambda: scene.platform.work() == ())
    scene.platform.acknowledges = True
    assert scene.result(1, 2).error_code == "stopped"


@pytest.mark.usefixtures("fake_agent")
def test_a_state_that_could_not_be_stored_is_brought_and_then_leaves_the_agent(scene: Scene, workdir: Path) -> None:
    job = scene.applying(seconds=60, touch="errored.tfstate")
    state = scene.platform.store.states.setdefault(STATE, State())
    state.is_over = True
    scene.platform.offer(job)
    scene.eventually((workdir / ERRORED).is_file)
    stop(scene)
    scene.result(1, 2)
    assert state.kept == [b"made by the plan"]
    assert "It is kept aside." in scene.platform.log(1, 2)
    gone(scene, workdir)


@pytest.mark.usefixtures("fake_agent")
def test_the_first_state_of_a_workspace_is_named_as_terraform_would(scene: Scene, workdir: Path) -> None:
    """Without the server's first answer terraform leaves it without lineage, and no server could store that."""
    unnamed = '{\n  "version": 4,\n  "serial": 0,\n  "lineage": "",\n  "x": 1.10}'
    job = scene.applying(exit=1, touch="errored.tfstate", holds=unnamed)
    assert scene.run(job).outcome == "failed"
    stored = scene.platform.store.states[STATE].body
    assert json.loads(stored)["serial"] == 1 and len(json.loads(stored)["lineage"]) == len(str(uuid4()))
    assert stored.endswith(b'"x": 1.10}')
    gone(scene, workdir)


@pytest.mark.usefixtures("fake_agent")
def test_a_state_that_nobody_takes_stays_on_the_agent(scene: Scene, workdir: Path) -> None:
    job = scene.applying(seconds=60, touch="errored.tfstate")
    scene.platform.offer(job)
    scene.eventually((workdir / ERRORED).is_file)
    scene.platform.store.closed.add(f"{TOKEN}1-2")
    stop(scene)
    assert scene.result(1, 2).error_code == "stopped"
    assert "stays on the agent" in scene.platform.log(1, 2)
    assert (workdir / ERRORED).is_file()


@pytest.mark.usefixtures("fake_agent")
def test_where_no_engine_has_run_there_is_nothing_to_tell(scene: Scene) -> None:
    scene.platform.store.is_broken = True
    scene.platform.offer(scene.job())
    scene.eventually(scene.platform.work)
    scene.platform.tell(Stop(task=1, epoch=1, reason="somebody else has it"))
    scene.eventually(lambda: scene.platform.work() == ())
    scene.platform.store.is_broken = False
    assert scene.run(scene.job(2)).outcome == "planned"
    assert not [said for said in scene.platform.said(Finished) if said.task == 1]


def test_a_newer_attempt_in_its_folder_takes_nothing_from_its_log(
    scene: Scene, start_agent: Callable[..., Any]
) -> None:
    start_agent(PATH=scene.path, IAC_AGENT_CAPACITY="2")
    scene.platform.offer(scene.job(behaviour={"plan": {"seconds": 60, "print": "of the older\n"}}))
    scene.eventually(lambda: "of the older" in scene.platform.log(1, 1))
    scene.platform.acknowledges = False
    scene.platform.offer(scene.job(epoch=2, behaviour={"plan": {"print": "of the newer\n"}}))
    scene.eventually(lambda: scene.starts().count("plan") == 2)
    scene.platform.acknowledges = True
    older, newer = scene.result(1, 1), scene.result(1, 2)
    assert (older.error_code, newer.outcome) == ("stopped", "planned")
    for epoch, result in ((1, older), (2, newer)):
        assert result.log_bytes == len(scene.platform.log(1, epoch).encode())
    assert "of the newer" not in scene.platform.log(1, 1) and "of the older" not in scene.platform.log(1, 2)


def test_a_leaving_agent_brings_it_first(scene: Scene, fake_agent: Any) -> None:
    scene.platform.offer(scene.applying(seconds=60))
    scene.wait_for_start("apply")
    stop(scene)
    fake_agent.terminate()
    fake_agent.communicate(timeout=ENOUGH_SECONDS)
    assert scene.platform.result(1, 2) is not None and fake_agent.returncode == 0


@pytest.fixture
def impatient(scene: Scene, workdir: Path, eventually: Callable[..., None]) -> Iterator[subprocess.Popen[str]]:
    """An agent that tries for half a second to bring its evidence."""
    environment = _environment(scene.platform, workdir) | {"PATH": scene.path}
    command = [sys.executable, "-c", IMPATIENT]
    agent = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True)
    eventually(lambda: scene.platform.welcomes)
    yield agent
    agent.kill()
    agent.communicate()


def test_what_nobody_takes_holds_the_agent_up_for_a_bounded_time(
    scene: Scene, impatient: subprocess.Popen[str], workdir: Path
) -> None:
    scene.platform.offer(scene.applying(seconds=60))
    scene.wait_for_start("apply")
    scene.platform.acknowledges = False
    stop(scene)
    impatient.terminate()
    impatient.communicate(timeout=ENOUGH_SECONDS)
    assert impatient.returncode == 0
    assert scene.platform.result(1, 2) is None
    assert (workdir / FOLDER / "run" / "log").is_file()
