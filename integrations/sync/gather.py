"""Gathers what the decisions of a push need: one query per table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations.connectors.base import Connector
from integrations.mapping.engine import Compiled, Row, ToText
from integrations.models import Connection, Link, ObjectMapping, RemoteSchema
from integrations.records import RemoteField, RemoteOption
from integrations.sync import outbox
from integrations.sync.links import hub_key, links_of
from integrations.sync.plan import Parent, Rules, Subject
from integrations.webhooks.sources import SOURCES
from leads.snapshots import Snapshot, snapshots

OWNER_FIELD_TYPE = "owner"
# What nothing can be tied to without.
_ESSENTIAL = frozenset({"lead"})


def rules_of(mapping: ObjectMapping, connector: Connector) -> Rules:
    """Return a mapping as the plain values that decisions are made from."""
    connection = mapping.connection
    return Rules(
        remote_object=mapping.remote_object,
        compiled=compiled(mapping, connector),
        match_field=mapping.match_field,
        key_field=connection.key_fields.get(mapping.remote_object, ""),
        ties=mapping.record_type in {"deal", "activity"},
        only_kinds=frozenset(mapping.only_kinds),
        cold_sources=frozenset(SOURCES) if mapping.engaged_only else frozenset(),
    )


def compiled(mapping: ObjectMapping, connector: Connector) -> Compiled:
    """Compile the mapping's rows; one whose field the CRM lacks is left out."""
    fields = described(mapping.connection, mapping.remote_object)
    rows = [
        Row(
            row.source,
            row.destination,
            row.transform,
            row.values or owners_by_email(mapping.connection, fields, row.destination),
            row.default,
            row.clear_blanks,
            # Someone here whom the CRM does not know must not hold up the record.
            leave_out_unknown=fields[row.destination].type == OWNER_FIELD_TYPE,
        )
        for row in mapping.rows.filter(active=True)
        if row.destination in fields
    ]
    to_text = {
        row.destination: _to_text(connector, fields[row.destination]) for row in rows
    }
    return Compiled(rows, to_text)


def _to_text(connector: Connector, field: RemoteField) -> ToText:
    def to_text(value: object | None) -> str:
        return connector.to_remote(value, field)

    return to_text


def described(connection: Connection, remote_object: str) -> dict[str, RemoteField]:
    """Return remote name -> field, as the CRM last described the object."""
    schema = RemoteSchema.objects.filter(
        connection=connection, object_type=remote_object
    ).first()
    return (
        {entry["name"]: field_from(entry) for entry in schema.fields} if schema else {}
    )


def field_from(entry: Mapping[str, object]) -> RemoteField:
    """Return a stored field description as a value."""
    known = {name: entry[name] for name in RemoteField.__slots__ if name in entry}
    known.pop("refusal", None)
    options = entry.get("options") or ()
    known["options"] = tuple(RemoteOption(**option) for option in options)  # type: ignore[attr-defined]
    return RemoteField(**known)  # type: ignore[arg-type]


def owners_by_email(
    connection: Connection, fields: Mapping[str, RemoteField], destination: str
) -> dict[str, str]:
    """Return e-mail -> owner id for a field that takes an owner, else nothing."""
    if fields[destination].type != OWNER_FIELD_TYPE:
        return {}
    return {owner["email"].lower(): owner["id"] for owner in connection.owners}


def subjects(mapping: ObjectMapping, items: Sequence[WorkItem]) -> list[Subject]:
    """Return each item's record, link and parents, in the items' order."""
    ids = [outbox.record_of(item.key) for item in items]
    records = snapshots(mapping.record_type, ids)
    links = links_of(
        mapping.connection, mapping.record_type, mapping.remote_object, ids
    )
    parents = _parents(mapping, records)
    return [
        _subject(mapping, item, one, records.get(one), links.get(one), parents)
        for item, one in zip(items, ids, strict=True)
    ]


def _subject(
    mapping: ObjectMapping,
    item: WorkItem,
    record_id: int,
    record: Snapshot | None,
    link: Link | None,
    parents: Callable[[Snapshot], tuple[Parent, ...]],
) -> Subject:
    return Subject(
        ref=str(item.pk),
        record=record,
        key=hub_key(mapping.workspace, mapping.record_type, record_id),
        remote_id=link.remote_id if link else None,
        gone=link is not None and link.state != Link.State.LINKED,
        base=link.base if link else {},
        parents=parents(record) if record and link is None else (),
        tried=item.attempts + item.rescues > 0,
    )


# --- parents --------------------------------------------------------------------------


def _parents(
    mapping: ObjectMapping, records: Mapping[int, Snapshot]
) -> Callable[[Snapshot], tuple[Parent, ...]]:
    """Return a function from a record to its parents; looks all of them up first."""
    known: dict[tuple[str, int], Parent] = {}
    for parent_type in sorted(
        {name for one in records.values() for name in one.parents}
    ):
        ids = {
            one.parents[parent_type]
            for one in records.values()
            if parent_type in one.parents
        }
        known |= _parents_of_type(mapping, parent_type, ids)

    def parents(record: Snapshot) -> tuple[Parent, ...]:
        found = (known.get(pair) for pair in record.parents.items())
        return tuple(parent for parent in found if parent is not None)

    return parents


def _parents_of_type(
    mapping: ObjectMapping, parent_type: str, ids: set[int]
) -> dict[tuple[str, int], Parent]:
    above = ObjectMapping.objects.filter(
        connection=mapping.connection, record_type=parent_type, active=True
    ).first()
    if above is None:
        return {}
    links = links_of(mapping.connection, parent_type, above.remote_object, ids)
    missing = ids - set(links)
    states = _states(above, missing)
    unknown = [one for one in missing if outbox.key_of(above.pk, one) not in states]
    outbox.queue_records(mapping.workspace, above, unknown)
    found = {}
    for one in ids:
        key = outbox.key_of(above.pk, one)
        link = links.get(one)
        fate = _fate(link, states.get(key, State.READY))
        if fate in {"never", "gone"} and parent_type not in _ESSENTIAL:
            continue
        found[parent_type, one] = Parent(
            key=key,
            label=f"{above.get_record_type_display().lower()} {one}",
            remote_object=above.remote_object,
            remote_id=link.remote_id if link else None,
            fate=fate,
        )
    return found


def _states(above: ObjectMapping, ids: set[int]) -> dict[str, str]:
    if not ids:
        return {}
    keys = [outbox.key_of(above.pk, one) for one in ids]
    rows = WorkItem.objects.filter(kind=outbox.KIND, key__in=keys)
    return dict(rows.values_list("key", "state"))


def _fate(
    link: Link | None, state: str
) -> Literal["linked", "coming", "failed", "never", "gone"]:
    if link is not None:
        return "linked" if link.state == Link.State.LINKED else "gone"
    if state == State.PARKED:
        return "failed"
    return "never" if state == State.DONE else "coming"
