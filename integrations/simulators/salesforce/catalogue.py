"""The standard objects and fields, read from lines of text.

A line is `Name type size flags Label`, then optionally `=default`, `@Compound`,
`> Object,Object as Relationship` and `: value~label|value`. size: a length, `18.2` as
precision and scale, or `8d` as digits. flags: r required, c createable, u updateable,
d defaulted on create, i id lookup, x restricted, n name field, p permissionable,
F not filterable, S not sortable, G not groupable. An indented line continues the one
before it.
"""

import re

from integrations.simulators.salesforce import (
    fields_activity,
    fields_people,
    fields_sales,
    fields_setup,
)
from integrations.simulators.salesforce.definitions import Field, SObject, option

_LINE = re.compile(
    r"(?P<name>\S+) (?P<type>\S+) (?P<size>\S+) (?P<flags>\S+) (?P<label>.+?)"
    r"(?: =(?P<default>.+?))?(?: @(?P<compound>\S+))?"
    r"(?: >(?: (?P<refs>[\w,]+))??(?: as (?P<relation>\w+))?)?(?: : (?P<options>.+))?"
)
_LINES = (
    fields_people.LINES
    | fields_sales.LINES
    | fields_activity.LINES
    | fields_setup.LINES
)
_READ_ONLY = {"createable": False, "updateable": False, "deletable": False}


def standard_objects() -> list[SObject]:
    """Return the objects every organization has."""
    return [
        SObject("Lead", "00Q", "Lead", "Leads", mergeable=True),
        SObject("Contact", "003", "Contact", "Contacts", mergeable=True),
        SObject("Account", "001", "Account", "Accounts", mergeable=True),
        SObject("Opportunity", "006", "Opportunity", "Opportunities"),
        SObject("Task", "00T", "Task", "Tasks"),
        SObject("Event", "00U", "Event", "Events"),
        SObject("Note", "002", "Note", "Notes"),
        SObject("Campaign", "701", "Campaign", "Campaigns"),
        SObject("CampaignMember", "00v", "Campaign Member", "Campaign Members"),
        SObject(
            "CampaignMemberStatus", "01Y", "Campaign Member Status", "Member Statuses"
        ),
        SObject(
            "OpportunityContactRole",
            "00K",
            "Opportunity Contact Role",
            "Opportunity Contact Role",
        ),
        SObject("User", "005", "User", "Users", deletable=False),
        SObject("Group", "00G", "Group", "Groups"),
        SObject(
            "Organization",
            "00D",
            "Organization",
            "Organizations",
            createable=False,
            deletable=False,
        ),
        SObject("PermissionSet", "0PS", "Permission Set", "Permission Sets"),
        SObject(
            "PermissionSetAssignment",
            "0Pa",
            "Permission Set Assignment",
            "Permission Set Assignments",
        ),
        SObject("FieldPermissions", "01k", "Field Permissions", "Field Permissions"),
        SObject("OpportunityStage", "01J", "Stage", "Stages", **_READ_ONLY),
        SObject("LeadStatus", "01J", "Lead Status", "Lead Statuses", **_READ_ONLY),
        SObject("TaskStatus", "01J", "Task Status", "Task Statuses", **_READ_ONLY),
        SObject("TaskPriority", "01J", "Priority", "Priorities", **_READ_ONLY),
    ]


def standard_fields(kind: SObject) -> list[Field]:
    """Return an object's fields, the system's own among them."""
    return [_id_field(kind), *_parsed(kind.name), *_system_fields()]


def _id_field(kind: SObject) -> Field:
    return Field(
        "Id",
        "id",
        f"{kind.label} ID",
        length=18,
        required=True,
        defaulted=True,
        id_lookup=True,
    )


def _system_fields() -> list[Field]:
    return [
        _given("IsDeleted", "boolean", "Deleted"),
        _given("CreatedDate", "datetime", "Created Date"),
        _given_user("CreatedBy", "Created By ID"),
        _given("LastModifiedDate", "datetime", "Last Modified Date"),
        _given_user("LastModifiedBy", "Last Modified By ID"),
        _given("SystemModstamp", "datetime", "System Modstamp"),
    ]


def _given(name: str, kind: str, label: str) -> Field:
    return Field(name, kind, label, required=True, defaulted=True)


def _given_user(relation: str, label: str) -> Field:
    made = _given(f"{relation}Id", "reference", label)
    made.length, made.refs, made.relationship = 18, ["User"], relation
    return made


def _parsed(name: str) -> list[Field]:
    lines: list[str] = []
    for line in _LINES.get(name, "").strip("\n").splitlines():
        if line.startswith(" "):
            glue = "" if lines[-1].endswith("|") else " "
            lines[-1] += glue + line.strip()
        elif line:
            lines.append(line)
    return [parse_line(line) for line in lines]


def parse_line(line: str) -> Field:
    """Return the field a line describes; raises ValueError."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise ValueError(f"cannot read field: {line}")
    flags = found["flags"]
    made = Field(
        found["name"],
        found["type"],
        found["label"],
        required="r" in flags,
        createable="c" in flags,
        updateable="u" in flags,
        defaulted="d" in flags,
        id_lookup="i" in flags,
        restricted="x" in flags,
        name_field="n" in flags,
        permissionable="p" in flags,
        filterable="F" not in flags,
        sortable="S" not in flags,
        groupable="G" not in flags,
        compound=found["compound"] or "",
        default=found["default"],
        refs=(found["refs"] or "").split(",") if found["refs"] else [],
        relationship=found["relation"] or "",
    )
    _set_size(made, found["size"])
    for text in (found["options"] or "").split("|") if found["options"] else []:
        value, _, label = text.partition("~")
        made.options.append(option(value, label, default=value == made.default))
    return made


def _set_size(made: Field, size: str) -> None:
    if "." in size:
        precision, scale = size.split(".")
        made.precision, made.scale = int(precision), int(scale)
    elif size.endswith("d"):
        made.digits = int(size[:-1])
    else:
        made.length = int(size)
