"""What reading asks of HubSpot, word for word, and what it makes of odd answers."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.connectors.hubspot.values import epoch_ms
from integrations.errors import Retryable, Unsupported
from integrations.records import Conversion, Gone, Write
from integrations.tests.connectors.wire import WireServer, answer

DAY = datetime(2026, 1, 1, tzinfo=UTC)
NEXT = datetime(2026, 1, 2, tzinfo=UTC)
MANY = [f"a_rather_long_field_name_{number}" for number in range(300)]


def page(*entries: Any, after: str | None = None, **more: Any) -> dict[str, Any]:
    paging = {"paging": {"next": {"after": after}}} if after else {}
    return {"results": list(entries)} | paging | more


def person(number: object, **properties: object) -> dict[str, Any]:
    return {"id": str(number), "properties": properties}


def filters(sent: Any) -> list[tuple[Any, ...]]:
    found = sent["filterGroups"][0]["filters"]
    return [(f["propertyName"], f["operator"], f.get("value")) for f in found]


# Scanning


def test_a_scan_lists_a_hundred_and_goes_on_where_it_is_told(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page(person(1), after="2"))]

    found = hubspot.scan("contacts", "1", ["email"])

    path, _, query = server.requests[0].path.partition("?")
    assert path == "/crm/v3/objects/contacts"
    assert query == "limit=100&properties=email%2Chs_merged_object_ids&after=1"
    assert [one.remote_id for one in found.records] == ["1"]
    assert found.cursor == "2"


def test_more_fields_than_an_address_can_name_are_read_by_id(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [
        answer(200, page(person(1), person(2))),
        answer(200, page(person(1, **{MANY[7]: "x"}))),
    ]

    found = hubspot.scan("contacts", None, MANY)

    assert server.requests[0].path == "/crm/v3/objects/contacts?limit=100"
    assert server.requests[1].json["inputs"] == [{"id": "1"}, {"id": "2"}]
    first, second = found.records
    assert {n: text for n, text in first.fields.items() if text} == {MANY[7]: "x"}
    assert second.fields == {}


def test_a_property_that_was_asked_for_and_is_absent_is_unset(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page(person(1, email="a@example.org")))]

    read = hubspot.fetch("contacts", ["1"], fields=["email", "city"])
    listed = hubspot.scan("contacts", None, ["email", "city"])
    found = hubspot.search("contacts", [], ["email", "city"], 10)
    changed = hubspot.changed_since("contacts", DAY, NEXT, None, ["email", "city"])

    for one in (*read, *listed.records, *found.records, *changed.records):
        assert one.fields["email"] == "a@example.org"
        assert one.fields["city"] is None


def test_a_list_that_runs_in_a_circle_is_left(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page(person(1), after="7"))]

    with pytest.raises(Retryable, match="circle"):
        hubspot.scan("contacts", "7", [])


# Changes


def test_a_short_page_that_is_not_the_last_goes_on(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page(person(3), "junk", person(5), after="3"))]

    found = hubspot.changed_since("deals", DAY, NEXT, None, [])

    assert found.cursor == "5"


@pytest.mark.parametrize(("total", "cursor"), [(200, None), (201, "299"), ("?", "299")])
def test_a_full_page_is_the_last_only_where_the_total_says_so(
    server: WireServer, hubspot: HubSpotConnector, total: object, cursor: str | None
) -> None:
    full = [person(number) for number in range(100, 300)]
    server.replies = [answer(200, page(*full, total=total))]

    assert hubspot.changed_since("deals", DAY, NEXT, None, []).cursor == cursor


def test_a_page_that_leads_nowhere_is_asked_for_again(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page("junk", after="3"))]

    with pytest.raises(Retryable):
        hubspot.changed_since("deals", DAY, NEXT, None, [])


@pytest.mark.parametrize(
    ("object_type", "field"),
    [("contacts", "lastmodifieddate"), ("companies", "hs_lastmodifieddate")],
)
def test_each_object_filters_by_its_own_date(
    server: WireServer, hubspot: HubSpotConnector, object_type: str, field: str
) -> None:
    server.replies = [answer(200, page())]

    hubspot.changed_since(object_type, DAY, NEXT, None, [])

    assert {one[0] for one in filters(server.requests[0].json)} == {field}


@pytest.mark.parametrize("milliseconds", [1001, 1080231119432, 2184981079561])
def test_a_window_is_exact_to_the_millisecond(milliseconds: int) -> None:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)

    assert epoch_ms(at) == str(milliseconds)
    assert epoch_ms(at + timedelta(microseconds=999)) == str(milliseconds)


# Merges


def test_the_record_that_took_over_a_lost_id_is_read_by_it(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    survivor = person(9, hs_merged_object_ids="5;9", email="a@example.com")
    server.replies = [answer(207, page(person(1))), answer(200, survivor)]

    found = hubspot.fetch("contacts", ["1", "5"], fields=["email"])

    path, _, query = server.requests[1].path.partition("?")
    assert path == "/crm/v3/objects/contacts/5"
    assert query == "properties=email%2Chs_merged_object_ids"
    assert [(one.remote_id, one.other_ids) for one in found] == [
        ("1", ()),
        ("9", ("5",)),
    ]


def test_a_survivor_among_the_answers_is_not_looked_for(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    survivor = person(9, hs_merged_object_ids="5;9")
    server.replies = [answer(200, page(survivor, survivor))]

    found = hubspot.fetch("contacts", ["5", "9"], fields=[])

    assert [one.remote_id for one in found] == ["9"]
    assert len(server.requests) == 1


def test_many_lost_ids_are_looked_up_in_one_search(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    survivor = person(900, hs_merged_object_ids="3")
    server.replies = [answer(207, page()), answer(200, page(survivor))]

    found = hubspot.fetch("contacts", [str(n) for n in range(100)], fields=[])

    sent = server.requests[1]
    assert sent.path == "/crm/v3/objects/contacts/search"
    assert len(sent.json["filterGroups"][0]["filters"][0]["values"]) == 100
    assert [one.remote_id for one in found] == ["900"]
    assert len(server.requests) == 2


def test_a_record_nobody_took_over_is_left_out(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    missing = answer(404, {"category": "OBJECT_NOT_FOUND", "message": "no"})
    server.replies = [answer(207, page()), missing]

    assert hubspot.fetch("contacts", ["5"], fields=[]) == []


# What went


def test_merges_come_before_deletions(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    survivor = person(9, hs_merged_object_ids="5;7;9")
    late = {"id": "6", "archivedAt": "2026-01-01T12:00:00Z", "archived": True}
    server.replies = [answer(200, page(survivor)), answer(200, page(late))]

    merged = hubspot.gone_since("contacts", DAY, NEXT, None)
    deleted = hubspot.gone_since("contacts", DAY, NEXT, merged.cursor)

    assert filters(server.requests[0].json) == [
        ("hs_merged_object_ids", "HAS_PROPERTY", None),
        ("lastmodifieddate", "GTE", "1767225600000"),
    ]
    assert merged.records == (
        Gone("contacts", "5", merged_into="9"),
        Gone("contacts", "7", merged_into="9"),
    )
    assert deleted.records == (Gone("contacts", "6", DAY.replace(hour=12)),)
    assert deleted.cursor is None


def test_only_what_went_in_the_window_or_at_no_known_time_is_named(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    entries = [
        {"id": "1", "archivedAt": "2025-12-31T23:59:59.999Z"},
        {"id": "2", "archivedAt": "2026-01-01T00:00:00Z"},
        {"id": "3", "archivedAt": "2026-01-02T00:00:00.001Z"},
        {"id": "4"},
    ]
    server.replies = [answer(200, page(*entries, after="9")), answer(200, page())]

    found = hubspot.gone_since("notes", DAY, NEXT, None)
    hubspot.gone_since("notes", DAY, NEXT, found.cursor)

    assert [one.remote_id for one in found.records] == ["2", "4"]
    assert [one.path.partition("?")[2] for one in server.requests] == [
        "limit=100&archived=true",
        "limit=100&after=9&archived=true",
    ]


# Counting and history


@pytest.mark.parametrize(
    ("body", "expected"),
    [({"total": 12345}, 12345), ({}, None), ({"total": "7"}, None)],
)
def test_counting_is_one_search_for_one_record(
    server: WireServer, hubspot: HubSpotConnector, body: Any, expected: Any
) -> None:
    server.replies = [answer(200, page(person(1)) | body)]

    assert hubspot.count("companies") == expected
    assert server.requests[0].json["limit"] == 1


def test_the_newest_version_tells_when_a_field_changed(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    versions = [
        {"value": "b", "timestamp": "2026-01-01T00:00:00Z", "sourceType": "CRM_UI"},
        {"value": "a", "timestamp": "2026-01-02T00:00:00Z", "sourceType": "CRM_UI"},
        {"value": "?", "timestamp": "junk"},
        None,
    ]
    history: Any = {"email": versions, "phone": [], "city": None, "zip": [{}]}
    entry = person(5) | {"propertiesWithHistory": history}
    server.replies = [answer(200, page(entry, person(6), {"id": None}))]

    found = hubspot.changed_at("contacts", ["5", "6"], ["email", "phone"])

    assert found == {"5": {"email": NEXT}, "6": {}}
    assert server.requests[0].json == {
        "properties": [],
        "propertiesWithHistory": ["email", "phone"],
        "inputs": [{"id": "5"}, {"id": "6"}],
    }


def test_history_of_fifty_records_is_one_call_and_of_no_field_none(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page())]

    hubspot.changed_at("contacts", [str(n) for n in range(101)], ["email"])
    hubspot.changed_at("contacts", ["1"], [])

    assert [len(one.json["inputs"]) for one in server.requests] == [50, 50, 1]


def test_no_lead_is_converted(server: WireServer, hubspot: HubSpotConnector) -> None:
    with pytest.raises(Unsupported):
        hubspot.convert([Conversion("1")])

    assert server.requests == []


def test_the_answer_to_a_write_tells_values_and_stamp(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    stored = person(5, email="ann@example.com") | {"updatedAt": "2026-01-02T00:00:00Z"}
    server.replies = [answer(200, page(stored))]
    write = Write("p", "contacts", "5", None, None, {"email": "Ann@example.com"})

    result = hubspot.write("contacts", [write])[0]

    assert result.fields == {"email": "ann@example.com"}
    assert result.updated_at == NEXT


# The account


@pytest.mark.parametrize(
    ("details", "currency"),
    [
        ({"companyCurrency": "EUR", "additionalCurrencies": []}, "EUR"),
        ({"companyCurrency": "EUR", "additionalCurrencies": ["USD"]}, ""),
        ({"companyCurrency": ["EUR"]}, ""),
        ({}, ""),
    ],
)
def test_only_an_account_with_one_currency_has_one(
    server: WireServer,
    hubspot: HubSpotConnector,
    details: dict[str, Any],
    currency: str,
) -> None:
    server.replies = [answer(200, details)]

    assert hubspot.currency() == currency
    assert server.requests[0].line == "GET /account-info/v3/details HTTP/1.1"
