"""The API of runs: started, watched, steered, read record by record."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from crmsync.core.models import AuditEntry, WorkItem, Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import api_client
from integrations.models import Connection, ObjectMapping, Run
from integrations.services import runs as services
from integrations.testing import (
    make_connection,
    make_mapping,
    make_run,
    make_sync_entry,
    make_work_item,
)
from leads.testing import make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db
RUNS = "/api/v1/runs/"


@pytest.fixture
def workspace() -> Workspace:
    return make_ready_workspace()


@pytest.fixture
def ops(workspace: Workspace) -> APIClient:
    return api_client(workspace, "sales_ops")


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    return make_mapping(make_connection(workspace), direction="both")


def start(client: APIClient, mapping: ObjectMapping, **body: Any) -> Any:
    return client.post(RUNS, {"mapping_id": mapping.pk, **body}, "json")


def errors(answer: Any) -> dict[str, str]:
    return {one["attr"]: one["detail"] for one in answer.json()["errors"]}


# --- starting -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dry", "reconcile", "backfill", "batch", "audit"])
def test_a_run_is_started(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping, kind: str
) -> None:
    answer = start(ops, mapping, kind=kind)

    run = answer.json()
    assert answer.status_code == 202
    assert (run["kind"], run["state"]) == (kind, "queued")
    with in_workspace(workspace):
        assert WorkItem.objects.get(kind="run").key == str(run["id"])
        assert AuditEntry.objects.get().action == f"run.{kind}"


def test_workers_are_woken_once_it_is_durable(
    ops: APIClient, mapping: ObjectMapping, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks() as both_tasks:
        start(ops, mapping, kind="dry")

    assert len(both_tasks) == 2


def test_a_manual_sync_is_about_chosen_records(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    ids = [make_lead(workspace).pk for _ in range(2)]

    made = start(ops, mapping, kind="manual", ids=ids).json()

    shown = ops.get(f"{RUNS}{made['id']}/").json()
    assert shown["options"] == {"ids": ids}


def test_a_manual_sync_is_about_what_a_filter_leaves(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    since = "2026-01-02T00:00:00Z"
    wanted = {"status": "replied", "owner_id": 7, "created_since": since}

    made = start(ops, mapping, kind="manual", filter=wanted).json()

    with in_workspace(workspace):
        options = Run.objects.get(pk=made["id"]).options
    assert options == {
        "filter": {
            "status": "replied",
            "owner_id": 7,
            "created_at__gte": "2026-01-02T00:00:00+00:00",
        }
    }


@pytest.mark.parametrize(
    ("body", "attr"),
    [
        ({"kind": "manual"}, "ids"),
        ({"kind": "manual", "ids": []}, "ids"),
        ({"kind": "manual", "ids": [1], "filter": {}}, "ids"),
        ({"kind": "manual", "ids": [1] * (services.MOST_IDS + 1)}, "ids"),
        ({"kind": "manual", "filter": {"password": "x"}}, "filter.password"),
        ({"kind": "manual", "filter": {"kind": "note"}}, "filter.kind"),
        ({"kind": "dry", "ids": [1]}, "ids"),
        ({"kind": "dry", "run_id": 1}, "run_id"),
        ({"kind": "revert"}, "run_id"),
        ({"kind": "revert", "run_id": 987}, "run_id"),
        ({"kind": "pull"}, "kind"),
        ({"kind": "dance"}, "kind"),
        ({"kind": "dry", "speed": 9}, "speed"),
        ({}, "kind"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused(
    ops: APIClient, mapping: ObjectMapping, body: dict[str, Any], attr: str
) -> None:
    answer = start(ops, mapping, **body)

    assert answer.status_code == 400
    assert attr in errors(answer)


def test_a_second_run_of_the_kind_waits_for_the_first(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    start(ops, mapping, kind="reconcile")

    answer = start(ops, mapping, kind="reconcile")

    assert errors(answer) == {"kind": "One of these is under way already."}


def test_a_disconnected_account_starts_nothing(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    with in_workspace(workspace):
        Connection.objects.update(status=Connection.Status.DISCONNECTED)

    assert "mapping_id" in errors(start(ops, mapping, kind="dry"))


def test_a_mapping_of_another_workspace_is_not_found(ops: APIClient) -> None:
    theirs = make_mapping(make_connection(make_ready_workspace()))

    assert start(ops, theirs, kind="dry").status_code == 404


def test_a_run_of_another_mapping_is_not_reverted(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    other = make_run(make_mapping(make_connection(workspace)))

    answer = start(ops, mapping, kind="revert", run_id=other.pk)

    assert "run_id" in errors(answer)


# --- watching -------------------------------------------------------------------------


def test_progress_is_told_with_rate_and_time_left(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    at = timezone.now()
    run = make_run(
        mapping,
        state=Run.State.RUNNING,
        started_at=at - timedelta(seconds=100),
        total=300,
        settled=100,
        created=70,
        updated_here=30,
    )

    shown = ops.get(f"{RUNS}{run.pk}/").json()

    assert (shown["settled"], shown["total"]) == (100, 300)
    assert 0.8 < shown["rate_per_s"] <= 1.0
    assert 200 <= shown["seconds_left"] < 250
    assert (shown["counts"]["created"], shown["counts"]["updated_here"]) == (70, 30)
    assert shown["steps"] == ["pause", "cancel"]


def test_a_dry_run_tells_what_it_would_do_with_samples(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    sample = {"record_id": 5, "there": {"city": ["Bonn", "Berlin"]}, "here": {}}
    cursor = {"counts": {"created": 4, "skipped": 2}}
    run = make_run(mapping, kind=Run.Kind.DRY, cursor=cursor, samples=[sample])

    shown = ops.get(f"{RUNS}{run.pk}/").json()
    (listed,) = ops.get(RUNS).json()["results"]

    assert (shown["counts"]["created"], shown["counts"]["skipped"]) == (4, 2)
    assert shown["samples"] == [sample]
    assert "samples" not in listed


def test_runs_are_filtered_and_paged(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    other = make_mapping(make_connection(workspace))
    wanted = [make_run(mapping, state=Run.State.FAILED) for _ in range(3)]
    make_run(mapping)
    make_run(other, state=Run.State.FAILED)
    address = (
        f"{RUNS}?mapping_id={mapping.pk}&connection_id={mapping.connection_id}"
        "&kind=reconcile&state=failed&limit=2"
    )

    first = ops.get(address).json()
    second = ops.get(first["next"]).json()

    ids = [one["id"] for one in first["results"] + second["results"]]
    assert ids == [one.pk for one in reversed(wanted)]
    assert second["next"] is None


@pytest.mark.parametrize(
    "query", ["colour=red", "state=asleep", "kind=x", "mapping_id=1.5"]
)
def test_a_filter_that_is_none_is_refused(ops: APIClient, query: str) -> None:
    assert ops.get(f"{RUNS}?{query}").status_code == 400


def test_a_list_of_runs_costs_the_same_for_many(
    ops: APIClient, mapping: ObjectMapping, django_assert_max_num_queries: Any
) -> None:
    for _ in range(20):
        make_run(mapping)

    with django_assert_max_num_queries(12):
        ops.get(RUNS)


def test_the_records_of_a_run_are_told_with_what_changed(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    run, other = make_run(mapping), make_run(mapping)
    lead = make_lead(workspace)
    given = {"record_id": lead.pk, "mapping": mapping}
    make_sync_entry(
        mapping.connection, run=run, undo={"city": ["Bonn", "Berlin"]}, **given
    )
    make_sync_entry(mapping.connection, run=run, outcome="failed", **given)
    make_sync_entry(mapping.connection, run=other, **given)

    every = ops.get(f"{RUNS}{run.pk}/entries/").json()["results"]
    (failed,) = ops.get(f"{RUNS}{run.pk}/entries/?outcome=failed").json()["results"]

    assert [one["outcome"] for one in every] == ["failed", "created"]
    assert every[1]["changed"] == {"city": ["Bonn", "Berlin"]}
    assert failed["run_id"] == run.pk


def test_the_records_of_a_foreign_run_are_not_found(ops: APIClient) -> None:
    theirs = make_run(make_mapping(make_connection(make_ready_workspace())))

    assert ops.get(f"{RUNS}{theirs.pk}/entries/").status_code == 404


def test_failed_rows_of_a_run_are_listed_and_tried_again(
    ops: APIClient, workspace: Workspace, mapping: ObjectMapping
) -> None:
    run = make_run(mapping)
    given = {"channel": mapping.connection.channel, "group": str(mapping.pk)}
    failed = {"state": "parked", "dead": 1, "failed_at": timezone.now(), **given}
    mine = make_work_item(workspace, run=run.pk, key=f"{mapping.pk}:1", **failed)
    make_work_item(workspace, key=f"{mapping.pk}:2", **failed)

    (row,) = ops.get(f"/api/v1/sync/rows/?run_id={run.pk}").json()["results"]
    retried = ops.post("/api/v1/sync/rows/retry/", {"run_id": run.pk}, "json")

    assert (row["id"], row["run_id"]) == (mine.pk, run.pk)
    assert retried.json() == {"retried": 1}
    with in_workspace(workspace):
        noted = AuditEntry.objects.get(action="sync.retried")
    assert noted.details == {"items": 1, "run": run.pk}


# --- steering -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        ("running", "pause", "paused"),
        ("paused", "resume", "running"),
        ("stopped", "approve", "running"),
        ("queued", "cancel", "cancelled"),
        ("stopped", "cancel", "cancelled"),
    ],
)
def test_a_run_is_steered(
    ops: APIClient,
    workspace: Workspace,
    mapping: ObjectMapping,
    before: str,
    step: str,
    after: str,
) -> None:
    run = make_run(mapping, state=before)

    answer = ops.post(f"{RUNS}{run.pk}/{step}/")

    assert (answer.status_code, answer.json()["state"]) == (202, after)
    with in_workspace(workspace):
        assert AuditEntry.objects.get().action == f"run.{step}"


def test_a_stopped_run_says_how_much_there_is_to_approve(
    ops: APIClient, mapping: ObjectMapping
) -> None:
    stopped = make_run(mapping, state="stopped", mass_change="clears", mass_count=41)
    approved = make_run(mapping, state="done", mass_change="clears", mass_count=41)

    told = [ops.get(f"{RUNS}{one.pk}/").json() for one in (stopped, approved)]

    waits = {"change": "clears", "count": 41}
    assert [one["to_approve"] for one in told] == [waits, None]


@pytest.mark.parametrize(
    ("state", "steps"),
    [
        ("running", ["pause", "cancel"]),
        ("paused", ["resume", "cancel"]),
        ("stopped", ["approve", "cancel"]),
        ("done", []),
    ],
)
def test_a_poll_is_steered_like_any_run(
    ops: APIClient, mapping: ObjectMapping, state: str, steps: list[str]
) -> None:
    run = make_run(mapping, kind="pull", state=state)

    assert ops.get(f"{RUNS}{run.pk}/").json()["steps"] == steps


@pytest.mark.parametrize("step", ["pause", "resume", "approve", "cancel"])
def test_what_is_over_cannot_be_steered(
    ops: APIClient, mapping: ObjectMapping, step: str
) -> None:
    run = make_run(mapping)

    answer = ops.post(f"{RUNS}{run.pk}/{step}/")

    assert answer.status_code == 409
    assert answer.json()["errors"][0]["code"] == "too_late"
    assert ops.get(f"{RUNS}{run.pk}/").json()["state"] == "done"
