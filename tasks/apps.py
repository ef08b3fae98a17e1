from importlib import import_module

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"

    def ready(self) -> None:
        """Connect the news that this layer acts upon, and what rows are read with, now that the models are loaded."""
        import_module("tasks.receivers").connect()
        import_module("tasks.facts").connect()
        import_module("workspaces.locks").add_claim(import_module("tasks.scheduler").lost_task)
