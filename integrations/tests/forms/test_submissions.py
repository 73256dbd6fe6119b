"""Submitted forms become leads, activities and members of a campaign, each once."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
import requests

from crmsync.core import queue
from crmsync.core.models import Channel, WorkItem
from crmsync.core.models.work import State
from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.models import Connection, FormSource
from integrations.records import SubmissionPage
from integrations.simulators.testing import RunningSimulator
from integrations.sync import submissions
from integrations.testing_forms import make_form_source
from integrations.tests.sync.crm import make_due
from leads.models import Activity, Campaign, CampaignMember, Deal, Lead

GUID = "11111111-2222-4333-8444-555555555555"


def submit(simulator: RunningSimulator, connection: Connection, **values: str) -> None:
    fields = [{"name": name, "value": value} for name, value in values.items()]
    path = f"/submissions/v3/integration/submit/{connection.account_id}/{GUID}"
    answer = requests.post(
        simulator.base_url + path, json={"fields": fields}, timeout=30
    )
    assert answer.status_code == 200, answer.text


def source(connection: Connection, **given: Any) -> FormSource:
    at = queue.now() - timedelta(hours=1)
    times = {"begins_at": at, "taken_until": at}
    return make_form_source(connection, remote_id=GUID, **times | given)


def poll() -> None:
    submissions.ask_due()
    make_due()
    submissions.take_in_due()


def test_submission_becomes_lead_activity_and_member(
    hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    form = source(hubspot)
    submit(
        hubspot_simulator,
        hubspot,
        email="ada@example.com",
        firstname="Ada",
        jobtitle="Engineer",
        what_for="A demo",
    )

    poll()

    lead = Lead.objects.get()
    assert (lead.email, lead.first_name, lead.job_title) == (
        "ada@example.com",
        "Ada",
        "Engineer",
    )
    activity = Activity.objects.get()
    assert (activity.channel, activity.source) == ("form", "hubspot")
    assert activity.subject == "Submitted the form Contact us"
    assert "what_for: A demo" in activity.body
    campaign = Campaign.objects.get()
    assert (campaign.source, campaign.name) == ("hubspot", "Contact us")
    assert campaign.external_id == GUID
    member = CampaignMember.objects.get()
    assert (member.lead, member.status) == (lead, "responded")
    assert not Deal.objects.exists()
    form.refresh_from_db()
    assert (form.count, form.page, form.window_until) == (1, "", None)
    assert form.taken_until > activity.occurred_at - timedelta(minutes=1)


def test_polling_again_doubles_nothing(
    hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    form = source(hubspot)
    submit(hubspot_simulator, hubspot, email="ada@example.com")

    poll()
    poll()

    assert Activity.objects.count() == 1
    form.refresh_from_db()
    assert form.count == 1


def test_one_that_counts_as_a_reply_opens_a_deal(
    hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    source(hubspot, counts_as_reply=True)
    submit(hubspot_simulator, hubspot, email="ada@example.com")

    poll()

    assert Deal.objects.count() == 1


def test_what_came_before_it_was_switched_on_is_left(
    hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    submit(hubspot_simulator, hubspot, email="ada@example.com")
    at = queue.now() + timedelta(minutes=1)
    source(hubspot, begins_at=at, taken_until=at)

    poll()

    assert not Activity.objects.exists()


def test_killed_poll_goes_on_at_its_page_and_doubles_nothing(
    hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    form = source(hubspot)
    for number in range(60):
        submit(hubspot_simulator, hubspot, email=f"p{number}@example.com")
    submissions.ask_due()
    [item] = queue.claim("form", channel_id=hubspot.channel_id or 0, limit=1)
    submissions._poll(item, time.monotonic())
    form.refresh_from_db()
    assert (Activity.objects.count(), form.page) == (50, "50")
    submit(hubspot_simulator, hubspot, email="late@example.com")

    poll()
    poll()

    assert Activity.objects.count() == 61
    form.refresh_from_db()
    assert form.count == 61


@pytest.mark.parametrize("kind", ["500", "429", "drop", "truncated_json"])
def test_faults_lose_and_double_nothing(
    hubspot: Connection, hubspot_simulator: RunningSimulator, kind: str
) -> None:
    form = source(hubspot)
    submit(hubspot_simulator, hubspot, email="ada@example.com")
    before = form.taken_until
    hubspot_simulator.set_fault(kind)

    poll()
    form.refresh_from_db()
    assert (Activity.objects.count(), form.taken_until) == (0, before)
    assert WorkItem.objects.get(kind="form").error
    hubspot_simulator.clear_faults()
    Channel.objects.update(paused_until=None)
    poll()
    poll()

    assert Activity.objects.count() == 1


def test_missing_scope_names_it_in_the_error_list(
    hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    source(hubspot)
    hubspot_simulator.add_token("pat-narrow", ["oauth"])
    hubspot.token.access = "pat-narrow"
    hubspot.token.save()

    poll()

    item = WorkItem.objects.get(kind="form")
    assert (item.state, item.error_class) == (State.PARKED, "permission")
    assert "scope forms" in item.error


def test_form_of_a_switched_off_source_is_not_asked(
    hubspot: Connection, hubspot_simulator: RunningSimulator
) -> None:
    source(hubspot, active=False)

    assert submissions.ask_due() == 0


def test_what_a_poll_reads_of_a_form_switched_off_meanwhile_is_left(
    hubspot: Connection,
    hubspot_simulator: RunningSimulator,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    form = source(hubspot)
    submit(hubspot_simulator, hubspot, email="ada@example.com")
    read = HubSpotConnector.submissions

    def read_while_switched_off(*args: Any) -> SubmissionPage:
        page = read(*args)
        FormSource.objects.filter(pk=form.pk).update(active=False)
        return page

    monkeypatch.setattr(HubSpotConnector, "submissions", read_while_switched_off)

    poll()
    poll()

    assert not Activity.objects.exists()
    form.refresh_from_db()
    assert (form.active, form.count) == (False, 0)
    assert WorkItem.objects.get(kind="form").state == State.DONE


def test_pages_in_a_circle_are_an_error(
    hubspot: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    source(hubspot)
    monkeypatch.setattr(
        "integrations.connectors.hubspot.connector.HubSpotConnector.submissions",
        lambda self, form_id, cursor: SubmissionPage((), "7"),
    )

    poll()

    item = WorkItem.objects.get(kind="form")
    assert item.error_code == "PAGING_LOOP"
