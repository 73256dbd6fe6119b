"""The errors pages: found by cause, retried, exported without formulas."""

from __future__ import annotations

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core.models import AuditEntry, WorkItem, Workspace
from crmsync.core.roles import Role
from integrations.models import ObjectMapping
from integrations.testing import (
    make_connection,
    make_link,
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
    return make_mapping(make_connection(workspace))


def fail(mapping: ObjectMapping, **given: object) -> WorkItem:
    name = given.pop("name", "Lea")
    lead = make_lead(mapping.workspace, first_name=name, last_name="")
    values = {
        "key": f"{mapping.pk}:{lead.pk}",
        "group": str(mapping.pk),
        "channel": mapping.connection.channel,
        **given,
    }
    return make_parked_item(mapping.workspace, **values)  # type: ignore[arg-type]


def test_a_failure_stands_with_message_cause_and_record(
    admin: Client, mapping: ObjectMapping
) -> None:
    fail(mapping, name="Ada", message="E-mail is odd", error_code="INVALID_EMAIL")

    page = admin.get(reverse("errors")).content.decode()

    for words in ("Ada", "E-mail is odd", "INVALID_EMAIL", "Invalid data"):
        assert words in page


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, {"Ada", "Bo"}),
        ({"cause": "schema"}, {"Bo"}),
        ({"q": "odd"}, {"Ada"}),
        ({"state": "again"}, {"Cy"}),
        ({"state": ""}, {"Ada", "Bo", "Cy"}),
        ({"cause": "nonsense", "connection": "x", "state": "y", "after": "z"}, None),
    ],
)
def test_filters(
    query: dict[str, str],
    shown: set[str] | None,
    admin: Client,
    mapping: ObjectMapping,
) -> None:
    fail(mapping, name="Ada", message="E-mail is odd")
    fail(mapping, name="Bo", error_class="schema")
    fail(mapping, name="Cy", state="ready", error_class="transient", dead=0)

    answer = admin.get(reverse("errors"), query)

    found = {row.record_label for row in answer.context["rows"]}
    assert answer.status_code == 200
    if shown is not None:
        assert found == shown


def test_one_cause_is_one_group(admin: Client, mapping: ObjectMapping) -> None:
    for _ in range(3):
        fail(mapping, error_code="INVALID_EMAIL", error_field="email")
    fail(mapping, error_class="schema")

    groups = admin.get(reverse("errors")).context["groups"]

    assert [(one.cause.label, one.count) for one in groups] == [
        ("Invalid data", 3),
        ("Field mapping", 1),
    ]
    assert groups[1].fix_url == mapping.get_absolute_url()


def test_chosen_failures_are_tried_again(admin: Client, mapping: ObjectMapping) -> None:
    chosen, other = fail(mapping), fail(mapping)

    admin.post(reverse("errors-retry"), {"item": [chosen.pk, "x"]})

    chosen.refresh_from_db()
    other.refresh_from_db()
    assert (chosen.state, other.state) == ("ready", "parked")
    assert AuditEntry.objects.get(action="sync.retried").details == {"items": 1}


def test_all_that_the_filter_leaves_are_tried_again(
    admin: Client, mapping: ObjectMapping
) -> None:
    fits = fail(mapping, error_class="schema")
    other = fail(mapping)

    admin.post(f"{reverse('errors-retry')}?cause=schema", {"all": "1"})

    fits.refresh_from_db()
    other.refresh_from_db()
    assert (fits.state, other.state) == ("ready", "parked")


def test_a_second_click_does_nothing(admin: Client, mapping: ObjectMapping) -> None:
    item = fail(mapping)

    for _ in range(2):
        admin.post(reverse("errors-retry"), {"item": item.pk})

    item.refresh_from_db()
    assert item.wanted == 2


@pytest.mark.parametrize("address", ["https://evil.example.com/", "//evil.example.com"])
def test_a_retry_leads_nowhere_else(
    address: str, admin: Client, mapping: ObjectMapping
) -> None:
    item = fail(mapping)

    answer = admin.post(reverse("errors-retry"), {"item": item.pk, "next": address})

    assert answer["Location"] == reverse("errors")


def test_a_rep_retries_nothing(sign_in: SignIn, mapping: ObjectMapping) -> None:
    item = fail(mapping)

    answer = sign_in(Role.REP).post(reverse("errors-retry"), {"item": item.pk})

    item.refresh_from_db()
    assert (answer.status_code, item.state) == (403, "parked")


