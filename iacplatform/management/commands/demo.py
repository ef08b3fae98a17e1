"""`manage.py demo`: the platform and one workspace's way through it, in one command."""

import asyncio
import os
import secrets
import sys
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser

from iacplatform.demonstration import example, story
from iacplatform.demonstration.errors import DemonstrationError
from iacplatform.management.commands import up
from iacplatform.supervisor import lifetime
from iacplatform.supervisor.output import Output
from iacplatform.supervisor.startup import LOG_NAMES, Options, Platform, platform

TOKEN = "IACPLATFORM_BOOTSTRAP_TOKEN"  # noqa: S105 - the name of the variable


class Command(BaseCommand):
    help = "Start the platform, plan, confirm and apply the example workspace through the API, stay up until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        up.add_address_arguments(parser)
        parser.add_argument("--once", action="store_true", help="end after the apply, with status 0 when it succeeded")

    def handle(self, *args: Any, host: str, port: int, agents: int, once: bool, **options: Any) -> None:
        sys.exit(lifetime.live(_demonstrate(_with_token(up.chosen(host, port, agents)), once=once)))


async def _demonstrate(options: Options, *, once: bool) -> int:
    people, log_file = Output(sys.stdout), settings.HOME / "demo.log"
    try:
        people.say(f"Starting the platform; its log lines go to {log_file}.")
        with log_file.open("a") as log:
            async with platform(options, Output(log, LOG_NAMES)) as started:
                await _show(started, options, people, once=once)
    except DemonstrationError as error:
        print(error, file=sys.stderr, flush=True)
        return 1
    return 0


async def _show(started: Platform, options: Options, people: Output, *, once: bool) -> None:
    people.say(f"The platform answers at {started.url}")
    folder = options.folder / "examples" / example.NAME
    await started.supervisor.alongside(story.tell(started.url, options.environment[TOKEN], folder, people.say))
    people.say(f"The console: {started.url}\nLogin: {up.login(started)}")
    if not once:
        people.say("The platform stays up; Ctrl-C ends it.")
        await started.supervisor.alongside(asyncio.Event().wait())


def _with_token(options: Options) -> Options:
    """Return the options with an API token for us: that of the environment, else one made for this run."""
    token = os.environ.get(TOKEN) or secrets.token_urlsafe(32)
    return replace(options, environment={**options.environment, TOKEN: token})
