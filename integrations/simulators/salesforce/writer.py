"""Creating, changing and deleting records as one caller, by the vendor's rules."""

from dataclasses import dataclass, field
from typing import Any

from integrations.simulators.salesforce import (
    cleaning,
    deleting,
    errors,
    preparing,
    references,
    roles,
    rules,
)
from integrations.simulators.salesforce.changes import Change
from integrations.simulators.salesforce.definitions import CURRENCY, Field
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.fls import FieldAccess
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.world import World
from integrations.simulators.wire import Json


@dataclass(slots=True)
class Writer:
    """One caller's writes. user: who stamps them; client: the caller's own name;
    origin: what change events say of it.

    admin: a person in the browser, whom field-level security does not hold back.
    """

    world: World
    org: Org
    user: str
    client: str = ""
    source: str = "API"
    origin: str = ""
    admin: bool = False
    auto_assign: bool = True
    allow_duplicates: bool = False
    version: str = "v64.0"
    at: int = 0
    changes: list[Change] = field(default_factory=list)
    access: FieldAccess = field(init=False)
    _visible_at: float = field(init=False)

    def __post_init__(self) -> None:
        self.at = self.at or self.world.now_ms()
        self.access = self.world.access(self.org, None if self.admin else self.user)
        self._visible_at = self.world.visible_at()

    @property
    def who(self) -> list[str]:
        """The author of an operation."""
        return [self.user, self.client, self.source]

    def done(self) -> None:
        """Announce what was written."""
        if self.changes and self.world.listeners:
            self.world.announce(self.org, self.changes)
        self.changes = []

    def savepoint(self) -> tuple[tuple[int, int], int]:
        """Return a point to take writes back to."""
        return self.org.savepoint(), len(self.changes)

    def undo_to(self, point: tuple[tuple[int, int], int]) -> None:
        """Take back all writes since a savepoint."""
        self.org.undo_to(point[0])
        del self.changes[point[1] :]

    # -- the three writes

    def create(self, table: Table, raw: Json) -> Row:
        """Add a record; raises RowError."""
        if not table.kind.createable and not self.admin:
            raise _not_allowed(table)
        given = self._read(table, raw, creating=True)
        values = table.defaults | {k: v for k, v in given.items() if v is not None}
        missing = [name for name in table.must if name not in values]
        if missing:
            raise errors.missing(missing)
        if "OwnerId" in table.fields:
            values.setdefault("OwnerId", self.user)
        self._check(table, None, values, values)
        row = self.add(table, values)
        self.assign(table, row)
        return row

    def update(self, table: Table, row: Row, raw: Json) -> None:
        """Change a record; raises RowError."""
        if not table.kind.updateable and not self.admin:
            raise _not_allowed(table)
        self._check_open(table, row)
        given = self._read(table, raw, creating=False)
        nulled = [n for n, v in given.items() if v is None and table.fields[n].required]
        if nulled:
            raise errors.missing(nulled)
        self._check(table, row, row.values | given, given)
        self.set(table, row, given)
        if self.world.settings.auto_assign_updates:
            self.assign(table, row)

    def delete(self, table: Table, row: Row) -> None:
        """Move a record, and what hangs on it, to the recycle bin; raises RowError."""
        if not table.kind.deletable:
            raise _not_allowed(table)
        rules.check_lock(self.org, row.id)
        for other, gone in deleting.with_dependants(self.org, table, row):
            self.bin(other, gone, root="" if gone is row else row.id)

    # -- steps that conversion and merging use as well

    def set(self, table: Table, row: Row, given: Json) -> None:
        """Change values without asking any rule."""
        changed = {n: v for n, v in given.items() if row.values.get(n) != v}
        prior = self._prior(row)
        self.org.do(["set", table.name, row.id, self.at, changed, self.who])
        self._note("UPDATE", table, row, changed, prior)
        roles.follow(self, table, row)

    def bin(
        self, table: Table, row: Row, *, root: str = "", more: Json | None = None
    ) -> None:
        """Move one record to the recycle bin."""
        prior = self._prior(row)
        name, more = table.name, more or {}
        self.org.do(["delete", name, row.id, self.at, root, more, self.who])
        self._note("DELETE", table, row, {}, prior)
        roles.follow(self, table, row)

    def restore(self, table: Table, row: Row) -> None:
        """Take a record, and what went with it, out of the recycle bin."""
        for other, found in deleting.taken_along(self.org, table, row):
            prior = self._prior(found)
            self.org.do(["restore", other.name, found.id, self.at, self.who])
            self._note("UNDELETE", other, found, dict(found.values), prior)
            roles.follow(self, other, found)

    def add(self, table: Table, values: Json) -> Row:
        """Add a record without asking any rule."""
        if CURRENCY in table.fields:
            values = {CURRENCY: self.org.currency_of(self.user)} | values
        identifier = table.new_id(self.org.pod)
        op = ["new", table.name, identifier, self.at, values, self.who]
        row: Row = self.org.do(op)
        self._note("CREATE", table, row, values, None)
        if table.name == "Campaign":
            for status in preparing.member_statuses(row.id):
                self.add(self.org.tables["CampaignMemberStatus"], status)
        if table.name == roles.DEAL and values.get("ContactId"):
            roles.give(self, row, values["ContactId"])
        roles.follow(self, table, row)
        return row

    # -- inside

    def _read(self, table: Table, raw: Json, *, creating: bool) -> Json:
        """Return field -> stored form; raises RowError."""
        names = self.access.names(table)
        lower = self.world.settings.lowercase_emails
        given: Json = {}
        refused: list[str] = []
        for name, value in raw.items():
            made = names.get(name) or names.get(name.lower())
            if made is None:
                self._read_relation(table, name, value, given)
                continue
            if not self._may_write(table, made, creating=creating):
                refused.append(made.name)
                continue
            cleaned = cleaning.clean(made, value, lowercase_emails=lower)
            if cleaned is not None and made.type == "reference":
                references.check(self.org, table, made, cleaned)
            if cleaned is None and made.type == "boolean":
                cleaned = False
            given[made.name] = cleaned
        if refused:
            raise errors.not_writable(refused)
        return given

    def _read_relation(self, table: Table, name: str, value: Any, given: Json) -> None:
        if name == "attributes":
            return
        found = references.by_external_id(self.org, self.access, table, name, value)
        if found is None:
            raise errors.unknown_field(name, table.name)
        given[found[0].name] = found[1]

    def _may_write(self, table: Table, made: Field, *, creating: bool) -> bool:
        allowed = made.createable if creating else made.updateable
        return allowed and self.access.may_edit(table, made)

    def _check_open(self, table: Table, row: Row) -> None:
        if row.deleted_at:
            raise errors.deleted()
        if table.name == "Lead" and row.values.get("IsConverted"):
            raise RowError(
                "CANNOT_UPDATE_CONVERTED_LEAD", "cannot reference converted lead"
            )
        rules.check_lock(self.org, row.id)

    def _check(self, table: Table, row: Row | None, merged: Json, given: Json) -> None:
        """Hold a record against every rule there is; may add to `given`."""
        preparing.prepare(self.org, table.name, row, merged, given, self.at)
        own = row.id if row is not None else ""
        for name in table.unique:
            if given.get(name) is not None:
                others = [i for i in table.find(name, given[name]) if i != own]
                if others:
                    raise errors.duplicate_value(name, others[0])
        if self.org.docs.get("validation_rules"):
            rules.validate(self.org, table, merged)
        if self.org.docs.get("duplicate_rules"):
            allow = self.allow_duplicates or self.admin
            rules.find_duplicates(
                self.org, table, merged, own, allow_save=allow, version=self.version
            )

    def assign(self, table: Table, row: Row) -> None:
        """Let the assignment rule give a lead to its owner, unless told not to."""
        settings = self.world.settings
        if table.name != "Lead" or self.admin or not self.auto_assign:
            return
        owner = self.org.user_named(settings.auto_assign_owner)
        if settings.auto_assign and owner and row.values.get("OwnerId") != owner.id:
            who = [self.user, "", "ASSIGNMENT_RULE"]
            self.org.do(["set", "Lead", row.id, self.at, {"OwnerId": owner.id}, who])
            self._note("UPDATE", table, row, {"OwnerId": owner.id}, None, lag=False)

    def _prior(self, row: Row) -> Row | None:
        return row.copy() if self._visible_at else None

    def _note(
        self,
        kind: str,
        table: Table,
        row: Row,
        values: Json,
        prior: Row | None,
        *,
        lag: bool = True,
    ) -> None:
        if self._visible_at and lag:
            table.lag(row, prior, self._visible_at)
        if self.world.listeners:
            who = (self.at, self.user, self.client, self.source, self.origin)
            self.changes.append(Change(kind, table.name, row, values, *who))


def _not_allowed(table: Table) -> RowError:
    return RowError(
        "INSUFFICIENT_ACCESS_OR_READONLY",
        f"entity type {table.name} does not support this operation",
    )
