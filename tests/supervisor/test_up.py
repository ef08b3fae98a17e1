import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from iacplatform.supervisor import listener
from tests import processes
from tests.e2e.surroundings import free_port
from tests.supervisor.platform import Running, up
from tests.waiting import ENOUGH_SECONDS

pytestmark = pytest.mark.slow
Eventually = Callable[..., None]
START_SECONDS = 120.0


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which platforms are up one after the other: most of a first start goes into making the database."""
    return tmp_path_factory.mktemp("platforms") / "home"


@pytest.fixture(scope="module")
def living(home: Path) -> Iterator[Callable[[], Running]]:
    """Return a function that gives the platform that is up in the folder, and starts one where a test has ended it."""
    started: list[Running] = []

    def platform() -> Running:
        if not started or started[-1].process.poll() is not None:
            started.append(ends.enter_context(up(home, "--port", "0")))
        return started[-1]

    with ExitStack() as ends:
        yield platform


@pytest.fixture
def running(living: Callable[[], Running], eventually: Eventually) -> Running:
    """A platform that has told its address."""
    platform = living()
    eventually(platform.is_ready, START_SECONDS)
    return platform


def status(address: str) -> int:
    return httpx.get(f"{address}/healthz", timeout=30, trust_env=False).status_code


def test_up_answers_when_it_says_so_and_sigterm_ends_all_of_it(tmp_path: Path, eventually: Eventually) -> None:
    with up(tmp_path / "home", "--port", "0") as first:
        eventually(first.is_ready, START_SECONDS)
        assert status(first.address) == 200
        assert "Login: user admin, password " in first.output.read_text()
        first.process.send_signal(signal.SIGTERM)
        assert first.process.wait(ENOUGH_SECONDS) == 0
        eventually(lambda: processes.of(first.home) == [])
        assert first.errors.read_text() == ""


def test_a_killed_web_server_is_started_again_at_the_same_address(running: Running, eventually: Eventually) -> None:
    before = running.child("daphne")
    os.kill(before, signal.SIGKILL)
    assert status(running.address) == 200
    assert running.child("daphne") != before


def test_a_killed_worker_leaves_nothing_of_itself_and_is_started_again(
    running: Running, eventually: Eventually
) -> None:
    before = running.child("qcluster")
    eventually(lambda: len(processes.group(before)) > 3, START_SECONDS)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: processes.group(before) == [])
    eventually(lambda: any("qcluster" in processes.arguments(pid) for pid in processes.children(running.process.pid)))


def test_a_second_up_in_the_folder_is_refused_in_one_line(running: Running) -> None:
    with up(running.home, "--port", "0") as second:
        assert second.process.wait(START_SECONDS) == 1
        assert one_line(second).startswith(f"The data folder {running.home} is in use by another")


def test_kill_9_of_up_leaves_nothing(running: Running, eventually: Eventually) -> None:
    eventually(lambda: processes.group(running.child("qcluster")), START_SECONDS)
    running.process.kill()
    running.process.wait()
    eventually(lambda: processes.of(running.home) == [])


def test_ctrl_c_during_the_start_ends_what_runs_by_then(tmp_path: Path, eventually: Eventually) -> None:
    with up(tmp_path / "home", "--port", "0") as platform:
        eventually(lambda: "database" in platform.output.read_text(), START_SECONDS)
        platform.process.send_signal(signal.SIGINT)
        assert platform.process.wait(ENOUGH_SECONDS) == 0
        eventually(lambda: processes.of(platform.home) == [])


def test_a_taken_port_is_one_line_and_nothing_is_started(tmp_path: Path) -> None:
    with listener.listen("127.0.0.1", 0) as other:
        port = other.socket.getsockname()[1]
        with up(tmp_path / "home", "--port", str(port)) as refused:
            assert refused.process.wait(START_SECONDS) == 1
            assert one_line(refused).startswith(f"Port {port} of 127.0.0.1 is taken")
            assert refused.output.read_text() == ""


def test_an_unreachable_database_is_one_line_without_its_password(tmp_path: Path) -> None:
    url = f"postgresql://user:s3cret@127.0.0.1:{free_port()}/name"
    with up(tmp_path / "home", "--port", "0", DATABASE_URL=url) as refused:
        assert refused.process.wait(START_SECONDS) == 1
        assert one_line(refused).startswith("The database of DATABASE_URL (name at 127.0.0.1:")
        assert "s3cret" not in refused.errors.read_text()


def test_a_broken_child_ends_the_platform_in_one_line(tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / "postgres" / "17").mkdir(parents=True)
    with up(home, "--port", "0") as broken:
        assert broken.process.wait(START_SECONDS) == 1
        assert "The child database ended with status 1, 3 times in a row" in one_line(broken)
        assert "holds data of PostgreSQL 17" in broken.errors.read_text()
        assert processes.of(home) == []


def one_line(ended: Running) -> str:
    lines = ended.errors.read_text().splitlines()
    assert len(lines) == 1, lines
    return lines[0]
