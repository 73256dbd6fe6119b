"""What the history of our own records tells a comparison.

What passed in a CRM is no part of it: our records never had that.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from crmsync.core.models import User
from integrations.models import ObjectMapping
from leads.matching import normal_linkedin
from leads.models import Change
from leads.models.lead import lead_linkedin_url

# What history calls a field, where that is not what mappings call it.
_STORED = {"linkedin_url": "linkedin_id", "owner_email": "owner_id"}


@dataclass(frozen=True, slots=True)
class Replaced:
    """A value that a field of ours no longer has, and since when."""

    value: object
    at: datetime


def stored_name(source: str) -> str:
    """Return what history calls a field of ours."""
    return _STORED.get(source, source)


def worded(source: str, value: object) -> object:
    """Return a value of history as mappings say it."""
    if source == "linkedin_url" and isinstance(value, str) and "/" not in value:
        return lead_linkedin_url(value)
    return value


def stored(source: str, value: object) -> object:
    """Return a value of a mapping as history says it; an owner stays an e-mail."""
    if source == "linkedin_url" and isinstance(value, str):
        return normal_linkedin(value) or value
    return value


def hub_times(
    record_type: str, record_ids: Collection[int]
) -> dict[tuple[int, str], tuple[datetime, str]]:
    """Return (record, stored field) -> when it last changed, and by whom.

    What a CRM brought changed when it was entered there, not when it was read.
    """
    rows = _ours(record_type, record_ids)
    told: dict[tuple[int, str], tuple[datetime, str]] = {}
    rows = rows.annotate(entered_at=Coalesce("said_at", "at")).order_by("id")
    for record_id, fields, at, by in rows.values_list(
        "record_id", "fields", "entered_at", "origin_label"
    ):
        told |= {(record_id, name): (at, by) for name in fields}
    return told


def replaced(
    record_type: str, record_ids: Collection[int], *, since: datetime
) -> dict[tuple[int, str], list[Replaced]]:
    """Return (record, stored field) -> the values it has lost since."""
    rows = _ours(record_type, record_ids).filter(at__gte=since)
    told: dict[tuple[int, str], list[Replaced]] = {}
    for record_id, fields, at in rows.values_list("record_id", "fields", "at"):
        for name, (old, _) in fields.items():
            told.setdefault((record_id, name), []).append(Replaced(old, at))
    return told


def last_changes(
    mapping: ObjectMapping, record_ids: Collection[int], *, since: datetime
) -> dict[tuple[int, str], str]:
    """Return (record, stored field) -> the other connection that changed it last.

    "" when it was anybody else; what the mapping's own connection brought counts not.
    """
    here = Q(origin_kind="connection", origin_label=mapping.connection.name)
    rows = _ours(mapping.record_type, record_ids).filter(at__gte=since).exclude(here)
    columns = ("record_id", "fields", "origin_kind", "origin_label")
    told: dict[tuple[int, str], str] = {}
    for record_id, fields, kind, by in rows.order_by("id").values_list(*columns):
        name = by if kind == "connection" else ""
        told |= {(record_id, one): name for one in fields}
    return told


def _ours(record_type: str, record_ids: Collection[int]) -> QuerySet[Change]:
    rows = Change.objects.filter(record_type=record_type, record_id__in=record_ids)
    return rows.exclude(action=Change.Action.PASSED)


@dataclass(frozen=True, slots=True)
class Brought:
    """A step of a field that a CRM brought, or that passed there; owners by e-mail."""

    old: object
    new: object
    at: datetime
    passed: bool


def brought(
    mapping: ObjectMapping, record_ids: Collection[int], *, since: datetime
) -> dict[tuple[int, str], list[Brought]]:
    """Return (record, stored field) -> what its connection brought since, in order."""
    rows = Change.objects.filter(
        record_type=mapping.record_type,
        record_id__in=record_ids,
        action__in=[Change.Action.UPDATED, Change.Action.PASSED],
        origin_kind="connection",
        origin_label=mapping.connection.name,
        at__gte=since,
    )
    columns = ("record_id", "fields", "at", "action")
    steps = list(rows.order_by("at", "id").values_list(*columns))
    ids = {one for _, fields, *_ in steps for one in fields.get("owner_id", ())}
    owners = _emails({one for one in ids if isinstance(one, int)})
    told: dict[tuple[int, str], list[Brought]] = {}
    for record_id, fields, at, action in steps:
        for name, (old, new) in fields.items():
            if name == "owner_id":
                old, new = owners.get(old, old), owners.get(new, new)
            step = Brought(old, new, at, passed=action == Change.Action.PASSED)
            told.setdefault((record_id, name), []).append(step)
    return told


def _emails(user_ids: Collection[int]) -> dict[int, str]:
    rows = User.objects.filter(pk__in=user_ids) if user_ids else User.objects.none()
    return {pk: email.lower() for pk, email in rows.values_list("pk", "email")}
