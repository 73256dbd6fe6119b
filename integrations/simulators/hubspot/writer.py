"""Checking and applying writes to records.

A write is planned first and applied afterwards, so that a refused batch changes
nothing. One Writer serves one request: it also remembers the unique values its other
inputs claim and the changes webhooks must hear of.
"""

import random
from dataclasses import dataclass, field
from typing import Any

from integrations.simulators.hubspot import errors, linking
from integrations.simulators.hubspot.association_types import AssociationType
from integrations.simulators.hubspot.cleaning import (
    Links,
    check_required,
    cleaned,
    properties_of,
)
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.rules import Changes
from integrations.simulators.hubspot.settings import Settings
from integrations.simulators.hubspot.telling import Telling
from integrations.simulators.wire import Json


@dataclass(slots=True)
class Plan:
    """One checked write. record: None = create one."""

    table: RecordTable
    record: Record | None
    changes: Changes
    links: Links = field(default_factory=list)


class Writer(Telling):
    """Plans and applies the writes of one request.

    at: epoch ms; source: HubSpot's changeSource, INTEGRATION for an API call; quiet:
    nobody listens to changes, do not collect them.
    """

    def __init__(
        self,
        portal: Portal,
        settings: Settings,
        *,
        at: int,
        source: str = "INTEGRATION",
        source_id: str = "",
        quiet: bool = False,
    ) -> None:
        super().__init__(portal, at=at, source_id=source_id, quiet=quiet)
        self.settings = settings
        self.source = source
        self._claims: dict[tuple[str, str], int] = {}
        self._fresh = 0

    # -- planning

    def plan_create(self, table: RecordTable, raw: Json) -> Plan:
        """Check {properties, associations?} for a new record; raises ApiError."""
        given = properties_of(raw)
        links = self._plan_links(table, raw.get("associations"))
        changes = cleaned(self.portal, table, None, given)
        check_required(table, changes, links)
        self._fresh -= 1
        self._claim(table, changes, self._fresh)
        return Plan(table, None, changes, links)

    def plan_update(self, table: RecordTable, record: Record, raw: Json) -> Plan:
        """Check {properties} for an existing record; raises ApiError."""
        changes = cleaned(self.portal, table, record, properties_of(raw))
        self._claim(table, changes, record.id)
        return Plan(table, record, changes)

    def _plan_links(self, table: RecordTable, raw: Any) -> Links:
        if raw is None:
            return []
        if not isinstance(raw, list):
            raise errors.bad_request("Invalid input JSON: associations is a list")
        return [self._plan_link(table, item) for item in raw]

    def _plan_link(
        self, table: RecordTable, item: Any
    ) -> tuple[int, list[AssociationType]]:
        raw = item if isinstance(item, dict) else {}
        types = linking.spec_types(self.portal, table.kind.name, raw.get("types"))
        target = self.portal.tables[types[0].target]
        wanted = str((raw.get("to") or {}).get("id", ""))
        other = target.live(wanted)
        if other is None or any(t.target != types[0].target for t in types):
            raise errors.bad_request(
                f"The {target.kind.label} {wanted} to associate does not exist"
            )
        return other.id, types

    def _claim(self, table: RecordTable, changes: Changes, claimant: int) -> None:
        for name, index in table.unique.items():
            for value in table.unique_values(name, changes):
                holder = index.get(value)
                other = self._claims.get((name, value))
                if holder not in (None, claimant):
                    raise self._taken(table, name, value, holder)
                if other not in (None, claimant):
                    raise self._taken(table, name, value, None)
                self._claims[name, value] = claimant

    def _taken(
        self, table: RecordTable, name: str, value: str, holder: int | None
    ) -> errors.ApiError:
        if name == "email":
            return errors.already_exists(table.kind.label.capitalize(), holder)
        message = (
            f"Cannot set PropertyValueCoordinates{{portalId={self.portal.hub_id}, "
            f"objectTypeId={table.kind.type_id}, propertyName={name}, value={value}}}. "
            f"{holder or 'Another input of this batch'} already has that value."
        )
        problem = errors.Problem(name, "CONFLICTING_UNIQUE_VALUE", message)
        return errors.invalid_properties([problem], self.portal.hub_id)

    # -- applying

    def apply(self, plan: Plan) -> Record:
        """Carry out a plan and return the record."""
        if plan.record is None:
            return self._create(plan)
        if not plan.changes:
            return plan.record
        self.hide(plan.table, plan.record.id, plan.record)
        args = (plan.table.kind.name, plan.record.id, self.at, plan.changes)
        record: Record = self.portal.do(["set", *args, self.source, self.source_id])
        self.tell_values(plan.table, record.id, plan.changes)
        return record

    def _create(self, plan: Plan) -> Record:
        table, kind = plan.table, plan.table.kind
        number = table.next_id
        self.hide(table, number, None)
        args = (kind.name, number, self.at, kind.identified(plan.changes))
        record: Record = self.portal.do(["new", *args, self.source, self.source_id])
        self.tell(table, number, "creation", {"changeFlag": "NEW"})
        self.tell_values(table, number, plan.changes)
        for other, types in plan.links:
            self.join((kind.name, number), (types[0].target, other), types)
        return record

    def archive(self, table: RecordTable, record: Record) -> None:
        """Move a record to the recycle bin."""
        self.hide(table, record.id, record)
        self.portal.do(["archive", table.kind.name, record.id, self.at])
        self.tell(table, record.id, "deletion", {"changeFlag": "DELETED"})

    def restore(self, table: RecordTable, record: Record) -> None:
        """Take a record out of the recycle bin."""
        self.portal.do(["restore", table.kind.name, record.id])
        self.tell(table, record.id, "restore", {})

    def erase(self, table: RecordTable, record: Record) -> None:
        """Erase a record for good."""
        self.portal.do(["purge", table.kind.name, record.id])
        self.tell(table, record.id, "privacyDeletion", {})

    def merged(self, table: RecordTable, survivor: int, gone: list[int]) -> None:
        """Forget the merged records and lead their ids to the survivor."""
        self.portal.do(["merged", table.kind.name, survivor, gone])

    def join(
        self,
        source: tuple[str, int],
        target: tuple[str, int],
        types: list[AssociationType],
        *,
        replace: bool = False,
    ) -> None:
        """Associate two records."""
        if linking.join(self.portal, source, target, types, replace=replace):
            for kind in linking.label_set(self.portal, source[0], target[0], types):
                self.tell_link(source, target, kind, removed=False)

    def part(self, source: tuple[str, int], target: tuple[str, int]) -> None:
        """Remove every association between two records."""
        plain = self.portal.plain_type(source[0], target[0])
        if linking.part(self.portal, source, target) and plain:
            self.tell_link(source, target, plain, removed=True)

    def hide(self, table: RecordTable, number: int, prior: Record | None) -> None:
        """Keep search on the state before this write for the index delay."""
        low, high = self.settings.index_delay_s, self.settings.index_delay_max_s
        delay = random.uniform(low, high) if high > low else low
        if delay > 0:
            shown = prior.copy() if prior else None
            now = self.at / 1000
            table.lag(number, shown, now=now, visible_at=now + delay)