def test_details_tell_every_try_and_the_way_out(
    admin: Client, mapping: ObjectMapping
) -> None:
    item = fail(mapping, message="Second refusal")
    make_sync_entry(
        mapping.connection,
        record_id=int(item.key.partition(":")[2]),
        mapping=mapping,
        outcome="failed",
        message="First refusal",
    )

    page = admin.get(reverse("issue", args=[item.pk])).content.decode()

    assert "First refusal" in page
    assert "Second refusal" in page
    assert "Open the record" in page


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_the_export_holds_no_formula(
    start: str, admin: Client, mapping: ObjectMapping
) -> None:
    fail(mapping, message=f"{start}HYPERLINK(1)")

    answer = admin.get(reverse("errors-export"))

    text = answer.content.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["Message"] == f"'{start}HYPERLINK(1)"
    assert answer["Content-Disposition"].startswith("attachment")


# --- what does not come in, polls and runs --------------------------------------------


def fail_in(mapping: ObjectMapping, remote_id: str, **given: object) -> WorkItem:
    values = {
        "kind": "fetch",
        "key": f"{mapping.pk}:{remote_id}",
        "group": str(mapping.pk),
        "channel": mapping.connection.channel,
        "error_class": "held",
        **given,
    }
    return make_parked_item(mapping.workspace, **values)  # type: ignore[arg-type]


def test_what_does_not_come_in_stands_with_its_record(
    admin: Client, mapping: ObjectMapping, workspace: Workspace
) -> None:
    lead = make_lead(workspace, first_name="Ada", last_name="")
    link = make_link(mapping.connection, record_id=lead.pk)
    fail_in(mapping, link.remote_id)
    fail_in(mapping, "4711")

    answer = admin.get(reverse("errors"))

    labels = {row.record_label for row in answer.context["rows"]}
    (group,) = answer.context["groups"]
    assert labels == {"Ada", "HubSpot contacts 4711"}
    assert (group.cause.name, group.count) == ("held", 2)
    assert group.fix_url == mapping.get_absolute_url()


def test_what_does_not_come_in_is_fetched_again(
    admin: Client, mapping: ObjectMapping
) -> None:
    item = fail_in(mapping, "4711")

    admin.post(reverse("errors-retry"), {"item": item.pk})

    item.refresh_from_db()
    assert item.state == "ready"


def test_a_stopped_poll_leads_to_the_run_that_waits_for_approval(
    admin: Client, mapping: ObjectMapping
) -> None:
    run = make_run(mapping, state="stopped", kind="pull")
    item = fail_in(mapping, "", kind="pull", key=str(mapping.pk), error_class="braked")

    answer = admin.get(reverse("issue", args=[item.pk]))

    assert answer.context["row"].record_label == "Changes of HubSpot contacts"
    assert answer.context["fix_url"] == run.get_absolute_url()
    assert "Stopped for approval" in answer.content.decode()


def test_a_change_that_was_stopped_leads_to_the_run_that_waits_for_approval(
    admin: Client, mapping: ObjectMapping
) -> None:
    run = make_run(mapping, state="stopped", kind="manual", mass_change="clears")
    item = fail_in(mapping, "7", kind="push", error_class="braked", run=run.pk)

    answer = admin.get(reverse("issue", args=[item.pk]))

    assert answer.context["fix_url"] == run.get_absolute_url()


@pytest.mark.parametrize(
    ("kind", "label"),
    [("run", "Full comparison {run}"), ("setup", "Set-up of HubSpot")],
)
def test_other_work_says_what_it_is(
    kind: str, label: str, admin: Client, mapping: ObjectMapping
) -> None:
    run = make_run(mapping, state="failed")
    key = str(run.pk if kind == "run" else mapping.connection.pk)
    item = fail_in(mapping, "", kind=kind, key=key, error_class="bug")

    answer = admin.get(reverse("issue", args=[item.pk]))

    assert answer.context["row"].record_label == label.format(run=run.pk)


def test_what_a_paused_run_holds_is_no_failure(
    admin: Client, mapping: ObjectMapping
) -> None:
    fail(mapping, state="waiting", waits_for="run:7", failed_at=None, dead=0)
    fail(mapping, state="waiting", waits_for="2:1", failed_at=None, dead=0)

    assert admin.get(reverse("errors")).context["counts"].waits == 1


def test_without_failures_the_page_says_so(admin: Client) -> None:
    assert "Everything is in step" in admin.get(reverse("errors")).content.decode()
