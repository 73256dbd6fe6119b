"""The command a new installation begins with."""

from __future__ import annotations

import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django_scopes import scopes_disabled

from crmsync.core.models import Membership, User, Workspace
from leads.models import Pipeline

pytestmark = pytest.mark.django_db


def test_first_admin_can_choose_a_password_by_the_printed_link(client: Client) -> None:
    said = StringIO()

    call_command("create_workspace", "Our team", admin="you@example.com", stdout=said)

    found = re.search(r"http://[^/]+(/\S+)", said.getvalue())
    assert found
    assert client.get(found.group(1), follow=True).status_code == 200
    with scopes_disabled():
        assert Membership.objects.get().role == "admin"
        assert Pipeline.objects.filter(is_default=True).exists()


def test_name_that_is_taken_is_refused_and_leaves_nothing() -> None:
    call_command(
        "create_workspace", "Our team", admin="a@example.com", stdout=StringIO()
    )

    with pytest.raises(CommandError, match="already"):
        call_command("create_workspace", "Our team", admin="b@example.com")

    assert Workspace.objects.count() == 1
    assert not User.objects.filter(email="b@example.com").exists()


def test_admin_must_be_an_address() -> None:
    with pytest.raises(CommandError, match="not an e-mail"):
        call_command("create_workspace", "Our team", admin="nobody")

    assert not Workspace.objects.exists()
