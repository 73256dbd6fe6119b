"""Custom fields and objects: from their metadata to a definition, or a refusal."""

from collections.abc import Callable
from typing import Any

from integrations.simulators.salesforce import ids
from integrations.simulators.salesforce.catalogue import standard_fields
from integrations.simulators.salesforce.definitions import Field, SObject, option
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.org import Org, definition_of
from integrations.simulators.salesforce.table import Table
from integrations.simulators.wire import Json

# A custom field of tasks and events is defined once, on their common ground.
SHARED = {"Activity": ("Task", "Event")}
_TYPES = {
    "Text": "string",
    "TextArea": "textarea",
    "LongTextArea": "textarea",
    "Html": "textarea",
    "Checkbox": "boolean",
    "Number": "double",
    "Currency": "currency",
    "Percent": "percent",
    "Date": "date",
    "DateTime": "datetime",
    "Time": "time",
    "Email": "email",
    "Phone": "phone",
    "Url": "url",
    "Picklist": "picklist",
    "MultiselectPicklist": "multipicklist",
    "Lookup": "reference",
    "MasterDetail": "reference",
    "AutoNumber": "string",
}
_LENGTHS = {
    "TextArea": 255,
    "Email": 80,
    "Phone": 40,
    "Url": 255,
    "Picklist": 255,
    "MultiselectPicklist": 4099,
    "Lookup": 18,
    "MasterDetail": 18,
    "AutoNumber": 30,
}
_LONG = frozenset({"LongTextArea", "Html"})
_NUMBERS = frozenset({"Number", "Currency", "Percent"})


def _refused(message: str) -> RowError:
    return RowError("FIELD_INTEGRITY_EXCEPTION", message)


def truth(value: Any) -> bool:
    """Return whether JSON or XML says true."""
    return value is True or str(value).lower() == "true"


def field_tables(org: Org, full_name: str) -> tuple[list[Table], str]:
    """Return (tables, field name) of "Lead.Ext__c"; raises RowError."""
    kind, _, name = full_name.partition(".")
    if kind in SHARED:
        return [org.tables[each] for each in SHARED[kind]], name
    table = org.table(kind)
    if table is None or not name:
        message = f"Entity Enumeration Or ID: bad value for restricted picklist: {kind}"
        raise RowError("INVALID_CROSS_REFERENCE_KEY", message)
    if any(table.name in shared for shared in SHARED.values()):
        raise _refused(f"define {name} on Activity, not on {table.name}")
    return [table], name


def put_field(
    org: Org, full_name: str, raw: Json, *, at: int, ungranted: bool, new: bool
) -> tuple[Field, bool]:
    """Create or change a custom field; return it and whether it is new.

    raw: its metadata. ungranted: nobody sees it until permitted. Raises RowError.
    """
    tables, name = field_tables(org, full_name)
    if not name.endswith("__c"):
        raise _refused(f"{name}: the name of a custom field ends with __c")
    before = tables[0].fields.get(name)
    if before is not None and new:
        message = f"There is already a field named {name} on {tables[0].kind.label}."
        raise RowError("DUPLICATE_DEVELOPER_NAME", message)
    made = definition(name, raw)
    made.id = before.id if before else _next_id(org)
    made.ungranted = before.ungranted if before else ungranted
    # Required fields need no permission and must not be listed in one.
    made.ungranted = made.ungranted and not made.required
    for table in tables:
        org.do(["field", table.name, definition_of(made)])
        org.do(["doc", "describe_changed", table.name, {"at": at}])
    return made, before is None


def _next_id(org: Org) -> str:
    number = org.documents("counters").get("fields", {"n": 0})["n"] + 1
    org.do(["doc", "counters", "fields", {"n": number}])
    return ids.make("00N", org.pod, number)


def drop_field(org: Org, full_name: str, *, at: int) -> None:
    """Remove a field; raises RowError."""
    tables, name = field_tables(org, full_name)
    if name not in tables[0].fields:
        message = "This custom field does not exist or is not accessible"
        raise RowError("INVALID_CROSS_REFERENCE_KEY", message)
    for table in tables:
        org.do(["unfield", table.name, name])
        org.do(["doc", "describe_changed", table.name, {"at": at}])


