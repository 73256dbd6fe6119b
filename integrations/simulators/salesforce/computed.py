"""Fields whose value is worked out when it is read: names, addresses, counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from integrations.simulators.salesforce.definitions import USER_CURRENCY
from integrations.simulators.salesforce.rows import Row

if TYPE_CHECKING:
    from integrations.simulators.salesforce.org import Org
    from integrations.simulators.salesforce.table import Getter, Table

_PARTS = (
    "Street",
    "City",
    "State",
    "PostalCode",
    "Country",
    "Latitude",
    "Longitude",
    "GeocodeAccuracy",
)
_MEMBER_COPIES = (
    "Salutation",
    "Name",
    "FirstName",
    "LastName",
    "Title",
    "Street",
    "City",
    "State",
    "PostalCode",
    "Country",
    "Email",
    "Phone",
    "MobilePhone",
    "LeadSource",
)


def getters(org: Org, table: Table) -> dict[str, Getter]:
    """Return field -> what works it out, of one object."""
    found: dict[str, Getter] = {}
    for made in table.fields.values():
        if made.type == "address":
            found[made.name] = _address(made.name.removesuffix("Address"))
        elif made.calculated and made.formula:
            found[made.name] = _formula(org, table, made.formula)
    if "LastName" in table.fields and table.name != "CampaignMember":
        found["Name"] = full_name
    if USER_CURRENCY in table.fields:
        found[USER_CURRENCY] = lambda row: org.currency_of(row.id)
    return found | _OF.get(table.name, _nothing)(org)


def full_name(row: Row) -> str:
    """Return first and last name."""
    first, last = row.values.get("FirstName"), row.values.get("LastName")
    return " ".join(part for part in (first, last) if part)


def _nothing(org: Org) -> dict[str, Getter]:
    return {}


def _address(prefix: str) -> Getter:
    names = [(part[0].lower() + part[1:], prefix + part) for part in _PARTS]

    def read(row: Row) -> Any:
        found = {short: row.values.get(name) for short, name in names}
        return found if any(value is not None for value in found.values()) else None

    return read


def _formula(org: Org, table: Table, path: str) -> Getter:
    """Return what reads `Field` or `Relation.Field`."""
    relation, _, last = path.rpartition(".")

    def read(row: Row) -> Any:
        if not relation:
            return table.value(row, last)
        made = table.relations.get(relation.lower())
        identifier = row.values.get(made.name) if made else None
        parent = org.table_of(identifier) if identifier else None
        if parent is None or identifier is None or last not in parent.fields:
            return None
        return parent.value(parent.rows[identifier], last)

    return read


# -- opportunities and tasks


def _setup_value(org: Org, setup: str, label: Any, name: str) -> Any:
    table = org.tables.get(setup)
    for identifier in table.find("ApiName", label) if table and label else ():
        return table.rows[identifier].values.get(name) if table else None
    return None


def stage_value(org: Org, stage: Any, name: str) -> Any:
    """Return one value of an opportunity stage."""
    return _setup_value(org, "OpportunityStage", stage, name)


def _opportunity(org: Org) -> dict[str, Getter]:
    def of_stage(name: str) -> Getter:
        return lambda row: stage_value(org, row.values.get("StageName"), name)

    def flag(name: str) -> Getter:
        return lambda row: bool(stage_value(org, row.values.get("StageName"), name))

    def expected(row: Row) -> Any:
        amount, chance = row.values.get("Amount"), row.values.get("Probability")
        return None if amount is None else round(amount * (chance or 0) / 100, 2)

    def year(row: Row) -> Any:
        return int(row.values["CloseDate"][:4]) if "CloseDate" in row.values else None

    def quarter(row: Row) -> Any:
        closing = row.values.get("CloseDate")
        return (int(closing[5:7]) + 2) // 3 if closing else None

    return {
        "IsClosed": flag("IsClosed"),
        "IsWon": flag("IsWon"),
        "ForecastCategory": of_stage("ForecastCategory"),
        "ForecastCategoryName": of_stage("ForecastCategoryName"),
        "ExpectedRevenue": expected,
        "FiscalYear": year,
        "FiscalQuarter": quarter,
        "Fiscal": lambda row: f"{year(row)} {quarter(row)}",
    }


def _task(org: Org) -> dict[str, Getter]:
    def closed(row: Row) -> bool:
        return bool(
            _setup_value(org, "TaskStatus", row.values.get("Status"), "IsClosed")
        )

    return {
        "IsClosed": closed,
        "IsHighPriority": lambda row: row.values.get("Priority") == "High",
        "AccountId": lambda row: account_of(org, row),
    }


def account_of(org: Org, row: Row) -> Any:
    """Return the account an activity belongs to through WhatId or WhoId."""
    what, who = row.values.get("WhatId"), row.values.get("WhoId")
    if what in org.tables["Account"].rows:
        return what
    for name, identifier in (("Opportunity", what), ("Contact", who)):
        found = org.tables[name].rows.get(identifier or "")
        if found is not None:
            return found.values.get("AccountId")
    return None


def _event(org: Org) -> dict[str, Getter]:
    return {"AccountId": lambda row: account_of(org, row)}


# -- campaigns


def member_status(org: Org, campaign: str, label: Any) -> Row | None:
    """Return a campaign's own status of that label."""
    for row in org.tables["CampaignMemberStatus"].linked("CampaignId", campaign):
        if row.values.get("Label") == label:
            return row
    return None


