"""The API of mappings that go both ways, and of how fresh each connection is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import api_client
from integrations.models import Cursor, ObjectMapping, RemoteSchema
from integrations.services import connect_with_token
from integrations.services.setup import set_up_due
from integrations.simulators.testing import PRIVATE_TOKEN
from integrations.testing import (
    make_conflict,
    make_connection,
    make_link,
    make_mapping,
    make_run,
    make_work_item,
)
from leads.testing import make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db
MAPPINGS, CONNECTIONS = "/api/v1/mappings/", "/api/v1/connections/"
FIELDS = [
    {"name": "email", "label": "Email", "type": "text"},
    {"name": "stage", "label": "Stage", "type": "enum"},
    {"name": "score", "label": "Score", "type": "number", "read_only": True},
]
ROW = {"source": "status", "destination": "stage"}


@pytest.fixture
def workspace() -> Workspace:
    return make_ready_workspace()


@pytest.fixture
def ops(workspace: Workspace) -> APIClient:
    return api_client(workspace, "sales_ops")


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    connection = make_connection(workspace)
    RemoteSchema.objects.create(
        connection=connection, object_type="contacts", fields=FIELDS
    )
    return make_mapping(connection, direction="both")


def change(client: APIClient, mapping: ObjectMapping, **body: Any) -> Any:
    return client.patch(f"{MAPPINGS}{mapping.pk}/", body, "json")


def errors(answer: Any) -> dict[str, str]:
    return {one["attr"]: one["detail"] for one in answer.json()["errors"]}


# --- mappings -------------------------------------------------------------------------


def test_all_settings_of_a_mapping_are_changed(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    wanted = {
        "direction": "pull",
        "mode": "batch",
        "schedule": "daily 06:30",
        "creates": False,
        "deletes": "recreate",
        "pull_every_s": 60,
        "overlap_s": 3600,
        "reconcile_every_h": 168,
    }

    shown = change(ops, mapping, **wanted).json()

    assert {name: shown[name] for name in wanted} == wanted
    assert shown["next_batch_at"] is not None


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"pull_every_s": 1}, "pull_every_s"),
        ({"pull_every_s": 10**20}, "pull_every_s"),
        ({"overlap_s": -1}, "overlap_s"),
        ({"overlap_s": 10**7}, "overlap_s"),
        ({"reconcile_every_h": 0}, "reconcile_every_h"),
        ({"deletes": "panic"}, "deletes"),
        ({"direction": "sideways"}, "direction"),
        ({"mode": "batch", "schedule": "every full moon"}, "schedule"),
        ({"next_batch_at": "2026-01-01T00:00:00Z"}, "next_batch_at"),
        ({"rows": [{**ROW, "rule": "loudest"}]}, "rows.0.rule"),
        ({"rows": [{**ROW, "direction": "none"}]}, "rows.0.direction"),
        ({"rows": [{**ROW, "first": "none"}]}, "rows.0.first"),
        ({"rows": [{**ROW, "tie": "both"}]}, "rows.0.tie"),
        ({"rows": [{**ROW, "order": "A"}]}, "rows.0.order"),
        ({"rows": [{**ROW, "values": {"new": "A", "lost": "A"}}]}, "rows"),
        ({"rows": [{"source": "score", "destination": "score"}]}, "rows"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(
    ops: APIClient, mapping: ObjectMapping, body: dict[str, Any], attr: str
) -> None:
    answer = change(ops, mapping, **body)

    assert answer.status_code == 400
    assert attr in errors(answer)
    assert ops.get(f"{MAPPINGS}{mapping.pk}/").json()["version"] == 1


def test_each_row_has_its_way_and_its_rule(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    rules = {"rule": "forward", "first": "crm", "tie": "hub", "order": ["A", "B"]}
    read_only = {"source": "score", "destination": "score", "direction": "pull"}

    answer = change(ops, mapping, rows=[{**ROW, **rules}, read_only])

    first, second = answer.json()["rows"]
    assert {name: first[name] for name in rules} == rules
    assert (first["direction"], second["direction"]) == ("both", "pull")


def test_what_was_read_can_be_sent_back(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    with in_workspace(workspace):
        mapping.rows.update(rule="hub", first="hub", tie="hub", direction="push")
    before = ops.get(f"{MAPPINGS}{mapping.pk}/").json()["rows"]

    after = change(ops, mapping, rows=before).json()["rows"]

    assert after == before


def test_what_is_not_said_of_a_row_stays_as_it_was(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    chosen = {
        "direction": "push",
        "rule": "forward",
        "first": "hub",
        "tie": "hub",
        "order": ["A", "B"],
        "values": {"new": "A"},
        "default": "A",
        "clear_blanks": True,
        "active": False,
    }
    change(ops, mapping, rows=[{**ROW, **chosen}])

    (row,) = change(ops, mapping, rows=[{**ROW, "default": "B"}]).json()["rows"]

    assert {name: row[name] for name in chosen} == {**chosen, "default": "B"}


def test_another_pair_of_fields_is_a_new_row(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    change(ops, mapping, rows=[{**ROW, "rule": "hub"}])
    other = {"source": "city", "destination": ROW["destination"]}

    (row,) = change(ops, mapping, rows=[other]).json()["rows"]

    assert row["rule"] == "latest"


def test_why_a_row_is_left_out_is_told(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    with in_workspace(workspace):
        mapping.rows.update(suspended_because="HubSpot has no field email any more.")

    (row,) = ops.get(f"{MAPPINGS}{mapping.pk}/").json()["rows"]

    assert row["suspended_because"] == "HubSpot has no field email any more."


def test_changes_are_asked_for_before_their_turn(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    later = timezone.now() + timedelta(hours=1)
    item = make_work_item(
        workspace,
        kind="pull",
        key=str(mapping.pk),
        channel=mapping.connection.channel,
        not_before=later,
    )

    answer = ops.post(f"{MAPPINGS}{mapping.pk}/pull/")

    item.refresh_from_db()
    assert answer.status_code == 202
    assert item.not_before < later


def test_a_mapping_that_only_sends_is_not_pulled(
    ops: APIClient, workspace: Workspace
) -> None:
    only_out = make_mapping(make_connection(workspace))

    answer = ops.post(f"{MAPPINGS}{only_out.pk}/pull/")

    assert errors(answer) == {"mapping": "This mapping takes nothing in."}


def test_a_mapping_tells_when_it_was_last_read(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    never = ops.get(f"{MAPPINGS}{mapping.pk}/").json()
    Cursor.objects.create(mapping=mapping, read_at=timezone.now())

    then = ops.get(f"{MAPPINGS}{mapping.pk}/").json()

    assert (never["last_pull_at"], then["last_compared_at"]) == (None, None)
    assert then["last_pull_at"] is not None


def test_the_rows_of_a_mapping_are_those_of_both_ways(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    given = {"channel": mapping.connection.channel}
    make_work_item(workspace, key="1:1", group=str(mapping.pk), **given)
    make_work_item(workspace, kind="fetch", group=str(mapping.pk), **given)
    make_work_item(workspace, kind="pull", key=str(mapping.pk), **given)
    make_work_item(workspace, kind="fetch", group="0", **given)

    rows = ops.get(f"/api/v1/sync/rows/?mapping_id={mapping.pk}").json()["results"]

    assert sorted(row["kind"] for row in rows) == ["fetch", "pull", "push"]


# --- connections ----------------------------------------------------------------------


def fresh(client: APIClient, mapping: ObjectMapping) -> dict[str, Any]:
    shown = client.get(f"{CONNECTIONS}{mapping.connection_id}/").json()
    found: dict[str, Any] = shown["freshness"]
    return found


def test_a_connection_with_nothing_to_tell_tells_it(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    found = fresh(ops, mapping)

    assert found["oldest_unsynced_at"] is found["oldest_unsynced_s"] is None
    assert (found["open_conflicts"], found["breaker"]) == (0, "closed")
    assert (found["budget"], found["hold"], found["runs"]) == (None, None, [])


def test_a_connection_tells_how_far_behind_it_is(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    read_at = timezone.now() - timedelta(minutes=3)
    Cursor.objects.create(mapping=mapping, read_at=read_at, swept_at=read_at)
    make_work_item(
        workspace,
        channel=mapping.connection.channel,
        group=str(mapping.pk),
        created_at=timezone.now() - timedelta(minutes=10),
    )
    make_conflict(mapping, make_link(mapping.connection, record_id=1))
    run = make_run(mapping, state="running")

    found = fresh(ops, mapping)

    assert 600 <= found["oldest_unsynced_s"] < 660
    assert (found["open_conflicts"], found["runs"]) == (1, [run.pk])
    (told,) = found["mappings"]
    assert (told["mapping_id"], told["waiting"]) == (mapping.pk, 1)
    assert told["last_pull_at"] == found["last_pull_at"]
    assert told["last_compared_at"] is not None


def test_a_connection_tells_its_breaker_and_its_budget(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    until = timezone.now() + timedelta(minutes=5)
    channel = mapping.connection.channel
    assert channel is not None
    channel.breaker, channel.breaker_until = "open", until
    channel.daily_used, channel.daily_limit = 900, 1000
    channel.save()

    found = fresh(ops, mapping)

    assert found["breaker"] == "open"
    assert found["breaker_until"] is not None
    assert (found["budget"]["share"], found["budget"]["batch_stops"]) == (0.9, True)
    assert "many failures" in found["hold"]["text"]


def test_the_distance_of_the_clocks_is_told(
    ops: APIClient, workspace: Workspace
) -> None:
    connection = make_connection(workspace, clock_offset_s=-1.5)

    shown = ops.get(f"{CONNECTIONS}{connection.pk}/").json()

    assert shown["clock_offset_s"] == -1.5


def test_a_list_of_connections_costs_the_same_for_many(
    ops: APIClient, workspace: Workspace, django_assert_max_num_queries: Any
) -> None:
    for _ in range(10):
        make_mapping(make_connection(workspace))

    with django_assert_max_num_queries(18):
        listed = ops.get(CONNECTIONS).json()["results"]

    assert {len(one["freshness"]["mappings"]) for one in listed} == {1}
    with in_workspace(workspace):
        assert not WorkItem.objects.exists()


def test_both_sides_are_counted_and_what_is_left_out_is_named(
    ops: APIClient, workspace: Workspace, hubspot_simulator: Any, settings: Any
) -> None:
    settings.HUBSPOT_API_URL = hubspot_simulator.base_url
    with in_workspace(workspace):
        made = connect_with_token(
            workspace, vendor="hubspot", name="HubSpot", token=PRIVATE_TOKEN
        )
        set_up_due()
    people = [{"email": f"p{n}@customer.example.org"} for n in range(3)]
    hubspot_simulator.seed(
        [{"object": "contacts", "properties": one} for one in people]
    )
    with in_workspace(workspace):
        mapping = ObjectMapping.objects.get(connection=made, remote_object="contacts")
        ObjectMapping.objects.update(engaged_only=True)
        make_lead(workspace, source="lgm", status="contacted")
        make_lead(workspace, source="lgm", status="replied")

    answer = ops.post(f"{MAPPINGS}{mapping.pk}/count/").json()

    (limit,) = answer["here"].pop("limits")
    assert answer == {
        "here": {"total": 2, "selected": 1, "linked": 0},
        "there": {"count": 3, "trouble": ""},
    }
    assert limit["count"] == 1
    assert "Only people someone has spoken with" in limit["text"]


def test_a_crm_that_does_not_answer_costs_only_its_number(
    ops: APIClient, mapping: ObjectMapping, settings: Any
) -> None:
    settings.HUBSPOT_API_URL = "http://127.0.0.1:9"

    answer = ops.post(f"{MAPPINGS}{mapping.pk}/count/")

    assert answer.status_code == 200
    assert answer.json()["there"]["count"] is None
    assert answer.json()["there"]["trouble"]
