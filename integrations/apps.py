"""The integrations app: everything about other systems."""

from django.apps import AppConfig


class IntegrationsConfig(AppConfig):
    """Connections, mappings, links, webhooks."""

    name = "integrations"

    def ready(self) -> None:
        """Listen to the one signal."""
        from integrations import receivers  # noqa: F401
