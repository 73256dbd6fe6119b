"""Everything one simulator process holds: accounts, apps, tokens, settings, journal.

All state is guarded by `lock`; a request that changed something calls `commit` before
it is answered.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from integrations.simulators.faults import Faults
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.settings import Settings
from integrations.simulators.hubspot.writer import Change
from integrations.simulators.journal import Journal
from integrations.simulators.limits import RollingWindows
from integrations.simulators.traffic import Traffic
from integrations.simulators.wire import Json

DEMO_ACCOUNTS = ((4100001, "Fernhill Demo"), (4100002, "Quarry Sandbox"))
DEMO_USER = {"user": "ada.marsh@example.com", "user_id": 9101}
GLOBAL = 0


@dataclass(slots=True)
class AppConfig:
    """A registered OAuth app. redirect_uris: empty = any https or loopback address."""

    client_id: str = "demo-client-id"
    client_secret: str = "demo-client-secret"
    app_id: int = 880_001
    name: str = "crmsync"
    redirect_uris: list[str] = field(default_factory=list)
    required_scopes: list[str] = field(default_factory=lambda: ["oauth"])


@dataclass(slots=True)
class Options:
    """How the simulator is started. tokens: private app tokens."""

    data: Path | None = None
    fresh: bool = False
    apps: list[AppConfig] = field(default_factory=lambda: [AppConfig()])
    tokens: list[str] = field(default_factory=lambda: ["pat-demo-token"])
    settings: Json = field(default_factory=dict)


class World:
    """The simulator's state. docs: token and webhook documents by kind and key."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.lock = threading.RLock()
        self.settings = Settings()
        self.settings.change(options.settings)
        self.apps = {app.client_id: app for app in options.apps}
        self.portals = {number: Portal(number, name) for number, name in DEMO_ACCOUNTS}
        self.docs: dict[str, dict[str, Json]] = {}
        self.faults = Faults()
        self.traffic = Traffic()
        self.windows = RollingWindows()
        self.listeners: list[Callable[[Portal, list[Change], str], None]] = []
        self._pending: list[list[Any]] = []
        path = options.data / "hubspot.jsonl" if options.data else None
        self.journal = Journal(path)
        if options.fresh:
            self.journal.clear()
        self._load()

    def _load(self) -> None:
        for entry in self.journal.replay():
            for op in entry["ops"]:
                self._replay(entry["h"], op)
        self._load_tokens()
        self.commit()

    def _replay(self, hub: int, op: list[Any]) -> None:
        if hub == GLOBAL:
            self._apply(op)
        else:
            self.portals[hub].replay(op)

    @property
    def default_portal(self) -> Portal:
        """The first account: where private tokens and the control API point."""
        return next(iter(self.portals.values()))

    def now(self) -> float:
        """Return the vendor's clock, epoch seconds."""
        return time.time() + self.settings.clock_skew_s

    def now_ms(self) -> int:
        """Return the vendor's clock, epoch milliseconds."""
        return int(self.now() * 1000)

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
            self.journal.append({"h": GLOBAL, "ops": self._pending})
            self._pending = []
        for portal in self.portals.values():
            if portal.pending:
                self.journal.append({"h": portal.hub_id, "ops": portal.pending})
                portal.pending = []

    def announce(self, portal: Portal, changes: list[Change], source: str) -> None:
        """Tell webhooks what changed."""
        for listener in self.listeners:
            listener(portal, changes, source)

    def reset(self, *, keep_tokens: bool) -> None:
        """Forget all records, faults, counters and log; restore the settings."""
        kept = self.docs if keep_tokens else {}
        self.docs = {}
        self.journal.clear()
        self._pending = []
        for portal in self.portals.values():
            portal.clear()
        self.settings = Settings()
        self.settings.change(self.options.settings)
        self.faults.remove()
        self.traffic.clear()
        self.windows.clear()
        for kind in ("private", "access", "refresh"):
            for key, value in kept.get(kind, {}).items():
                self.put(kind, key, value)
        self._load_tokens()
        self.commit()

    def _load_tokens(self) -> None:
        for token in self.options.tokens:
            document = {"hub_id": self.default_portal.hub_id, "scopes": None}
            if token not in self.documents("private"):
                self.put("private", token, document)
