"""Connects the demo to a simulated CRM and sends it everything, failures and all.

The failures are real ones: the simulator's own refusals, a mapping that does not know
a value, and what has to wait for either.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings

from crmsync.core.models import Workspace
from crmsync.core.services import Actor
from integrations.models import Connection, FieldMapping, ObjectMapping
from integrations.services import connect_with_token
from integrations.services.mappings import RowValues, change_mapping
from integrations.services.setup import set_up_due
from integrations.sync import outbox, push
from leads.facts import Origin
from leads.models import Activity, Company, CustomField, Deal, Lead
from leads.services import customfields, records
from leads.services.records import Edit

TOKEN = "pat-demo-token"
_REAL = "hubapi.com"
# "lost" is missing: the kind of gap that a sales-ops person finds on the errors page.
_STATUSES = {
    "new": "NEW",
    "contacted": "ATTEMPTED_TO_CONTACT",
    "replied": "CONNECTED",
    "qualified": "IN_PROGRESS",
    "customer": "OPEN_DEAL",
}
_EXTRA = (
    RowValues("status", "hs_lead_status", values=_STATUSES),
    RowValues("custom.language", "hs_language"),
)
_LANGUAGES = ("en", "de", "fr")
# Taken by us, not by the CRM.
_UNKNOWN_LANGUAGE = "gsw"


class NotReachable(Exception):
    """There is no simulator to connect to; says where it was looked for."""


def reachable() -> None:
    """Raise NotReachable unless something other than the real vendor answers."""
    parts = urlsplit(settings.HUBSPOT_API_URL)
    host = parts.hostname or ""
    if host.endswith(_REAL):
        raise NotReachable(f"HUBSPOT_API_URL is the real HubSpot ({host})")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError as error:
        raise NotReachable(f"nobody answers at {settings.HUBSPOT_API_URL}") from error


def connect(workspace: Workspace) -> Connection:
    """Connect the simulator and set the connection up. Raises ConnectionRefused."""
    connection = connect_with_token(
        workspace, vendor="hubspot", name="HubSpot", token=TOKEN
    )
    set_up_due()
    connection.refresh_from_db()
    return connection


def make_trouble(workspace: Workspace, connection: Connection) -> None:
    """Map owners and two more fields; give a few people values the CRM refuses."""
    if not CustomField.objects.filter(name="language").exists():
        customfields.define(
            workspace,
            Actor(),
            record_type="lead",
            name="language",
            label="Language",
            type="text",
        )
    owners = _owners(workspace, connection)
    for mapping in ObjectMapping.objects.filter(connection=connection):
        rows = [_as_values(row, owners) for row in mapping.rows.all()]
        known = {row.destination for row in rows}
        extra = _EXTRA if mapping.record_type == "lead" else ()
        rows += [row for row in extra if row.destination not in known]
        change_mapping(mapping, Actor(), {}, rows=rows)
    _give_values(workspace)


def _owners(workspace: Workspace, connection: Connection) -> dict[str, str]:
    """Return whom of the CRM's people each of ours is there: e-mail -> owner id."""
    ours = workspace.memberships.order_by("pk").values_list("user__email", flat=True)
    theirs = [owner["id"] for owner in connection.owners]
    return dict(zip(ours, theirs, strict=False))


def _as_values(row: FieldMapping, owners: Mapping[str, str]) -> RowValues:
    return RowValues(
        source=row.source,
        destination=row.destination,
        transform=row.transform,
        values=owners if row.source == "owner_email" else row.values,
        default=row.default,
        clear_blanks=row.clear_blanks,
        active=row.active,
    )


def _give_values(workspace: Workspace) -> None:
    engaged = list(
        Lead.objects.filter(status="replied")
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    origin = Origin("import", label="Imported list")
    foreign, usual = engaged[:4], engaged[4:40]
    edits = [Edit(pk, {"custom": {"language": _UNKNOWN_LANGUAGE}}) for pk in foreign]
    edits += [
        Edit(pk, {"custom": {"language": _LANGUAGES[pk % len(_LANGUAGES)]}})
        for pk in usual
    ]
    records.update(workspace, "lead", edits, origin=origin)


def send_everything(workspace: Workspace, connection: Connection) -> None:
    """Queue every record of the active mappings and push until nothing is due."""
    for mapping in ObjectMapping.objects.filter(connection=connection, active=True):
        ids = _MODELS[mapping.record_type].objects.order_by("pk")
        outbox.queue_records(workspace, mapping, ids.values_list("pk", flat=True))
    push.push_due()


_MODELS: dict[str, type[Lead | Company | Deal | Activity]] = {
    "lead": Lead,
    "company": Company,
    "deal": Deal,
    "activity": Activity,
}
