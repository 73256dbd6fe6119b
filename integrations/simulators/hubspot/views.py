"""How records look in answers."""

from collections.abc import Iterable, Mapping

from integrations.simulators.hubspot import errors
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import Record, RecordTable
from integrations.simulators.hubspot.values import iso
from integrations.simulators.wire import Json


def shown_names(table: RecordTable, named: Iterable[str]) -> list[str]:
    """Return which properties an answer carries: the defaults, or those named."""
    kind = table.kind
    wanted = [name for name in named if name in table.properties]
    if not wanted:
        return list(kind.defaults)
    return list(dict.fromkeys([*wanted, kind.created, kind.modified, "hs_object_id"]))


def written_names(table: RecordTable, changes: Iterable[str]) -> list[str]:
    """Return which properties the answer to a write carries."""
    kind = table.kind
    return list(dict.fromkeys([*changes, kind.created, kind.modified, "hs_object_id"]))


def render(record: Record, names: Iterable[str]) -> Json:
    """Return a record; unset properties are null."""
    value = record.props.get
    return _rendered(record, {name: value(name) for name in names})


def render_whole(record: Record) -> Json:
    """Return a record with all that is set on it; not to be kept or changed."""
    return _rendered(record, record.props)


def _rendered(record: Record, properties: Mapping[str, str | None]) -> Json:
    shown: Json = {
        "id": str(record.id),
        "properties": properties,
        "createdAt": iso(record.created),
        "updatedAt": iso(record.updated),
        "archived": bool(record.archived_at),
    }
    if record.archived_at:
        shown["archivedAt"] = iso(record.archived_at)
    return shown


def with_history(shown: Json, record: Record, names: list[str]) -> Json:
    """Add propertiesWithHistory when any were asked for."""
    if names:
        shown["propertiesWithHistory"] = {name: record.history(name) for name in names}
    return shown


def with_associations(
    shown: Json, portal: Portal, table: RecordTable, record: Record, targets: list[str]
) -> Json:
    """Add associations by target type when any were asked for and exist."""
    found: Json = {}
    for name in targets:
        target = portal.crm_table(name)
        if target is None:
            raise errors.bad_request(f"Unable to infer object type from: {name}")
        results = association_results(portal, table, record, target)
        if results:
            found[target.kind.name] = {"results": results}
    if found:
        shown["associations"] = found
    return shown


def association_results(
    portal: Portal, table: RecordTable, record: Record, target: RecordTable
) -> list[Json]:
    """Return [{id, type}], one entry per partner and label."""
    near, far = table.kind, target.kind
    base = f"{near.label}_to_{far.label}".lower()
    results = []
    for other, labels in sorted(portal.linked(near.name, record.id, far.name).items()):
        if not is_live(target, other):
            continue
        for label in labels:
            kind = portal.types.get((near.name, far.name, *label))
            plain = kind is None or kind.label is None
            several = plain and len(labels) > 1
            suffix = "_unlabeled" if several else ""
            results.append({"id": str(other), "type": base + suffix})
    return results


def is_live(table: RecordTable, number: int) -> bool:
    """Return whether a record exists and is not archived."""
    record = table.records.get(number)
    return record is not None and not record.archived_at
