"""Connections, mappings, links, the journal and the inbox."""

from integrations.models.connection import (
    ApiCall,
    Connection,
    OAuthState,
    OAuthToken,
    RemoteSchema,
)
from integrations.models.link import Link, SyncEntry
from integrations.models.mapping import FieldMapping, ObjectMapping
from integrations.models.webhook import Delivery, Endpoint, Event

__all__ = [
    "ApiCall",
    "Connection",
    "Delivery",
    "Endpoint",
    "Event",
    "FieldMapping",
    "Link",
    "OAuthState",
    "OAuthToken",
    "ObjectMapping",
    "RemoteSchema",
    "SyncEntry",
]
