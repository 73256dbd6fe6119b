"""Controls for what people and administrators do: edit, convert, merge, set rules."""

from collections.abc import Callable
from typing import Any

from integrations.simulators.salesforce.world import World
from integrations.simulators.wire import Request

Handler = Callable[[Request, list[str]], Any]


class OrgControl:
    """Answers the controls that act within an organization."""

    def __init__(self, world: World) -> None:
        self.world = world

    def handlers(self) -> dict[tuple[str, str], Handler]:
        """Return (method, name) -> handler."""
        return {}

    def reset(self) -> None:
        """Forget deliveries."""

    def close(self) -> None:
        """Stop background work."""
