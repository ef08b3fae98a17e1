"""`manage.py doctor`: why nothing moves, and who can change that."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import OperationalError, ProgrammingError

from agents import diagnosis, faults
from agents.diagnosis import Finding

_AWAY = (
    "The database does not answer. Start everything with manage.py up, or set IACPLATFORM_HOME or DATABASE_URL to what "
    "the running platform has."
)


class Command(BaseCommand):
    """Exit status 1 when something is stuck, 2 when the database does not answer."""

    help = "Says of each task that is not final why it stands and what will move it, then the faults in the settings."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take `--json`."""
        parser.add_argument("--json", action="store_true", help="for machines: one object with tasks and faults")

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine, report, and leave with what was found."""
        try:
            tasks, wrong = list(diagnosis.findings()), faults.faults()
        except ProgrammingError as error:
            raise CommandError("The database is not as this version needs it: run manage.py migrate first.") from error
        except OperationalError as error:
            raise CommandError(_AWAY, returncode=2) from error
        (self._as_json if options["json"] else self._as_lines)(tasks, wrong)
        if any(task.stuck for task in tasks):
            raise SystemExit(1)

    def _as_json(self, tasks: list[Finding], wrong: list[str]) -> None:
        found = {"stuck": sum(task.stuck for task in tasks), "tasks": [asdict(task) for task in tasks], "faults": wrong}
        self.stdout.write(json.dumps(found, cls=DjangoJSONEncoder, indent=2))

    def _as_lines(self, tasks: list[Finding], wrong: list[str]) -> None:
        for task in tasks:
            self.stdout.write(task.line())
        for fault in wrong:
            self.stdout.write(f"FAULT {fault}")
        stuck = sum(task.stuck for task in tasks)
        self.stdout.write(
            f"Tasks that are not final: {len(tasks)}; stuck: {stuck}; faults in the settings: {len(wrong)}."
        )
