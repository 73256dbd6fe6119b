"""Sales ops choose on a page which forms are taken in."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.roles import Role
from crmsync.core.testing import make_user
from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.errors import PermissionMissing
from integrations.models import Connection, FormSource
from integrations.records import RemoteForm
from integrations.testing_forms import make_form_source

FORMS = (RemoteForm("g-1", "Contact us"), RemoteForm("g-2", "Newsletter"))


@pytest.fixture
def account(hubspot: Connection, monkeypatch: pytest.MonkeyPatch) -> Connection:
    """A connection whose account has two forms."""
    monkeypatch.setattr(HubSpotConnector, "forms", lambda self: FORMS)
    return hubspot


def signed_in(connection: Connection, role: Role = Role.SALES_OPS) -> Client:
    client = Client()
    client.force_login(make_user(connection.workspace, role=role))
    return client


def switch(client: Client, connection: Connection, **posted: str) -> int:
    path = reverse("form-switch", args=[connection.pk])
    return client.post(path, posted).status_code


def test_page_lists_the_account_s_forms(account: Connection) -> None:
    page = signed_in(account).get(reverse("connection-forms", args=[account.pk]))

    text = page.content.decode()
    assert "Contact us" in text
    assert "Newsletter" in text
    assert not FormSource.objects.exists()


def test_switching_on_takes_from_now_on_and_asks(account: Connection) -> None:
    before = queue.now()

    assert switch(signed_in(account), account, form="g-1", to="on") == 302

    form = FormSource.objects.get()
    assert (form.name, form.active, form.counts_as_reply) == ("Contact us", True, False)
    assert form.begins_at >= before
    assert WorkItem.objects.get(kind="form").key == str(form.pk)


def test_switching_on_may_take_the_last_month_as_well(account: Connection) -> None:
    client = signed_in(account)

    switch(client, account, form="g-1", to="on", past="on", reply="on")

    form = FormSource.objects.get()
    assert form.begins_at < queue.now() - timedelta(days=29)
    assert form.counts_as_reply


def test_form_renamed_there_keeps_its_name_here(account: Connection) -> None:
    make_form_source(account, remote_id="g-1", name="As it was", active=False)

    switch(signed_in(account), account, form="g-1", to="on")

    assert FormSource.objects.get().name == "As it was"


def test_switching_off_ends_the_poll(account: Connection) -> None:
    client = signed_in(account)
    switch(client, account, form="g-1", to="on")

    switch(client, account, form="g-1", to="off")

    assert not FormSource.objects.get().active
    assert WorkItem.objects.get(kind="form").state == "done"


def test_form_that_is_not_there_cannot_be_switched_on(account: Connection) -> None:
    assert switch(signed_in(account), account, form="g-9", to="on") == 404


def test_rep_may_not_switch(account: Connection) -> None:
    assert switch(signed_in(account, Role.REP), account, form="g-1", to="on") == 403


def test_page_says_which_scope_is_missing(
    hubspot: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(self: object) -> None:
        raise PermissionMissing("Not allowed")

    monkeypatch.setattr(HubSpotConnector, "forms", refused)

    page = signed_in(hubspot).get(reverse("connection-forms", args=[hubspot.pk]))

    assert "scope forms" in page.content.decode()
