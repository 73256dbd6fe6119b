"""A workspace, and a browser of its admin."""

from __future__ import annotations

import pytest
from django.test import Client

from crmsync.core.models import Workspace
from crmsync.core.roles import Role
from crmsync.core.testing import make_user
from integrations.tests.console.ground import client_of
from leads.testing import make_ready_workspace


@pytest.fixture
def workspace() -> Workspace:
    return make_ready_workspace()


@pytest.fixture
def console(workspace: Workspace) -> Client:
    """A browser of an admin of the workspace."""
    return client_of(make_user(workspace, Role.ADMIN))
