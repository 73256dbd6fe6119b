"""The core app: workspaces, people, work items; it knows neither of the other apps."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    """What both apps stand on."""

    name = "crmsync.core"
    label = "core"

    def ready(self) -> None:
        """Register the start-up checks, short lists and what follows migrations."""
        from crmsync.core import checks, lookups  # noqa: F401 - they register

        lookups.register()
        post_migrate.connect(_overlook_documents, sender=self)


def _overlook_documents(**_: object) -> None:
    from crmsync.core import upkeep

    upkeep.overlook_documents()
