"""What goes to the recycle bin together, and comes back together."""

from collections.abc import Iterator

from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table

# Object -> (dependent object, its reference): the describes' cascading deletes.
DEPENDANTS = {
    "Account": (
        ("Contact", "AccountId"),
        ("Opportunity", "AccountId"),
        ("Task", "WhatId"),
        ("Event", "WhatId"),
        ("Note", "ParentId"),
    ),
    "Contact": (
        ("CampaignMember", "ContactId"),
        ("OpportunityContactRole", "ContactId"),
        ("Task", "WhoId"),
        ("Event", "WhoId"),
        ("Note", "ParentId"),
    ),
    "Lead": (
        ("CampaignMember", "LeadId"),
        ("Task", "WhoId"),
        ("Event", "WhoId"),
        ("Note", "ParentId"),
    ),
    "Opportunity": (
        ("OpportunityContactRole", "OpportunityId"),
        ("Task", "WhatId"),
        ("Event", "WhatId"),
        ("Note", "ParentId"),
    ),
    "Campaign": (
        ("CampaignMember", "CampaignId"),
        ("CampaignMemberStatus", "CampaignId"),
    ),
    "PermissionSet": (
        ("PermissionSetAssignment", "PermissionSetId"),
        ("FieldPermissions", "ParentId"),
    ),
}


def with_dependants(org: Org, table: Table, row: Row) -> Iterator[tuple[Table, Row]]:
    """Yield a record and all that is deleted with it, dependants first."""
    for name, reference in DEPENDANTS.get(table.name, ()):
        other = org.tables[name]
        for found in other.linked(reference, row.id):
            if not found.deleted_at:
                yield from with_dependants(org, other, found)
    yield table, row


def taken_along(org: Org, table: Table, row: Row) -> Iterator[tuple[Table, Row]]:
    """Yield a deleted record and all that its deletion took along."""
    yield table, row
    for other in org.tables.values():
        for found in list(other.bin.values()):
            if found.bin_root == row.id:
                yield other, found
