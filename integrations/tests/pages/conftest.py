"""A workspace with one of everything, and people of each role who are signed in."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.test import Client

from crmsync.core.models import Workspace
from crmsync.core.roles import Role
from crmsync.core.scoping import in_workspace
from crmsync.core.testing import make_user
from integrations.testing import furnish
from leads.testing import make_ready_workspace

SignIn = Callable[[str], Client]


@pytest.fixture
def workspace(db: None) -> Workspace:
    return make_ready_workspace(name="Plumtree")


@pytest.fixture
def ids(workspace: Workspace) -> dict[str, int]:
    return furnish(workspace, "Quince")


@pytest.fixture
def inside(workspace: Workspace) -> Iterator[None]:
    with in_workspace(workspace):
        yield


@pytest.fixture
def sign_in(workspace: Workspace) -> SignIn:
    def signed_in(role: str) -> Client:
        client = Client()
        client.force_login(make_user(workspace, role))
        return client

    return signed_in


@pytest.fixture
def admin(sign_in: SignIn) -> Client:
    return sign_in(Role.ADMIN)
