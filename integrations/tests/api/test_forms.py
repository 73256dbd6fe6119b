"""Programs see which forms there are, and choose which are taken in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from crmsync.core import queue
from crmsync.core.models import AuditEntry, WorkItem, Workspace
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import api_client
from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.errors import PermissionMissing
from integrations.models import Connection, FormSource
from integrations.records import RemoteForm
from integrations.testing import make_connection
from integrations.testing_forms import make_form_source
from leads.testing import make_ready_workspace

pytestmark = pytest.mark.django_db
FORMS = (RemoteForm("g-1", "Contact us"), RemoteForm("g-2", "Newsletter"))
OFF = {
    "active": False,
    "counts_as_reply": False,
    "failing": False,
    "stopped": "",
    "count": 0,
    "nameless": 0,
    "last_at": None,
    "taken_until": None,
    "row_id": None,
}


@pytest.fixture
def workspace() -> Workspace:
    return make_ready_workspace()


@pytest.fixture
def connection(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A connection whose account has two forms."""
    monkeypatch.setattr(HubSpotConnector, "forms", lambda self: FORMS)
    return make_connection(workspace)


@pytest.fixture
def ops(workspace: Workspace) -> APIClient:
    return api_client(workspace, "sales_ops")


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the account show no forms."""

    def refuse(self: object) -> None:
        raise PermissionMissing("Not allowed")

    monkeypatch.setattr(HubSpotConnector, "forms", refuse)


def forms_of(client: APIClient, connection: Connection) -> Any:
    return client.get(f"/api/v1/connections/{connection.pk}/forms/")


def switch(
    client: APIClient, connection: Connection, remote_id: str, **body: Any
) -> Any:
    path = f"/api/v1/connections/{connection.pk}/forms/{remote_id}/"
    return client.post(path, body, format="json")


def stored(connection: Connection) -> FormSource:
    with in_workspace(connection.workspace):
        return FormSource.objects.get()


def test_forms_are_listed_with_their_state(
    connection: Connection, ops: APIClient
) -> None:
    form = make_form_source(connection, remote_id="g-2", name="News", count=3)

    answer = forms_of(ops, connection)

    assert answer.status_code == 200
    first, second = answer.json()["forms"]
    assert answer.json()["problem"] == ""
    assert (first["name"], first["active"], first["count"]) == ("News", True, 3)
    assert first["taken_until"] is not None
    assert second == {"remote_id": "g-1", "name": "Contact us", **OFF}
    assert form.remote_id == first["remote_id"]


def test_account_that_cannot_be_asked_says_why_and_lists_what_is_known(
    connection: Connection, ops: APIClient, refused: None
) -> None:
    make_form_source(connection, name="Known")

    told = forms_of(ops, connection).json()

    assert [one["name"] for one in told["forms"]] == ["Known"]
    assert "scope forms" in told["problem"]


def test_switching_on_takes_in_what_is_asked_for(
    connection: Connection, ops: APIClient
) -> None:
    body = {"active": True, "counts_as_reply": True, "with_past": True}

    answer = switch(ops, connection, "g-1", **body)

    assert answer.status_code == 200
    form = stored(connection)
    assert (form.name, form.active, form.counts_as_reply) == ("Contact us", True, True)
    assert form.begins_at < queue.now() - timedelta(days=29)
    with in_workspace(connection.workspace):
        item = WorkItem.objects.get(kind="form")
        assert AuditEntry.objects.filter(action="form.switched_on").count() == 1
    assert answer.json()["row_id"] == item.pk


def test_switching_on_without_more_takes_from_now_on(
    connection: Connection, ops: APIClient
) -> None:
    before = queue.now()

    switch(ops, connection, "g-1", active=True)

    form = stored(connection)
    assert (form.begins_at >= before, form.counts_as_reply) == (True, False)


@pytest.mark.parametrize(
    ("body", "counts"), [({}, True), ({"counts_as_reply": False}, False)]
)
def test_one_that_is_on_keeps_what_is_not_said(
    connection: Connection, ops: APIClient, body: dict[str, bool], counts: bool
) -> None:
    make_form_source(connection, remote_id="g-1", counts_as_reply=True)

    switch(ops, connection, "g-1", active=True, **body)

    assert stored(connection).counts_as_reply is counts


def test_switching_off_asks_no_more(connection: Connection, ops: APIClient) -> None:
    switch(ops, connection, "g-1", active=True)

    answer = switch(ops, connection, "g-1", active=False)

    assert (answer.status_code, answer.json()["active"]) == (200, False)
    with in_workspace(connection.workspace):
        assert WorkItem.objects.get(kind="form").state == "done"


@pytest.mark.parametrize("active", [True, False])
def test_form_that_is_not_there_is_not_found(
    connection: Connection, ops: APIClient, active: bool
) -> None:
    assert switch(ops, connection, "g-9", active=active).status_code == 404


def test_switching_on_what_cannot_be_asked_for_is_a_conflict_that_says_why(
    connection: Connection, ops: APIClient, refused: None
) -> None:
    answer = switch(ops, connection, "g-1", active=True)

    assert answer.status_code == 409
    assert "scope forms" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize("body", [{}, {"active": "perhaps"}, {"active": 1, "on": 1}])
def test_body_that_says_something_else_is_refused(
    connection: Connection, ops: APIClient, body: dict[str, Any]
) -> None:
    assert switch(ops, connection, "g-1", **body).status_code == 400


def test_crm_without_forms_has_none(workspace: Workspace, ops: APIClient) -> None:
    salesforce = make_connection(workspace, vendor="salesforce")

    assert forms_of(ops, salesforce).status_code == 404
    assert switch(ops, salesforce, "g-1", active=True).status_code == 404


def test_connection_of_another_workspace_is_not_found(connection: Connection) -> None:
    stranger = api_client(make_ready_workspace(name="Other"), "admin")

    assert forms_of(stranger, connection).status_code == 404
    assert switch(stranger, connection, "g-1", active=True).status_code == 404
