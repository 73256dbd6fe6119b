"""Everything one HubSpot simulator holds beyond what every simulator does."""

from dataclasses import dataclass, field

from integrations.simulators import world
from integrations.simulators.accounts import Key
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.settings import Settings
from integrations.simulators.wire import Json

DEMO_ACCOUNTS = ((4100001, "Fernhill Demo"), (4100002, "Quarry Sandbox"))
DEMO_USER = {"user": "ada.marsh@example.com", "user_id": 9101}


@dataclass(slots=True)
class AppConfig(world.AppConfig):
    """A registered OAuth app."""

    app_id: int = 880_001
    required_scopes: list[str] = field(default_factory=lambda: ["oauth"])


@dataclass(slots=True)
class Options(world.Options[AppConfig]):
    """How the simulator is started. tokens: private app tokens."""

    apps: list[AppConfig] = field(default_factory=lambda: [AppConfig()])
    tokens: list[str] = field(default_factory=lambda: ["pat-demo-token"])


class World(world.World[Portal, AppConfig, Settings]):
    """The simulator's state. docs: token and webhook documents by kind and key.

    Listeners take (portal, changes, source).
    """

    name = "hubspot"
    fixed = "private"

    def __init__(self, options: Options) -> None:
        portals = [Portal(number, name) for number, name in DEMO_ACCOUNTS]
        super().__init__(options, Settings, portals)

    @property
    def portals(self) -> dict[Key, Portal]:
        """The accounts by their number."""
        return self.accounts

    @property
    def default_portal(self) -> Portal:
        """The account that private tokens and the control API point to."""
        return self.default_account

    def fixed_grant(self) -> Json:
        """Return what a private app token grants: every scope."""
        return {"hub_id": self.default_portal.hub_id, "scopes": None}