def definition(name: str, raw: Json) -> Field:
    """Return the field that metadata describes; raises RowError."""
    kind = str(raw.get("type", ""))
    if kind not in _TYPES:
        raise RowError("INVALID_TYPE", f"{kind or 'no type'}: not a type of field")
    if not raw.get("label"):
        raise RowError("REQUIRED_FIELD_MISSING", "Required field is missing: label")
    checked = _CHECKS.get(kind)
    if checked is not None:
        checked(raw)
    made = Field(
        name, _TYPES[kind], str(raw["label"]), custom=True, permissionable=True
    )
    made.createable = made.updateable = kind != "AutoNumber"
    made.auto_number = kind == "AutoNumber"
    made.length = _LENGTHS.get(kind, int(raw.get("length") or 0))
    made.required = truth(raw.get("required")) or kind == "Checkbox"
    made.defaulted = kind == "Checkbox"
    made.external_id = made.id_lookup = truth(raw.get("externalId"))
    made.unique = truth(raw.get("unique"))
    made.case_sensitive = truth(raw.get("caseSensitive"))
    made.help = str(raw.get("inlineHelpText") or "")
    made.filterable = made.sortable = made.groupable = kind not in _LONG
    if kind in _NUMBERS:
        made.precision, made.scale = int(raw["precision"]), int(raw.get("scale") or 0)
    if raw.get("defaultValue") not in (None, "") and kind != "Checkbox":
        made.default, made.defaulted = _default(raw["defaultValue"], kind), True
    _set_more(made, raw)
    return made


def _default(value: Any, kind: str) -> Any:
    return float(value) if kind in _NUMBERS else str(value).strip('"')


def _set_more(made: Field, raw: Json) -> None:
    if raw.get("formula"):
        made.calculated, made.formula = True, str(raw["formula"])
        made.createable = made.updateable = False
    if made.type == "reference":
        made.refs = [str(raw.get("referenceTo") or "")]
        made.relationship = made.name.removesuffix("__c") + "__r"
    chosen = raw.get("valueSet") or {}
    made.restricted = truth(chosen.get("restricted"))
    listed = (chosen.get("valueSetDefinition") or {}).get("value") or []
    for item in listed if isinstance(listed, list) else [listed]:
        value, label = str(item.get("fullName")), str(item.get("label") or "")
        default = truth(item.get("default"))
        made.options.append(option(value, label, default=default))
        if default and made.type == "picklist":
            made.default, made.defaulted = value, True


def _check_text(raw: Json) -> None:
    length = int(raw.get("length") or 0)
    if not length:
        raise _refused("Must specify 'length' for a CustomField of type Text")
    if length > 255:
        raise _refused("Invalid length, maximum is: 255")


def _check_long(raw: Json) -> None:
    if int(raw.get("length") or 0) < 256:
        raise _refused("Invalid length, minimum is: 256")
    if not raw.get("visibleLines"):
        kind = raw["type"]
        raise _refused(f"Must specify 'visibleLines' for a CustomField of type {kind}")


def _check_box(raw: Json) -> None:
    if truth(raw.get("required")):
        raise _refused("Can not specify 'required' for a CustomField of type Checkbox")


def _check_number(raw: Json) -> None:
    if not raw.get("precision"):
        kind = raw["type"]
        raise _refused(f"Must specify 'precision' for a CustomField of type {kind}")


_CHECKS: dict[str, Callable[[Json], None]] = {
    "Text": _check_text,
    "LongTextArea": _check_long,
    "Html": _check_long,
    "Checkbox": _check_box,
    "Number": _check_number,
    "Currency": _check_number,
    "Percent": _check_number,
}


def put_object(org: Org, full_name: str, raw: Json) -> tuple[Table, bool]:
    """Create a custom object; return it and whether it is new. Raises RowError."""
    if not full_name.endswith("__c"):
        raise _refused(f"{full_name}: the name of a custom object ends with __c")
    table = org.table(full_name)
    if table is not None:
        return table, False
    number = sum(t.kind.custom for t in org.tables.values())
    label = str(raw.get("label") or full_name)
    kind = SObject(
        full_name,
        "a" + ids.ALPHABET[number // 62] + ids.ALPHABET[number % 62],
        label,
        str(raw.get("pluralLabel") or label),
        custom=True,
    )
    named = Field("Name", "string", "Name", length=80, createable=True, updateable=True)
    named.name_field = named.id_lookup = named.defaulted = True
    fields = [definition_of(made) for made in [*_own_fields(kind), named]]
    made: Table = org.do(["object", definition_of(kind), fields])
    return made, True


def _own_fields(kind: SObject) -> list[Field]:
    owner = Field("OwnerId", "reference", "Owner ID", length=18, refs=["Group", "User"])
    owner.createable = owner.updateable = owner.required = owner.defaulted = True
    owner.relationship = "Owner"
    return [*standard_fields(kind), owner]
