"""The standard objects of an account and their built-in properties.

Each property is one line: name, kind, label and marks. Kinds name a type and field
type (KINDS). Marks: ! read-only, = calculated, ~ hidden; `a/b/c` after a colon are
options, `value:Label` when they differ.
"""

from integrations.simulators.hubspot.catalogue_lines import LINES
from integrations.simulators.hubspot.definitions import ObjectType, Property

KINDS = {
    "text": ("string", "text"),
    "email": ("string", "text"),
    "area": ("string", "textarea"),
    "html": ("string", "html"),
    "phone": ("string", "phonenumber"),
    "number": ("number", "number"),
    "date": ("date", "date"),
    "time": ("datetime", "date"),
    "bool": ("bool", "booleancheckbox"),
    "choice": ("enumeration", "select"),
    "radio": ("enumeration", "radio"),
    "check": ("enumeration", "checkbox"),
    "owner": ("enumeration", "select"),
}
SYSTEM = """
hs_object_id number Record ID !
hs_merged_object_ids check Merged record IDs !~
hs_object_source text Record source !~
hubspot_owner_id owner Owner
hubspot_owner_assigneddate time Owner assigned date !
hs_created_by_user_id number Created by user ID !~
hs_updated_by_user_id number Updated by user ID !~
"""
_ACTIVITY = ("hs_createdate", "hs_lastmodifieddate")
_PLAIN = ("hs_createdate", "hs_lastmodifieddate", "hs_object_id")


def _activity(
    type_id: str, name: str, *, text: tuple[str, ...], required: tuple[str, ...]
) -> ObjectType:
    singular = name[:-1]
    return ObjectType(
        type_id,
        name,
        singular.capitalize(),
        name.capitalize(),
        singular.upper(),
        "contacts",
        *_ACTIVITY,
        _PLAIN,
        searchable=text,
        required=required,
    )


def standard_types() -> list[ObjectType]:
    """Return the objects every account has."""
    return [*_crm_types(), *_activity_types(), _campaigns()]


def _crm_types() -> list[ObjectType]:
    return [
        ObjectType(
            "0-1", "contacts", "Contact", "Contacts", "CONTACT", "contacts",
            "createdate", "lastmodifieddate",
            ("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate",
             "lastname"),
            ("firstname", "lastname", "email", "phone", "hs_additional_emails",
             "company", "fax", "mobilephone"),
            event="contact",
        ),
        ObjectType(
            "0-2", "companies", "Company", "Companies", "COMPANY", "companies",
            "createdate", "hs_lastmodifieddate",
            ("createdate", "domain", "hs_lastmodifieddate", "hs_object_id", "name"),
            ("name", "phone", "domain", "website"),
            event="company",
        ),
        ObjectType(
            "0-3", "deals", "Deal", "Deals", "DEAL", "deals",
            "createdate", "hs_lastmodifieddate",
            ("amount", "closedate", "createdate", "dealname", "dealstage",
             "hs_lastmodifieddate", "hs_object_id", "pipeline"),
            ("dealname", "pipeline", "dealstage", "description", "dealtype"),
            ("dealname", "dealstage"),
            event="deal", pipeline="pipeline", stage="dealstage",
        ),
        ObjectType(
            "0-5", "tickets", "Ticket", "Tickets", "TICKET", "tickets",
            "createdate", "hs_lastmodifieddate",
            ("content", "createdate", "hs_lastmodifieddate", "hs_object_id",
             "hs_pipeline", "hs_pipeline_stage", "hs_ticket_category",
             "hs_ticket_priority", "subject"),
            ("subject", "content", "hs_pipeline_stage"),
            ("subject", "hs_pipeline_stage"),
            event="ticket", pipeline="hs_pipeline", stage="hs_pipeline_stage",
        ),
        ObjectType(
            "0-136", "leads", "Lead", "Leads", "LEAD", "leads",
            *_ACTIVITY, _PLAIN, ("hs_lead_name",), ("hs_lead_name",),
            pipeline="hs_pipeline", stage="hs_pipeline_stage",
        ),
    ]  # fmt: skip


def _activity_types() -> list[ObjectType]:
    return [
        _activity("0-46", "notes", text=("hs_note_body",), required=("hs_timestamp",)),
        _activity(
            "0-27", "tasks", text=("hs_task_body", "hs_task_subject"),
            required=("hs_timestamp",),
        ),
        _activity(
            "0-48", "calls", text=("hs_call_title", "hs_call_body"),
            required=("hs_timestamp",),
        ),
        _activity(
            "0-49", "emails", text=("hs_email_subject",),
            required=("hs_timestamp", "hs_email_direction"),
        ),
        _activity(
            "0-47", "meetings", text=("hs_meeting_title", "hs_meeting_body"),
            required=("hs_timestamp",),
        ),
    ]  # fmt: skip


def _campaigns() -> ObjectType:
    """Return marketing campaigns, which have an API of their own: ids are GUIDs.

    The object API guide's list of types leaves them out:
    https://developers.hubspot.com/docs/guides/crm/using-object-apis, read 2026-11.
    """
    return ObjectType(
        "0-35", "campaigns", "Campaign", "Campaigns", "CAMPAIGN", "campaigns",
        *_ACTIVITY, (), required=("hs_name",), guid="hs_origin_asset_id",
    )  # fmt: skip


def standard_properties(kind: ObjectType) -> list[Property]:
    """Return the built-in properties of a standard or custom object."""
    group = f"{kind.singular.lower()}information"
    if kind.guid:
        return [parse_line(line, group) for line in _lines_of(kind.name)]
    stamps = f"{kind.created} time Create date !\n{kind.modified} time Modified !"
    if kind.name == "deals":
        stamps = stamps.replace("Create date !", "Create date")
    lines = _lines_of(kind.name, f"{SYSTEM}{stamps}")
    return [parse_line(line, group) for line in lines]


def _lines_of(name: str, more: str = "") -> list[str]:
    text = f"{LINES.get(name, '')}{more}".replace("\n  ", "")
    return [line for line in text.splitlines() if line]


def parse_line(line: str, group: str) -> Property:
    """Read one catalogue line.

    >>> parse_line("hs_lead_status choice Lead status : NEW:New/OPEN", "g").options
    {'NEW': 'New', 'OPEN': 'OPEN'}
    """
    head, _, listed = line.partition(" : ")
    name, kind, *words = head.split()
    marks = words.pop() if words and set(words[-1]) <= set("!=~") else ""
    type_name, field_type = KINDS[kind]
    options = [option.partition(":") for option in listed.strip().split("/") if option]
    return Property(
        name=name,
        label=" ".join(words) or name,
        type=type_name,
        field_type="calculation_equation" if "=" in marks else field_type,
        group=group,
        options={value: label or value for value, _, label in options},
        hidden="~" in marks,
        calculated="=" in marks,
        read_only="!" in marks,
        external_options=type_name == "enumeration" and not options,
        referenced="OWNER" if kind == "owner" else "",
        form_field=not marks and group == "contactinformation",
        email=kind == "email",
    )
