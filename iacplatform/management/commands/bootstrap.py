"""`manage.py bootstrap`: what a new installation needs, safe to repeat at every start."""

import json
import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection, transaction

from iacplatform.bootstrap import administrator, agents

LOCK = 0x1AC_B007
"""Key of the advisory lock: two starts at once must not make two users or two passwords."""


class Command(BaseCommand):
    help = (
        "Make the user admin (password of IACPLATFORM_ADMIN_PASSWORD, else generated and shown once), its API token "
        "(IACPLATFORM_BOOTSTRAP_TOKEN, when set) and the token of the built-in agents. Needs the migrations."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="answer with one JSON object, for programs")

    def handle(self, *args: Any, **options: Any) -> None:
        token_file = settings.HOME / "agents" / "token"
        with transaction.atomic(), connection.cursor() as cursor:
            # A password is hashed meanwhile: a second of calculating, on a machine with much to do a good many.
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = '5min'")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            password = administrator.ensure(os.environ.get("IACPLATFORM_ADMIN_PASSWORD", ""))
            if text := os.environ.get("IACPLATFORM_BOOTSTRAP_TOKEN"):
                administrator.ensure_token(text, settings.HOME / "bootstrap_token_digest")
            agents.ensure_token(token_file)
        facts = {"password": password, "agent_token_file": str(token_file)}
        self.stdout.write(json.dumps(facts) if options["json"] else _sentences(password))


def _sentences(password: str | None) -> str:
    done = "The user admin, its API token and the token of the built-in agents are in place."
    return f"{done}\nPassword of admin (generated; it is not shown again): {password}" if password else done
