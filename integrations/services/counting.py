"""Asks a CRM how many records it has, before anything of it is taken in."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.connectors.session import open_connector
from integrations.errors import SyncError
from integrations.models import ObjectMapping
from integrations.sync.calls import record as record_calls


@dataclass(frozen=True, slots=True)
class There:
    """How many records the CRM has. count None: it does not tell cheaply."""

    count: int | None = None
    trouble: str = ""


def count_there(mapping: ObjectMapping) -> There:
    """Count the records of a mapping's remote object; costs a call or two."""
    connector, calls = open_connector(mapping.connection)
    try:
        return There(count=connector.count(mapping.remote_object))
    except SyncError as error:
        return There(trouble=error.message or str(error))
    finally:
        record_calls(mapping.connection, calls.take())
