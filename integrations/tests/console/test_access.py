"""Who may enter the console, and that nothing leads past the services."""

from __future__ import annotations

import pytest
from django_scopes import scopes_disabled

from crmsync.core.models import (
    ApiKey,
    Membership,
    User,
    Workspace,
)
from crmsync.core.roles import Role
from crmsync.core.testing import PASSWORD, make_api_key, make_user, make_workspace
from integrations.models import Endpoint, OAuthToken
from integrations.testing import (
    make_endpoint,
)
from integrations.tests.console.ground import (
    act,
    client_of,
    page,
    refresh,
)
from leads.models import Lead, Pipeline
from leads.testing import make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db


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
