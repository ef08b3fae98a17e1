"""What all attempts of one agent share."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx

from agents.runner import environment, isolation, server
from agents.runner.depot import Depot
from agents.runner.engines import Engines
from agents.runner.isolation import Isolation
from agents.runner.options import Options
from agents.runner.providers import Providers
from agents.runner.stock import Stock
from agents.runner.workdir import Workdir


@dataclass(frozen=True, kw_only=True)
class Tools:
    """The agent's folder, engines and connections; `environment` is what every engine gets."""

    options: Options
    workdir: Workdir
    engines: Engines
    depot: Depot
    providers: Providers
    stock: Stock
    isolation: Isolation
    http: httpx.AsyncClient
    environment: Mapping[str, str] = field(repr=False)


def gather(options: Options, workdir: Workdir) -> Tools:
    """Return the tools of an agent that starts. Raises `BadConfiguration`."""
    base = environment.base(os.environ, workdir.cli_config(options.cli_config))
    preferred = {engine: mirror.version for engine, mirror in options.mirrors.items()}
    engines, http = Engines(workdir.engines, base, preferred), server.client()
    providers = Providers(workdir.providers)
    return Tools(
        options=options,
        workdir=workdir,
        engines=engines,
        depot=Depot(engines, options.mirrors, http, agent_name=options.name, seconds=options.download_seconds),
        providers=providers,
        stock=Stock(workdir, providers, options.kept_bytes, server=options.server),
        isolation=isolation.choose(options, workdir),
        http=http,
        environment=base,
    )
