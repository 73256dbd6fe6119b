"""Reads one event of a HubSpot webhook: which record it names, and what befell it.

PURE. Tolerant: an unknown kind of event about a known record still is a reason to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, TypeGuard

from integrations.connectors.hubspot.spec import SPEC
from integrations.webhooks import reading
from integrations.webhooks.base import Hint, HintKind

Event = Mapping[str, object]

_OBJECTS = {
    "contact": "contacts",
    "company": "companies",
    "deal": "deals",
    "ticket": "tickets",
    "product": "products",
    "line_item": "line_items",
}
_EVENTS = ("creation", "deletion", "merge", "restore", "associationChange")
_CHANGE = "propertyChange"
# guide webhooks: of these no changes are told.
_UNTOLD = frozenset({"hs_lastmodifieddate", "num_unique_conversion_events"})
# Events of "object." name the object by its type's id.
_BY_TYPE = {facts.type_id: name for name, facts in SPEC.objects.items()}
_BY_TYPE |= {"0-5": "tickets", "0-7": "products", "0-8": "line_items"}
_KINDS: Mapping[str, HintKind] = {
    "deletion": "deleted",
    "privacyDeletion": "deleted",
    "merge": "merged",
    "restore": "restored",
    "associationChange": "association",
}
# An event's id alone is not unique, and the attempt is not part of what happened.
_IDENTITY = (
    "portalId",
    "subscriptionId",
    "eventId",
    "objectId",
    "fromObjectId",
    "toObjectId",
    "propertyName",
    "occurredAt",
)


def is_event(payload: object) -> TypeGuard[Event]:
    """Tell whether this is an event: it says what happened, and in which account."""
    return isinstance(payload, Mapping) and bool(_type(payload) and portal_of(payload))


def portal_of(event: Event) -> str:
    """Return the id of the account."""
    return _number(event.get("portalId"))


def identity(event: object) -> str:
    """Return the same text for the same event, whichever attempt brings it."""
    if not is_event(event):
        return reading.canonical(event)
    return reading.canonical([_type(event), *(event.get(one) for one in _IDENTITY)])


def hints_of(event: Event, received_at: datetime) -> list[Hint]:
    """Return what an event says; nothing when it names no record."""
    prefix, _, what = _type(event).partition(".")
    kind = _KINDS.get(what, "changed")
    common: dict[str, Any] = {
        "remote_object": _object(event, prefix),
        "at": reading.as_time(event.get("occurredAt"), fallback=received_at),
        "origin": reading.as_text(event.get("changeSource"), limit=60),
    }
    if kind == "merged":
        return _merged(event, common)
    name = "objectId"
    if kind == "association":
        name, common["other_id"] = "fromObjectId", _number(event.get("toObjectId"))
    remote_id = _number(event.get(name)) or _number(event.get("objectId"))
    if not remote_id:
        return []
    return [Hint(remote_id=remote_id, kind=kind, fields=_fields(event), **common)]


def subscriptions(remote_object: str, fields: Iterable[str]) -> list[str]:
    """Return the events of an object and of its properties, as HubSpot names them.

    >>> subscriptions("contacts", ["email"])[-2:]
    ['contact.associationChange', 'contact.propertyChange:email']
    """
    prefix = next((p for p, name in _OBJECTS.items() if name == remote_object), "")
    type_ids = (one for one, name in _BY_TYPE.items() if name == remote_object)
    place = "" if prefix else f" ({next(type_ids, remote_object)})"
    told = [one for one in fields if one not in _UNTOLD]
    whats = [*_EVENTS, *(f"{_CHANGE}:{one}" for one in told)]
    return [f"{prefix or 'object'}.{what}{place}" for what in whats]


def _merged(event: Event, common: dict[str, Any]) -> list[Hint]:
    """Return one hint for each record that went into another."""
    others = event.get("mergedObjectIds")
    known = [event.get(one) for one in ("newObjectId", "primaryObjectId", "objectId")]
    known += others if isinstance(others, list) else []
    # The record that is left may be a new one, and then its parents are both gone.
    ids = list(dict.fromkeys(filter(None, map(_number, known))))
    if len(ids) < 2:
        return [Hint(remote_id=one, kind="changed", **common) for one in ids]
    left, *gone = ids
    return [Hint(remote_id=one, kind="merged", other_id=left, **common) for one in gone]


def _type(event: Event) -> str:
    told = event.get("subscriptionType") or event.get("eventType")
    return reading.as_text(told, limit=80)


def _object(event: Event, prefix: str) -> str:
    if prefix != "object":
        return _OBJECTS.get(prefix, prefix)
    told = event.get("objectTypeId") or event.get("fromObjectTypeId")
    type_id = reading.as_text(told, limit=60)
    return _BY_TYPE.get(type_id, type_id)


def _fields(event: Event) -> dict[str, str | None]:
    name, value = reading.as_text(event.get("propertyName")), event.get("propertyValue")
    if not name or not isinstance(value, str):
        return {}
    return {name: value or None}


def _number(value: object) -> str:
    text = reading.as_text(value, limit=25)
    return text if text.isascii() and text.isdigit() else ""
