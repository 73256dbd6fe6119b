"""Where a reference leads: by id, or by an external id inside the body."""

from typing import Any

from integrations.simulators.salesforce import cleaning, errors
from integrations.simulators.salesforce.definitions import Field
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.fls import FieldAccess
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.table import Table


def check(org: Org, table: Table, made: Field, identifier: str) -> None:
    """Refuse an id that leads to nothing of the right object; raises RowError."""
    for name in made.refs:
        target = org.tables.get(name)
        row = target.rows.get(identifier) if target else None
        if row is None:
            continue
        if row.deleted_at:
            raise errors.deleted()
        if name == "User" and made.name == "OwnerId" and not row.values.get("IsActive"):
            raise inactive_owner(table, identifier)
        return
    prefixes = {
        org.tables[name].kind.prefix for name in made.refs if name in org.tables
    }
    if prefixes and identifier[:3] not in prefixes:
        raise errors.malformed_id(made.label, identifier, made.name)
    raise RowError(
        "INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [made.name]
    )


def inactive_owner(table: Table, identifier: str) -> RowError:
    """Return the refusal of an owner who left."""
    message = (
        f"operation performed with inactive user [{identifier}] as owner of "
        f"{table.name.lower()}"
    )
    return RowError("INACTIVE_OWNER_OR_USER", message, ["OwnerId"])


def by_external_id(
    org: Org, access: FieldAccess, table: Table, relation: str, value: Any
) -> tuple[Field, str | None] | None:
    """Resolve {"Account": {"Ext__c": "x"}}; None when there is no such relationship.

    Returns (reference field, id); raises RowError.
    """
    made = table.relations.get(relation.lower())
    if made is None or access.find(table, made.name) is None:
        return None
    if value is None:
        return made, None
    if not isinstance(value, dict):
        raise errors.unknown_field(relation, table.name)
    keys = {key: v for key, v in value.items() if key != "attributes"}
    targets = [org.tables[name] for name in made.refs if name in org.tables]
    wanted = attribute(value, "type")
    if wanted:
        targets = [t for t in targets if t.name == wanted]
    for target in targets:
        for name, key in keys.items():
            field = access.find(target, name)
            if field is not None and (field.looked_up or field.name == "Id"):
                return made, _one(target, field, key)
    raise errors.unknown_field(relation, table.name)


def attribute(record: Any, name: str) -> str:
    """Return what a record says of itself in `attributes`, empty when nothing."""
    attributes = record.get("attributes") if isinstance(record, dict) else None
    return str(attributes.get(name) or "") if isinstance(attributes, dict) else ""


def _one(target: Table, field: Field, key: Any) -> str:
    if field.name == "Id":
        return str(cleaning.clean(field, key))
    found = target.find(field.name, key)
    if len(found) == 1:
        return found[0]
    if found:
        raise too_many(field, found)
    # The contract knows the code only; the wording is not confirmed.
    message = (
        f"Foreign key external ID: {key} not found for field {field.name} in entity "
        f"{target.name}"
    )
    raise RowError("INVALID_FIELD", message)


def too_many(field: Field, found: list[str]) -> RowError:
    """Return the refusal of a key that several records bear."""
    listed = ", ".join(identifier[:15] for identifier in found)
    message = (
        f"{field.name}: more than one record found for external id field: [{listed}]"
    )
    return RowError("DUPLICATE_EXTERNAL_ID", message, [field.name])
