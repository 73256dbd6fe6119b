"""The API of connections, mappings, endpoints, deliveries, syncs and timelines."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import api_client, make_workspace
from integrations.connectors.session import close_all
from integrations.models import Connection, Endpoint, ObjectMapping, RemoteSchema
from integrations.simulators.testing import PRIVATE_TOKEN, RunningSimulator
from integrations.testing import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_event,
    make_link,
    make_mapping,
    make_parked_item,
    make_sync_entry,
    make_work_item,
)
from integrations.webhooks.store import PROCESS
from leads.testing import make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db


@pytest.fixture
def workspace() -> Workspace:
    return make_ready_workspace()


@pytest.fixture
def client(workspace: Workspace) -> APIClient:
    return api_client(workspace, "admin")


@pytest.fixture
def ops(workspace: Workspace) -> APIClient:
    return api_client(workspace, "sales_ops")


def errors(answer: Any) -> dict[str, str]:
    return {one["attr"]: one["detail"] for one in answer.json()["errors"]}


# --- connections ----------------------------------------------------------------------


@pytest.fixture
def hubspot(hubspot_simulator: RunningSimulator, settings: Any) -> RunningSimulator:
    settings.HUBSPOT_API_URL = hubspot_simulator.base_url
    settings.HUBSPOT_AUTH_URL = hubspot_simulator.base_url
    close_all()
    return hubspot_simulator


def test_an_account_is_connected_by_its_token(
    client: APIClient, workspace: Workspace, hubspot: RunningSimulator
) -> None:
    body = {"vendor": "hubspot", "name": "Our HubSpot", "token": PRIVATE_TOKEN}

    made = client.post("/api/v1/connections/", body, "json")

    assert made.status_code == 201
    assert made.json()["name"] == "Our HubSpot"
    assert PRIVATE_TOKEN not in made.content.decode()
    with in_workspace(workspace):
        assert Connection.objects.get().token.access == PRIVATE_TOKEN
        assert WorkItem.objects.get(kind="setup").state == "ready"


def test_a_token_the_vendor_does_not_know_is_refused(
    client: APIClient, workspace: Workspace, hubspot: RunningSimulator
) -> None:
    body = {"vendor": "hubspot", "token": "pat-nobody-knows"}

    answer = client.post("/api/v1/connections/", body, "json")

    assert answer.status_code == 400
    assert "does not accept this token" in errors(answer)["token"]
    with in_workspace(workspace):
        assert not Connection.objects.exists()


def test_disconnecting_forgets_the_secret_and_keeps_the_links(
    client: APIClient, workspace: Workspace
) -> None:
    connection = make_connection(workspace)
    make_link(connection, record_id=make_lead(workspace).pk)

    answer = client.delete(f"/api/v1/connections/{connection.pk}/")

    assert answer.status_code == 204
    with in_workspace(workspace):
        kept = Connection.objects.get()
        assert kept.status == Connection.Status.DISCONNECTED
        assert not hasattr(kept, "token")
        assert kept.links.count() == 1


# --- mappings -------------------------------------------------------------------------

FIELDS = [
    {"name": "email", "label": "Email", "type": "text"},
    {"name": "firstname", "label": "First name", "type": "text"},
    {"name": "score", "label": "Score", "type": "number", "read_only": True},
]


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    connection = make_connection(workspace)
    RemoteSchema.objects.create(
        connection=connection, object_type="contacts", fields=FIELDS
    )
    return make_mapping(connection)


def test_rows_are_replaced_as_a_whole(ops: APIClient, mapping: ObjectMapping) -> None:
    rows = [
        {"source": "email", "destination": "email"},
        {"source": "first_name", "destination": "firstname", "transform": "title"},
    ]

    answer = ops.patch(f"/api/v1/mappings/{mapping.pk}/", {"rows": rows}, "json")

    assert answer.status_code == 200
    assert answer.json()["version"] == 2
    assert [row["destination"] for row in answer.json()["rows"]] == [
        "email",
        "firstname",
    ]


@pytest.mark.parametrize(
    "row",
    [
        {"source": "nothing", "destination": "email"},
        {"source": "custom.nothing", "destination": "email"},
        {"source": "email", "destination": "nothing"},
        {"source": "score", "destination": "score"},
        {"source": "email", "destination": "email", "transform": "eval"},
    ],
)
def test_a_row_that_cannot_work_is_refused(
    ops: APIClient, mapping: ObjectMapping, row: dict[str, str]
) -> None:
    answer = ops.patch(f"/api/v1/mappings/{mapping.pk}/", {"rows": [row]}, "json")

    assert answer.status_code == 400
    assert "rows" in errors(answer)


def test_a_field_is_mapped_once(ops: APIClient, mapping: ObjectMapping) -> None:
    row = {"source": "email", "destination": "email"}

    answer = ops.patch(f"/api/v1/mappings/{mapping.pk}/", {"rows": [row, row]}, "json")

    assert "mapped twice" in errors(answer)["rows"]


def test_two_editors_do_not_overwrite_each_other(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    address = f"/api/v1/mappings/{mapping.pk}/"
    ops.patch(address, {"mode": "manual", "version": 1}, "json")

    second = ops.patch(address, {"mode": "batch", "version": 1}, "json")

    assert second.status_code == 409
    assert ops.get(address).json()["mode"] == "manual"


def test_a_mapping_is_switched_off_and_on(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    off = ops.post(f"/api/v1/mappings/{mapping.pk}/deactivate/")
    on = ops.post(f"/api/v1/mappings/{mapping.pk}/activate/")

    assert (off.json()["active"], on.json()["active"]) == (False, True)


def test_an_empty_mapping_is_not_switched_on(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    ops.patch(f"/api/v1/mappings/{mapping.pk}/", {"rows": []}, "json")

    assert ops.post(f"/api/v1/mappings/{mapping.pk}/activate/").status_code == 400


# --- endpoints and deliveries ---------------------------------------------------------


def test_an_endpoint_is_made_and_its_address_is_for_admins(
    client: APIClient, ops: APIClient, workspace: Workspace
) -> None:
    made = client.post("/api/v1/endpoints/", {"source": "lgm", "name": "LGM"}, "json")

    with in_workspace(workspace):
        endpoint = Endpoint.objects.get()
    seen_by_ops = ops.get(f"/api/v1/endpoints/{endpoint.pk}/").json()
    assert made.json()["url"] == endpoint.url
    assert seen_by_ops["url"] is None


def test_secrets_of_an_endpoint_go_in_and_never_out(
    client: APIClient, workspace: Workspace
) -> None:
    endpoint = make_endpoint(workspace)
    body = {"secrets": ["whsec_new", "whsec_old"]}

    answer = client.patch(f"/api/v1/endpoints/{endpoint.pk}/", body, "json")

    endpoint.refresh_from_db()
    assert endpoint.secrets == "whsec_new\nwhsec_old"
    assert "whsec" not in answer.content.decode()


def test_deals_of_an_endpoint_do_not_start_in_a_foreign_stage(
    client: APIClient, workspace: Workspace
) -> None:
    with in_workspace(other := make_ready_workspace()):
        stage = other.pipelines.get().stages.get(name="Won")
    endpoint = make_endpoint(workspace)

    answer = client.patch(
        f"/api/v1/endpoints/{endpoint.pk}/", {"deal_stage_id": stage.pk}, "json"
    )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("body", "shown", "encoding"),
    [
        (b'{"a": 1}', '{"a": 1}', "text"),
        (b"\xff\xfe", "//4=", "base64"),
        (b"", "", "text"),
    ],
)
def test_a_delivery_is_shown_byte_for_byte(
    ops: APIClient, workspace: Workspace, body: bytes, shown: str, encoding: str
) -> None:
    delivery = make_delivery(make_endpoint(workspace), body=body)
    make_event(delivery)

    answer = ops.get(f"/api/v1/deliveries/{delivery.pk}/").json()

    assert (answer["body"], answer["body_encoding"]) == (shown, encoding)
    assert len(answer["events"]) == 1


def test_a_delivery_is_replayed_and_a_rejected_one_is_not(
    ops: APIClient, workspace: Workspace
) -> None:
    endpoint = make_endpoint(workspace)
    failed = make_delivery(endpoint, state="failed")
    rejected = make_delivery(endpoint, state="rejected", dedupe_key=None)

    first = ops.post(f"/api/v1/deliveries/{failed.pk}/replay/")
    second = ops.post(f"/api/v1/deliveries/{rejected.pk}/replay/")

    assert (first.status_code, second.status_code) == (202, 409)
    assert first.json()["state"] == "received"
    with in_workspace(workspace):
        assert WorkItem.objects.get(kind=PROCESS).key == str(failed.pk)


# --- syncs ----------------------------------------------------------------------------


def parked(mapping: ObjectMapping, record_id: int, **given: Any) -> WorkItem:
    return make_parked_item(
        mapping.workspace,
        channel=mapping.connection.channel,
        group=str(mapping.pk),
        key=f"{mapping.pk}:{record_id}",
        **given,
    )


def test_a_row_names_its_record_connection_and_cause(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    lead = make_lead(workspace, first_name="Ada", last_name="Example")
    parked(mapping, lead.pk, message="E-mail address is invalid")

    (row,) = ops.get("/api/v1/sync/rows/?failing=true").json()["results"]

    assert (row["record_type"], row["record_id"], row["record"]) == (
        "lead",
        lead.pk,
        "Ada Example",
    )
    assert row["connection_id"] == mapping.connection_id
    assert row["error"] == "E-mail address is invalid"


def test_a_row_of_a_record_that_is_gone_is_still_listed(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    parked(mapping, 987654)

    (row,) = ops.get("/api/v1/sync/rows/").json()["results"]

    assert row["record"] == "Lead 987654 (gone)"


def test_one_row_is_retried(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    item = parked(mapping, make_lead(workspace).pk)

    answer = ops.post(f"/api/v1/sync/rows/{item.pk}/retry/")

    assert answer.status_code == 202
    assert answer.json()["state"] == "ready"
    item.refresh_from_db()
    assert (item.wanted, item.attempts) == (2, 0)


def test_rows_are_retried_by_what_is_wrong_with_them(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    same = [parked(mapping, make_lead(workspace).pk) for _ in range(3)]
    other = parked(mapping, make_lead(workspace).pk, error_class="schema")
    make_parked_item(make_workspace())

    answer = ops.post(
        "/api/v1/sync/rows/retry/",
        {"error_class": "rejected", "mapping_id": mapping.pk},
        "json",
    )

    assert answer.json() == {"retried": len(same)}
    other.refresh_from_db()
    assert other.state == "parked"


def test_ids_of_another_workspace_are_not_retried(ops: APIClient) -> None:
    foreign = make_parked_item(make_workspace())

    answer = ops.post("/api/v1/sync/rows/retry/", {"ids": [foreign.pk]}, "json")

    assert answer.json() == {"retried": 0}
    foreign.refresh_from_db()
    assert foreign.state == "parked"


def test_nobody_retries_everything_by_accident(ops: APIClient) -> None:
    empty = ops.post("/api/v1/sync/rows/retry/", {}, "json")
    unsure = ops.post("/api/v1/sync/rows/retry/", {"all": False}, "json")

    assert (empty.status_code, unsure.status_code) == (400, 400)


def test_a_retry_leaves_what_is_under_way_alone(
    ops: APIClient, workspace: Workspace
) -> None:
    item = make_work_item(workspace, state="leased", lease_token=7)

    ops.post(f"/api/v1/sync/rows/{item.pk}/retry/")

    item.refresh_from_db()
    assert (item.state, item.lease_token, item.wanted) == ("leased", 7, 1)


def test_a_failed_delivery_is_retried_as_a_delivery(
    ops: APIClient, workspace: Workspace
) -> None:
    delivery = make_delivery(make_endpoint(workspace), state="failed")
    make_parked_item(workspace, kind=PROCESS, key=str(delivery.pk))

    answer = ops.post("/api/v1/sync/rows/retry/", {"all": True}, "json")

    assert answer.json() == {"retried": 1}
    delivery.refresh_from_db()
    assert delivery.state == "received"


def test_a_record_is_sent_because_somebody_asks(
    client: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    item = parked(mapping, make_lead(workspace).pk)
    record_id = int(item.key.partition(":")[2])
    body = {"record_type": "lead", "record_id": record_id}

    sent = client.post("/api/v1/sync/now/", body, "json")
    foreign = client.post(
        "/api/v1/sync/now/",
        {**body, "record_id": make_lead(make_workspace()).pk},
        "json",
    )

    item.refresh_from_db()
    assert (sent.status_code, sent.json()) == (202, {"mappings": 1})
    assert item.state == "ready"
    assert foreign.status_code == 404


def test_an_endpoint_gets_a_new_address_and_a_sample(
    client: APIClient, workspace: Workspace
) -> None:
    endpoint = make_endpoint(workspace)
    before = endpoint.url

    rotated = client.post(f"/api/v1/endpoints/{endpoint.pk}/rotate/")
    sample = client.post(f"/api/v1/endpoints/{endpoint.pk}/sample/")

    assert rotated.json()["url"] not in {before, None}
    with in_workspace(workspace):
        assert endpoint.deliveries.get().pk == sample.json()["delivery_id"]


def test_the_fields_of_an_account_are_read_again(
    ops: APIClient, workspace: Workspace
) -> None:
    connection = make_connection(workspace)

    answer = ops.post(f"/api/v1/connections/{connection.pk}/refresh/")

    assert answer.status_code == 202
    with in_workspace(workspace):
        assert WorkItem.objects.get(kind="setup").key == str(connection.pk)


# --- the timeline ---------------------------------------------------------------------


def test_the_timeline_tells_what_came_in_and_what_went_out(
    client: APIClient, workspace: Workspace
) -> None:
    lead = make_lead(workspace)
    connection = make_connection(workspace, name="Our HubSpot")
    delivery = make_delivery(make_endpoint(workspace, name="Outreach"))
    make_event(delivery, lead_id=lead.pk)
    make_sync_entry(connection, record_id=lead.pk)

    told = client.get(f"/api/v1/leads/{lead.pk}/timeline/").json()

    assert [(one["kind"], one["title"]) for one in told] == [
        ("sync", "Lead created in Our HubSpot"),
        ("delivery", "Webhook from Outreach"),
    ]
    assert all(one["url"] for one in told)
