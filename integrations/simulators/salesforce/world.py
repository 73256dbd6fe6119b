"""Everything one simulator process holds: organizations, apps, tokens, settings.

All state is guarded by `lock`; a request that changed something calls `commit` before
it is answered.
"""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integrations.simulators.faults import Faults
from integrations.simulators.journal import Journal
from integrations.simulators.limits import RollingWindows
from integrations.simulators.salesforce import defaults
from integrations.simulators.salesforce.changes import Change
from integrations.simulators.salesforce.cursors import Cursors
from integrations.simulators.salesforce.fls import FieldAccess
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.settings import Settings
from integrations.simulators.traffic import Traffic
from integrations.simulators.wire import Json

DEMO_TOKEN = "00DFh0000000001!demo-session"
GLOBAL = ""
Listener = Callable[[Org, list[Change]], None]


@dataclass(slots=True)
class AppConfig:
    """A registered OAuth app. redirect_uris: empty = any https or loopback address."""

    client_id: str = "demo-client-id"
    client_secret: str = "demo-client-secret"
    name: str = "crmsync"
    redirect_uris: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Options:
    """How the simulator is started. tokens: sessions that never expire."""

    data: Path | None = None
    fresh: bool = False
    apps: list[AppConfig] = field(default_factory=lambda: [AppConfig()])
    tokens: list[str] = field(default_factory=lambda: [DEMO_TOKEN])
    settings: Json = field(default_factory=dict)


class World:
    """The simulator's state. docs: token documents by kind and key."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.lock = threading.RLock()
        self.settings = Settings()
        self.settings.change(options.settings)
        self.apps = {app.client_id: app for app in options.apps}
        self.orgs = {spec.pod: Org(spec) for spec in defaults.ORGS}
        self.docs: dict[str, dict[str, Json]] = {}
        self.faults = Faults()
        self.traffic = Traffic()
        self.windows = RollingWindows()
        self.listeners: list[Listener] = []
        # What was changed and not told yet; told when it is committed.
        self.announced: list[tuple[Org, list[Change]]] = []
        # The bulk jobs; the application puts them here (they need this world).
        self.jobs: Any = None
        self._pending: list[list[Any]] = []
        self._cursors: dict[str, Cursors] = {}
        self._access: dict[tuple[str, str | None], tuple[Any, FieldAccess]] = {}
        path = options.data / "salesforce.jsonl" if options.data else None
        self.journal = Journal(path)
        if options.fresh:
            self.journal.clear()
        self._load()

    def _load(self) -> None:
        for entry in self.journal.replay():
            for op in entry["ops"]:
                if entry["o"] == GLOBAL:
                    self._apply(op)
                else:
                    self.orgs[entry["o"]].replay(op)
        self._load_tokens()
        self.commit()

    @property
    def default_org(self) -> Org:
        """The first organization: where fixed tokens and the control API point."""
        return next(iter(self.orgs.values()))

    def org_with(self, name: str) -> Org | None:
        """Return an organization by id (15 or 18 characters), pod or name."""
        for org in self.orgs.values():
            if name in (org.id, org.id[:15], org.pod, org.spec.name):
                return org
        return None

    def now(self) -> float:
        """Return the vendor's clock, epoch seconds."""
        return time.time() + self.settings.clock_skew_s

    def now_ms(self) -> int:
        """Return the vendor's clock, epoch milliseconds."""
        return int(self.now() * 1000)

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

    # -- documents

    def documents(self, kind: str) -> dict[str, Json]:
        """Return the documents of one kind by key."""
        return self.docs.setdefault(kind, {})

    def put(self, kind: str, key: str, value: Json | None) -> None:
        """Keep or (None) forget a document."""
        op = ["doc", kind, key, value]
        self._apply(op)
        self._pending.append(op)

    def _apply(self, op: list[Any]) -> None:
        _, kind, key, value = op
        if kind == "settings":
            self.settings.change(value)
        elif value is None:
            self.documents(kind).pop(key, None)
        else:
            self.documents(kind)[key] = value

    def commit(self) -> None:
        """Write what changed since the last commit to the journal."""
        if self._pending:
            self.journal.append({"o": GLOBAL, "ops": self._pending})
            self._pending = []
        for pod, org in self.orgs.items():
            org.settle()
            if org.pending:
                self.journal.append({"o": pod, "ops": org.pending})
                org.pending = []
        announced, self.announced = self.announced, []
        for changed, changes in announced:
            for listener in self.listeners:
                listener(changed, changes)

    def announce(self, org: Org, changes: list[Change]) -> None:
        """Tell event deliveries what changed, at the next commit."""
        self.announced.append((org, changes))

    def reset(self, *, keep_tokens: bool) -> None:
        """Forget all records, faults, counters and log; restore the settings."""
        kept = self.docs if keep_tokens else {}
        self.docs = {}
        self.journal.clear()
        self._pending = []
        for org in self.orgs.values():
            org.clear()
        self._access.clear()
        self._cursors.clear()
        self.settings = Settings()
        self.settings.change(self.options.settings)
        self.faults.remove()
        self.traffic.clear()
        self.windows.clear()
        for kind in ("fixed", "access", "refresh"):
            for key, value in kept.get(kind, {}).items():
                self.put(kind, key, value)
        self._load_tokens()
        self.commit()

    def _load_tokens(self) -> None:
        org = self.default_org
        user = defaults.integration_user(org.spec)
        for token in self.options.tokens:
            if token not in self.documents("fixed"):
                self.put("fixed", token, {"org": org.pod, "user": user})
