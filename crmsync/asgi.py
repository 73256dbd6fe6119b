"""The ASGI entry: webhooks go the fast way in, everything else goes to Django."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crmsync.settings")
# Each request runs in a thread of its own, so connections come from a pool here.
os.environ.setdefault("DB_POOL_MAX", "16")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

# Needs the models, so only after Django is set up.
from integrations.webhooks.ingest import IngestApplication  # noqa: E402

ingest_application = IngestApplication()

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]


async def application(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Route one ASGI scope by its path."""
    if scope["type"] == "lifespan":
        await ingest_application.lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"].startswith("/webhooks/"):
        await ingest_application(scope, receive, send)
    else:
        await django_application(scope, receive, send)
