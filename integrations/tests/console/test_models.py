"""Every model in the console: listed, shown, of one workspace, and safely."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crmsync.core.models import (
    Membership,
    Workspace,
)
from crmsync.core.roles import Role
from crmsync.core.testing import make_user
from integrations.models import Delivery
from integrations.testing import (
    make_delivery,
    make_endpoint,
)
from integrations.tests.console.ground import (
    CANARY,
    client_of,
    make_full_workspace,
    page,
)
from leads.models import Lead
from leads.testing import make_lead, make_ready_workspace

pytestmark = pytest.mark.django_db
OURS = [
    model
    for label in ("core", "leads", "integrations")
    for model in apps.get_app_config(label).get_models()
]


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
