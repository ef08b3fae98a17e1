"""The order in which the platform comes up."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from iacplatform.supervisor import database, home, listener
from iacplatform.supervisor.output import Output
from iacplatform.supervisor.parts import Parts
from iacplatform.supervisor.supervisor import Supervisor

LOG_NAMES = ("bootstrap", "database")
"""The longest names: log lines are padded to them."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What `manage.py up` was asked for.

    `folder`: where manage.py is. `database`: connection parameters (libpq) of the server of DATABASE_URL, or None to
    start the embedded one. `environment`: the command's own.
    """

    folder: Path
    home: Path
    host: str
    port: int
    agents: int
    database: Mapping[str, Any] | None
    environment: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A platform that answers. `password`: of the user `admin` when this start has generated one, else None."""

    supervisor: Supervisor
    url: str
    password: str | None


@asynccontextmanager
async def platform(options: Options, output: Output) -> AsyncIterator[Platform]:
    """Give a platform whose web server answers; it has ended when the context is left. Raises SupervisorError."""
    async with AsyncExitStack() as stack:
        stack.enter_context(home.owned(options.home))
        socket = stack.enter_context(listener.listen(options.host, options.port))
        parts = Parts(folder=options.folder, home=options.home, listener=socket, environment=options.environment)
        supervisor = await stack.enter_async_context(Supervisor(options.folder, output))
        await _bring_up_database(supervisor, parts, options)
        made = await _prepare(supervisor, parts)
        await _bring_up_rest(supervisor, parts, options.agents, Path(made["agent_token_file"]))
        yield Platform(supervisor=supervisor, url=parts.public_url, password=made["password"])


async def _bring_up_database(supervisor: Supervisor, parts: Parts, options: Options) -> None:
    if options.database is None:
        await supervisor.until_it_works(supervisor.start(parts.database()))
    else:
        database.refuse_unreachable(options.database)


async def _prepare(supervisor: Supervisor, parts: Parts) -> dict[str, Any]:
    """Return what `manage.py bootstrap --json` says."""
    await supervisor.complete(parts.migrations())
    made: dict[str, Any] = json.loads(await supervisor.complete(parts.bootstrap()))
    return made


async def _bring_up_rest(supervisor: Supervisor, parts: Parts, agents: int, token_file: Path) -> None:
    web = supervisor.start(parts.web())
    supervisor.start(parts.jobs())
    await supervisor.until_it_works(web)
    for number in range(1, agents + 1):
        supervisor.start(parts.agent(number, token_file))
