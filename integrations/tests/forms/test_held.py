"""What fits several people is kept, shown, and taken in once they are one."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core import queue
from crmsync.core.models import WorkItem, Workspace
from crmsync.core.models.work import State
from crmsync.core.roles import Role
from crmsync.core.scoping import in_workspace
from crmsync.core.services import Actor
from crmsync.core.testing import api_client, make_user
from integrations import lookalikes, tasks
from integrations.models import Connection, FormSource, HeldSubmission
from integrations.services import forms
from integrations.simulators.testing import RunningSimulator
from integrations.sync import held_forms
from integrations.testing import make_work_item
from integrations.testing_forms import make_form_source, make_held_submission
from integrations.tests.forms.test_submissions import poll, source, submit
from leads.facts import Origin
from leads.models import Activity, Campaign, CampaignMember, Lead
from leads.services import merging
from leads.testing import make_lead, make_ready_workspace


@pytest.fixture
def pair(workspace: Workspace) -> tuple[Lead, Lead]:
    """Two people: one has the e-mail address of a submission, one the profile."""
    ada = make_lead(workspace, first_name="Ada", email="ada@example.com")
    bea = make_lead(workspace, first_name="Bea", email="", linkedin_id="ada")
    return ada, bea


@pytest.fixture
def held(
    pair: tuple[Lead, Lead], hubspot: Connection, hubspot_simulator: RunningSimulator
) -> FormSource:
    """A form through which came what may be of either."""
    form = source(hubspot)
    submit(
        hubspot_simulator,
        hubspot,
        email="ada@example.com",
        hs_linkedin_url="https://www.linkedin.com/in/ada",
        what_for="A demo",
    )
    poll()
    return form


def row() -> WorkItem:
    return WorkItem.objects.get(kind="held-form")


def retry(client: Client) -> None:
    client.post(reverse("errors-retry"), {"item": row().pk})
    tasks.take_in()


def merge(workspace: Workspace, pair: tuple[Lead, Lead]) -> None:
    merging.merge(
        workspace,
        "lead",
        winner_id=pair[0].pk,
        loser_id=pair[1].pk,
        origin=Origin("user"),
    )


@pytest.fixture
def browser(workspace: Workspace) -> Client:
    client = Client()
    client.force_login(make_user(workspace, role=Role.ADMIN))
    return client


def test_it_is_kept_and_listed_once_however_often_it_is_told(
    held: FormSource, pair: tuple[Lead, Lead], browser: Client
) -> None:
    poll()

    kept, item = HeldSubmission.objects.get(), row()
    assert kept.form == held
    assert (item.state, item.error_class, item.wanted) == (State.PARKED, "ambiguous", 1)
    assert item.error_about == {"here": [one.pk for one in pair]}
    told = f"This may be any of Lead {pair[0]} (email ada@example.com) and Lead"
    assert item.error.startswith(told)
    assert not Activity.objects.exists()
    page = browser.get(reverse("errors")).content.decode()
    assert "A submitted form of HubSpot" in page


def test_ledger_of_the_row_is_in_balance(held: FormSource) -> None:
    item = row()

    assert item.wanted == item.applied + item.coalesced + item.skipped + item.dead


def test_retry_after_a_merge_takes_it_in(
    held: FormSource, workspace: Workspace, pair: tuple[Lead, Lead], browser: Client
) -> None:
    merge(workspace, pair)

    retry(browser)

    activity = Activity.objects.get()
    assert (activity.lead, activity.source, activity.channel) == (
        pair[0],
        "hubspot",
        "form",
    )
    assert "what_for: A demo" in activity.body
    assert CampaignMember.objects.get().lead == pair[0]
    assert Campaign.objects.get().external_id == held.remote_id
    assert not HeldSubmission.objects.exists()
    assert row().state == State.DONE
    held.refresh_from_db()
    assert (held.count, held.last_at) == (1, activity.occurred_at)
    poll()
    assert Activity.objects.count() == 1


def test_merge_takes_it_in_by_itself(
    held: FormSource, workspace: Workspace, pair: tuple[Lead, Lead]
) -> None:
    merge(workspace, pair)
    tasks.take_in()

    assert Activity.objects.get().lead == pair[0]
    assert row().state == State.DONE


def test_merge_of_others_leaves_it_where_it_is(
    held: FormSource, workspace: Workspace, pair: tuple[Lead, Lead]
) -> None:
    merge(workspace, (pair[0], make_lead(workspace)))
    tasks.take_in()

    assert (row().state, row().wanted) == (State.PARKED, 1)


def test_retry_without_a_merge_parks_it_again(
    held: FormSource, pair: tuple[Lead, Lead], browser: Client
) -> None:
    retry(browser)

    item = row()
    assert (item.state, item.error_class) == (State.PARKED, "ambiguous")
    assert item.error_about == {"here": [one.pk for one in pair]}
    assert HeldSubmission.objects.exists()
    assert not Activity.objects.exists()


def test_merge_is_offered_beside_what_was_said_and_does_it_all(
    held: FormSource, pair: tuple[Lead, Lead], browser: Client
) -> None:
    path = reverse("issue-decide", args=[row().pk])
    page = browser.get(path).content.decode()
    assert "Merge into this one" in page
    assert "HubSpot form Contact us" in page
    # Once as submitted and once as Bea has it; the same of both is marked so.
    assert page.count("https://www.linkedin.com/in/ada") == 2
    assert 'value="link"' not in page
    assert 'value="apart"' not in page

    browser.post(path, {"choice": "merge", "candidate": f"here:{pair[1].pk}"})
    held_forms.take_in_due()

    assert Activity.objects.get().lead == pair[1]
    assert not HeldSubmission.objects.exists()


@pytest.mark.parametrize("choice", ["link", "apart"])
def test_what_makes_no_sense_of_it_is_refused(
    held: FormSource, pair: tuple[Lead, Lead], workspace: Workspace, choice: str
) -> None:
    body = {"choice": choice, "candidate": f"here:{pair[0].pk}"}
    path = f"/api/v1/sync/rows/{row().pk}/decide/"

    answer = api_client(workspace, "admin").post(path, body, format="json")

    assert answer.status_code == 400
    assert row().state == State.PARKED


def test_poll_that_tells_it_after_a_merge_settles_it(
    held: FormSource, workspace: Workspace, pair: tuple[Lead, Lead]
) -> None:
    merge(workspace, pair)

    poll()

    assert Activity.objects.count() == 1
    assert not HeldSubmission.objects.exists()
    assert row().state == State.DONE
    held.refresh_from_db()
    assert held.count == 1


def test_one_that_comes_in_during_a_poll_stays_counted(
    held: FormSource, workspace: Workspace, pair: tuple[Lead, Lead], monkeypatch: Any
) -> None:
    merge(workspace, pair)
    queue.retry([row().pk])
    extend = queue.extend

    def meanwhile(items: Any) -> int:
        if items[0].kind == "form":
            held_forms.take_in_due()
        return extend(items)

    monkeypatch.setattr(queue, "extend", meanwhile)
    poll()

    held.refresh_from_db()
    assert (Activity.objects.count(), held.count) == (1, 1)


def test_somebody_made_by_the_same_page_is_named_by_the_first_try(
    hubspot: Connection, hubspot_simulator: RunningSimulator, pair: tuple[Lead, Lead]
) -> None:
    source(hubspot)
    submit(hubspot_simulator, hubspot, email="cy@example.com", firstname="Cy")
    submit(
        hubspot_simulator,
        hubspot,
        email="cy@example.com",
        hs_linkedin_url="https://www.linkedin.com/in/ada",
    )

    poll()
    held_forms.take_in_due()

    made = Lead.objects.get(email="cy@example.com")
    assert row().error_about == {"here": sorted([pair[1].pk, made.pk])}
    assert "Lead Cy" in row().error


def test_form_switched_off_leaves_what_is_held(
    held: FormSource, workspace: Workspace, pair: tuple[Lead, Lead], browser: Client
) -> None:
    forms.switch_off(held, Actor(None))
    merge(workspace, pair)

    retry(browser)

    assert Activity.objects.count() == 1


def test_one_without_an_id_is_known_by_the_key_it_was_given(
    hubspot: Connection,
) -> None:
    kept = make_held_submission(make_form_source(hubspot))
    kept.document["id"] = ""
    kept.save()
    make_work_item(
        hubspot.workspace, kind="held-form", key=str(kept.pk), channel=hubspot.channel
    )

    held_forms.take_in_due()

    assert Activity.objects.get().external_id == kept.key


def test_row_whose_submission_is_gone_ends(held: FormSource, browser: Client) -> None:
    HeldSubmission.objects.all().delete()

    assert lookalikes.held_of(row()) is None
    retry(browser)

    assert (row().state, row().skipped) == (State.DONE, 1)


def test_connection_takes_what_it_holds_with_it(hubspot: Connection) -> None:
    make_held_submission(make_form_source(hubspot))

    hubspot.delete()

    assert not HeldSubmission.objects.exists()


def test_other_workspace_sees_nothing(held: FormSource) -> None:
    item, other = row(), make_ready_workspace(name="Other")
    stranger = Client()
    stranger.force_login(make_user(other, role=Role.ADMIN))

    pages = [reverse(name, args=[item.pk]) for name in ("issue", "issue-decide")]
    assert [stranger.get(path).status_code for path in pages] == [404, 404]
    stranger.post(reverse("errors-retry"), {"item": item.pk})

    with in_workspace(other):
        assert not HeldSubmission.objects.exists()
    assert row().state == State.PARKED
