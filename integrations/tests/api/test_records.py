"""The API of records: what it shows, what it refuses, what it leaves alone."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from crmsync.core.models import Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import api_client, make_user
from leads.models import Change
from leads.testing import (
    make_campaign,
    make_company,
    make_custom_field,
    make_deal,
    make_lead,
    make_ready_workspace,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_ready_workspace()


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return api_client(workspace, "rep")


def errors(answer: Any) -> dict[str, str]:
    return {one["attr"]: one["detail"] for one in answer.json()["errors"]}


def test_a_lead_is_made_and_read_back(client: APIClient) -> None:
    body = {"email": "Ada@Example.com", "first_name": "Ada", "linkedin_id": None}

    made = client.post("/api/v1/leads/", body, format="json")

    assert made.status_code == 201
    read = client.get(f"/api/v1/leads/{made.json()['id']}/").json()
    assert read == made.json()
    assert (read["email"], read["version"]) == ("ada@example.com", 1)


def test_the_key_is_the_origin_of_the_change(
    client: APIClient, workspace: Workspace
) -> None:
    client.post("/api/v1/leads/", {"email": "a@example.com"}, format="json")

    with in_workspace(workspace):
        change = Change.objects.get()
    assert (change.origin_kind, change.origin_label) == ("api", "Test key")


def test_a_patch_changes_what_it_names(client: APIClient, workspace: Workspace) -> None:
    lead = make_lead(workspace, first_name="Ada", city="Berlin")

    answer = client.patch(
        f"/api/v1/leads/{lead.pk}/", {"city": None, "version": 1}, format="json"
    )

    assert answer.status_code == 200
    assert (answer.json()["first_name"], answer.json()["city"]) == ("Ada", "")


def test_a_stale_version_is_a_conflict(client: APIClient, workspace: Workspace) -> None:
    lead = make_lead(workspace, version=4)

    answer = client.patch(
        f"/api/v1/leads/{lead.pk}/", {"city": "Rome", "version": 3}, format="json"
    )

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "stale"
    assert "version 4" in answer.json()["errors"][0]["detail"]


def test_a_taken_address_is_refused_by_its_field(
    client: APIClient, workspace: Workspace
) -> None:
    holder = make_lead(workspace, email="a@example.com")

    answer = client.post("/api/v1/leads/", {"email": "a@example.com"}, format="json")

    assert answer.status_code == 400
    assert f"(lead {holder.pk})" in errors(answer)["email"]


@pytest.mark.parametrize(
    "extra",
    [
        {"workspace": 1},
        {"workspace_id": 1},
        {"id": 7},
        {"score": 100},
        {"created_at": "2020-01-01T00:00:00Z"},
        {"is_staff": True},
        {"role": "admin"},
        {"company": 1},
    ],
)
def test_nobody_writes_what_is_not_theirs_to_write(
    client: APIClient, workspace: Workspace, extra: dict[str, object]
) -> None:
    lead = make_lead(workspace)

    made = client.post(
        "/api/v1/leads/", {"email": "x@example.com", **extra}, format="json"
    )
    changed = client.patch(f"/api/v1/leads/{lead.pk}/", extra, format="json")

    assert (made.status_code, changed.status_code) == (400, 400)
    assert set(errors(made)) == set(extra)
    lead.refresh_from_db()
    assert (lead.score, lead.version) == (0, 1)


def test_custom_errors_name_the_field(client: APIClient, workspace: Workspace) -> None:
    make_custom_field(workspace, name="seats", type="number")

    answer = client.post(
        "/api/v1/leads/",
        {"email": "a@example.com", "custom": {"seats": "many", "nothing": 1}},
        format="json",
    )

    assert set(errors(answer)) == {"custom.seats", "custom.nothing"}


def test_ids_of_another_workspace_in_a_body_are_unknown(client: APIClient) -> None:
    other = make_ready_workspace()
    foreign = {
        "lead_id": make_lead(other).pk,
        "company_id": make_company(other).pk,
        "owner_id": make_user(other).pk,
        "stage_id": make_deal(other).stage_id,
    }

    answer = client.post("/api/v1/deals/", {"name": "x", **foreign}, format="json")

    assert answer.status_code == 400
    assert set(errors(answer)) == set(foreign)


def test_a_deal_moves_through_the_api(client: APIClient, workspace: Workspace) -> None:
    deal = client.post("/api/v1/deals/", {"name": "Big"}, format="json").json()
    stages = client.get("/api/v1/pipelines/").json()["results"][0]["stages"]
    won = next(stage for stage in stages if stage["outcome"] == "won")

    answer = client.patch(
        f"/api/v1/deals/{deal['id']}/",
        {"stage_id": won["id"], "amount": "1200.50", "currency": "EUR"},
        format="json",
    )

    assert answer.json()["stage"] == "Won"
    assert answer.json()["amount"] == "1200.50"


# --- filters and pages ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("search=love", {"Ada"}),
        ("search=example.com", {"Ada", "Bo", "Cy"}),
        ("search=%25", set()),
        ("search=ada lovelace", {"Ada"}),
        ("status=replied", {"Bo"}),
        ("score_min=10", {"Bo", "Cy"}),
        ("score_min=10&score_max=20", {"Bo"}),
        ("source=lgm", {"Cy"}),
        ("email=ADA@example.com", {"Ada"}),
        ("created_after=2100-01-01T00:00:00Z", set()),
        ("created_before=0274-12-30T13:04:29-17:45", set()),
        ("owner_id=1000000000000", set()),
    ],
)
def test_leads_are_filtered(
    client: APIClient, workspace: Workspace, query: str, found: set[str]
) -> None:
    make_lead(
        workspace, first_name="Ada", last_name="Lovelace", email="ada@example.com"
    )
    make_lead(
        workspace,
        first_name="Bo",
        email="bo@example.com",
        last_name="",
        status="replied",
        score=15,
    )
    make_lead(
        workspace,
        first_name="Cy",
        email="cy@example.com",
        last_name="",
        source="lgm",
        score=40,
    )

    answer = client.get(f"/api/v1/leads/?{query}")

    assert {one["first_name"] for one in answer.json()["results"]} == found


def test_a_campaign_of_another_workspace_filters_to_nothing(
    client: APIClient, workspace: Workspace
) -> None:
    foreign = make_campaign(make_ready_workspace())
    make_lead(workspace)

    answer = client.get(f"/api/v1/leads/?campaign_id={foreign.pk}")

    assert answer.json()["results"] == []


@pytest.mark.parametrize(
    "query",
    [
        "colour=red",
        "email__icontains=a",
        "owner__password=x",
        "ordering=score",
        "status=sleepy",
        "score_min=many",
        "created_after=yesterday",
        "created_after=0001-01-01T00:00:00%2B14:00",
        "owner_id=1.5",
        "owner_id=0",
        "owner_id=99999999999999999999",
        "limit=none",
        "limit=0",
        "limit=-1",
    ],
)
def test_what_cannot_be_filtered_by_is_refused(client: APIClient, query: str) -> None:
    answer = client.get(f"/api/v1/leads/?{query}")

    assert answer.status_code == 400
    assert query.partition("=")[0] in errors(answer)


def test_a_parameter_of_a_single_record_is_refused(
    client: APIClient, workspace: Workspace
) -> None:
    lead = make_lead(workspace)

    answer = client.get(f"/api/v1/leads/{lead.pk}/?expand=owner")

    assert answer.status_code == 400


@pytest.mark.parametrize(
    "cursor", ["x", "cD1hYmM=", "bz0tMQ==", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk="]
)
def test_a_made_up_cursor_is_no_error_of_ours(client: APIClient, cursor: str) -> None:
    answer = client.get(f"/api/v1/leads/?cursor={cursor}")

    assert answer.status_code in {200, 404}


def test_pages_stay_put_while_rows_are_added(
    client: APIClient, workspace: Workspace
) -> None:
    before = [make_lead(workspace).pk for _ in range(7)]
    seen: list[int] = []
    address: str | None = "/api/v1/leads/?limit=3"

    while address:
        page = client.get(address).json()
        seen += [one["id"] for one in page["results"]]
        make_lead(workspace)
        address = page["next"]

    assert seen == sorted(before, reverse=True)


# --- bodies ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"1",
        b'{"first_name": "\\ud800"}',
        b'{"\\ud800": 1}',
        b'{"custom": {"\\udfff": 1}}',
        b'{"first_name": "\\u0000"}',
        b'{"first_name": NaN}',
        b'{"custom": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"owner_id": ' + b"9" * 6000 + b"}",
        b'{"owner_id": 1e400}',
        b"\xff\xfe",
    ],
)
def test_a_broken_body_is_the_callers_error(client: APIClient, body: bytes) -> None:
    answer = client.post("/api/v1/leads/", body, content_type="application/json")

    assert answer.status_code == 400
    assert answer.json()["errors"]


def test_a_huge_body_is_refused(client: APIClient, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000

    answer = client.post("/api/v1/leads/", {"first_name": "x" * 2000}, format="json")

    assert answer.status_code == 413


@pytest.mark.parametrize(
    "address", ["/api/v1/nothing/", "/api/v1/leads/abc/", "/api/x"]
)
def test_an_address_that_leads_nowhere_answers_in_the_apis_shape(
    client: APIClient, address: str
) -> None:
    answer = client.get(address)

    assert answer.status_code == 404
    assert answer.json()["errors"][0]["code"] == "not_found"


def test_a_record_is_never_replaced(client: APIClient, workspace: Workspace) -> None:
    lead = make_lead(workspace)

    replaced = client.put(f"/api/v1/leads/{lead.pk}/", {}, format="json")

    assert replaced.status_code == 405


def test_a_deleted_record_is_gone(workspace: Workspace) -> None:
    ops, lead = api_client(workspace, "sales_ops"), make_lead(workspace)

    deleted = ops.delete(f"/api/v1/leads/{lead.pk}/")

    assert deleted.status_code == 204
    assert ops.delete(f"/api/v1/leads/{lead.pk}/").status_code == 404
    with in_workspace(workspace):
        change = Change.objects.get()
    assert (change.action, change.origin_label) == ("deleted", "Test key")


def test_two_records_are_merged_and_parted(workspace: Workspace) -> None:
    ops = api_client(workspace, "sales_ops")
    winner, loser = make_lead(workspace), make_lead(workspace, city="Oslo")
    body = {"winner_id": winner.pk, "loser_id": loser.pk}

    made = ops.post("/api/v1/leads/merge/", body, format="json")
    merged = ops.get(f"/api/v1/leads/{winner.pk}/").json()
    gone = ops.get(f"/api/v1/leads/{loser.pk}/")
    undone = ops.post(f"/api/v1/merges/{made.json()['id']}/undo/")
    again = ops.post(f"/api/v1/merges/{made.json()['id']}/undo/")

    assert (made.status_code, merged["city"], gone.status_code) == (201, "Oslo", 404)
    assert undone.json()["undone_at"]
    assert again.status_code == 409
    assert ops.get(f"/api/v1/leads/{loser.pk}/").json()["city"] == "Oslo"


@pytest.mark.parametrize("loser", ["itself", "foreign"])
def test_what_cannot_be_merged_is_refused(workspace: Workspace, loser: str) -> None:
    ops, lead = api_client(workspace, "sales_ops"), make_lead(workspace)
    others = {"itself": lead, "foreign": make_lead(make_ready_workspace())}
    body = {"winner_id": lead.pk, "loser_id": others[loser].pk}

    answer = ops.post("/api/v1/leads/merge/", body, format="json")

    assert answer.status_code == {"itself": 400, "foreign": 404}[loser]
