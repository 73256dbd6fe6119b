"""Lets the simulated CRMs tell what changes in them, so that it is here in seconds."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings

from crmsync.core.models import Workspace
from crmsync.core.services import Actor
from integrations.demo.simulated import Simulated
from integrations.models import Connection, Endpoint, ObjectMapping
from integrations.services.endpoints import create_endpoint
from integrations.webhooks.endpoints import secrets_of
from integrations.webhooks.sources.salesforce import SECRET
from integrations.webhooks.wanted import subscriptions_of

# What the simulated HubSpot signs with.
_APP_SECRET = "demo-client-secret"
_NEAR = frozenset({"127.0.0.1", "localhost", "::1"})


def listen(workspace: Workspace, connections: Mapping[str, Connection]) -> bool:
    """Give each simulator our address; return False where it could not reach us.

    Raises NotReachable.
    """
    if urlsplit(settings.PUBLIC_URL).hostname not in _NEAR:
        return False
    for vendor, connection in connections.items():
        _TELL[vendor](Simulated(vendor), _endpoint(workspace, connection))
    return True


def _endpoint(workspace: Workspace, connection: Connection) -> Endpoint:
    found = Endpoint.objects.filter(connection=connection).first()
    if found is not None:
        return found
    own = secrets.token_urlsafe(24)
    secret = _APP_SECRET if connection.vendor == "hubspot" else own
    values = {
        "source": connection.vendor,
        "name": f"Changes in {connection.name}",
        "connection_id": connection.pk,
        "secrets": [secret],
    }
    return create_endpoint(workspace, Actor(), values)


def _tell_hubspot(simulated: Simulated, endpoint: Endpoint) -> None:
    wanted = subscriptions_of(endpoint)
    body = {"target_url": endpoint.url, "subscriptions": wanted}
    simulated.control("webhooks", body)


def _tell_salesforce(simulated: Simulated, endpoint: Endpoint) -> None:
    mappings = ObjectMapping.objects.filter(connection=endpoint.connection)
    both = mappings.filter(direction=ObjectMapping.Direction.BOTH)
    body = {
        "name": "crmsync",
        "url": endpoint.url,
        "objects": sorted(both.values_list("remote_object", flat=True)),
        "headers": {SECRET: secrets_of(endpoint)[0]},
        "batch": 100,
    }
    simulated.control("events", body)


_TELL = {"hubspot": _tell_hubspot, "salesforce": _tell_salesforce}
