"""The first word of a connection: who the agent is, and what it has."""

import platform

from agents.protocol import VERSIONS, Hello, Work
from agents.runner import engines
from agents.runner.tools import Tools

VERSION = "0.1.0"


def hello(tools: Tools, work: tuple[Work, ...]) -> Hello:
    """Return the word for an agent with these tools and this work."""
    options = tools.options
    return Hello(
        versions=VERSIONS,
        name=options.name,
        instance=tools.workdir.instance,
        capacity=options.capacity,
        engines=tools.engines.known,
        fetches=tools.depot.fetches,
        os=engines.OS,
        arch=engines.ARCH,
        agent_version=f"{VERSION} (Python {platform.python_version()})",
        work=work,
        pod_name=options.pod_name,
    )
