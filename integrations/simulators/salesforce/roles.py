"""The contacts of an opportunity: at most one is the primary one, which it names too.

Object reference, Opportunity: ContactId is the primary contact. Given on create it
makes that contact's role; afterwards it follows the role that is primary.
OpportunityContactRole: each opportunity has only one primary contact.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table

if TYPE_CHECKING:
    from integrations.simulators.salesforce.writer import Writer

DEAL, ROLE = "Opportunity", "OpportunityContactRole"


def give(writer: Writer, deal: Row, contact: str) -> None:
    """Make a contact the primary one of a new opportunity."""
    table = writer.org.tables[ROLE]
    role = {"OpportunityId": deal.id, "ContactId": contact, "IsPrimary": True}
    writer.add(table, {**table.defaults, **role})


def follow(writer: Writer, table: Table, row: Row) -> None:
    """Let the other roles and the opportunity follow a role that was written."""
    if table.name != ROLE:
        return
    deal = writer.org.tables[DEAL].rows.get(row.values["OpportunityId"])
    roles = table.linked("OpportunityId", row.values["OpportunityId"])
    if row.values.get("IsPrimary") and not row.deleted_at:
        for other in roles:
            if other.id != row.id and other.values.get("IsPrimary"):
                writer.set(table, other, {"IsPrimary": False})
    primary = [one.values["ContactId"] for one in roles if one.values.get("IsPrimary")]
    named = primary[0] if primary else None
    if deal is not None and deal.values.get("ContactId") != named:
        change = {"ContactId": named}
        writer.org.do(["mutate", DEAL, deal.id, writer.at, change, writer.who])
