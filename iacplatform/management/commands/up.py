"""`manage.py up`: the whole platform in one command."""

import argparse
import asyncio
import os
import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from iacplatform.supervisor import lifetime
from iacplatform.supervisor.output import Output
from iacplatform.supervisor.startup import LOG_NAMES, Options, Platform, platform


def add_address_arguments(parser: CommandParser) -> None:
    """Add what `up` and `demo` have in common."""
    parser.add_argument("--host", default="127.0.0.1", help="IPv4 address to listen at (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000, help="port; 0 takes a free one (default: %(default)s)")
    parser.add_argument("--agents", type=_count, default=1, help="built-in agents of pool local (default: %(default)s)")


def chosen(host: str, port: int, agents: int) -> Options:
    """Return the options of the command line together with those of the settings and the environment."""
    return Options(
        folder=settings.BASE_DIR,
        home=settings.HOME,
        host=host,
        port=port,
        agents=agents,
        database=connection.get_connection_params() if os.environ.get("DATABASE_URL") else None,
        environment=os.environ,
    )


def login(started: Platform) -> str:
    """Return how to log in, in words; a generated password is in it, this once."""
    if started.password:
        return f"user admin, password {started.password} (generated; it is not shown again)"
    if os.environ.get("IACPLATFORM_ADMIN_PASSWORD"):
        return "user admin, the password of IACPLATFORM_ADMIN_PASSWORD"
    return "user admin, the password that was set before (manage.py changepassword admin sets a new one)"


class Command(BaseCommand):
    help = "Start PostgreSQL (embedded unless DATABASE_URL is set), web server, jobs and built-in agents, until Ctrl-C."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_address_arguments(parser)

    def handle(self, *args: Any, host: str, port: int, agents: int, **options: Any) -> None:
        sys.exit(lifetime.live(_up(chosen(host, port, agents), Output(sys.stdout, LOG_NAMES))))


async def _up(options: Options, output: Output) -> int:
    async with platform(options, output) as started:
        output.say(f"The platform is ready at {started.url}\nLogin: {login(started)}\nCtrl-C ends it.")
        await started.supervisor.alongside(asyncio.Event().wait())
    return 0


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError("a number of agents is not below 0")
    return number
