"""What a new account contains before anybody writes: owners and pipelines.

People and companies are invented, on example.com.
"""

from integrations.simulators.hubspot.definitions import BORN
from integrations.simulators.wire import Json

_OWNERS = (
    ("71001", "9101", "Ada", "Marsh", "ada.marsh@example.com"),
    ("71002", "9102", "Bruno", "Keller", "bruno.keller@example.com"),
    ("71003", "9103", "Chloe", "Dufour", "chloe.dufour@example.com"),
    ("71004", "9104", "Dinesh", "Rao", "dinesh.rao@example.com"),
    ("71005", "9105", "Elena", "Ortiz", "elena.ortiz@example.com"),
)
_SALES_STAGES = (
    ("appointmentscheduled", "Appointment Scheduled", "0.2"),
    ("qualifiedtobuy", "Qualified To Buy", "0.4"),
    ("presentationscheduled", "Presentation Scheduled", "0.6"),
    ("decisionmakerboughtin", "Decision Maker Bought-In", "0.8"),
    ("contractsent", "Contract Sent", "0.9"),
    ("closedwon", "Closed Won", "1.0"),
    ("closedlost", "Closed Lost", "0.0"),
)
_OUTBOUND_STAGES = (
    ("150270001", "Contacted", "0.1"),
    ("150270002", "Replied", "0.2"),
    ("150270003", "Meeting Booked", "0.4"),
    ("150270004", "Proposal", "0.7"),
    ("150270005", "Closed Won", "1.0"),
    ("150270006", "Closed Lost", "0.0"),
)
_TICKET_STAGES = (
    ("1", "New", ""),
    ("2", "Waiting on contact", ""),
    ("3", "Waiting on us", ""),
    ("4", "Closed", ""),
)
_LEAD_STAGES = (
    ("new-stage-id", "New", ""),
    ("attempting-stage-id", "Attempting", ""),
    ("connected-stage-id", "Connected", ""),
    ("qualified-stage-id", "Qualified", ""),
    ("unqualified-stage-id", "Disqualified", ""),
)


def documents() -> dict[str, dict[str, Json]]:
    """Return kind -> key -> document."""
    deals = (
        _pipeline("default", "Sales Pipeline", 0, _SALES_STAGES),
        _pipeline("81204411", "Outbound", 1, _OUTBOUND_STAGES),
    )
    tickets = (_pipeline("0", "Support Pipeline", 0, _TICKET_STAGES),)
    leads = (_pipeline("lead-pipeline-id", "Lead pipeline", 0, _LEAD_STAGES),)
    return {
        "owners": {row[0]: _owner(*row) for row in _OWNERS} | _former_owner(),
        "pipelines/deals": {pipeline["id"]: pipeline for pipeline in deals},
        "pipelines/tickets": {pipeline["id"]: pipeline for pipeline in tickets},
        "pipelines/leads": {pipeline["id"]: pipeline for pipeline in leads},
    }


def _owner(number: str, user: str, first: str, last: str, email: str) -> Json:
    return {
        "id": number,
        "email": email,
        "type": "PERSON",
        "firstName": first,
        "lastName": last,
        "userId": int(user),
        "userIdIncludingInactive": int(user),
        "createdAt": BORN,
        "updatedAt": BORN,
        "archived": False,
        "teams": [{"id": "501", "name": "Sales", "primary": True}],
    }


def _former_owner() -> dict[str, Json]:
    gone = _owner("71006", "9106", "Farid", "Aziz", "farid.aziz@example.com")
    del gone["userId"], gone["teams"]
    return {"71006": gone | {"archived": True}}


def _pipeline(
    number: str, label: str, order: int, stages: tuple[tuple[str, str, str], ...]
) -> Json:
    return {
        "id": number,
        "label": label,
        "displayOrder": order,
        "createdAt": BORN,
        "updatedAt": BORN,
        "archived": False,
        "stages": [
            _stage(stage, at, stage_label, probability)
            for at, (stage, stage_label, probability) in enumerate(stages)
        ],
    }


def _stage(number: str, order: int, label: str, probability: str) -> Json:
    closed = probability in ("1.0", "0.0") or label in ("Closed", "Disqualified")
    metadata = {"isClosed": "true" if closed else "false"}
    if probability:
        metadata["probability"] = probability
    else:
        metadata["ticketState"] = "CLOSED" if closed else "OPEN"
    return {
        "id": number,
        "label": label,
        "displayOrder": order,
        "metadata": metadata,
        "createdAt": BORN,
        "updatedAt": BORN,
        "archived": False,
        "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
    }
