"""Connections, mappings, links, the journal and the inbox."""

from integrations.models.apart import KeptApart
from integrations.models.conflict import Conflict
from integrations.models.connection import (
    ApiCall,
    Connection,
    OAuthState,
    OAuthToken,
    RemoteSchema,
)
from integrations.models.form import FormSource, HeldSubmission
from integrations.models.link import Link, LinkAlias, SyncEntry
from integrations.models.mapping import FieldMapping, ObjectMapping
from integrations.models.run import Cursor, Run
from integrations.models.told import ToldValue
from integrations.models.webhook import Delivery, Endpoint, Event

__all__ = [
    "ApiCall",
    "Conflict",
    "Connection",
    "Cursor",
    "Delivery",
    "Endpoint",
    "Event",
    "FieldMapping",
    "FormSource",
    "HeldSubmission",
    "KeptApart",
    "Link",
    "LinkAlias",
    "OAuthState",
    "OAuthToken",
    "ObjectMapping",
    "RemoteSchema",
    "Run",
    "SyncEntry",
    "ToldValue",
]
