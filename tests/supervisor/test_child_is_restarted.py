import io
import os
import signal
from functools import partial

from iacplatform.supervisor.keeper import Keeper
from iacplatform.supervisor.supervisor import Supervisor
from tests import processes
from tests.supervisor.conftest import MakeService
from tests.waiting import becomes_true

STEADY = "import time; print('ready', flush=True); time.sleep(600)"
FORKING = """
import os, time
if forked := os.fork():
    print("forked", forked)
    print("ready", flush=True)
time.sleep(600)
"""
CHATTY = """
import sys, time
print("one")
print("two", file=sys.stderr)
print("ready", flush=True)
time.sleep(600)
"""


def is_another(keeper: Keeper, before: int) -> bool:
    return pid(keeper) != before


def pid(keeper: Keeper) -> int:
    assert keeper.process is not None
    return keeper.process.pid


async def test_a_killed_child_is_started_again(
    supervisor: Supervisor, child: MakeService, written: io.StringIO
) -> None:
    keeper = supervisor.start(child(STEADY, name="web"))
    await supervisor.until_it_works(keeper)
    first = pid(keeper)
    os.kill(first, signal.SIGKILL)
    await becomes_true(lambda: pid(keeper) != first)
    assert "web | The child was ended by SIGKILL; it is started again in 0.5 s." in written.getvalue()


async def test_a_child_that_has_worked_may_die_often_and_is_never_called_broken(
    supervisor: Supervisor, child: MakeService
) -> None:
    keeper = supervisor.start(child(STEADY))
    await supervisor.until_it_works(keeper)
    for _ in range(3):
        before = pid(keeper)
        os.kill(before, signal.SIGKILL)
        await supervisor.alongside(becomes_true(partial(is_another, keeper, before)))


async def test_what_a_dead_child_left_in_its_group_has_ended_before_it_is_started_again(
    supervisor: Supervisor, child: MakeService, written: io.StringIO
) -> None:
    keeper = supervisor.start(child(FORKING))
    await supervisor.until_it_works(keeper)
    first, forked = pid(keeper), int(written.getvalue().split()[3])
    os.kill(first, signal.SIGKILL)
    await becomes_true(lambda: pid(keeper) != first)
    await becomes_true(lambda: not processes.alive(forked))


async def test_each_line_of_a_child_carries_its_name(
    supervisor: Supervisor, child: MakeService, written: io.StringIO
) -> None:
    await supervisor.until_it_works(supervisor.start(child(CHATTY, name="jobs")))
    await becomes_true(lambda: written.getvalue().count("\n") >= 3)
    assert sorted(written.getvalue().splitlines()) == ["jobs | one", "jobs | ready", "jobs | two"]


async def test_a_child_waits_for_its_obstacle_to_go(
    supervisor: Supervisor, child: MakeService, written: io.StringIO
) -> None:
    sentences = ["in the way", "in the way", "in the way", ""]

    def obstacle() -> str:
        return sentences.pop(0) if sentences else ""

    keeper = supervisor.start(child(STEADY, obstacle=obstacle))
    await supervisor.until_it_works(keeper)
    assert written.getvalue().splitlines() == ["child | in the way", "child | ready"]
