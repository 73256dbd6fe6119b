"""Changing a picklist while the organization is in use, with its setup records."""

import copy

from integrations.simulators.salesforce import ids
from integrations.simulators.salesforce.definitions import Field, option
from integrations.simulators.salesforce.org import Org, definition_of
from integrations.simulators.salesforce.table import Table
from integrations.simulators.wire import Json

_SETUP = {
    ("Opportunity", "StageName"): "OpportunityStage",
    ("Lead", "Status"): "LeadStatus",
    ("Task", "Status"): "TaskStatus",
    ("Task", "Priority"): "TaskPriority",
}


def change(org: Org, table: Table, made: Field, raw: Json, *, at: int) -> Field:
    """Add and remove values. raw: add and remove are lists of values."""
    changed = copy.deepcopy(made)
    gone = set(raw.get("remove") or [])
    changed.options = [o for o in changed.options if o["value"] not in gone]
    changed.options += [option(str(value)) for value in raw.get("add") or []]
    if "restricted" in raw:
        changed.restricted = bool(raw["restricted"])
    org.do(["field", table.name, definition_of(changed)])
    org.do(["doc", "describe_changed", table.name, {"at": at}])
    setup = org.tables.get(_SETUP.get((table.name, made.name), ""))
    if setup is not None:
        _change_setup(org, setup, gone, raw.get("add") or [], at)
    return changed


def _change_setup(
    org: Org, setup: Table, gone: set[str], added: list[str], at: int
) -> None:
    who = [next(iter(org.tables["User"].ids)), "", "SETUP"]
    for value in gone:
        for identifier in list(setup.find("ApiName", value)):
            org.do(["delete", setup.name, identifier, at * 1000, "", {}, who])
    for value in added:
        number = setup.next_number
        made = {
            "MasterLabel": value,
            "ApiName": value,
            "SortOrder": number,
            "IsActive": True,
            "ForecastCategory": "Pipeline",
            "DefaultProbability": 10,
        }
        kept = {name: v for name, v in made.items() if name in setup.fields}
        identifier = ids.make(setup.kind.prefix, org.pod, number)
        org.do(["new", setup.name, identifier, at * 1000, kept, who])
