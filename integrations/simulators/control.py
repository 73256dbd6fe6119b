"""The control panel's API under /__sim: faults, dump, log, stats, seed, settings."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeVar

from integrations.simulators import panel
from integrations.simulators.accounts import Account
from integrations.simulators.control_tokens import TokenControl
from integrations.simulators.errors import ApiError, ControlError
from integrations.simulators.faults import FaultRuleError
from integrations.simulators.wire import (
    BadJsonError,
    Json,
    Reply,
    Request,
    html_reply,
    json_reply,
    path_segments,
)
from integrations.simulators.world import World

LOG_PAGE = 100_000

Handler = Callable[[Request, list[str]], Any]
Handlers = Mapping[tuple[str, str], Handler]


class Named(Protocol):
    """The records of one object."""

    @property
    def name(self) -> str:
        """The object's name."""


AccountT = TypeVar("AccountT", bound=Account)
TableT = TypeVar("TableT", bound=Named)


class Control(ABC, Generic[AccountT, TableT]):
    """Answers /__sim/...; never counts against limits, never in the statistics.

    A vendor says which account a request means and how its tables are read and seeded,
    and adds the controls that only it has to `handlers`.
    """

    title: str

    def __init__(self, world: World[AccountT, Any, Any]) -> None:
        self._world = world
        self.tokens = TokenControl(world, self.fixed_token)
        self._handlers = self.handlers()

    # -- what differs

    @abstractmethod
    def account(self, request: Request) -> AccountT:
        """Return the account a request names, by default the first."""

    @abstractmethod
    def table(self, account: AccountT, name: str) -> TableT:
        """Return an object's records; raises ControlError."""

    @abstractmethod
    def written(self, account: AccountT) -> Iterable[TableT]:
        """Return the tables that something was written to."""

    @abstractmethod
    def live(self, table: TableT) -> int:
        """Return how many records a table has, without the deleted."""

    @abstractmethod
    def records(
        self, account: AccountT, table: TableT, *, archived: bool
    ) -> list[Json]:
        """Return {id, properties, createdAt, updatedAt, archived, writes} of each.

        archived: the deleted too.
        """

    @abstractmethod
    def record_history(self, account: AccountT, table: TableT, number: str) -> Json:
        """Return {id, fields: name -> versions, writes}, oldest first."""

    @abstractmethod
    def editable(self, table: TableT) -> Iterable[str]:
        """Return the fields a person may change."""

    @abstractmethod
    def put_in(self, account: AccountT, raw: Json) -> Json:
        """Create, change or delete records from outside the API."""

    @abstractmethod
    def fixed_token(self, raw: Json) -> tuple[str, Json]:
        """Return a token that never expires, and what it grants."""

    def cleared(self) -> None:
        """Forget what is not in the world: called when it was reset."""

    def close(self) -> None:
        """Stop background work."""

    # -- what is the same

    def handlers(self) -> Handlers:
        """Return (method, name) -> handler."""
        return {
            ("GET", "faults"): self.show_faults,
            ("POST", "faults"): self.add_faults,
            ("PUT", "faults"): self.replace_faults,
            ("DELETE", "faults"): self.remove_faults,
            ("GET", "dump"): self.dump,
            ("GET", "log"): self.log,
            ("GET", "stats"): self.stats,
            ("GET", "history"): self.history,
            ("GET", "editable"): self.fields,
            ("POST", "reset"): self.reset,
            ("POST", "seed"): self.seed,
            ("GET", "config"): self.show_config,
            ("POST", "config"): self.change_config,
            **self.tokens.handlers(),
        }

    def reply(self, request: Request) -> Reply:
        """Answer one control request."""
        rest = path_segments(request.path)[1:]
        if not rest and request.method == "GET":
            return html_reply(panel.page(f"{self.title} simulator"))
        handler = self._handlers.get((request.method, rest[0] if rest else ""))
        if handler is None:
            return json_reply({"error": "no such control"}, 404)
        try:
            return json_reply(handler(request, rest[1:]))
        except (ControlError, FaultRuleError, BadJsonError, ValueError) as error:
            return json_reply({"error": str(error)}, 400)
        except ApiError as error:
            return error.reply()

    # -- faults

    def show_faults(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/faults."""
        return {"faults": self._world.faults.as_json()}

    def add_faults(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/faults: one rule or a list."""
        raw = request.json()
        for rule in raw if isinstance(raw, list) else [raw]:
            self._world.faults.add(rule)
        return self.show_faults(request, rest)

    def replace_faults(self, request: Request, rest: list[str]) -> Json:
        """PUT /__sim/faults: these rules and no others."""
        raw = request.json()
        self._world.faults.replace(raw if isinstance(raw, list) else [raw])
        return self.show_faults(request, rest)

    def remove_faults(self, request: Request, rest: list[str]) -> Json:
        """DELETE /__sim/faults or /__sim/faults/{id}."""
        self._world.faults.remove(int(rest[0]) if rest else None)
        return self.show_faults(request, rest)

    # -- looking

    def dump(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/dump?object=&archived=&hub=: object -> records.

        Without an object: all that something was written to.
        """
        account = self.account(request)
        wanted = request.names("object")
        archived = request.first("archived", "true").lower() == "true"
        with self._world.lock:
            tables = [self.table(account, name) for name in wanted]
            return {
                table.name: self.records(account, table, archived=archived)
                for table in tables or self.written(account)
            }

    def log(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/log?since=<epoch s>&after=<seq>&limit=."""
        lines = self._world.traffic.lines(
            since=float(request.first("since") or 0),
            after=int(request.first("after") or 0),
            limit=int(request.first("limit") or LOG_PAGE),
        )
        return {"requests": lines}

    def stats(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/stats."""
        account = self.account(request)
        with self._world.lock:
            counts = {table.name: self.live(table) for table in self.written(account)}
        return self._world.traffic.stats() | {"records": counts}

    def history(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/history/{object}/{id}: field -> versions, oldest first."""
        if len(rest) != 2:
            raise ControlError("use /__sim/history/{object}/{id}")
        account = self.account(request)
        with self._world.lock:
            return self.record_history(account, self.table(account, rest[0]), rest[1])

    def fields(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/editable?object=: the fields a person may change."""
        account = self.account(request)
        with self._world.lock:
            table = self.table(account, request.first("object"))
            return {"fields": sorted(self.editable(table))}

    # -- changing

    def reset(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/reset {keep_tokens: true}: forget everything else."""
        keep = request.object().get("keep_tokens", True)
        with self._world.lock:
            self._world.reset(keep_tokens=bool(keep))
            self.cleared()
        return {"reset": True}

    def seed(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/seed: see the vendor's seeding.seed."""
        account = self.account(request)
        with self._world.lock:
            try:
                return self.put_in(account, request.object())
            finally:
                self._world.commit()

    def show_config(self, request: Request, rest: list[str]) -> Json:
        """GET /__sim/config."""
        return self._world.settings.as_json()

    def change_config(self, request: Request, rest: list[str]) -> Json:
        """POST /__sim/config {setting: value}."""
        with self._world.lock:
            self._world.put("settings", "", request.object())
            self._world.commit()
        return self.show_config(request, rest)
