"""Makes valid workspaces, people and keys for tests."""

from __future__ import annotations

import itertools
from typing import Any

from django_scopes import scopes_disabled
from rest_framework.test import APIClient

from crmsync.core.models import ApiKey, Membership, User, Workspace
from crmsync.core.roles import Role

PASSWORD = "a-long-password-for-tests"
_numbers = itertools.count(1)


def make_workspace(**given: Any) -> Workspace:
    """Store a workspace; `name` and `slug` are unique unless given."""
    number = next(_numbers)
    values = {"name": f"Workspace {number}", "slug": f"workspace-{number}", **given}
    return Workspace.objects.create(**values)


def make_user(
    workspace: Workspace | None = None, role: str = Role.ADMIN, **given: Any
) -> User:
    """Store a person who signs in with PASSWORD, a member of the workspace if given."""
    given = {"email": f"person-{next(_numbers)}@example.com", **given}
    user = User.objects.create_user(given.pop("email"), PASSWORD, **given)
    if workspace is not None:
        with scopes_disabled():
            Membership.objects.create(workspace=workspace, user=user, role=role)
    return user


def make_api_key(
    workspace: Workspace, role: str = Role.ADMIN, **given: Any
) -> tuple[ApiKey, str]:
    """Store a key; return it and the text to send."""
    key = ApiKey.new_key()
    values = {"name": "Test key", "prefix": key[:12], **given}
    with scopes_disabled():
        row = ApiKey.objects.create(
            workspace=workspace, role=role, digest=ApiKey.digest_of(key), **values
        )
    return row, key


def api_client(workspace: Workspace, role: str = Role.ADMIN) -> APIClient:
    """Return a client that speaks with a new key of the role."""
    _, key = make_api_key(workspace, role)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client
