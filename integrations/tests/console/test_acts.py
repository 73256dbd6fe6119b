"""What can be done in the console, and what the trail keeps of it."""

from __future__ import annotations

import pytest
from django_scopes import scopes_disabled

from crmsync.core import admin as core_admin
from crmsync.core.models import (
    ApiKey,
    AuditEntry,
    Channel,
    Membership,
    WorkItem,
    Workspace,
)
from crmsync.core.models.work import State
from crmsync.core.roles import Role
from crmsync.core.testing import make_api_key, make_workspace
from integrations.models import Connection, Delivery
from integrations.testing import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_parked_item,
)
from integrations.tests.console.ground import (
    act,
    page,
    refresh,
    told,
)
from leads.models import ScoreRule

pytestmark = pytest.mark.django_db


def test_failed_deliveries_are_processed_again(workspace, console) -> None:
    endpoint = make_endpoint(workspace)
    failed = make_delivery(endpoint, state=Delivery.State.FAILED)
    rejected = make_delivery(endpoint, state=Delivery.State.REJECTED, dedupe_key=None)

    answer = act(console, Delivery, "replay", failed, rejected)

    refresh(failed)
    assert failed.state == Delivery.State.RECEIVED
    with scopes_disabled():
        assert WorkItem.objects.get(kind="process", key=str(failed.pk))
        assert AuditEntry.objects.filter(action="delivery.replayed").count() == 1
    assert "1 will be processed again" in told(answer)
    assert "1 were rejected" in told(answer)


def test_parked_work_is_tried_again(workspace, console) -> None:
    item = make_parked_item(workspace)

    act(console, WorkItem, "retry", item)

    refresh(item)
    assert (item.state, item.wanted) == (State.READY, 2)


def test_another_workspaces_work_cannot_be_acted_on(console) -> None:
    foreign = make_parked_item(make_workspace())

    act(console, WorkItem, "retry", foreign)

    refresh(foreign)
    assert foreign.state == State.PARKED


def test_a_connection_is_paused_and_resumed(workspace, console) -> None:
    connection = make_connection(workspace)

    act(console, Connection, "pause", connection)
    paused = Channel.objects.get(pk=connection.channel_id).blocked_because
    act(console, Connection, "resume", connection)
    resumed = Channel.objects.get(pk=connection.channel_id).blocked_because

    assert (paused, resumed) == (core_admin.PAUSED, "")


def test_what_waits_for_a_sign_in_is_not_resumed(workspace, console) -> None:
    connection = make_connection(workspace)
    Channel.objects.filter(pk=connection.channel_id).update(
        blocked_because="Sign in again"
    )

    answer = act(console, Channel, "resume", connection.channel)

    channel = Channel.objects.get(pk=connection.channel_id)
    assert channel.blocked_because == "Sign in again"
    assert "stays closed" in told(answer)


def test_a_key_is_revoked(workspace, console) -> None:
    key, _ = make_api_key(workspace)

    act(console, ApiKey, "revoke", key)

    refresh(key)
    assert not key.is_live


def test_a_rule_is_changed_and_the_trail_says_who(workspace, console) -> None:
    with scopes_disabled():
        rule = ScoreRule.objects.filter(workspace=workspace).first()
    assert rule is not None
    data = {"label": rule.label, "points": 77, "cap": "", "active": "on"}

    console.post(page(ScoreRule, "change", rule.pk), data)

    refresh(rule)
    assert rule.points == 77
    with scopes_disabled():
        entry = AuditEntry.objects.get(workspace=workspace)
    assert entry.action == "score_rule.changed"
    assert entry.user is not None


def test_a_person_is_added_and_given_another_role(workspace, console) -> None:
    data = {"email": "new@example.com", "name": "Nea Wu", "role": Role.REP}

    console.post(page(Membership, "add"), data)
    with scopes_disabled():
        member = Membership.objects.get(user__email="new@example.com")
    console.post(page(Membership, "change", member.pk), {"role": Role.VIEWER})

    refresh(member)
    assert member.role == Role.VIEWER
    with scopes_disabled():
        actions = list(
            AuditEntry.objects.order_by("pk").values_list("action", flat=True)
        )
    assert actions == ["member.added", "member.role_changed"]


def test_the_last_admin_stays_and_is_told_why(workspace, console) -> None:
    with scopes_disabled():
        member = Membership.objects.get(workspace=workspace)

    answer = console.post(
        page(Membership, "change", member.pk), {"role": Role.VIEWER}, follow=True
    )
    gone = console.post(
        page(Membership, "delete", member.pk), {"post": "yes"}, follow=True
    )

    refresh(member)
    assert member.role == Role.ADMIN
    assert "needs an admin" in told(answer)
    assert "needs an admin" in told(gone)


def test_the_workspace_is_renamed(workspace, console) -> None:
    data = {"name": "Renamed", "time_zone": "Europe/Paris", "phone_region": "FR"}

    console.post(page(Workspace, "change", workspace.pk), data)

    workspace.refresh_from_db()
    assert (workspace.name, workspace.phone_region) == ("Renamed", "FR")
