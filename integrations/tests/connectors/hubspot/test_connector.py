"""What HubSpot is sent, word for word."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.connectors.hubspot.spec import SPEC
from integrations.errors import (
    Misconfigured,
    RateLimited,
    ReauthRequired,
    RecordRejected,
    Retryable,
    Unsupported,
)
from integrations.records import Association, Filter, RemoteField, Write
from integrations.tests.connectors.conftest import MakeClient
from integrations.tests.connectors.wire import WireServer, answer

OPENAPI = Path(__file__).parents[5] / "shared/contracts/hubspot/openapi"

NOTE = Write(
    "n",
    "notes",
    None,
    "crmsync_id",
    "key-1",
    {"hs_note_body": "Hello", "hs_timestamp": datetime(2026, 1, 2, tzinfo=UTC)},
    (Association("contacts", "11"), Association("deals", "22")),
    mode="create",
)
PERSON = Write("p", "contacts", None, "email", "ann@example.com", {"firstname": "Ann"})
UPDATE = Write("u", "companies", "33", None, None, {"name": None, "founded_year": 1999})


def fits(file: str, schema: str, body: object) -> None:
    """Check a body against the contract's schema of it, where that is at hand."""
    if not OPENAPI.exists():
        pytest.skip("the shared contract folder is not beside the repository")
    document = json.loads((OPENAPI / file).read_text())
    jsonschema.Draft4Validator(
        {"$ref": f"#/components/schemas/{schema}", **document}
    ).validate(body)


def results(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"status": "COMPLETE", "results": list(entries)}


def test_an_upsert_names_its_key_and_a_trace(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    found = {"id": "5", "new": True, "properties": {"email": "ann@example.com"}}
    server.replies = [answer(200, results(found))]

    hubspot.write("contacts", [PERSON])

    sent = server.requests[0]
    assert sent.line == "POST /crm/v3/objects/contacts/batch/upsert HTTP/1.1"
    assert sent.json == {
        "inputs": [
            {
                "id": "ann@example.com",
                "idProperty": "email",
                "properties": {"firstname": "Ann"},
                "objectWriteTraceId": "w0",
            }
        ]
    }
    fits("objects.json", "BatchInputSimplePublicObjectBatchInputUpsert", sent.json)


def test_a_note_is_created_with_its_ties_inside(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(201, results({"id": "9", "properties": {}}))]

    note = hubspot.write("notes", [NOTE])[0]

    sent = server.requests[0].json
    assert note.remote_id == "9"
    assert len(server.requests) == 1
    assert sent["inputs"][0]["properties"] == {
        "hs_note_body": "Hello",
        "hs_timestamp": "2026-01-02T00:00:00.000Z",
        "crmsync_id": "key-1",
    }
    assert [
        (tie["to"]["id"], tie["types"][0]["associationTypeId"])
        for tie in sent["inputs"][0]["associations"]
    ] == [("11", 202), ("22", 214)]
    fits("objects.json", "BatchInputSimplePublicObjectBatchInputForCreate", sent)


def test_an_update_goes_by_id_and_clears_with_an_empty_text(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, results({"id": "33", "properties": {}}))]

    hubspot.write("companies", [UPDATE])

    sent = server.requests[0]
    assert sent.path == "/crm/v3/objects/companies/batch/update"
    assert sent.json["inputs"][0]["id"] == "33"
    assert sent.json["inputs"][0]["properties"] == {"name": "", "founded_year": "1999"}
    assert "idProperty" not in sent.json["inputs"][0]
    fits("objects.json", "BatchInputSimplePublicObjectBatchInput", sent.json)


def test_a_create_clears_nothing(server: WireServer, hubspot: HubSpotConnector) -> None:
    server.replies = [answer(201, results({"id": "9", "properties": {}}))]
    note = replace(NOTE, fields=dict(NOTE.fields) | {"hs_note_body": None, "x": ""})

    hubspot.write("notes", [note])

    sent = server.requests[0].json["inputs"][0]["properties"]
    assert set(sent) == {"hs_timestamp", "crmsync_id"}


@pytest.mark.parametrize(
    "write",
    [
        replace(PERSON, key_value=None),
        replace(PERSON, key_field=None),
        replace(PERSON, key_value=""),
        replace(PERSON, mode="update"),
        replace(PERSON, fields={"firstname": object()}),
        replace(PERSON, fields={"firstname": float("nan")}),
    ],
)
def test_what_cannot_be_sent_is_rejected_without_a_call(
    server: WireServer, hubspot: HubSpotConnector, write: Write
) -> None:
    outcome = hubspot.write("contacts", [write])

    assert isinstance(outcome[0].error, RecordRejected)
    assert server.requests == []


