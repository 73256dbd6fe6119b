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
from integrations.figures import home_figures
from integrations.management.commands import seed_demo
from integrations.models import Connection, Delivery, Link
from integrations.selectors import failing_items
from integrations.simulators.testing import RunningSimulator
from leads.models import Activity, Change, Deal, Lead, StageChange

pytestmark = pytest.mark.django_db


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    monkeypatch.setattr(seed_demo, "LEADS", 90)
    settings.HUBSPOT_API_URL = "http://127.0.0.1:9"


@pytest.fixture
def hubspot(
    hubspot_simulator: RunningSimulator, few: None, settings: Any
) -> RunningSimulator:
    settings.HUBSPOT_API_URL = hubspot_simulator.base_url
    close_all()
    return hubspot_simulator


def counts() -> dict[str, int]:
    models = (Lead, Deal, Activity, Change, Delivery, Connection, Link, WorkItem)
    return {model.__name__: model.objects.count() for model in models}


def test_a_month_of_history_is_told(few: None, capsys: Any) -> None:
    call_command("seed_demo")

    with in_workspace(Workspace.objects.get(slug="demo")):
        assert Lead.objects.count() == 90
        assert set(Lead.objects.values_list("status", flat=True)) >= {
            "contacted",
            "replied",
            "qualified",
        }
        days = (timezone.now() - Change.objects.earliest("at").at).days
        assert 20 <= days <= 30
        assert StageChange.objects.filter(from_stage__isnull=False).exists()
        assert not Change.objects.filter(at__gt=timezone.now()).exists()
    assert "No CRM connected" in capsys.readouterr().out


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


def test_seeding_again_changes_nothing(hubspot: RunningSimulator) -> None:
    call_command("seed_demo")
    with in_workspace(Workspace.objects.get(slug="demo")):
        before = counts()

        call_command("seed_demo")

        assert counts() == before


def test_the_replies_are_in_the_crm_and_some_failed_for_real_causes(
    hubspot: RunningSimulator,
) -> None:
    call_command("seed_demo")

    workspace = Workspace.objects.get(slug="demo")
    with in_workspace(workspace):
        assert Link.objects.filter(record_type="lead").count() > 10
        causes = set(failing_items().values_list("error_class", "error_code"))
        assert {("rejected", "INVALID_OPTION"), ("waiting", "")} <= causes
        assert ("malformed", "") in causes
        assert queue.ledger()["difference"] == 0
        figures = home_figures(workspace)
        assert figures.sent_today > 20
        assert figures.failing == failing_items().count()
