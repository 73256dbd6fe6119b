"""Marketing campaigns over the wire: an API of their own, with names for keys."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.hubspot import campaign_writing
from integrations.connectors.hubspot.apart import APART
from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.connectors.hubspot.spec import CAMPAIGN_FIELDS, SPEC
from integrations.errors import (
    AmbiguousMatch,
    OutcomeUnknown,
    PermissionMissing,
    RecordRejected,
    Retryable,
    Unsupported,
)
from integrations.mapping.templates.hubspot import TEMPLATES
from integrations.records import Association, RemoteField, RemoteRecord, Write
from integrations.tests.connectors.conftest import MakeClient
from integrations.tests.connectors.fuzz import objects, patient
from integrations.tests.connectors.wire import WireServer, answer, hang_up

DAY = datetime(2026, 1, 1, tzinfo=UTC)
NEXT = datetime(2026, 1, 2, tzinfo=UTC)
BASE = "/marketing/v3/campaigns"


def guid(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def campaign(number: int, at: datetime = DAY, **properties: str) -> dict[str, Any]:
    stamp = at.isoformat()
    return {
        "id": guid(number),
        "properties": properties,
        "createdAt": stamp,
        "updatedAt": stamp,
        "businessUnits": [],
    }


def page(*entries: Any, after: str | None = None, **more: Any) -> dict[str, Any]:
    paging = {"paging": {"next": {"after": after}}} if after else {}
    return {"total": len(entries), "results": list(entries)} | paging | more


def create(ref: str, name: str, **fields: Any) -> Write:
    given = {"hs_name": name} | fields
    return Write(ref, "campaigns", None, None, None, given, mode="create")


def upsert(ref: str, name: str, **fields: Any) -> Write:
    given = {"hs_name": name} | fields
    return Write(ref, "campaigns", None, "hs_name", name, given)


def update(ref: str, number: int, **fields: Any) -> Write:
    return Write(ref, "campaigns", guid(number), None, None, fields)


def query(server: WireServer, number: int) -> dict[str, list[str]]:
    return parse_qs(urlsplit(server.requests[number].path).query)


def paths(server: WireServer) -> list[str]:
    return [urlsplit(one.path).path for one in server.requests]


# Set-up


def test_fields_are_told_once_campaigns_may_be_read(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page())]

    fields = {one.name: one for one in hubspot.describe("campaigns")}

    assert paths(server) == [BASE]
    assert fields["hs_name"].required
    assert fields["hs_start_date"].type == fields["hs_end_date"].type == "date"
    assert not fields["hs_campaign_status"].restricted


def test_an_account_without_the_scope_says_so(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(403, {"category": "MISSING_SCOPES", "message": "no"})]

    with pytest.raises(PermissionMissing):
        hubspot.describe("campaigns")


def test_our_own_key_is_refused_without_a_call(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    wanted = RemoteField("crmsync_id", "crmsync id", "text", unique=True)

    made, there = hubspot.ensure_fields("campaigns", [wanted, CAMPAIGN_FIELDS[0]])

    assert isinstance(made.refusal, Unsupported)
    assert there == CAMPAIGN_FIELDS[0]
    assert server.requests == []


def test_the_dated_path_can_be_chosen(
    server: WireServer, make_client: MakeClient
) -> None:
    server.replies = [answer(200, page())]

    HubSpotConnector(make_client(), {"campaigns": "dated"}).scan("campaigns", None, [])

    assert paths(server) == ["/marketing/campaigns/2026-03"]


def test_the_scopes_are_asked_for_as_optional() -> None:
    assert SPEC.oauth is not None
    wanted = {"marketing.campaigns.read", "marketing.campaigns.write"}

    assert wanted <= set(SPEC.oauth.optional_scopes)
    assert not wanted & set(SPEC.oauth.scopes)


def test_no_association_is_ever_asked_for() -> None:
    others = SPEC.objects.keys() - {"campaigns"}

    for other in others:
        assert {("campaigns", other), (other, "campaigns")} <= SPEC.no_ties


def test_each_method_that_is_marked_has_its_function() -> None:
    marked = [
        name
        for name, member in vars(HubSpotConnector).items()
        if hasattr(member, "__wrapped__")
    ]

    assert marked
    for module in APART.values():
        assert [name for name in marked if not hasattr(module, name)] == []


def test_the_mapping_they_start_with_is_off_and_has_what_a_create_needs() -> None:
    (template,) = [one for one in TEMPLATES if one.remote_object == "campaigns"]

    assert (template.active, template.direction) == (False, "push")
    assert template.match_field == "hs_name"
    mapped = {row.destination for row in template.rows}
    assert set(SPEC.objects["campaigns"].required) <= mapped
    assert mapped <= {field.name for field in CAMPAIGN_FIELDS}


# Writing


def test_an_update_goes_by_id_and_carries_nothing_unknown(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page(campaign(1, NEXT, hs_name="New")))]

    (done,) = hubspot.write("campaigns", [update("r", 1, hs_name="New", hs_notes=None)])

    assert paths(server) == [f"{BASE}/batch/update"]
    assert server.requests[0].json == {
        "inputs": [{"id": guid(1), "properties": {"hs_name": "New", "hs_notes": ""}}]
    }
    assert (done.remote_id, done.created, done.error) == (guid(1), False, None)
    assert done.updated_at == NEXT


def test_answers_of_creates_are_told_apart_by_name(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    shuffled = page(campaign(2, hs_name="Two"), campaign(1, hs_name="One"))
    server.replies = [answer(201, shuffled)]

    done = hubspot.write("campaigns", [create("a", "One"), create("b", "Two")])

    assert [one.remote_id for one in done] == [guid(1), guid(2)]
    assert [one.created for one in done] == [True, True]
    inputs = server.requests[0].json["inputs"]
    assert inputs == [
        {"properties": {"hs_name": "One"}},
        {"properties": {"hs_name": "Two"}},
    ]


def test_two_new_ones_of_one_name_go_in_two_calls(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [
        answer(201, page(campaign(1, hs_name="Same"))),
        answer(201, page(campaign(2, hs_name=" same"))),
    ]

    done = hubspot.write("campaigns", [create("a", "Same"), create("b", " same")])

    assert [one.remote_id for one in done] == [guid(1), guid(2)]
    assert len(server.requests) == 2


def test_more_than_fifty_go_in_several_calls(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    all_of_them = [campaign(number) for number in range(51)]
    server.replies = [
        answer(200, page(*all_of_them[:50])),
        answer(200, page(all_of_them[50])),
    ]

    done = hubspot.write(
        "campaigns", [update(f"r{n}", n, hs_notes="x") for n in range(51)]
    )

    assert [len(one.json["inputs"]) for one in server.requests] == [50, 1]
    assert [one.remote_id for one in done] == [guid(n) for n in range(51)]


def test_a_campaign_needs_a_name(server: WireServer, hubspot: HubSpotConnector) -> None:
    (done,) = hubspot.write("campaigns", [create("r", "  ")])

    assert isinstance(done.error, RecordRejected)
    assert done.error.field == "hs_name"
    assert server.requests == []


def test_one_that_is_refused_does_not_stop_the_other(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    refusal = {
        "category": "VALIDATION_ERROR",
        "message": "bad date",
        "context": {"id": [guid(1)]},
    }
    server.replies = [answer(207, page(campaign(2), errors=[refusal]))]

    bad, good = hubspot.write(
        "campaigns", [update("a", 1, hs_end_date="x"), update("b", 2, hs_notes="y")]
    )

    assert isinstance(bad.error, RecordRejected)
    assert good.error is None


def test_a_create_whose_answer_is_lost_is_unknown_and_not_sent_again(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [hang_up]

    (done,) = hubspot.write("campaigns", [create("r", "One")])

    assert isinstance(done.error, OutcomeUnknown)
    assert len(server.requests) == 1


def test_an_update_whose_answer_is_lost_may_be_repeated(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [hang_up]

    with pytest.raises(Retryable):
        hubspot.write("campaigns", [update("r", 1, hs_notes="x")])


# Upserts


def test_an_upsert_updates_the_one_of_exactly_its_name(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    like = page(
        campaign(1, hs_name="Spring fair 2"), campaign(2, hs_name="SPRING fair ")
    )
    server.replies = [
        answer(200, like),
        answer(200, page(campaign(2, hs_name="Spring fair"))),
    ]

    (done,) = hubspot.write("campaigns", [upsert("r", " Spring fair")])

    assert query(server, 0)["name"] == ["Spring fair"]
    assert server.requests[1].json["inputs"][0]["id"] == guid(2)
    assert (done.remote_id, done.created) == (guid(2), False)


def test_an_upsert_of_a_new_name_creates(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [
        answer(200, page(campaign(1, hs_name="Spring fair 2"))),
        answer(201, page(campaign(3, hs_name="Spring fair"))),
    ]

    (done,) = hubspot.write("campaigns", [upsert("r", "Spring fair")])

    assert paths(server) == [BASE, f"{BASE}/batch/create"]
    assert (done.remote_id, done.created) == (guid(3), True)


def test_several_of_one_name_wait_for_a_person_and_the_others_go_on(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    twins = page(campaign(1, hs_name="Twin"), campaign(2, hs_name="twin"))
    server.replies = [
        answer(200, twins),
        answer(200, page()),
        answer(201, page(campaign(3, hs_name="New"))),
    ]

    twin, new = hubspot.write("campaigns", [upsert("a", "Twin"), upsert("b", "New")])

    assert isinstance(twin.error, AmbiguousMatch)
    assert twin.error.candidates == (("", guid(1)), ("", guid(2)))
    assert new.remote_id == guid(3)


def test_two_upserts_of_one_new_name_make_one_campaign(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [
        answer(200, page()),
        answer(201, page(campaign(1, hs_name="Same"))),
        answer(200, page(campaign(1, hs_name="same"))),
    ]

    done = hubspot.write("campaigns", [upsert("a", "Same"), upsert("b", "same")])

    assert [one.remote_id for one in done] == [guid(1), guid(1)]
    assert paths(server)[1:] == [f"{BASE}/batch/create", f"{BASE}/batch/update"]


def test_what_follows_an_unknown_outcome_is_not_sent(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page()), hang_up]

    done = hubspot.write("campaigns", [upsert("a", "Same"), upsert("b", "same")])

    assert [type(one.error) for one in done] == [OutcomeUnknown, OutcomeUnknown]
    assert len(server.requests) == 2


def test_an_outage_after_a_create_loses_no_outcome(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [
        answer(200, page()),
        answer(201, page(campaign(1, hs_name="Same"))),
        answer(500, {"message": "down"}),
    ]

    first, second = hubspot.write(
        "campaigns", [upsert("a", "Same"), upsert("b", "same")]
    )

    assert first.remote_id == guid(1)
    assert isinstance(second.error, Retryable)


def test_many_names_are_looked_up_in_one_walk(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [
        answer(200, page(campaign(3, hs_name="N3"), after="2")),
        answer(200, page(campaign(7, hs_name="n7"))),
    ]

    found = hubspot.fetch(
        "campaigns", [f"N{n}" for n in range(11)], fields=[], key_field="hs_name"
    )

    assert {one.remote_id for one in found} == {guid(3), guid(7)}
    assert len(server.requests) == 2
    assert "name" not in query(server, 0)


@pytest.mark.parametrize("write", [upsert("r", " "), upsert("r", "x")])
def test_an_upsert_without_a_name_or_by_another_field_is_refused(
    server: WireServer, hubspot: HubSpotConnector, write: Write
) -> None:
    by_id = Write("i", "campaigns", None, "crmsync_id", "lead:1", {"hs_name": "x"})
    server.replies = [answer(200, page()), answer(201, page())]

    done = hubspot.write("campaigns", [by_id, write])

    assert isinstance(done[0].error, Unsupported)
    assert done[1].error is not None


# Reading


def test_ids_are_read_fifty_at_a_time_and_missing_ones_left_out(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    missing = {"category": "OBJECT_NOT_FOUND", "message": "none"}
    server.replies = [
        answer(207, page(campaign(0, hs_name="Zero"), errors=[missing])),
        answer(200, page(campaign(50))),
    ]

    found = hubspot.fetch(
        "campaigns", [guid(n) for n in range(51)], fields=["hs_name", "hs_notes"]
    )

    assert [one.remote_id for one in found] == [guid(0), guid(50)]
    assert found[0].fields == {"hs_name": "Zero", "hs_notes": None}
    assert query(server, 0)["properties"] == ["hs_name,hs_notes"]
    assert [len(one.json["inputs"]) for one in server.requests] == [50, 1]


def test_what_is_no_id_of_a_campaign_spoils_no_batch(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page(campaign(1)))]

    hubspot.fetch("campaigns", ["4711", guid(1), "../x"], fields=[])

    assert server.requests[0].json["inputs"] == [{"id": guid(1)}]


def test_another_key_than_the_name_is_unsupported(hubspot: HubSpotConnector) -> None:
    with pytest.raises(Unsupported):
        hubspot.fetch("campaigns", ["x"], fields=[], key_field="hs_utm")


def test_changes_are_listed_newest_first_until_all_is_older(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    older = DAY - timedelta(seconds=1)
    after_it = NEXT + timedelta(seconds=1)
    server.replies = [
        answer(200, page(campaign(1, after_it), campaign(2, NEXT), after="2")),
        answer(200, page(campaign(3, DAY), campaign(4, older), after="4")),
        answer(200, page(campaign(5, older), campaign(6, older), after="6")),
    ]

    def read(cursor: str | None) -> Any:
        return hubspot.changed_since("campaigns", DAY, NEXT, cursor, ["hs_name"])

    first, second, third = read(None), read("2"), read("4")

    assert query(server, 0)["sort"] == ["-updatedAt"]
    assert query(server, 1)["after"] == ["2"]
    assert [one.remote_id for one in first.records] == [guid(2)]
    assert [one.remote_id for one in second.records] == [guid(3)]
    assert (first.cursor, second.cursor) == ("2", "4")
    assert (third.records, third.cursor) == ((), None)


def test_one_that_does_not_say_when_it_changed_counts_as_changed(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    nameless = campaign(1) | {"updatedAt": "soon"}
    server.replies = [answer(200, page(nameless, after="1"))]

    read = hubspot.changed_since("campaigns", DAY, NEXT, None, [])

    assert [one.remote_id for one in read.records] == [guid(1)]
    assert read.cursor == "1"


def test_a_scan_lists_a_hundred_in_the_order_of_making(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page(campaign(1, hs_name="A"), after="abc="))]

    read = hubspot.scan("campaigns", None, ["hs_name"])

    assert query(server, 0) == {
        "limit": ["100"],
        "sort": ["createdAt"],
        "properties": ["hs_name"],
    }
    assert read.cursor == "abc="


def test_a_list_that_runs_in_a_circle_is_left(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(200, page(campaign(1), after="7"))]

    with pytest.raises(Retryable, match="circle"):
        hubspot.scan("campaigns", "7", [])


@pytest.mark.parametrize(("told", "known"), [(12, 12), ("12", None), (None, None)])
def test_the_list_tells_how_many_there_are(
    server: WireServer, hubspot: HubSpotConnector, told: object, known: int | None
) -> None:
    server.replies = [answer(200, {"results": [], "total": told})]

    assert hubspot.count("campaigns") == known


@pytest.mark.parametrize("body", [{}, {"results": "x"}, {"results": None}])
def test_a_list_of_another_shape_is_asked_for_again(
    server: WireServer, hubspot: HubSpotConnector, body: object
) -> None:
    server.replies = [answer(200, body)]

    with pytest.raises(Retryable):
        hubspot.scan("campaigns", None, [])


# What there is not


def test_what_campaigns_lack_costs_no_call(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    tie = (guid(1), Association("contacts", "5"))

    with pytest.raises(Unsupported):
        hubspot.gone_since("campaigns", DAY, NEXT, None)
    with pytest.raises(Unsupported):
        hubspot.search("campaigns", [], [], 1)
    assert hubspot.gone_among("campaigns", [guid(1)]) == []
    assert hubspot.changed_at("campaigns", [guid(1)], ["hs_name"]) == {}
    assert hubspot.pipelines("campaigns") == ()
    assert hubspot.associations("campaigns", "contacts", [guid(1)]) == {guid(1): []}
    assert isinstance(hubspot.associate("campaigns", [tie])[0], Unsupported)
    assert hubspot.dissociate("campaigns", [tie]) == [None]
    assert server.requests == []


def test_deleting_takes_fifty_at_a_time(
    server: WireServer, hubspot: HubSpotConnector
) -> None:
    server.replies = [answer(204)]

    assert hubspot.delete("campaigns", [guid(n) for n in range(51)]) == {}

    assert paths(server) == [f"{BASE}/batch/archive"] * 2
    assert [len(json.loads(one.body)["inputs"]) for one in server.requests] == [50, 1]


class _Scripted:
    """Calls that give one answer, without a wire."""

    def __init__(self, body: Any) -> None:
        self.body = body

    def path(self, *parts: str) -> str:
        return "/".join(parts)

    def post(self, *args: Any, **options: Any) -> Any:
        return self.body


@patient
@given(
    st.lists(objects("id", "properties", "updatedAt")),
    st.lists(objects("category", "message", "context", "errors")),
)
def test_whatever_comes_back_each_write_has_one_result(
    results: Any, found: Any
) -> None:
    calls: Any = _Scripted({"results": results, "errors": found})
    writes = [create("a", "One"), update("b", 1, hs_notes="x"), upsert("c", "Two")]

    def look_up(calls: Any, names: Any, fields: Any) -> dict[str, list[RemoteRecord]]:
        return {}

    done = campaign_writing.write(calls, "campaigns", writes, look_up)

    assert [one.ref for one in done] == ["a", "b", "c"]
    assert all(one.error is not None or one.remote_id for one in done)
