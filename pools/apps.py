from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PoolsConfig(AppConfig):
    name = "pools"

    def ready(self) -> None:
        """See to it that the pool of the built-in agents is always there."""
        post_migrate.connect(_make_local, sender=self)


def _make_local(sender: AppConfig, using: str, **kwargs: Any) -> None:
    sender.get_model("Pool")._default_manager.using(using).get_or_create(name="local")
