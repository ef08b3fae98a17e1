"""`python -m agents.runner`: an agent, from its options to its exit status."""

import asyncio
import logging
import os
import signal
import sys

from agents.runner import connection, engine_settings, journal, options, privacy, tools
from agents.runner.agent import Agent
from agents.runner.errors import BadConfiguration, NotWelcome
from agents.runner.options import Options
from agents.runner.tools import Tools
from agents.runner.workdir import Workdir

BAD_CONFIGURATION = 2
NOT_WELCOME = 3
LEFT_WORK = 1

log = logging.getLogger(__name__)


def main() -> int:
    """Run an agent and return its exit status: 0 when it has left, 2 for a bad configuration, 3 when it was refused."""
    journal.open_journal()
    privacy.close()
    try:
        chosen = options.parse(sys.argv[1:], os.environ)
        return asyncio.run(_serve(chosen, Workdir(chosen.workdir)))
    except BadConfiguration as error:
        print(error, file=sys.stderr)
        return BAD_CONFIGURATION
    except NotWelcome as error:
        print(error, file=sys.stderr)
        return NOT_WELCOME


async def _serve(chosen: Options, workdir: Workdir) -> int:
    workdir.sweep()
    agent = Agent(_tools(chosen, workdir))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, _leave, agent)
    log.info("Agent %s, instance %s, in %s.", chosen.name, workdir.instance, chosen.workdir)
    agent.go_on()
    await asyncio.to_thread(agent.tools.stock.tidy)
    await connection.keep(agent)
    log.info("Agent %s has left.", chosen.name)
    return 0


def _tools(chosen: Options, workdir: Workdir) -> Tools:
    """Return the tools, once it is known that the engines take the configuration file that they are given."""
    gathered = tools.gather(chosen, workdir)
    if chosen.cli_config:
        engine_settings.check(chosen.cli_config, gathered.environment)
    gathered.providers.sweep()
    return gathered


def _leave(agent: Agent) -> None:
    """Finish first; asked a second time, go at once and leave the engines running."""
    if not agent.leaving.is_set():
        log.info("Leaving: takes nothing new, finishes what runs.")
        agent.leave()
    else:
        log.warning("Leaves at once; engines that run go on, in %s.", agent.tools.workdir.tasks)
        os._exit(LEFT_WORK)  # nothing that cleans up may touch the engines


if __name__ == "__main__":
    sys.exit(main())
