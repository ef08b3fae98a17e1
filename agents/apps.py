from importlib import import_module
from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AgentsConfig(AppConfig):
    name = "agents"

    def ready(self) -> None:
        """Connect the news that this layer acts upon, what it tells of tasks, and its verb: now there are models."""
        import_module("agents.receivers").connect()
        import_module("agents.fleet.receivers").connect()
        import_module("agents.signs").connect()
        import_module("agents.orphans").offer()
        post_migrate.connect(_plan_jobs, sender=self)


def _plan_jobs(**kwargs: Any) -> None:
    import_module("agents.jobs").plan_sweeping()
