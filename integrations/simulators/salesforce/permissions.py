"""Permission sets made through metadata: a set, and what it says of fields."""

from integrations.simulators.salesforce import metadata
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Json


def put_set(writer: Writer, name: str, described: Json) -> bool:
    """Create or extend a permission set; return whether it is new. Raises RowError."""
    listed = described.get("fieldPermissions") or []
    listed = listed if isinstance(listed, list) else [listed]
    for item in listed:
        _check(writer, str(item.get("field")))
    sets = writer.org.tables["PermissionSet"]
    found = sets.linked("Name", name)
    label = str(described.get("label") or name)
    parent = found[0] if found else writer.add(sets, {"Name": name, "Label": label})
    for item in listed:
        _grant(writer, parent, item)
    return not found


def _check(writer: Writer, full_name: str) -> None:
    kind, _, name = full_name.partition(".")
    table = writer.org.table(kind)
    made = table.fields.get(name) if table else None
    if made is None:
        message = f"In field: field - no CustomField named {full_name} found"
        raise RowError("INVALID_CROSS_REFERENCE_KEY", message)
    if made.required and made.type != "boolean":
        message = f"You cannot deploy to a required field: {full_name}"
        raise RowError("FIELD_INTEGRITY_EXCEPTION", message)


def _grant(writer: Writer, parent: Row, item: Json) -> None:
    table = writer.org.tables["FieldPermissions"]
    field = str(item["field"])
    editable = metadata.truth(item.get("editable"))
    values = {
        "ParentId": parent.id,
        "SobjectType": field.partition(".")[0],
        "Field": field,
        "PermissionsEdit": editable,
        "PermissionsRead": editable or metadata.truth(item.get("readable")),
    }
    for row in table.linked("ParentId", parent.id):
        if row.values["Field"] == field:
            writer.set(table, row, values)
            return
    writer.add(table, values)
