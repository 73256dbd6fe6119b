"""What a new organization contains before anybody writes: people, stages, statuses.

People and companies are invented, on example.com. Setup records cannot change their
numbers: tests and demonstrations know them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from integrations.simulators.salesforce import ids
from integrations.simulators.salesforce.rows import Row

BORN = 1_735_689_600  # 2025-01-01
PASSWORD = "demo-password"
_PEOPLE = (
    ("Ada", "Marsh", True),
    ("Bruno", "Keller", True),
    ("Chloe", "Dufour", True),
    ("Dinesh", "Rao", True),
    ("Elena", "Ortiz", True),
    ("Felix", "Brandt", False),
)
_STAGES = (
    ("Prospecting", 10, "Pipeline"),
    ("Qualification", 10, "Pipeline"),
    ("Needs Analysis", 20, "Pipeline"),
    ("Value Proposition", 50, "Pipeline"),
    ("Id. Decision Makers", 60, "Pipeline"),
    ("Perception Analysis", 70, "Pipeline"),
    ("Proposal/Price Quote", 75, "Pipeline"),
    ("Negotiation/Review", 90, "Pipeline"),
    ("Closed Won", 100, "Closed"),
    ("Closed Lost", 0, "Omitted"),
)
_LEAD_STATUSES = (
    "Open - Not Contacted",
    "Working - Contacted",
    "Closed - Converted",
    "Closed - Not Converted",
)
_TASK_STATUSES = (
    "Not Started",
    "In Progress",
    "Completed",
    "Waiting on someone else",
    "Deferred",
)


@dataclass(frozen=True, slots=True)
class OrgSpec:
    """Which organization to invent. pod: three characters in all its ids."""

    name: str
    pod: str
    domain: str
    sandbox: bool = False


ORGS = (
    OrgSpec("Fernhill Demo", "Fh0", "fernhill.example.com"),
    OrgSpec("Quarry Sandbox", "Qs0", "quarry.example.com", sandbox=True),
)


def integration_user(spec: OrgSpec) -> str:
    """Return the id of the user that API clients log in as."""
    return ids.make("005", spec.pod, 1)


def setup_rows(spec: OrgSpec) -> dict[str, list[Row]]:
    """Return object -> the records it starts with."""
    maker = _Maker(spec)
    return {
        "Organization": [maker.row("00D", 1, _organization(spec))],
        "User": list(_users(spec, maker)),
        "Group": [
            maker.row("00G", 1, {"Name": "Inbound Leads", "Type": "Queue"}),
        ],
        "OpportunityStage": list(_stages(maker)),
        "LeadStatus": list(_lead_statuses(maker)),
        "TaskStatus": list(_task_statuses(maker)),
        "TaskPriority": list(_priorities(maker)),
    }


class _Maker:
    """Makes setup records of one organization."""

    def __init__(self, spec: OrgSpec) -> None:
        self.pod = spec.pod
        self.user = integration_user(spec)

    def row(self, prefix: str, number: int, values: dict[str, Any]) -> Row:
        identifier = ids.make(prefix, self.pod, number)
        return Row(identifier, values, BORN, BORN, BORN, self.user, self.user)


def _organization(spec: OrgSpec) -> dict[str, Any]:
    return {
        "Name": spec.name,
        "OrganizationType": "Developer Edition",
        "IsSandbox": spec.sandbox,
        "InstanceName": "SIM1",
        "LanguageLocaleKey": "en_US",
        "DefaultLocaleSidKey": "en_US",
        "TimeZoneSidKey": "Europe/Paris",
        "FiscalYearStartMonth": 1,
    }


def _users(spec: OrgSpec, maker: _Maker) -> Iterable[Row]:
    robot = ("Integration", "User", True)
    for number, (first, last, active) in enumerate((robot, *_PEOPLE), start=1):
        handle = f"{first}.{last}".lower()
        domain = spec.domain if number == 1 else "example.com"
        values = {
            "Username": f"{handle}@{spec.domain}",
            "FirstName": first,
            "LastName": last,
            "Email": f"{handle}@{domain}",
            "Alias": handle[:8],
            "CommunityNickname": handle,
            "IsActive": active,
            "UserType": "Standard",
            "TimeZoneSidKey": "Europe/Paris",
            "LocaleSidKey": "en_US",
            "EmailEncodingKey": "UTF-8",
            "LanguageLocaleKey": "en_US",
        }
        yield maker.row("005", number, values)


def _label(number: int, text: str) -> dict[str, Any]:
    return {"MasterLabel": text, "ApiName": text, "SortOrder": number}


def _stages(maker: _Maker) -> Iterable[Row]:
    for number, (text, chance, forecast) in enumerate(_STAGES, start=1):
        more = {
            "IsActive": True,
            "DefaultProbability": chance,
            "IsClosed": text.startswith("Closed"),
            "IsWon": text == "Closed Won",
            "ForecastCategory": forecast,
            "ForecastCategoryName": forecast,
        }
        yield maker.row("01J", number, _label(number, text) | more)


def _lead_statuses(maker: _Maker) -> Iterable[Row]:
    for number, text in enumerate(_LEAD_STATUSES, start=1):
        more = {"IsDefault": number == 1, "IsConverted": number == 3}
        yield maker.row("01J", 100 + number, _label(number, text) | more)


def _task_statuses(maker: _Maker) -> Iterable[Row]:
    for number, text in enumerate(_TASK_STATUSES, start=1):
        more = {"IsDefault": number == 1, "IsClosed": text == "Completed"}
        yield maker.row("01J", 200 + number, _label(number, text) | more)


def _priorities(maker: _Maker) -> Iterable[Row]:
    for number, text in enumerate(("High", "Normal", "Low"), start=1):
        more = {"IsDefault": text == "Normal", "IsHighPriority": text == "High"}
        yield maker.row("01J", 300 + number, _label(number, text) | more)
