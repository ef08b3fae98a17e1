"""`manage.py rekey`: seal everything with the newest key, so that older ones can be taken away."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from agents import rekeying
from agents.rekeying import Outcome
from agents.sealed import COLUMNS, Column

_AWAY = (
    "The database does not answer. Start everything with manage.py up, or set IACPLATFORM_HOME or DATABASE_URL to what "
    "the running platform has; then run this again."
)


class Command(BaseCommand):
    help = (
        "Seal every stored secret with the newest key of IACPLATFORM_ENCRYPTION_KEYS, while everything runs. Safe to "
        "interrupt and to repeat. Status 1 where something cannot be opened: then keep the older keys."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            outcomes = {column: rekeying.rekey(column) for column in COLUMNS}
        except OperationalError as error:
            raise CommandError(_AWAY, returncode=2) from error
        for column, outcome in outcomes.items():
            self.stdout.write("\n".join(_lines(column, outcome)))
        if any(outcome.unreadable for outcome in outcomes.values()):
            self.stderr.write("Not everything could be sealed anew: see above, and do not take any key away.")
            sys.exit(1)
        if left := [str(column) for column in COLUMNS if column.older().exists()]:
            self.stderr.write(
                f"Meanwhile something was sealed with an older key: {', '.join(left)}. Some process does not have the "
                "newest key in front: restart all of them, run this again, and do not take any key away before."
            )
            sys.exit(1)
        self.stdout.write("Everything is sealed with the newest key; older keys are needed for backups only.")


def _lines(column: Column, outcome: Outcome) -> list[str]:
    failed = [f"{column}: {count} stay as they are. {why}" for why, count in outcome.unreadable.items()]
    return [f"{column}: {outcome.sealed_anew} sealed anew.", *failed]
