"""Turning a lead into a contact, an account and perhaps an opportunity."""

from dataclasses import dataclass
from typing import Any

from integrations.simulators.salesforce import errors, ids, roles, values
from integrations.simulators.salesforce.errors import RowError
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Json

QUARTER_DAYS = 90
_ACCOUNT = {
    "Name": "Company",
    "Phone": "Phone",
    "Fax": "Fax",
    "Website": "Website",
    "Industry": "Industry",
    "Rating": "Rating",
    "AnnualRevenue": "AnnualRevenue",
    "NumberOfEmployees": "NumberOfEmployees",
    "AccountSource": "LeadSource",
}
_CONTACT = (
    "Salutation",
    "FirstName",
    "LastName",
    "Title",
    "Email",
    "Phone",
    "MobilePhone",
    "Fax",
    "LeadSource",
    "Description",
)
_PLACE = ("Street", "City", "State", "PostalCode", "Country")


@dataclass(frozen=True, slots=True)
class Conversion:
    """What is asked. Ids are empty when a new record is wanted."""

    lead_id: str
    status: str
    account_id: str = ""
    contact_id: str = ""
    owner_id: str = ""
    opportunity_name: str = ""
    no_opportunity: bool = False
    overwrite_source: bool = False


@dataclass(frozen=True, slots=True)
class Converted:
    """What became of a lead. opportunity_id: empty when there is none."""

    lead_id: str
    account_id: str
    contact_id: str
    opportunity_id: str


def default_status(org: Org) -> str:
    """Return the first status that marks a lead as converted."""
    for row in org.tables["LeadStatus"].rows.values():
        if row.values.get("IsConverted"):
            return str(row.values["ApiName"])
    return ""


def convert(writer: Writer, wanted: Conversion) -> Converted:
    """Convert one lead; raises RowError before anything is written."""
    lead = _lead(writer, wanted)
    # Converting writes the lead, and a rule may have it before the rest is made.
    writer.assign(writer.org.tables["Lead"], lead)
    owner = wanted.owner_id or str(lead.values.get("OwnerId", writer.user))
    account = _account(writer, lead, wanted, owner)
    contact = _contact(writer, lead, wanted, account, owner)
    deal = None
    if not wanted.no_opportunity:
        deal = _opportunity(writer, lead, wanted, account, owner)
        roles.give(writer, deal, contact.id)
    changes = {
        "IsConverted": True,
        "Status": wanted.status,
        "ConvertedDate": values.today(writer.at / 1000),
        "ConvertedAccountId": account.id,
        "ConvertedContactId": contact.id,
    }
    if deal is not None:
        changes["ConvertedOpportunityId"] = deal.id
    writer.set(writer.org.tables["Lead"], lead, changes)
    _move_activities(writer, lead, contact)
    return Converted(lead.id, account.id, contact.id, deal.id if deal else "")


def _lead(writer: Writer, wanted: Conversion) -> Row:
    row = writer.org.tables["Lead"].rows.get(ids.normal(wanted.lead_id))
    if row is None:
        raise errors.bad_reference()
    if row.deleted_at:
        raise errors.deleted()
    if row.values.get("IsConverted"):
        message = "cannot reference converted lead"
        raise RowError("CANNOT_UPDATE_CONVERTED_LEAD", message)
    statuses = writer.org.tables["LeadStatus"].rows.values()
    good = {r.values["ApiName"] for r in statuses if r.values.get("IsConverted")}
    if wanted.status not in good:
        raise RowError("INVALID_STATUS", f"invalid convertedStatus: {wanted.status}")
    for name, given in (("Account", wanted.account_id), ("Contact", wanted.contact_id)):
        if given and writer.org.tables[name].live(ids.normal(given)) is None:
            raise errors.bad_reference()
    return row


def _filled(row: Row, pairs: dict[str, str]) -> Json:
    """Return field -> the lead's value, blanks left out."""
    found = {name: row.values.get(source) for name, source in pairs.items()}
    return {name: value for name, value in found.items() if value is not None}


def _account(writer: Writer, lead: Row, wanted: Conversion, owner: str) -> Row:
    table = writer.org.tables["Account"]
    if wanted.account_id:
        return table.rows[ids.normal(wanted.account_id)]
    place = {f"Billing{part}": part for part in _PLACE}
    found = _filled(lead, _ACCOUNT | place)
    return writer.add(table, {**table.defaults, **found, "OwnerId": owner})


def _contact(
    writer: Writer, lead: Row, wanted: Conversion, account: Row, owner: str
) -> Row:
    table = writer.org.tables["Contact"]
    place = {f"Mailing{part}": part for part in _PLACE}
    found = _filled(lead, {name: name for name in _CONTACT} | place)
    if writer.world.settings.convert_copies_custom:
        found |= _custom(writer, lead)
    if not wanted.contact_id:
        more = {"AccountId": account.id, "OwnerId": owner}
        return writer.add(table, table.defaults | found | more)
    row = table.rows[ids.normal(wanted.contact_id)]
    # An existing contact keeps what it has.
    blanks = {n: v for n, v in found.items() if row.values.get(n) is None}
    if wanted.overwrite_source and "LeadSource" in found:
        blanks["LeadSource"] = found["LeadSource"]
    if blanks:
        writer.set(table, row, blanks)
    return row


def _custom(writer: Writer, lead: Row) -> Json:
    """Return custom fields that contacts have under the same name."""
    fields = writer.org.tables["Contact"].fields
    return {
        name: value
        for name, value in lead.values.items()
        if name in fields and fields[name].custom
    }


def _opportunity(
    writer: Writer, lead: Row, wanted: Conversion, account: Row, owner: str
) -> Row:
    org = writer.org
    stage: Any = next(iter(org.tables["OpportunityStage"].rows.values()))
    made = {
        "Name": wanted.opportunity_name or f"{lead.values.get('Company')}-",
        "AccountId": account.id,
        "StageName": stage.values["ApiName"],
        "Probability": float(stage.values["DefaultProbability"]),
        "CloseDate": values.today(writer.at / 1000, QUARTER_DAYS),
        "OwnerId": owner,
    }
    return writer.add(
        org.tables["Opportunity"], made | _filled(lead, {"LeadSource": "LeadSource"})
    )


def _move_activities(writer: Writer, lead: Row, contact: Row) -> None:
    for name in ("Task", "Event"):
        table = writer.org.tables[name]
        for row in table.linked("WhoId", lead.id):
            writer.set(table, row, {"WhoId": contact.id})
    members = writer.org.tables["CampaignMember"]
    for row in members.linked("LeadId", lead.id):
        writer.set(members, row, {"ContactId": contact.id})