def test_one_rejected_value_shows_what_it_was(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    detail = {
        "message": "bad option",
        "code": "INVALID_OPTION",
        "context": {"propertyName": ["firstname"]},
    }
    body = {"category": "VALIDATION_ERROR", "message": "no", "errors": [detail]}
    server.replies = [answer(400, body)]

    error = hubspot.write("contacts", [PERSON])[0].error

    assert isinstance(error, RecordRejected)
    assert (error.field, error.value, error.rule) == (
        "firstname",
        "Ann",
        "INVALID_OPTION",
    )
    assert len(server.requests) == 1


def test_a_delta_filters_by_time_and_walks_by_id(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, {"total": 0, "results": []})]
    since, until = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC)

    page = hubspot.changed_since("contacts", since, until, "777", ["email"])

    sent = server.requests[0].json
    assert page.cursor is None
    assert sent["limit"] == 200
    assert sent["sorts"] == [{"propertyName": "hs_object_id", "direction": "ASCENDING"}]
    assert [
        (f["propertyName"], f["operator"], f["value"])
        for f in sent["filterGroups"][0]["filters"]
    ] == [
        ("lastmodifieddate", "GTE", "1767225600000"),
        ("lastmodifieddate", "LTE", "1767312000000"),
        ("hs_object_id", "GT", "777"),
    ]
    assert "after" not in sent


def test_a_full_page_goes_on_after_its_highest_id(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    found = [{"id": str(number), "properties": {}} for number in (9, 100, *range(198))]
    server.replies = [answer(200, {"results": found})]
    day = datetime(2026, 1, 1, tzinfo=UTC)

    page = hubspot.changed_since("deals", day, day, None, [])

    assert page.cursor == "197"


def test_a_batch_read_by_key_asks_for_the_key_back(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, results())]

    hubspot.fetch("contacts", ["a@example.com"], fields=["lastname"], key_field="email")

    sent = server.requests[0].json
    assert sent["idProperty"] == "email"
    assert sent["properties"] == ["lastname", "hs_merged_object_ids", "email"]
    fits("objects.json", "BatchReadInputSimplePublicObjectId", sent)


def test_a_hundred_and_one_ids_are_two_reads_and_repeats_are_none(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, results())]

    hubspot.fetch("notes", [str(n % 101) for n in range(500)], fields=[])

    assert [len(one.json["inputs"]) for one in server.requests] == [100, 1]


@pytest.mark.parametrize("cursor", ["9991", "10000"])
def test_a_search_does_not_page_past_what_is_shown(
    server: WireServer, hubspot: HubSpotConnector, cursor: str
) -> None:
    with pytest.raises(Unsupported):
        hubspot.search("contacts", [], [], 10, cursor=cursor)

    assert server.requests == []


def test_a_search_asks_its_own_bucket(
    server: WireServer, make_client: MakeClient
) -> None:
    class Buckets:
        def __init__(self) -> None:
            self.asked: list[str] = []

        def acquire(self, bucket: str, cost: int = 1) -> float:
            self.asked.append(bucket)
            return 0.0

        def observe(self, headers: object) -> None:
            return None

    server.replies = [answer(200, results())]
    limiter = Buckets()
    hubspot = HubSpotConnector(make_client(limiter=limiter))

    day = datetime(2026, 1, 1, tzinfo=UTC)

    hubspot.search("notes", [Filter("hs_note_body", "has")], [], 1)
    hubspot.fetch("notes", ["1"], fields=[])
    hubspot.changed_since("notes", day, day, None, [])
    hubspot.count("notes")
    hubspot.scan("notes", None, [])

    assert limiter.asked == ["search", "api", "search", "search", "api"]


