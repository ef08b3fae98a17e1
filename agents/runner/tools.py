"""What all attempts of one agent share."""

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from agents.runner import environment, server
from agents.runner.engines import Engines
from agents.runner.options import Options
from agents.runner.workdir import Workdir


@dataclass(frozen=True, kw_only=True)
class Tools:
    """The agent's folder, engines and connections; `environment` is what every engine gets."""

    options: Options
    workdir: Workdir
    engines: Engines
    http: httpx.AsyncClient
    environment: Mapping[str, str] = field(repr=False)
    one_init: asyncio.Lock


def gather(options: Options, workdir: Workdir) -> Tools:
    """Return the tools of an agent that starts."""
    base = environment.base(os.environ, workdir.cli_config(options.cli_config))
    return Tools(
        options=options,
        workdir=workdir,
        engines=Engines(workdir.engines, base, options.name),
        http=server.client(),
        environment=base,
        one_init=asyncio.Lock(),
    )
