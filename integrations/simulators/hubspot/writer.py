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
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import (
    ADDITIONAL_EMAILS,
    Record,
    RecordTable,
)
from integrations.simulators.hubspot.rules import derived, pipeline_problems
from integrations.simulators.hubspot.settings import Settings
from integrations.simulators.hubspot.values import MAX_STRING, InvalidValueError
from integrations.simulators.wire import Json

Changes = dict[str, str | None]


@dataclass(slots=True)
class Change:
    """Something webhooks may tell. what: creation, propertyChange, ..."""

    what: str
    kind: str
    number: int
    at: int
    more: Json = field(default_factory=dict)
    source_id: str = ""


@dataclass(slots=True)
class Plan:
    """One checked write. record: None = create one."""

    table: RecordTable
    record: Record | None
    changes: Changes
    links: list[tuple[int, list[AssociationType]]] = field(default_factory=list)


class Writer:
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
        self.portal = portal
        self.settings = settings
        self.at = at
        self.source = source
        self.source_id = source_id
        self.quiet = quiet
        self.changes: list[Change] = []
        self._claims: dict[tuple[str, str], int] = {}
        self._fresh = 0

    # -- planning

    def plan_create(self, table: RecordTable, raw: Json) -> Plan:
        """Check {properties, associations?} for a new record; raises ApiError."""
        given = _properties_of(raw)
        links = self._plan_links(table, raw.get("associations"))
        changes = self._clean(table, None, given)
        self._check_required(table, changes, links)
        self._fresh -= 1
        self._claim(table, changes, self._fresh)
        return Plan(table, None, changes, links)

    def plan_update(self, table: RecordTable, record: Record, raw: Json) -> Plan:
        """Check {properties} for an existing record; raises ApiError."""
        changes = self._clean(table, record, _properties_of(raw))
        self._claim(table, changes, record.id)
        return Plan(table, record, changes)

    def _clean(
        self, table: RecordTable, record: Record | None, given: dict[str, Any]
    ) -> Changes:
        before = record.props if record else {}
        changes: Changes = {}
        problems: list[errors.Problem] = []
        for name, raw in given.items():
            # The two common cases, decided without looking at the definition.
            unchanged = raw == before.get(name) and name in table.writable
            text = name in table.plain and raw and len(raw) <= MAX_STRING
            if raw and (unchanged or text):
                changes[name] = raw
                continue
            problem = self._clean_one(table, name, raw, before, changes)
            if problem:
                problems.append(problem)
        if not problems:
            problems = pipeline_problems(
                self.portal, table.kind, before, changes, creating=record is None
            )
        if problems:
            raise errors.invalid_properties(problems, self.portal.hub_id)
        changes |= derived(self.portal, table.kind, before, changes)
        return {k: v for k, v in changes.items() if v != before.get(k)}

    def _clean_one(
        self,
        table: RecordTable,
        name: str,
        raw: Any,
        before: dict[str, str],
        changes: Changes,
    ) -> errors.Problem | None:
        prop = table.properties.get(name)
        if prop is None or prop.archived_at:
            message = f'Property "{name}" does not exist'
            return errors.Problem(name, "PROPERTY_DOESNT_EXIST", message)
        if not prop.writable:
            message = f'"{name}" is a read only property; its value cannot be set.'
            return errors.Problem(name, "READ_ONLY_VALUE", message)
        if raw is None or raw == "":
            changes[name] = None
            return None
        try:
            changes[name] = prop.clean(raw, before.get(name))
        except InvalidValueError as error:
            return errors.Problem(name, error.code, str(error))
        if prop.referenced == "OWNER" and not self._owner_exists(raw):
            message = f"{raw} was not a valid owner id."
            return errors.Problem(name, "INVALID_OWNER_ID", message)
        return None

    def _owner_exists(self, number: str) -> bool:
        owner = self.portal.documents("owners").get(number)
        return owner is not None and not owner["archived"]

    def _check_required(
        self,
        table: RecordTable,
        changes: Changes,
        links: list[tuple[int, list[AssociationType]]],
    ) -> None:
        kind = table.kind
        missing = [name for name in kind.required if not changes.get(name)]
        if missing:
            raise errors.missing_required(kind.label, missing)
        either = _ONE_OF.get(kind.name)
        if either and not any(changes.get(name) for name in either):
            raise errors.missing_required(kind.label, list(either))
        if kind.name == "leads":
            primary = any(t.id == LEAD_PRIMARY for _, types in links for t in types)
            if not primary:
                raise errors.bad_request(
                    "A lead must be associated to a contact (type "
                    f"{LEAD_PRIMARY}) when it is created"
                )

    def _plan_links(
        self, table: RecordTable, raw: Any
    ) -> list[tuple[int, list[AssociationType]]]:
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
        given = {k: v for k, v in changes.items() if v}
        for name, index in table.unique.items():
            extra = name == "email" and ADDITIONAL_EMAILS in given
            if name not in given and not extra:
                continue
            for value in table.unique_values(name, given):
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
        self._tell_values(plan.table, record.id, plan.changes)
        return record

    def _create(self, plan: Plan) -> Record:
        table, kind = plan.table, plan.table.kind
        number = table.next_id
        self.hide(table, number, None)
        args = (kind.name, number, self.at, plan.changes)
        record: Record = self.portal.do(["new", *args, self.source, self.source_id])
        self._tell(table, number, "creation", {"changeFlag": "NEW"})
        self._tell_values(table, number, plan.changes)
        for other, types in plan.links:
            self.join((kind.name, number), (types[0].target, other), types)
        return record

    def archive(self, table: RecordTable, record: Record) -> None:
        """Move a record to the recycle bin."""
        self.hide(table, record.id, record)
        self.portal.do(["archive", table.kind.name, record.id, self.at])
        self._tell(table, record.id, "deletion", {"changeFlag": "DELETED"})

    def restore(self, table: RecordTable, record: Record) -> None:
        """Take a record out of the recycle bin."""
        self.portal.do(["restore", table.kind.name, record.id])
        self._tell(table, record.id, "restore", {})

    def erase(self, table: RecordTable, record: Record) -> None:
        """Erase a record for good."""
        self.portal.do(["purge", table.kind.name, record.id])
        self._tell(table, record.id, "privacyDeletion", {})

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

    def tell_link(
        self,
        source: tuple[str, int],
        target: tuple[str, int],
        kind: AssociationType,
        *,
        removed: bool,
    ) -> None:
        """Note an association change for webhooks, in both directions."""
        if self.quiet:
            return
        for near, far in ((source, target), (target, source)):
            more: Json = {
                "fromObjectId": near[1],
                "toObjectId": far[1],
                "associationType": association_name(self.portal, near[0], far[0]),
                "associationRemoved": removed,
                "isPrimaryAssociation": kind.primary,
            }
            self._note("associationChange", near[0], near[1], more)

    def tell_merge(self, table: RecordTable, survivor: int, more: Json) -> None:
        """Note a merge for webhooks."""
        self._tell(table, survivor, "merge", more)

    def _tell_values(self, table: RecordTable, number: int, changes: Changes) -> None:
        if self.quiet:
            return
        for name, value in changes.items():
            told = {"propertyName": name, "propertyValue": value or ""}
            self._tell(table, number, "propertyChange", told)

    def _tell(self, table: RecordTable, number: int, what: str, more: Json) -> None:
        if self.quiet:
            return
        self._note(what, table.kind.name, number, more)

    def _note(self, what: str, kind: str, number: int, more: Json) -> None:
        change = Change(what, kind, number, self.at, more, self.source_id)
        self.changes.append(change)

    def hide(self, table: RecordTable, number: int, prior: Record | None) -> None:
        """Keep search on the state before this write for the index delay."""
        low, high = self.settings.index_delay_s, self.settings.index_delay_max_s
        delay = random.uniform(low, high) if high > low else low
        if delay > 0:
            shown = prior.copy() if prior else None
            now = self.at / 1000
            table.lag(number, shown, now=now, visible_at=now + delay)


LEAD_PRIMARY = 578
_ONE_OF = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("name", "domain"),
}


_TEXT = frozenset({str, type(None)})


def _properties_of(raw: Json) -> dict[str, Any]:
    given = raw.get("properties")
    if not isinstance(given, dict):
        raise errors.bad_request("Invalid input JSON: properties must be an object")
    if not _TEXT.issuperset(map(type, given.values())):
        raise errors.bad_request(
            "Invalid input JSON: Cannot deserialize value of type `java.lang.String`"
        )
    return given


def association_name(portal: Portal, source: str, target: str) -> str:
    """Return a pair as webhooks name it: CONTACT_TO_COMPANY."""
    near, far = portal.tables[source].kind, portal.tables[target].kind
    return f"{near.label}_TO_{far.label}"
