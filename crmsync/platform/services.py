"""Which database and broker a process really uses, and whether that was asked for."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from django.db import connection

# `bin/test` says here what it prepared, so that a fall-back cannot pass for it.
EXPECTED = "EXPECT_SERVICES"


def wanted_services(env: Mapping[str, str]) -> str:
    """Return what an environment asks for, e.g. `postgresql+redis`.

    >>> wanted_services({"DATABASE_URL": "postgres://db/x"})
    'postgresql+embedded'
    """
    database = "postgresql" if env.get("DATABASE_URL") else "sqlite"
    broker = "redis" if env.get("REDIS_URL") else "embedded"
    return f"{database}+{broker}"


def used_services() -> str:
    """Return what the settings came to, in the same words."""
    scheme = str(settings.CELERY_BROKER_URL).partition("://")[0]
    broker = "redis" if scheme in ("redis", "rediss") else "embedded"
    return f"{connection.vendor}+{broker}"
