"""A run on services that silently fell back is a failure."""

from __future__ import annotations

import os

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection

from crmsync.platform.services import EXPECTED, wanted_services


def expected() -> list[str]:
    return (os.environ.get(EXPECTED) or wanted_services(os.environ)).split("+")


@pytest.mark.django_db
def test_the_database_is_the_one_asked_for() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")

    assert connection.vendor == expected()[0]


def test_the_broker_is_the_one_asked_for() -> None:
    scheme = settings.CELERY_BROKER_URL.partition("://")[0]

    assert ("redis" if scheme in ("redis", "rediss") else "embedded") == expected()[1]


@pytest.mark.skipif(not os.environ.get(EXPECTED), reason="bin/test starts the broker")
def test_the_cache_behind_the_broker_answers() -> None:
    cache.set("services", "there", timeout=5)

    assert cache.get("services") == "there"