def test_long_association_lists_are_read_to_their_end(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    def part(targets: list[int], after: str | None) -> dict[str, Any]:
        paging = {"paging": {"next": {"after": after}}} if after else {}
        to = [{"toObjectId": one, "associationTypes": []} for one in targets]
        return results({"from": {"id": "1"}, "to": to, **paging})

    server.replies = [
        answer(200, part([10, 11], "x")),
        answer(207, part([12], "y")),
        answer(200, part([12], "y")),
    ]

    found = hubspot.associations("contacts", "deals", ["1", "2"])

    assert found == {"1": ["10", "11", "12"], "2": []}
    assert server.requests[1].json == {"inputs": [{"id": "1", "after": "x"}]}
    assert len(server.requests) == 3  # and not for ever


def test_ties_of_the_default_kind_leave_labels_alone(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, results())]

    hubspot.associate(
        "contacts",
        [("1", Association("notes", "2")), ("1", Association("deals", "3", 4))],
    )

    assert [one.path for one in server.requests] == [
        "/crm/v4/associations/contacts/notes/batch/associate/default",
        "/crm/v4/associations/contacts/deals/batch/create",
    ]
    fits(
        "associations_v4.json",
        "BatchInputPublicDefaultAssociationMultiPost",
        server.requests[0].json,
    )
    fits(
        "associations_v4.json",
        "BatchInputPublicAssociationMultiPost",
        server.requests[1].json,
    )


def tied_to(*targets: tuple[str, tuple[int, ...]]) -> dict[str, Any]:
    to = [
        {
            "toObjectId": one,
            "associationTypes": [
                {"category": "HUBSPOT_DEFINED", "typeId": kind} for kind in kinds
            ],
        }
        for one, kinds in targets
    ]
    return results({"from": {"id": "1"}, "to": to})


def test_the_primary_company_alone_is_what_a_contact_belongs_to(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, tied_to(("9", (279,)), ("10", (279, 1))))]

    assert hubspot.associations("contacts", "companies", ["1"]) == {"1": ["10"]}


def test_without_a_primary_company_the_oldest_comes_first(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, tied_to(("10", (279,)), ("9", (279,))))]

    assert hubspot.associations("contacts", "companies", ["1"]) == {"1": ["9", "10"]}


def test_what_is_made_primary_keeps_its_labels(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, tied_to(("2", (279, 28)), ("3", (279, 1))))]

    hubspot.associate("contacts", [("1", Association("companies", "2"))])

    (made,) = server.requests[1].json["inputs"]
    assert [one["associationTypeId"] for one in made["types"]] == [279, 28, 1]


def test_the_own_key_is_made_unique_in_its_own_group(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    made = {"name": "crmsync_id", "type": "string", "hasUniqueValue": True}
    server.replies = [
        answer(200, results()),
        answer(409, {"message": "group exists", "category": "OBJECT_ALREADY_EXISTS"}),
        answer(201, made),
    ]
    own = SPEC.own_key
    field = RemoteField(own.name, own.label, "text", unique=True, group=own.group)

    got = hubspot.ensure_fields("deals", [field])

    assert [one.refusal for one in got] == [None]
    group, prop = server.requests[1:]
    assert group.path == "/crm/v3/properties/deals/groups"
    assert prop.json["hasUniqueValue"] is True
    assert prop.json["groupName"] == "crmsync"
    fits("properties.json", "PropertyGroupCreate", group.json)
    fits("properties.json", "PropertyCreate", prop.json)


def test_a_key_that_exists_without_being_unique_does_not_serve(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, results({"name": "crmsync_id", "type": "string"}))]

    got = hubspot.ensure_fields(
        "deals", [RemoteField("crmsync_id", "Id", "text", unique=True)]
    )

    assert isinstance(got[0].refusal, Misconfigured)


def test_a_lost_right_stops_the_set_up_instead_of_blaming_the_field(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, results()), answer(429, {"policyName": "DAILY"})]

    with pytest.raises(RateLimited):
        hubspot.ensure_fields("deals", [RemoteField("a", "A", "text")])


def test_each_family_of_paths_can_speak_its_dated_version(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, results())]
    hubspot = HubSpotConnector(
        make_client(), {"objects": "dated", "properties": "dated"}
    )

    hubspot.fetch("notes", ["1"], fields=[])
    hubspot.describe("contacts")
    hubspot.owners()

    assert [one.path.partition("?")[0] for one in server.requests] == [
        "/crm/objects/2026-03/notes/batch/read",
        "/crm/properties/2026-03/contacts",
        "/crm/v3/owners/",
    ]


@pytest.mark.parametrize(
    "read",
    [
        lambda hubspot: hubspot.describe("contacts"),
        lambda hubspot: hubspot.owners(),
        lambda hubspot: hubspot.pipelines("deals"),
        lambda hubspot: hubspot.fetch("contacts", ["1"], fields=[]),
        lambda hubspot: hubspot.search("contacts", [], [], 1),
        lambda hubspot: hubspot.associations("contacts", "deals", ["1"]),
    ],
)
@pytest.mark.parametrize("body", [{}, {"results": None}, {"results": {"a": 1}}])
def test_an_answer_of_another_shape_is_read_again_later(
    server: WireServer,
    hubspot: HubSpotConnector,
    read: Callable[[HubSpotConnector], object],
    body: object,
) -> None:
    server.replies = [answer(200, body)]

    with pytest.raises(Retryable):
        read(hubspot)


