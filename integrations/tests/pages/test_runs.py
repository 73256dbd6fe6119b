"""The pages of runs: found, watched, steered by those who may, taken back, exported."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crmsync.core.models import AuditEntry, WorkItem, Workspace
from crmsync.core.roles import Role
from integrations.models import ObjectMapping, Run
from integrations.testing import (
    make_connection,
    make_mapping,
    make_parked_item,
    make_run,
    make_sync_entry,
)
from integrations.tests.pages.conftest import SignIn
from leads.testing import make_lead

pytestmark = pytest.mark.usefixtures("inside")


@pytest.fixture
def mapping(workspace: Workspace) -> ObjectMapping:
    return make_mapping(make_connection(workspace), direction="both")


def going(mapping: ObjectMapping, **given: object) -> Run:
    at = timezone.now()
    values: dict[str, object] = {
        "state": "running",
        "kind": "backfill",
        "total": 700,
        "settled": 100,
        "started_at": at - timedelta(seconds=50),
        "progress_at": at,
        **given,
    }
    return make_run(mapping, **values)


# --- the list -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"dry", "audit"}),
        ({"kind": "dry"}, {"dry"}),
        ({"state": "failed"}, {"audit"}),
        ({"mapping": "x", "connection": "\x00", "kind": "y", "state": "z"}, None),
        ({"mapping": "9" * 40, "after": "%%"}, None),
    ],
)
def test_runs_are_filtered(
    query: dict[str, str],
    shown: set[str] | None,
    admin: Client,
    mapping: ObjectMapping,
) -> None:
    make_run(mapping, kind="dry")
    make_run(mapping, kind="audit", state="failed")

    answer = admin.get(reverse("runs"), query)

    assert answer.status_code == 200
    if shown is not None:
        assert {run.kind for run, _ in answer.context["runs"]} == shown


# --- one run --------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["runs", "mapping-runs"])
def test_what_waits_for_a_person_is_told_beside_what_failed(
    page: str, admin: Client, mapping: ObjectMapping
) -> None:
    make_run(mapping, state="errors", settled=16, failed=0, held=4)

    where = reverse(page, args=[mapping.pk] if page == "mapping-runs" else [])

    assert "4 held" in admin.get(where).content.decode()


def test_a_run_under_way_tells_how_far_how_fast_and_how_long(
    admin: Client, mapping: ObjectMapping
) -> None:
    run = going(mapping)

    page = admin.get(run.get_absolute_url()).content.decode()

    assert "100 of 700 records · 2 a second" in page
    assert "about 5 minutes left" in page
    assert f'hx-get="{reverse("run-live", args=[run.pk])}"' in page


def test_the_page_looks_again_until_the_run_is_over(
    admin: Client, mapping: ObjectMapping
) -> None:
    run = going(mapping)
    path = reverse("run-live", args=[run.pk])

    under_way = admin.get(path)
    Run.objects.update(state="done")
    over = admin.get(path)

    assert "HX-Refresh" not in under_way.headers
    assert over.headers["HX-Refresh"] == "true"


def test_what_a_run_did_stands_apart_for_each_side(
    admin: Client, mapping: ObjectMapping
) -> None:
    run = make_run(mapping, created=4, updated=3, created_here=2, updated_here=1)

    effects = admin.get(run.get_absolute_url()).context["effects"]

    assert [(one.name, one.there, one.here) for one in effects] == [
        ("created", 4, 2),
        ("updated", 3, 1),
        ("cleared", 0, 0),
    ]


def test_a_dry_run_tells_what_to_expect_with_samples_and_the_real_thing(
    admin: Client, mapping: ObjectMapping, workspace: Workspace
) -> None:
    lead = make_lead(workspace, first_name="Ada", last_name="Lark")
    sample = {
        "record_id": lead.pk,
        "remote_id": "77",
        "label": "",
        "here": {"city": ["Bonn", "Paris"]},
        "there": {},
    }
    counts = {"created": 4, "updated_here": 3, "held": 2}
    run = make_run(mapping, kind="dry", cursor={"counts": counts}, samples=[sample])

    answer = admin.get(run.get_absolute_url())

    page = answer.content.decode()
    effects = [(one.there, one.here) for one in answer.context["effects"]]
    assert effects == [(4, 0), (0, 3), (0, 0)]
    for words in ("Nothing was written", "Ada Lark", "Bonn", "Paris", "Do it now"):
        assert words in page


def test_a_push_only_mapping_promises_nothing_here(
    admin: Client, workspace: Workspace
) -> None:
    run = make_run(make_mapping(make_connection(workspace)), created=1)

    effects = admin.get(run.get_absolute_url()).context["effects"]

    assert {one.here for one in effects} == {None}


def test_an_audit_tells_the_drift(admin: Client, mapping: ObjectMapping) -> None:
    cursor = {"counts": {"checked": 5000, "drifted": 1}}
    run = make_run(mapping, kind="audit", cursor=cursor)

    assert "0.02 %" in admin.get(run.get_absolute_url()).content.decode()


def test_records_are_listed_by_outcome(
    admin: Client, mapping: ObjectMapping, workspace: Workspace
) -> None:
    run = make_run(mapping)
    for name, outcome in (("Ada", "updated"), ("Bo", "failed")):
        lead = make_lead(workspace, first_name=name, last_name="")
        make_sync_entry(
            mapping.connection,
            record_id=lead.pk,
            mapping=mapping,
            run=run,
            outcome=outcome,
            undo={"city": ["Bonn", "Paris"]},
        )

    answer = admin.get(run.get_absolute_url(), {"outcome": "failed"})

    entries = answer.context["entries"]
    assert [one.label for one in entries] == ["Bo"]
    assert [(c.before, c.after) for c in entries[0].changed] == [("Bonn", "Paris")]


def test_the_export_holds_no_formula(admin: Client, mapping: ObjectMapping) -> None:
    run = make_run(mapping)
    make_sync_entry(
        mapping.connection, record_id=1, mapping=mapping, run=run, message="=1+1"
    )

    answer = admin.get(reverse("run-export", args=[run.pk]))

    text = answer.content.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["Message"] == "'=1+1"
    assert answer["Content-Disposition"].startswith("attachment")


# --- steering -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "step", "after"),
    [
        ("running", "pause", "paused"),
        ("paused", "resume", "running"),
        ("stopped", "approve", "running"),
        ("running", "cancel", "cancelled"),
        ("done", "cancel", "done"),
        ("running", "explode", "running"),
    ],
)
def test_a_run_is_steered(
    before: str, step: str, after: str, admin: Client, mapping: ObjectMapping
) -> None:
    run = going(mapping, state=before)

    answer = admin.post(reverse("run-steer", args=[run.pk]), {"step": step})

    run.refresh_from_db()
    assert answer["Location"] == run.get_absolute_url()
    assert run.state == after


def test_a_stopped_run_says_what_approving_lets_happen(
    admin: Client, mapping: ObjectMapping
) -> None:
    told = "37 linked records were deleted in the CRM."
    samples = [{"record_id": 1, "remote_id": "77"}]
    run = going(
        mapping,
        state="stopped",
        message=told,
        samples=samples,
        mass_change="deletes",
        mass_count=37,
    )

    page = admin.get(run.get_absolute_url()).content.decode()

    for words in (told, "Approve 37 deletions", "What it was about to do"):
        assert words in page


def test_what_a_run_changed_is_taken_back(
    admin: Client, mapping: ObjectMapping
) -> None:
    run = make_run(mapping)
    make_sync_entry(
        mapping.connection, record_id=1, mapping=mapping, run=run, undo={"a": ["1", ""]}
    )

    answer = admin.post(reverse("run-revert", args=[run.pk]))

    made = Run.objects.get(kind="revert")
    assert answer["Location"] == made.get_absolute_url()
    assert made.options == {"run": run.pk}


def test_what_changed_nothing_cannot_be_taken_back(
    admin: Client, mapping: ObjectMapping
) -> None:
    run = make_run(mapping)

    answer = admin.post(reverse("run-revert", args=[run.pk]), follow=True)

    assert "changed nothing" in answer.content.decode()
    assert not Run.objects.filter(kind="revert").exists()


def test_what_failed_in_a_run_is_tried_again(
    admin: Client, mapping: ObjectMapping, workspace: Workspace
) -> None:
    run = make_run(mapping)
    item = make_parked_item(workspace, run=run.pk)
    other = make_parked_item(workspace)

    admin.post(reverse("run-retry", args=[run.pk]))

    states = dict(WorkItem.objects.values_list("pk", "state"))
    assert (states[item.pk], states[other.pk]) == ("ready", "parked")
    assert AuditEntry.objects.get(action="sync.retried").details["run"] == run.pk


STEERING = ["run-steer", "run-revert", "run-retry"]


@pytest.mark.parametrize("name", STEERING)
@pytest.mark.parametrize("role", [Role.REP, Role.VIEWER])
def test_others_steer_nothing(
    name: str, role: Role, sign_in: SignIn, mapping: ObjectMapping
) -> None:
    run = going(mapping)

    answer = sign_in(role).post(reverse(name, args=[run.pk]), {"step": "cancel"})

    run.refresh_from_db()
    assert (answer.status_code, run.state) == (403, "running")


# --- starting -------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["dry", "reconcile", "backfill", "audit"])
def test_a_run_is_started(kind: str, admin: Client, mapping: ObjectMapping) -> None:
    answer = admin.post(reverse("mapping-start", args=[mapping.pk]), {"kind": kind})

    run = Run.objects.get(kind=kind)
    assert answer["Location"] == run.get_absolute_url()
    assert run.asked_by is not None


def test_a_pull_is_asked_for_at_once(admin: Client, mapping: ObjectMapping) -> None:
    admin.post(reverse("mapping-start", args=[mapping.pk]), {"kind": "pull"})

    item = WorkItem.objects.get(kind="pull", key=str(mapping.pk))
    assert item.not_before <= timezone.now()


def test_a_refusal_stands_where_the_run_was_asked_for(
    admin: Client, mapping: ObjectMapping
) -> None:
    going(mapping, kind="reconcile")

    answer = admin.post(
        reverse("mapping-start", args=[mapping.pk]), {"kind": "reconcile"}
    )

    refused = {one.kind: one.refused for one in answer.context["offers"]}
    assert answer.status_code == 422
    assert refused["reconcile"] == "One of these is under way already."
    assert refused["dry"] == ""


def test_chosen_records_are_synced(admin: Client, mapping: ObjectMapping) -> None:
    given = {
        "kind": "manual",
        "chosen-status": "new",
        "chosen-since": "2026-03-01",
    }

    admin.post(reverse("mapping-start", args=[mapping.pk]), given)

    assert Run.objects.get(kind="manual").options == {
        "filter": {"status": "new", "created_at__gte": "2026-03-01T00:00:00+00:00"}
    }


def test_a_filter_that_cannot_be_is_named(
    admin: Client, mapping: ObjectMapping
) -> None:
    given = {"kind": "manual", "chosen-status": "sideways"}

    answer = admin.post(reverse("mapping-start", args=[mapping.pk]), given)

    assert answer.status_code == 422
    assert "status" in answer.context["form"].errors
    assert not Run.objects.exists()


def test_others_start_nothing(sign_in: SignIn, mapping: ObjectMapping) -> None:
    path = reverse("mapping-start", args=[mapping.pk])

    answer = sign_in(Role.REP).post(path, {"kind": "dry"})

    assert answer.status_code == 403
    assert not Run.objects.exists()


# --- switching on for the first time --------------------------------------------------


def test_a_mapping_that_takes_in_is_looked_at_before_it_is_switched_on(
    admin: Client, mapping: ObjectMapping
) -> None:
    ObjectMapping.objects.update(active=False)
    path = reverse("mapping-switch", args=[mapping.pk])

    answer = admin.post(path, {"active": "yes"})

    mapping.refresh_from_db()
    assert answer["Location"] == reverse("mapping-first", args=[mapping.pk])
    assert not mapping.active


def test_what_a_setting_leaves_out_is_counted_and_named(
    admin: Client, mapping: ObjectMapping, workspace: Workspace
) -> None:
    ObjectMapping.objects.update(engaged_only=True)
    make_lead(workspace, source="lgm", status="contacted")
    make_lead(workspace, source="lgm", status="replied")

    answer = admin.get(reverse("mapping-first", args=[mapping.pk]))

    selection = answer.context["selection"]
    assert (selection.total, selection.selected) == (2, 1)
    assert "Only people someone has spoken with" in answer.content.decode()


def test_what_only_sends_is_switched_on_without_detour(
    admin: Client, workspace: Workspace
) -> None:
    mapping = make_mapping(make_connection(workspace), active=False)

    admin.post(reverse("mapping-switch", args=[mapping.pk]), {"active": "yes"})

    mapping.refresh_from_db()
    assert mapping.active


@pytest.mark.parametrize("role", [Role.REP, Role.VIEWER])
def test_others_do_not_see_the_way_to_switch_on(
    role: Role, sign_in: SignIn, mapping: ObjectMapping
) -> None:
    answer = sign_in(role).get(reverse("mapping-first", args=[mapping.pk]))

    assert answer.status_code == 403


def test_a_crm_that_does_not_answer_costs_only_its_number(
    admin: Client, mapping: ObjectMapping, settings: Any
) -> None:
    settings.HUBSPOT_API_URL = "http://127.0.0.1:9"

    answer = admin.post(reverse("mapping-first", args=[mapping.pk]))

    assert answer.status_code == 200
    assert answer.context["there"].trouble


def test_switching_on_can_begin_with_the_comparison(
    admin: Client, mapping: ObjectMapping
) -> None:
    ObjectMapping.objects.update(active=False)
    path = reverse("mapping-switch", args=[mapping.pk])

    answer = admin.post(path, {"active": "yes", "then": "reconcile"})

    mapping.refresh_from_db()
    assert mapping.active
    assert answer["Location"] == Run.objects.get().get_absolute_url()
