"""Pages of leads, companies and deals: found, shown, made, changed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crmsync.core.models import WorkItem, Workspace
from crmsync.core.roles import Role
from crmsync.core.scoping import in_workspace
from integrations.testing import (
    make_connection,
    make_link,
    make_mapping,
    make_parked_item,
)
from integrations.tests.pages.conftest import SignIn
from leads.facts import Origin
from leads.models import Activity, Company, Deal, Lead
from leads.services import records
from leads.services.records import Edit
from leads.testing import (
    make_activity,
    make_company,
    make_custom_field,
    make_deal,
    make_lead,
    make_member,
)

pytestmark = pytest.mark.usefixtures("inside")


def names_on(page: bytes, *names: str) -> list[str]:
    text = page.decode()
    found = [name for name in names if f">{name}<" in text]
    return sorted(found, key=lambda name: text.index(f">{name}<"))


# --- lists ----------------------------------------------------------------------------


def test_every_word_searched_for_must_be_there(
    admin: Client, workspace: Workspace
) -> None:
    make_lead(workspace, first_name="Ada", last_name="Lark", company_name="Oak")
    make_lead(workspace, first_name="Ada", last_name="Finch", company_name="Elm")

    page = admin.get(reverse("leads"), {"q": "ada oak"}).content

    assert names_on(page, "Ada Lark", "Ada Finch") == ["Ada Lark"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({"status": "customer"}, ["Hot One"]),
        ({"score": "hot"}, ["Hot One"]),
        ({"score": "cold"}, ["Cold One"]),
        ({"source": "lgm"}, ["Cold One"]),
        ({"owner": "none"}, ["Cold One", "Hot One"]),
        ({"owner": "me"}, []),
        ({"sort": "hottest"}, ["Hot One", "Cold One"]),
        ({"sort": "newest"}, ["Cold One", "Hot One"]),
        ({"status": "nonsense", "owner": "x", "campaign": "-1"}, None),
        ({"q": "\x00", "source": "\x00", "after": "%%%"}, None),
    ],
)
def test_filters_and_order(
    query: dict[str, str],
    shown: list[str] | None,
    admin: Client,
    workspace: Workspace,
) -> None:
    at = timezone.now()
    make_lead(
        workspace,
        first_name="Hot",
        last_name="One",
        score=80,
        status="customer",
        last_activity_at=at - timedelta(days=1),
    )
    make_lead(
        workspace,
        first_name="Cold",
        last_name="One",
        source="lgm",
        last_activity_at=at,
    )

    answer = admin.get(reverse("leads"), query)

    assert answer.status_code == 200
    if shown is not None:
        assert names_on(answer.content, "Hot One", "Cold One") == shown


@pytest.mark.parametrize("sort", ["liveliest", "hottest", "newest"])
def test_pages_follow_each_other_without_gap_or_double(
    sort: str, admin: Client, workspace: Workspace
) -> None:
    at = timezone.now()
    for number in range(60):
        make_lead(
            workspace,
            score=number % 3,
            last_activity_at=at if number % 2 else None,
        )

    seen: list[int] = []
    query = f"?sort={sort}"
    while query:
        page = admin.get(reverse("leads") + query).context["page"]
        seen += [lead.pk for lead in page.items]
        last, query = page, page.older

    back = admin.get(reverse("leads") + last.newer).context["page"]
    assert len(seen) == 60
    assert sorted(seen) == sorted(Lead.objects.values_list("pk", flat=True))
    assert [lead.pk for lead in back.items] == seen[25:50]


def test_an_empty_list_says_what_to_do_next(admin: Client) -> None:
    page = admin.get(reverse("leads")).content.decode()

    assert "No leads yet" in page
    assert reverse("endpoints") in page


def test_a_search_without_result_offers_to_clear_it(
    admin: Client, workspace: Workspace
) -> None:
    make_lead(workspace)

    page = admin.get(reverse("leads"), {"q": "nobody at all"}).content.decode()

    assert "No lead fits" in page


# --- a lead ---------------------------------------------------------------------------


def test_what_strangers_wrote_is_text_not_markup(
    admin: Client, workspace: Workspace
) -> None:
    lead = make_lead(workspace, first_name="<script>alert(1)</script>")
    make_activity(workspace, lead=lead, body="<img src=x onerror=alert(2)>")

    page = admin.get(lead.get_absolute_url()).content.decode()

    assert "<script>alert(1)" not in page
    assert "<img src=x" not in page


def test_a_failed_record_says_why_and_leads_to_the_way_out(
    admin: Client, workspace: Workspace
) -> None:
    lead = make_lead(workspace)
    mapping = make_mapping(make_connection(workspace))
    item = make_parked_item(
        workspace,
        key=f"{mapping.pk}:{lead.pk}",
        group=str(mapping.pk),
        channel=mapping.connection.channel,
    )

    page = admin.get(lead.get_absolute_url()).content.decode()

    assert "E-mail address is invalid" in page
    assert reverse("issue", args=[item.pk]) in page


def test_a_linked_record_leads_to_the_crm(
    admin: Client, workspace: Workspace, settings: object
) -> None:
    settings.HUBSPOT_AUTH_URL = "https://app.example.com"  # type: ignore[attr-defined]
    lead = make_lead(workspace)
    connection = make_connection(workspace, account_id="77")
    make_mapping(connection)
    make_link(connection, record_id=lead.pk, remote_id="5150")

    page = admin.get(lead.get_absolute_url()).content.decode()

    assert "https://app.example.com/contacts/77/record/0-1/5150" in page
    assert "In step" in page


def test_sync_now_asks_for_the_record(admin: Client, workspace: Workspace) -> None:
    lead = make_lead(workspace)
    mapping = make_mapping(make_connection(workspace))

    admin.post(reverse("lead-sync", args=[lead.pk]))

    item = WorkItem.objects.get(kind="push", key=f"{mapping.pk}:{lead.pk}")
    assert item.state == "ready"


def test_a_lead_is_made_by_hand(admin: Client) -> None:
    given = {"first_name": "Ada", "email": "ADA@example.com", "status": "new"}

    answer = admin.post(reverse("lead-new"), given)

    lead = Lead.objects.get()
    assert answer["Location"] == lead.get_absolute_url()
    assert (lead.email, str(lead)) == ("ada@example.com", "Ada")


def test_wrong_input_comes_back_with_the_reason_at_its_field(admin: Client) -> None:
    given = {"first_name": "Ada", "email": "not an address", "status": "new"}

    answer = admin.post(reverse("lead-new"), given)

    assert answer.status_code == 422
    assert "not an address is not an e-mail" in str(
        answer.context["form"].errors["email"]
    )
    assert 'value="Ada"' in answer.content.decode()
    assert not Lead.objects.exists()


def test_editing_shows_and_keeps_what_is_stored(
    admin: Client, workspace: Workspace
) -> None:
    make_custom_field(workspace, name="budget", label="Budget", type="bool")
    lead = make_lead(workspace, status="qualified", custom={"budget": True})
    path = reverse("lead-edit", args=[lead.pk])
    form = admin.get(path).context["form"]
    shown = {name: form[name].value() or "" for name in form.fields}

    admin.post(path, {**shown, "city": "Oslo"})

    lead.refresh_from_db()
    assert (lead.status, lead.city) == ("qualified", "Oslo")
    assert lead.custom == {"budget": True}
    assert lead.version == 2


def test_an_edit_over_someone_elses_is_refused(
    admin: Client, workspace: Workspace
) -> None:
    lead = make_lead(workspace, version=5)
    given = {"first_name": "Mine", "status": "new", "version": "4"}

    answer = admin.post(reverse("lead-edit", args=[lead.pk]), given)

    assert answer.status_code == 422
    assert "changed meanwhile" in answer.content.decode()
    assert 'value="Mine"' in answer.content.decode()


def test_a_note_and_a_task_are_written_on_a_lead(
    admin: Client, workspace: Workspace
) -> None:
    lead = make_lead(workspace)

    admin.post(reverse("note-add", args=[lead.pk]), {"note-body": "Called"})
    admin.post(
        reverse("task-add", args=[lead.pk]),
        {"task-subject": "Call back", "task-due_at": "2026-05-01T09:00"},
    )

    note, task = Activity.objects.order_by("id")
    assert (note.kind, note.body, note.lead) == ("note", "Called", lead)
    assert (task.kind, task.subject) == ("task", "Call back")
    assert task.due_at is not None


def test_an_empty_note_is_refused(admin: Client, workspace: Workspace) -> None:
    lead = make_lead(workspace)

    answer = admin.post(reverse("note-add", args=[lead.pk]), {"note-body": " "})

    assert answer.status_code == 422
    assert not Activity.objects.exists()


def test_a_task_is_ticked_off(admin: Client, workspace: Workspace) -> None:
    task = make_activity(workspace, kind="task", lead=make_lead(workspace))

    admin.post(reverse("task-done", args=[task.pk]))

    task.refresh_from_db()
    assert task.done_at is not None


@pytest.mark.parametrize("name", ["lead-sync", "note-add", "lead-edit"])
def test_a_viewer_changes_nothing(
    name: str, sign_in: SignIn, workspace: Workspace
) -> None:
    lead = make_lead(workspace)

    answer = sign_in(Role.VIEWER).post(reverse(name, args=[lead.pk]), {})

    assert answer.status_code == 403


# --- companies and deals --------------------------------------------------------------


def test_a_company_is_made_by_hand(admin: Client) -> None:
    admin.post(reverse("company-new"), {"name": "Oak", "domain": "oak.example.com"})

    assert Company.objects.get().domain == "oak.example.com"


def test_a_deal_is_opened_for_a_lead(admin: Client, workspace: Workspace) -> None:
    lead = make_lead(workspace)
    stage = admin.get(reverse("deal-new")).context["form"].fields["stage_id"].choices[0]
    given = {"name": "Pilot", "stage_id": stage[0], "amount": "12.5", "currency": "eur"}

    admin.post(f"{reverse('deal-new')}?lead={lead.pk}", given)

    deal = Deal.objects.get()
    assert (deal.lead, str(deal.amount), deal.currency) == (lead, "12.50", "EUR")


def test_a_deal_moves_to_another_stage(admin: Client, workspace: Workspace) -> None:
    deal = make_deal(workspace)
    target = deal.pipeline.stages.exclude(pk=deal.stage_id).first()
    assert target is not None

    answer = admin.post(
        reverse("deal-move", args=[deal.pk]), {"stage_id": target.pk, "back": "board"}
    )

    deal.refresh_from_db()
    assert deal.stage == target
    assert deal.stage_changes.get().to_stage == target
    assert answer["Location"] == reverse("deals-board")


def test_a_stage_that_is_none_moves_nothing(
    admin: Client, workspace: Workspace
) -> None:
    deal = make_deal(workspace)

    answer = admin.post(reverse("deal-move", args=[deal.pk]), {"stage_id": "x"})

    deal.refresh_from_db()
    assert answer.status_code == 302
    assert not deal.stage_changes.exists()


def test_the_board_sums_every_stage(admin: Client, workspace: Workspace) -> None:
    for amount in (100, 250):
        make_deal(workspace, amount=amount, currency="EUR")

    page = admin.get(reverse("deals-board")).content.decode()

    assert "EUR 350" in page


def test_the_history_of_a_deal_names_what_it_is_about(
    admin: Client, workspace: Workspace
) -> None:
    deal = make_deal(workspace)
    before = make_company(workspace, name="Fern")
    after = make_company(workspace, name="Moss")
    target = deal.pipeline.stages.exclude(pk=deal.stage_id).first()
    assert target is not None
    origin = Origin("user", "1", "Ada Example")
    with in_workspace(workspace):
        for values in (
            {"company_id": before.pk},
            {"company_id": after.pk, "stage_id": target.pk},
        ):
            records.update(workspace, "deal", [Edit(deal.pk, values)], origin=origin)

    page = admin.get(deal.get_absolute_url()).content.decode()

    assert "Company: Fern → Moss" in page
    assert f"Stage: {deal.stage} → {target}" in page


# --- campaigns ------------------------------------------------------------------------


def test_a_lead_shows_its_campaigns_and_how_far_it_came(
    admin: Client, workspace: Workspace
) -> None:
    lead = make_lead(workspace)
    member = make_member(workspace, lead=lead, status="responded")
    other = make_member(workspace)

    page = admin.get(lead.get_absolute_url()).content

    shown = names_on(page, str(member.campaign), str(other.campaign), "Campaigns")
    assert shown == ["Campaigns", str(member.campaign)]
    assert b"Responded" in page
