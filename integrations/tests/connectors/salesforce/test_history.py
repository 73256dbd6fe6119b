"""When fields were last changed: scripted, since a plain org tracks none."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from integrations.connectors.salesforce.connector import SalesforceConnector
from integrations.connectors.salesforce.errors import parse_error
from integrations.tests.connectors.conftest import MakeClient
from integrations.tests.connectors.wire import WireServer, answer

LEAD, OTHER = "00Q000000000001AAA", "00Q000000000002AAA"
NO_HISTORY = [
    {"message": "sObject type 'LeadHistory' ...", "errorCode": "INVALID_TYPE"}
]


def row(lead: str, field: str, at: str, number: int = 1) -> dict[str, str]:
    return {
        "Id": f"01700000000000{number}AAA",
        "LeadId": lead,
        "Field": field,
        "CreatedDate": f"2026-01-{at}T12:00:00.000+0000",
    }


def test_the_last_change_of_each_tracked_field_is_told(
    server: WireServer, make_client: MakeClient
) -> None:
    rows = [
        row(LEAD, "Status", "02"),
        row(LEAD, "Status", "05"),
        row(LEAD, "Status", "03"),
        row(LEAD, "Owner", "04"),
        row(OTHER, "Status", "01"),
    ]
    server.replies = [answer(200, {"totalSize": 5, "done": True, "records": rows})]

    told = SalesforceConnector(make_client()).changed_at(
        "Lead", [LEAD, OTHER, "nobody"], ["Status", "OwnerId", "City"]
    )

    assert told == {
        LEAD: {
            "Status": datetime(2026, 1, 5, 12, tzinfo=UTC),
            "OwnerId": datetime(2026, 1, 4, 12, tzinfo=UTC),
        },
        OTHER: {"Status": datetime(2026, 1, 1, 12, tzinfo=UTC)},
    }
    (asked,) = server.requests
    (text,) = parse_qs(urlsplit(asked.path).query)["q"]
    assert "FROM LeadHistory" in text
    assert "Field IN ('Status', 'Owner', 'City')" in text


def test_a_custom_object_has_a_history_of_its_own(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, {"totalSize": 0, "done": True, "records": []})]

    SalesforceConnector(make_client()).changed_at("Visit__c", [LEAD], ["Place__c"])

    assert "FROM+Visit__History" in server.requests[0].path


def test_an_org_that_tracks_nothing_tells_nothing(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(400, NO_HISTORY)]

    connector = SalesforceConnector(make_client(parse_error=parse_error))

    assert connector.changed_at("Lead", [LEAD], ["Status"]) == {}


def test_what_has_no_history_is_not_asked(
    server: WireServer, make_client: MakeClient
) -> None:
    connector = SalesforceConnector(make_client())

    assert connector.changed_at("Task", [LEAD], ["Status"]) == {}
    assert connector.changed_at("Lead", [], ["Status"]) == {}
    assert connector.changed_at("Lead", [LEAD], []) == {}
    assert server.requests == []
