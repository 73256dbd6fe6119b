"""The cache while its server is away."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from crmsync.core.testing import PASSWORD, make_user, make_workspace
from crmsync.platform.ports import LOOPBACK, any_free


@pytest.fixture
def no_cache(settings: Any) -> None:
    """A cache whose server does not answer."""
    away = {
        **settings.CACHES["default"],
        "LOCATION": f"redis://{LOOPBACK}:{any_free()}",
    }
    settings.CACHES = {"default": away}


@pytest.mark.usefixtures("db", "no_cache")
def test_people_can_sign_in_while_the_cache_is_away(client: Client) -> None:
    user = make_user(make_workspace(), role="rep")

    answer = client.post(
        "/accounts/login/", {"login": user.email, "password": PASSWORD}
    )

    assert answer.status_code == 302
    assert client.session["_auth_user_id"] == str(user.pk)