def _responded(org: Org, row: Row) -> bool:
    found = member_status(org, row.values["CampaignId"], row.values.get("Status"))
    return bool(found and found.values.get("HasResponded"))


def _member(org: Org) -> dict[str, Getter]:
    leads, contacts = org.tables["Lead"], org.tables["Contact"]

    def person(row: Row) -> tuple[Table, Row | None]:
        contact = contacts.rows.get(row.values.get("ContactId", ""))
        if contact is not None:
            return contacts, contact
        return leads, leads.rows.get(row.values.get("LeadId", ""))

    def copied(name: str) -> Getter:
        def read(row: Row) -> Any:
            table, found = person(row)
            own = name if name in table.fields else f"Mailing{name}"
            return table.value(found, own) if found else None

        return read

    def company(row: Row) -> Any:
        table, found = person(row)
        if found is None or table is leads:
            return found.values.get("Company") if found else None
        account = org.tables["Account"].rows.get(found.values.get("AccountId", ""))
        return account.values.get("Name") if account else None

    def owner(row: Row) -> Any:
        found = person(row)[1]
        return found.values.get("OwnerId") if found else None

    return {
        **{name: copied(name) for name in _MEMBER_COPIES},
        "HasResponded": lambda row: _responded(org, row),
        "Type": lambda row: "Contact" if "ContactId" in row.values else "Lead",
        "CompanyOrAccount": company,
        "LeadOrContactOwnerId": owner,
        "LeadOrContactId": lambda row: (
            row.values.get("ContactId") or row.values.get("LeadId")
        ),
    }


def _campaign(org: Org) -> dict[str, Getter]:
    def members(row: Row) -> list[Row]:
        return org.tables["CampaignMember"].linked("CampaignId", row.id)

    def deals(row: Row) -> list[Row]:
        return org.tables["Opportunity"].linked("CampaignId", row.id)

    def won(row: Row) -> list[Row]:
        return [
            deal
            for deal in deals(row)
            if stage_value(org, deal.values.get("StageName"), "IsWon")
        ]

    def total(found: list[Row]) -> float:
        return float(sum(deal.values.get("Amount") or 0 for deal in found))

    def converted(row: Row) -> int:
        leads = org.tables["Lead"].rows
        found = (leads.get(m.values.get("LeadId", "")) for m in members(row))
        return sum(bool(lead and lead.values.get("IsConverted")) for lead in found)

    return {
        "NumberOfLeads": lambda row: sum("LeadId" in m.values for m in members(row)),
        "NumberOfContacts": lambda row: sum(
            "ContactId" in m.values for m in members(row)
        ),
        "NumberOfResponses": lambda row: sum(_responded(org, m) for m in members(row)),
        "NumberOfConvertedLeads": converted,
        "NumberOfOpportunities": lambda row: len(deals(row)),
        "NumberOfWonOpportunities": lambda row: len(won(row)),
        "AmountAllOpportunities": lambda row: total(deals(row)),
        "AmountWonOpportunities": lambda row: total(won(row)),
    }


_OF = {
    "Opportunity": _opportunity,
    "Task": _task,
    "Event": _event,
    "CampaignMember": _member,
    "Campaign": _campaign,
}
