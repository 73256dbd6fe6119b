"""Everything one simulator process holds: accounts, apps, tokens, settings, journal.

All state is guarded by `lock`; a request that changed something calls `commit` before
it is answered.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from integrations.simulators.accounts import Account, Key, Op
from integrations.simulators.faults import Faults
from integrations.simulators.journal import Journal
from integrations.simulators.limits import RollingWindows
from integrations.simulators.settings import Settings
from integrations.simulators.traffic import Traffic
from integrations.simulators.wire import Json

# What belongs to no account: tokens and settings.
_EVERYWHERE = ""


@dataclass(slots=True)
class AppConfig:
    """A registered OAuth app. redirect_uris: empty = any https or loopback address."""

    client_id: str = "demo-client-id"
    client_secret: str = "demo-client-secret"
    name: str = "crmsync"
    redirect_uris: list[str] = field(default_factory=list)


AccountT = TypeVar("AccountT", bound=Account)
AppT = TypeVar("AppT", bound=AppConfig)
SettingsT = TypeVar("SettingsT", bound=Settings)


@dataclass(slots=True)
class Options(Generic[AppT]):
    """How a simulator is started. tokens: those that never expire."""

    data: Path | None = None
    fresh: bool = False
    apps: list[AppT] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    settings: Json = field(default_factory=dict)


class World(ABC, Generic[AccountT, AppT, SettingsT]):
    """The simulator's state. docs: token documents by kind and key.

    A vendor says which kind of document its tokens that never expire are (`fixed`),
    what one grants (`fixed_grant`), and adds what else it holds.
    """

    name: str
    fixed: str

    def __init__(
        self,
        options: Options[AppT],
        settings: Callable[[], SettingsT],
        accounts: Sequence[AccountT],
    ) -> None:
        self.options = options
        self.lock = threading.RLock()
        self._defaults = settings
        self.settings = settings()
        self.settings.change(options.settings)
        self.apps = {app.client_id: app for app in options.apps}
        self.accounts: dict[Key, AccountT] = {each.key: each for each in accounts}
        self.docs: dict[str, dict[str, Json]] = {}
        self.faults = Faults()
        self.traffic = Traffic()
        self.windows = RollingWindows()
        self.listeners: list[Callable[..., None]] = []
        # What was changed and not told yet; told when it is committed.
        self.announced: list[tuple[Any, ...]] = []
        self._pending: list[Op] = []
        path = options.data / f"{self.name}.jsonl" if options.data else None
        self.journal = Journal(path)
        if options.fresh:
            self.journal.clear()
        self._load()

    def _load(self) -> None:
        for line in self.journal.replay():
            # Whatever the first key is called: it was named by the vendor once.
            key, ops = line.values()
            for op in ops:
                if key in self.accounts:
                    self.accounts[key].replay(op)
                else:
                    self._apply(op)
        self._load_tokens()
        self.commit()

    @abstractmethod
    def fixed_grant(self) -> Json:
        """Return what a token that never expires grants."""

    def _load_tokens(self) -> None:
        for token in self.options.tokens:
            if token not in self.documents(self.fixed):
                self.put(self.fixed, token, self.fixed_grant())

    @property
    def default_account(self) -> AccountT:
        """The first account: where fixed tokens and the control API point."""
        return next(iter(self.accounts.values()))

    def now(self) -> float:
        """Return the vendor's clock, epoch seconds."""
        return time.time() + self.settings.clock_skew_s

    def now_ms(self) -> int:
        """Return the vendor's clock, epoch milliseconds."""
        return int(self.now() * 1000)

    # -- documents

    def documents(self, kind: str) -> dict[str, Json]:
        """Return the documents of one kind by key."""
        return self.docs.setdefault(kind, {})

    def put(self, kind: str, key: str, value: Json | None) -> None:
        """Keep or (None) forget a document."""
        op = ["doc", kind, key, value]
        self._apply(op)
        self._pending.append(op)

    def _apply(self, op: Op) -> None:
        _, kind, key, value = op
        if kind == "settings":
            self.settings.change(value)
        elif value is None:
            self.documents(kind).pop(key, None)
        else:
            self.documents(kind)[key] = value

    # -- requests

    def announce(self, *told: Any) -> None:
        """Tell the listeners at the next commit. told: what they take."""
        self.announced.append(told)

    def commit(self) -> None:
        """Write what changed since the last commit to the journal, and tell of it."""
        if self._pending:
            self.journal.append({"account": _EVERYWHERE, "ops": self._pending})
            self._pending = []
        for key, account in self.accounts.items():
            account.settle()
            if account.pending:
                self.journal.append({"account": key, "ops": account.pending})
                account.pending = []
        announced, self.announced = self.announced, []
        for told in announced:
            for listener in self.listeners:
                listener(*told)

    def reset(self, *, keep_tokens: bool) -> None:
        """Forget all records, faults, counters and log; restore the settings."""
        kept = self.docs if keep_tokens else {}
        self.docs = {}
        self.journal.clear()
        self._pending = []
        for account in self.accounts.values():
            account.clear()
        self.settings = self._defaults()
        self.settings.change(self.options.settings)
        self.faults.remove()
        self.traffic.clear()
        self.windows.clear()
        for kind in (self.fixed, "access", "refresh"):
            for key, value in kept.get(kind, {}).items():
                self.put(kind, key, value)
        self._load_tokens()
        self.commit()
