"""Fields of our own that both CRMs have as well, made while a test runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from integrations.models import FieldMapping
from integrations.services.setup import set_up_due
from integrations.sync.asking_setup import queue_setup
from integrations.tests.sync.crm import HubSpotUser
from integrations.tests.sync.trio import Trio
from leads.testing import make_custom_field

# our type -> type and field type of a HubSpot property, metadata of a Salesforce field
_KINDS: Mapping[str, tuple[str, str, Mapping[str, object]]] = {
    "bool": (
        "bool",
        "booleancheckbox",
        {"type": "Checkbox", "defaultValue": "false"},
    ),
    "number": ("number", "number", {"type": "Number", "precision": 18, "scale": 0}),
    "datetime": ("datetime", "date", {"type": "DateTime"}),
    "date": ("date", "date", {"type": "Date"}),
    "text": ("string", "text", {"type": "Email"}),
    "multi_enum": (
        "enumeration",
        "checkbox",
        {"type": "MultiselectPicklist", "visibleLines": 4},
    ),
}


def add_field(
    trio: Trio, name: str, kind: str, *, options: Sequence[str] = (), **columns: object
) -> None:
    """Make a field in all three and map it. columns: of its rows in both mappings."""
    made = make_custom_field(
        trio.workspace,
        name=name,
        type=kind,
        options=[{"value": one, "label": one} for one in options],
    )
    destinations = (_in_hubspot(trio, name, kind, options), f"{name.capitalize()}__c")
    _in_salesforce(trio, destinations[1], kind, options)
    for mapping, destination in zip(trio.mappings.values(), destinations, strict=True):
        FieldMapping.objects.create(
            mapping=mapping,
            position=90,
            source=f"custom.{made.name}",
            destination=destination,
            **columns,
        )
        queue_setup(mapping.connection)
    while set_up_due():
        pass


def _in_hubspot(trio: Trio, name: str, kind: str, options: Sequence[str]) -> str:
    body: dict[str, object] = {
        "name": name,
        "label": name,
        "groupName": "contactinformation",
        "type": _KINDS[kind][0],
        "fieldType": _KINDS[kind][1],
    }
    if options:
        body["options"] = [
            {"label": one, "value": one, "displayOrder": place, "hidden": False}
            for place, one in enumerate(options)
        ]
    HubSpotUser(trio.hubspot).call("POST", "/crm/v3/properties/contacts", body)
    return name


def _in_salesforce(trio: Trio, name: str, kind: str, options: Sequence[str]) -> None:
    metadata = {**_KINDS[kind][2], "label": name}
    if options:
        values = [{"fullName": one, "label": one, "default": False} for one in options]
        metadata["valueSet"] = {"valueSetDefinition": {"value": values}}
    given = {"full_name": f"Lead.{name}", "metadata": metadata}
    trio.salesforce.control("POST", "fields", given)
