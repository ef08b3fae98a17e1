"""`manage.py qcluster`: django-q2's own, whose processes end with their parent."""

from typing import Any

from django_q.management.commands import qcluster

from agents import leash


class Command(qcluster.Command):
    def handle(self, *args: Any, **options: Any) -> None:
        """Run a worker."""
        leash.tie()
        super().handle(*args, **options)
