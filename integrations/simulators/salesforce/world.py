"""Everything one Salesforce simulator holds beyond what every simulator does."""

import random
from dataclasses import dataclass, field
from typing import Any

from integrations.simulators import world
from integrations.simulators.accounts import Key
from integrations.simulators.salesforce import defaults
from integrations.simulators.salesforce.cursors import Cursors
from integrations.simulators.salesforce.fls import FieldAccess
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.settings import Settings
from integrations.simulators.wire import Json
from integrations.simulators.world import AppConfig

DEMO_TOKEN = "00DFh0000000001!demo-session"


@dataclass(slots=True)
class Options(world.Options[AppConfig]):
    """How the simulator is started. tokens: sessions that never expire."""

    apps: list[AppConfig] = field(default_factory=lambda: [AppConfig()])
    tokens: list[str] = field(default_factory=lambda: [DEMO_TOKEN])


class World(world.World[Org, AppConfig, Settings]):
    """The simulator's state. docs: token documents by kind and key.

    Listeners take (org, changes).
    """

    name = "salesforce"
    fixed = "fixed"

    def __init__(self, options: Options) -> None:
        # The bulk jobs; the application puts them here (they need this world).
        self.jobs: Any = None
        self._cursors: dict[str, Cursors] = {}
        self._access: dict[tuple[str, str | None], tuple[Any, FieldAccess]] = {}
        super().__init__(options, Settings, [Org(spec) for spec in defaults.ORGS])

    @property
    def orgs(self) -> dict[Key, Org]:
        """The organizations by pod."""
        return self.accounts

    @property
    def default_org(self) -> Org:
        """The organization that fixed tokens and the control API point to."""
        return self.default_account

    def org_with(self, name: str) -> Org | None:
        """Return an organization by id (15 or 18 characters), pod or name."""
        for org in self.orgs.values():
            if name in (org.id, org.id[:15], org.pod, org.spec.name):
                return org
        return None

    def fixed_grant(self) -> Json:
        """Return what a session that never expires grants: the integration user."""
        org = self.default_org
        return {"org": org.pod, "user": defaults.integration_user(org.spec)}

    def visible_at(self) -> float:
        """Return when queries see what is written now; 0 = at once."""
        low, high = (
            self.settings.visibility_delay_s,
            self.settings.visibility_delay_max_s,
        )
        if not low and not high:
            return 0.0
        return self.now() + random.uniform(low, max(low, high))

    def access(self, org: Org, user: str | None) -> FieldAccess:
        """Return what a user sees; None = an administrator in the browser."""
        settings = self.settings
        state = (
            org.version,
            settings.api_fields_hidden,
            settings.hidden_fields,
            settings.readonly_fields,
        )
        found = self._access.get((org.pod, user))
        if found is None or found[0] != state:
            found = (state, FieldAccess(org, settings, user))
            self._access[org.pod, user] = found
        return found[1]

    def cursors(self, org: Org) -> Cursors:
        """Return an organization's open queries."""
        return self._cursors.setdefault(org.pod, Cursors())

    def reset(self, *, keep_tokens: bool) -> None:
        """Forget all records, faults, counters and log; restore the settings."""
        self._access.clear()
        self._cursors.clear()
        super().reset(keep_tokens=keep_tokens)
