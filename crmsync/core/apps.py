"""The core app: workspaces, people, work items; it knows neither of the other apps."""

from django.apps import AppConfig


class CoreConfig(AppConfig):
    """What both apps stand on."""

    name = "crmsync.core"
    label = "core"

    def ready(self) -> None:
        """Register the start-up checks and the short form of long lists."""
        from crmsync.core import checks, lookups  # noqa: F401 - they register

        lookups.register()