def test_junk_among_results_is_left_out(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    junk = [None, 7, {}, {"id": None}, {"id": 5, "properties": 3}, {"id": {"a": 1}}]
    server.replies = [answer(200, {"results": junk})]

    found = hubspot.fetch("contacts", ["5"], fields=[])

    assert [(one.remote_id, one.fields) for one in found] == [("5", {})]


def test_the_token_tells_whose_account_it_is(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    info = {"hub_id": 4100001, "hub_domain": "a.example.com", "scopes": ["oauth", 3]}
    server.replies = [answer(200, info | {"expires_in": 1700, "user": "a@example.com"})]

    account = hubspot.check()

    assert (account.id, account.name) == ("4100001", "a.example.com")
    assert (account.scopes, account.token_expires_in_s) == (("oauth",), 1700)


def test_a_private_app_asks_with_its_token_in_the_body(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, {"hubId": 7, "scopes": ["crm.objects.deals.read"]})]
    token = "pat-eu1-0000"
    client = make_client(token=lambda refused=None: token)

    account = HubSpotConnector(client).check()

    assert account.id == "7"
    assert server.requests[0].json == {"tokenKey": token}


def test_more_fields_than_a_search_can_name_are_read_by_id(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    fields = [f"a_rather_long_field_name_{number}" for number in range(150)]
    full = {"id": "5", "properties": {fields[7]: "x"}}
    server.replies = [
        answer(200, results({"id": "5", "properties": {}}, {"id": "6"})),
        answer(200, results(full)),
    ]
    day = datetime(2026, 1, 1, tzinfo=UTC)

    page = hubspot.changed_since("contacts", day, day, None, fields)

    assert len(server.requests[0].body) < 3000
    asked = server.requests[1].json["properties"]
    assert asked == [*fields, "hs_merged_object_ids"]
    first, second = page.records
    assert (first.remote_id, first.fields[fields[7]]) == ("5", "x")
    assert not any(text for n, text in first.fields.items() if n != fields[7])
    assert (second.remote_id, second.fields) == ("6", {})


@pytest.mark.parametrize(
    "name", ["a/b", "..", "a?b=c", "{token}", "a b", "a#", "é", ""]
)
def test_a_name_that_is_no_object_leads_nowhere(
    server: WireServer, hubspot: HubSpotConnector, name: str
) -> None:
    with pytest.raises(Unsupported):
        hubspot.describe(name)
    with pytest.raises(Unsupported):
        hubspot.fetch(name, ["1"], fields=[])

    assert server.requests == []


def test_one_tie_that_fails_is_told_from_its_neighbours(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    context = {"fromObjectId": ["1"], "toObjectId": ["3"]}
    error = {"category": "OBJECT_NOT_FOUND", "message": "no 3", "context": context}
    server.replies = [answer(207, results() | {"errors": [error]})]
    ties = [("1", Association("deals", to_id)) for to_id in ("2", "3", "4")]

    outcome = hubspot.associate("contacts", ties)

    assert [type(one).__name__ for one in outcome] == [
        "NoneType",
        "RecordGone",
        "NoneType",
    ]


def test_a_token_nobody_explains_is_tried_at_the_door(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    unknown = answer(404, {"category": "OBJECT_NOT_FOUND", "message": "?"})
    server.replies = [unknown, unknown, answer(200, results())]

    assert hubspot.check().id == ""
    assert server.requests[2].path == "/crm/v3/objects/contacts?limit=1"


def test_the_account_is_named_by_its_details_where_the_token_is_silent(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    unknown = answer(404, {"category": "OBJECT_NOT_FOUND", "message": "?"})
    server.replies = [unknown, answer(200, {"portalId": 4100001})]

    assert hubspot.check().id == "4100001"


def test_a_token_no_header_can_carry_asks_for_a_new_connection(
    server: WireServer, make_client: MakeClient
) -> None:
    client = make_client(token=lambda refused=None: "pasted\nwith a newline")

    with pytest.raises(ReauthRequired) as caught:
        HubSpotConnector(client).owners()

    assert "pasted" not in str(caught.value)
    assert server.requests == []
