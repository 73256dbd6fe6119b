"""Addresses that take webhooks: made, changed, closed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db import transaction

from crmsync.core.models import Workspace
from crmsync.core.services import Actor, Refused, audit
from integrations.models import Connection, Endpoint
from integrations.webhooks.base import Source
from integrations.webhooks.endpoints import secrets_of
from integrations.webhooks.sources import SOURCES
from leads.models import Stage

MAX_ENDPOINTS = 200


@transaction.atomic
def create_endpoint(
    workspace: Workspace, actor: Actor, values: Mapping[str, object]
) -> Endpoint:
    """Store a new address; `Endpoint.url` is what the source is given.

    values: source, name, and perhaps secrets (newest first), deal_stage_id; for a CRM
    connection_id. Raises Refused.
    """
    source = SOURCES.get(str(values.get("source", "")))
    if source is None:
        raise Refused("source", f"There is no source but {', '.join(SOURCES)}.")
    if Endpoint.objects.count() >= MAX_ENDPOINTS:
        raise Refused("non_field_errors", f"At most {MAX_ENDPOINTS} endpoints.")
    token = Endpoint.new_token()
    endpoint = Endpoint(
        workspace=workspace,
        source=source.name,
        connection=_connection(source, values.get("connection_id")),
        token=token,
        token_digest=Endpoint.digest_of(token),
    )
    _fill(endpoint, {"name": source.label, **values})
    endpoint.save()
    audit(workspace, actor, "endpoint.created", target=endpoint)
    return endpoint


@transaction.atomic
def change_endpoint(
    endpoint: Endpoint, actor: Actor, values: Mapping[str, object]
) -> Endpoint:
    """Change name, active, secrets or deal_stage_id. Raises Refused."""
    _fill(endpoint, values)
    endpoint.save()
    audit(
        endpoint.workspace,
        actor,
        "endpoint.changed",
        target=endpoint,
        details={"fields": sorted(values)},
    )
    return endpoint


def _fill(endpoint: Endpoint, values: Mapping[str, object]) -> None:
    if "name" in values:
        endpoint.name = str(values["name"]).strip()[:100] or endpoint.source
    if "active" in values:
        endpoint.active = bool(values["active"])
    if "secrets" in values:
        endpoint.secrets = _secrets(values["secrets"])
    if "deal_stage_id" in values:
        endpoint.deal_stage = _stage(values["deal_stage_id"])
    if SOURCES[endpoint.source].signs and not secrets_of(endpoint):
        raise Refused("secrets", "This source signs; give the secret it signs with.")


def _connection(source: Source, connection_id: object) -> Connection | None:
    """Return the connection whose changes are told, None for a source that is no CRM.

    Where nothing is signed, the id of the account is all that tells it from others.
    """
    if not source.vendor:
        if connection_id is None:
            return None
        raise Refused("connection_id", f"{source.label} belongs to no connection.")
    gone = Connection.Status.DISCONNECTED
    known = Connection.objects.filter(vendor=source.vendor).exclude(status=gone)
    if not source.signs:
        known = known.exclude(account_id="")
    given = str(connection_id)
    found = known.filter(pk=given).first() if given.isdecimal() else None
    if found is None:
        told = f"Choose which {source.label} connection it is told about."
        raise Refused("connection_id", told)
    return found


def _secrets(given: object) -> str:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise Refused("secrets", "Give a list of secrets, the newest first.")
    found = [str(one).strip() for one in given]
    if any(not one or "\n" in one for one in found):
        raise Refused("secrets", "A secret is one line and not empty.")
    return "\n".join(found)


def _stage(stage_id: object) -> Stage | None:
    if stage_id is None:
        return None
    stage = Stage.objects.filter(pk=str(stage_id)).first()
    if stage is None:
        raise Refused("deal_stage_id", f"This workspace has no stage {stage_id}.")
    return stage
