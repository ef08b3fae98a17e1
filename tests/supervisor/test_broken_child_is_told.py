import asyncio
import sys

import pytest

from iacplatform.supervisor.errors import ServiceBroken, ServiceSilent, StepFailed
from iacplatform.supervisor.service import Step
from iacplatform.supervisor.supervisor import Supervisor
from tests.supervisor.conftest import MakeService


async def test_a_child_that_never_works_is_broken_after_three_deaths(
    supervisor: Supervisor, child: MakeService
) -> None:
    broken = child("import sys; sys.exit('No such module.')", name="web")
    with pytest.raises(ServiceBroken) as told:
        await supervisor.until_it_works(supervisor.start(broken))
    assert str(told.value) == "The child web ended with status 1, 3 times in a row, and never worked: No such module."


async def test_a_program_that_is_not_there_is_broken_too(supervisor: Supervisor, child: MakeService) -> None:
    keeper = supervisor.start(child("", command=["/nonexistent/program"]))
    with pytest.raises(ServiceBroken, match=r"could not be started.*No such file"):
        await supervisor.until_it_works(keeper)


async def test_a_fault_is_noticed_while_something_else_is_waited_for(
    supervisor: Supervisor, child: MakeService
) -> None:
    supervisor.start(child("raise SystemExit(7)"))
    with pytest.raises(ServiceBroken, match="status 7"):
        await supervisor.alongside(asyncio.Event().wait())


async def test_a_child_that_lives_and_shows_no_sign_is_told(supervisor: Supervisor, child: MakeService) -> None:
    keeper = supervisor.start(child("import time; time.sleep(600)", name="web", start_seconds=0.3))
    with pytest.raises(ServiceSilent, match="The child web runs but did not begin to work within 0 s"):
        await supervisor.until_it_works(keeper)


async def test_a_step_gives_its_output(supervisor: Supervisor) -> None:
    assert await supervisor.complete(step("print('made')")) == "made"


async def test_a_failed_step_is_told_with_its_last_words(supervisor: Supervisor) -> None:
    with pytest.raises(StepFailed, match=r"The step migrate ended with status 3: relation is missing"):
        await supervisor.complete(step("import sys; print('relation is missing', file=sys.stderr); sys.exit(3)"))


def step(text: str) -> Step:
    return Step(name="migrate", command=[sys.executable, "-c", text], environment={})
