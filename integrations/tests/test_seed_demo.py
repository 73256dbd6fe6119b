"""The demo: alive, in some real trouble, and the same when it is made again."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Sum
from django.utils import timezone

from crmsync.core import queue
from crmsync.core.models import User, WorkItem, Workspace
from crmsync.core.scoping import in_workspace
from integrations.connectors.session import close_all
from integrations.demo.simulated import NotReachable, Simulated
from integrations.figures import home_figures
from integrations.management.commands import seed_demo
from integrations.models import (
    Conflict,
    Connection,
    Delivery,
    Link,
    LinkAlias,
    Run,
    SyncEntry,
)
from integrations.selectors import failing_items
from integrations.simulators.testing import RunningSimulator
from integrations.sync import outbox
from leads.models import Activity, Change, Deal, Lead, StageChange

pytestmark = pytest.mark.django_db

# As few as give every part in the story to somebody.
LEADS = 130
NOBODY = "http://127.0.0.1:9"


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(seed_demo, "LEADS", LEADS)
    settings.HUBSPOT_API_URL = settings.SALESFORCE_API_URL = NOBODY


@pytest.fixture
def crms(
    hubspot_simulator: RunningSimulator,
    salesforce_simulator: RunningSimulator,
    few: None,
    settings: Any,
) -> dict[str, RunningSimulator]:
    """Both simulators; what they tell by webhook, nobody hears."""
    settings.HUBSPOT_API_URL = hubspot_simulator.base_url
    settings.SALESFORCE_API_URL = salesforce_simulator.base_url
    settings.PUBLIC_URL = NOBODY
    close_all()
    return {"hubspot": hubspot_simulator, "salesforce": salesforce_simulator}


@pytest.fixture
def told(crms: dict[str, RunningSimulator]) -> Workspace:
    """The workspace once the whole story has been told."""
    call_command("seed_demo")
    return Workspace.objects.get(slug="demo")


def counts() -> dict[str, int]:
    models = (
        *(Lead, Deal, Activity, Change, Delivery, Connection, Link, WorkItem),
        *(Run, Conflict),
    )
    return {model.__name__: model.objects.count() for model in models}


def test_a_month_of_history_is_told(few: None, capsys: Any) -> None:
    call_command("seed_demo")

    with in_workspace(Workspace.objects.get(slug="demo")):
        assert Lead.objects.count() == LEADS
        assert set(Lead.objects.values_list("status", flat=True)) >= {
            "contacted",
            "replied",
            "qualified",
        }
        days = (timezone.now() - Change.objects.earliest("at").at).days
        assert 20 <= days <= 30
        assert StageChange.objects.filter(from_stage__isnull=False).exists()
        assert not Change.objects.filter(at__gt=timezone.now()).exists()
        assert not Connection.objects.exists()
    assert "CRMs are not connected: nobody answers at" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("vendor", "address"),
    [
        ("hubspot", "https://api.hubapi.com"),
        ("salesforce", "https://fern.my.salesforce.com"),
        ("salesforce", ""),
    ],
)
def test_no_story_is_told_in_a_real_crm(
    settings: Any, vendor: str, address: str
) -> None:
    name = f"{vendor.upper()}_API_URL"
    setattr(settings, name, address)

    with pytest.raises(NotReachable, match=f"{name} is (the real|not set)"):
        Simulated(vendor)


def test_every_score_is_the_sum_of_its_ledger(few: None) -> None:
    call_command("seed_demo")

    with in_workspace(Workspace.objects.get(slug="demo")):
        summed = Lead.objects.annotate(sum=Sum("score_entries__points"))
        assert [one for one in summed if one.score != (one.sum or 0)] == []


def test_the_three_people_can_sign_in(
    few: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DEMO_PASSWORD", "a-password-of-the-demo")

    call_command("seed_demo")

    people = User.objects.filter(memberships__workspace__slug="demo")
    assert {one.email for one in people} == {
        "admin@example.com",
        "ops@example.com",
        "rep@example.com",
    }
    assert all(one.check_password("a-password-of-the-demo") for one in people)


def test_seeding_again_changes_nothing(told: Workspace) -> None:
    with in_workspace(told):
        before = counts()

        call_command("seed_demo")

        assert counts() == before


def test_the_replies_are_in_both_crms_and_some_failed_for_real_causes(
    told: Workspace,
) -> None:
    with in_workspace(told):
        linked = set(
            Link.objects.values_list("connection__vendor", "remote_object").distinct()
        )
        assert linked >= {
            ("hubspot", "contacts"),
            ("hubspot", "deals"),
            ("salesforce", "Lead"),
            ("salesforce", "Contact"),
            ("salesforce", "Opportunity"),
        }
        causes = set(failing_items().values_list("error_class", "error_code"))
        assert {("rejected", "INVALID_OPTION"), ("waiting", "")} <= causes
        assert {("malformed", ""), ("held", "")} <= causes
        assert ("duplicate", "ALREADY_LINKED") in causes
        assert not any(name == "bug" for name, _ in causes)
        assert queue.ledger()["difference"] == 0
        figures = home_figures(told)
        assert figures.sent_today > 20
        assert figures.failing == failing_items().count()


def test_who_was_in_one_crm_alone_is_in_the_other_as_well(
    told: Workspace, crms: dict[str, RunningSimulator]
) -> None:
    with in_workspace(told):
        came = SyncEntry.objects.filter(direction="pull", outcome="created")
        strangers = Lead.objects.filter(pk__in=came.values("record_id"))
        emails = set(strangers.values_list("email", flat=True))

    contacts = {one["properties"]["email"] for one in crms["hubspot"].dump("contacts")}
    leads = {one["properties"]["Email"] for one in crms["salesforce"].dump("Lead")}
    assert len(emails) == seed_demo.STRANGERS
    assert emails <= contacts & leads


def test_people_on_both_sides_have_been_at_work(told: Workspace) -> None:
    with in_workspace(told):
        conflicts = set(Conflict.objects.values_list("connection__vendor", "state"))
        assert conflicts == {
            ("hubspot", "open"),
            ("hubspot", "by_rule"),
            ("hubspot", "resolved"),
            ("salesforce", "open"),
            ("salesforce", "by_rule"),
        }
        assert LinkAlias.objects.get().reason == "converted"
        assert Link.objects.filter(state=Link.State.DELETED).count() == 1


def test_there_are_runs_of_every_kind_to_look_at_and_all_are_over(
    told: Workspace,
) -> None:
    with in_workspace(told):
        kinds = set(Run.objects.values_list("kind", flat=True))
        assert kinds >= {"reconcile", "backfill", "pull", "dry", "batch"}
        assert set(Run.objects.values_list("state", flat=True)) == {"done", "errors"}
        (dry, _) = Run.objects.filter(kind="dry").order_by("pk")
        assert dry.samples
        assert dry.cursor["counts"]["created"] > 0
        batch = Run.objects.get(kind="batch")
        assert (batch.state, batch.updated) == ("done", batch.total)
        # Some more wait for the next slot.
        waiting = WorkItem.objects.filter(not_before=outbox.WHEN_ASKED, state="ready")
        assert waiting.exists()


def test_both_crms_deal_in_the_currency_of_the_deals(
    told: Workspace, crms: dict[str, RunningSimulator]
) -> None:
    with in_workspace(told):
        priced = Deal.objects.filter(amount__isnull=False)
        ours = set(priced.values_list("currency", flat=True))

    theirs = {
        crm.control("GET", "currencies")["company_currency"] for crm in crms.values()
    }
    assert ours == theirs == {"EUR"}


def test_each_simulator_is_told_where_to_post_what_changes(
    told: Workspace, crms: dict[str, RunningSimulator]
) -> None:
    with in_workspace(told):
        endpoints = Connection.objects.get(vendor="hubspot").endpoints
        url = endpoints.get().url

    hubspot, salesforce = (one.webhooks() for one in crms.values())

    (known,) = hubspot["settings"].values()
    assert known["targetUrl"] == url
    assert len(hubspot["subscriptions"]) > 5
    (target,) = salesforce["events"].values()
    assert target["url"].startswith(NOBODY)
    assert {"Lead", "Contact", "Opportunity"} <= set(target["objects"])
