"""The admin console: who may enter, what they see there, and what they can do."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django_scopes import scopes_disabled

from crmsync.core import admin as core_admin
from crmsync.core.models import (
    ApiKey,
    AuditEntry,
    Channel,
    Membership,
    User,
    WorkItem,
    Workspace,
)
from crmsync.core.models.work import State
from crmsync.core.roles import Role
from crmsync.core.testing import PASSWORD, make_api_key, make_user, make_workspace
from integrations.models import Connection, Delivery, Endpoint, OAuthToken
from integrations.testing import (
    make_connection,
    make_delivery,
    make_endpoint,
    make_parked_item,
)
from integrations.tests.console import (
    CANARY,
    act,
    client_of,
    make_full_workspace,
    page,
    refresh,
    told,
)
from leads.models import Lead, Pipeline, ScoreRule
from leads.testing import make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db
OURS = [
    model
    for label in ("core", "leads", "integrations")
    for model in apps.get_app_config(label).get_models()
]


@pytest.fixture
def workspace() -> Workspace:
    return make_ready_workspace()


@pytest.fixture
def console(workspace) -> Client:
    """A browser of an admin of the workspace."""
    return client_of(make_user(workspace, Role.ADMIN))


# --- every model --------------------------------------------------------------------


def test_every_model_of_ours_is_registered_and_none_of_others() -> None:
    client_of(make_user()).get("/admin/")

    assert set(admin.site._registry) == set(OURS)


def test_the_console_passes_djangos_own_checks() -> None:
    call_command("check", "admin", fail_level="WARNING")
    from crmsync import urls  # noqa: F401 - registers everything

    assert admin.site.check(None) == []


def test_every_model_can_be_listed_searched_and_looked_at() -> None:
    workspace, rows = make_full_workspace()
    client = client_of(make_user(workspace, Role.ADMIN))

    listed = {model: client.get(page(model)) for model in OURS}
    searched = {model: client.get(page(model), {"q": "1"}) for model in OURS}
    shown = {model: client.get(page(model, "change", rows[model].pk)) for model in OURS}

    for answers in (listed, searched, shown):
        assert {answer.status_code for answer in answers.values()} == {200}
    for answer in (*listed.values(), *shown.values()):
        assert CANARY not in answer.content.decode()
    for model, answer in listed.items():
        assert page(model, "change", rows[model].pk) in answer.content.decode()


def test_what_belongs_to_another_workspace_does_not_exist(console) -> None:
    _, theirs = make_full_workspace()

    for model in OURS:
        pk = theirs[model].pk
        shown = console.get(page(model, "change", pk)).status_code
        history = console.get(page(model, "history", pk)).status_code
        deleted = console.post(page(model, "delete", pk), {"post": "yes"}).status_code
        listed = console.get(page(model)).content.decode()
        assert (model, shown, history) == (model, 404, 404)
        assert deleted in (403, 404)
        assert page(model, "change", pk) not in listed


def test_only_members_and_workspaces_can_be_added() -> None:
    boss = client_of(make_user(make_ready_workspace(), is_superuser=True))

    can = {model for model in OURS if boss.get(page(model, "add")).status_code == 200}

    assert can == {Membership, Workspace}


def test_only_members_can_be_deleted() -> None:
    workspace, rows = make_full_workspace()
    client = client_of(make_user(workspace, Role.ADMIN))

    answers = {one: client.get(page(one, "delete", rows[one].pk)) for one in OURS}

    can = {model for model, answer in answers.items() if answer.status_code == 200}
    assert can == {Membership}


def test_a_list_costs_the_same_for_many_rows_as_for_few(console, workspace) -> None:
    endpoint = make_endpoint(workspace)
    make_delivery(endpoint)
    make_lead(workspace)
    counted = [_queries(console, model) for model in (Delivery, Lead)]

    for _ in range(5):
        make_delivery(endpoint)
        make_lead(workspace)

    assert [_queries(console, model) for model in (Delivery, Lead)] == counted


def _queries(client: Client, model: type[Model]) -> int:
    with CaptureQueriesContext(connection) as queries:
        client.get(page(model))
    return len(queries)


# --- who may enter ------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.SALES_OPS, Role.REP, Role.VIEWER])
@pytest.mark.parametrize(
    "path", ["/admin/", "/admin/leads/lead/", "/admin/search/?s=l"]
)
def test_other_roles_may_not_enter(workspace, role, path) -> None:
    assert client_of(make_user(workspace, role)).get(path).status_code == 403


def test_who_belongs_to_no_workspace_may_not_enter() -> None:
    assert client_of(make_user()).get("/admin/").status_code == 403


@pytest.mark.parametrize("path", ["/admin/", "/admin/leads/lead/", "/admin/nowhere/"])
def test_strangers_are_sent_to_the_products_sign_in(client, path) -> None:
    answer = client.get(path)

    assert answer.status_code == 302
    assert answer["Location"].startswith("/accounts/login/?next=/admin/")


def test_there_is_no_second_sign_in_form(client, workspace) -> None:
    user = make_user(workspace, Role.ADMIN)

    answer = client.post(
        "/admin/login/", {"username": user.email, "password": PASSWORD}
    )

    assert answer["Location"].startswith("/accounts/login/")
    assert "_auth_user_id" not in client.session


def test_an_api_key_does_not_open_the_console(workspace) -> None:
    _, key = make_api_key(workspace, Role.ADMIN)
    rep = client_of(make_user(workspace, Role.REP))

    answer = rep.get("/admin/", headers={"authorization": f"Bearer {key}"})

    assert answer.status_code == 403


def test_the_overview_names_every_section_and_leads_back(console) -> None:
    text = console.get("/admin/").content.decode()

    for section in ("Records", "CRM sync", "Inbox", "Work", "Workspace"):
        assert section in text
    assert "Back to crmsync" in text


def test_only_the_console_may_evaluate_scripts(console) -> None:
    inside = console.get("/admin/")["Content-Security-Policy"]
    outside = console.get("/accounts/login/", follow=True)["Content-Security-Policy"]

    assert "unsafe-eval" in inside
    assert "frame-ancestors 'none'" in inside
    assert "unsafe-eval" not in outside


# --- secrets and side doors ---------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "lookup"),
    [
        (User, "password__startswith"),
        (ApiKey, "digest__startswith"),
        (ApiKey, "created_by__password__startswith"),
        (Endpoint, "token_digest__startswith"),
        (OAuthToken, "access__isnull"),
        (Lead, "owner__password__startswith"),
    ],
)
def test_nothing_can_be_filtered_by_a_secret(console, model, lookup) -> None:
    answer = console.get(page(model), {lookup: "a"})

    assert answer.status_code == 400


def test_a_filter_by_person_offers_only_members(workspace, console) -> None:
    stranger = make_user(make_workspace(), email="stranger@example.org")

    text = console.get(page(Lead)).content.decode()

    assert str(stranger) not in text


def test_the_deal_stage_of_an_endpoint_offers_only_our_stages(
    workspace, console
) -> None:
    endpoint = make_endpoint(workspace)
    other = make_ready_workspace()
    with scopes_disabled():
        foreign = Pipeline.objects.get(workspace=other).stages.first()
    assert foreign is not None
    data = {"name": "Renamed", "active": "on", "deal_stage": foreign.pk}

    answer = console.post(page(Endpoint, "change", endpoint.pk), data)

    refresh(endpoint)
    assert answer.status_code == 200
    assert "Select a valid choice" in answer.content.decode()
    assert endpoint.name != "Renamed"


def test_a_jump_to_any_objects_page_is_not_offered(console) -> None:
    assert console.get("/admin/r/1/1/").status_code == 404


def test_a_record_cannot_be_changed_past_the_services(workspace, console) -> None:
    lead = make_lead(workspace)

    answer = console.post(page(Lead, "change", lead.pk), {"first_name": "Mallory"})

    assert answer.status_code == 403
    refresh(lead)
    assert lead.first_name == "Lea"


# --- what can be done ---------------------------------------------------------------


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


# --- superusers ---------------------------------------------------------------------


def test_a_superuser_makes_the_first_workspace() -> None:
    boss = make_user(is_superuser=True)
    client = client_of(boss)
    data = {
        "name": "First",
        "slug": "first",
        "time_zone": "UTC",
        "phone_region": "US",
    }

    empty = client.get(page(Lead))
    client.post(page(Workspace, "add"), data)

    made = Workspace.objects.get(slug="first")
    assert empty.status_code == 200
    with scopes_disabled():
        assert Pipeline.objects.filter(workspace=made).exists()
        assert Membership.objects.get(workspace=made, user=boss).role == Role.ADMIN


def test_a_superuser_goes_from_workspace_to_workspace() -> None:
    one, other = make_workspace(), make_workspace()
    mine, theirs = make_lead(one), make_lead(other)
    client = client_of(make_user(is_superuser=True))

    before = client.get(page(Lead, "change", theirs.pk)).status_code
    act(client, Workspace, "enter", other)

    assert before == 404
    assert client.get(page(Lead, "change", theirs.pk)).status_code == 200
    assert client.get(page(Lead, "change", mine.pk)).status_code == 404


# --- deliveries ---------------------------------------------------------------------


def test_a_hostile_body_is_shown_as_text(workspace, console) -> None:
    body = b'<script>alert("x")</script>\x00\xff'
    delivery = make_delivery(
        make_endpoint(workspace),
        body=body,
        state=Delivery.State.FAILED,
        traceback='File "lgm.py", <boom>',
    )

    text = console.get(page(Delivery, "change", delivery.pk)).content.decode()

    assert '<script>alert("x")' not in text
    assert "&lt;script&gt;alert" in text
    assert r"\x00\xff" in text
    assert "&lt;boom&gt;" in text
