"""Makes valid connections, mappings, deliveries and work items for tests."""

from __future__ import annotations

import itertools
from typing import Any

from django.utils import timezone
from django_scopes import scopes_disabled

from crmsync.core import testing as core
from crmsync.core.models import (
    AuditEntry,
    Channel,
    Membership,
    User,
    WorkItem,
    Workspace,
)
from crmsync.core.models.work import State
from crmsync.core.scoping import workspace_channel
from integrations.models import (
    ApiCall,
    Conflict,
    Connection,
    Cursor,
    Delivery,
    Endpoint,
    Event,
    FieldMapping,
    KeptApart,
    Link,
    LinkAlias,
    OAuthState,
    OAuthToken,
    ObjectMapping,
    RemoteSchema,
    Run,
    SyncEntry,
    ToldValue,
)
from integrations.testing_forms import make_form_source, make_held_submission
from leads import testing as leads

_numbers = itertools.count(1)


@scopes_disabled()
def make_connection(workspace: Workspace, **given: Any) -> Connection:
    """Store a working HubSpot connection with a token."""
    number = next(_numbers)
    values = {
        "vendor": "hubspot",
        "name": "HubSpot",
        "auth": Connection.Auth.TOKEN,
        "status": Connection.Status.ACTIVE,
        "account_id": str(4000 + number),
        **given,
    }
    connection = Connection.objects.create(workspace=workspace, **values)
    connection.channel = Channel.objects.create(name=f"connection:{connection.pk}")
    connection.save(update_fields=["channel"])
    OAuthToken.objects.create(connection=connection, access=f"secret-token-{number}")
    return connection


@scopes_disabled()
def make_mapping(
    connection: Connection, *, rows: tuple[tuple[str, str], ...] = (), **given: Any
) -> ObjectMapping:
    """Store an active mapping of leads to contacts. rows: (our field, theirs)."""
    values = {
        "record_type": "lead",
        "remote_object": "contacts",
        "match_field": "email",
        "active": True,
        **given,
    }
    mapping = ObjectMapping.objects.create(
        workspace=connection.workspace, connection=connection, **values
    )
    FieldMapping.objects.bulk_create(
        FieldMapping(
            mapping=mapping, position=position, source=ours, destination=theirs
        )
        for position, (ours, theirs) in enumerate(rows or (("email", "email"),))
    )
    return mapping


@scopes_disabled()
def make_endpoint(workspace: Workspace, **given: Any) -> Endpoint:
    """Store an active La Growth Machine endpoint."""
    token = given.pop("token", "") or Endpoint.new_token()
    values = {"source": "lgm", "name": "La Growth Machine", **given}
    return Endpoint.objects.create(
        workspace=workspace,
        token=token,
        token_digest=Endpoint.digest_of(token),
        **values,
    )


@scopes_disabled()
def make_delivery(endpoint: Endpoint, **given: Any) -> Delivery:
    """Store a processed delivery."""
    number = next(_numbers)
    body = given.pop("body", b'{"event": "reply"}')
    values = {
        "received_at": timezone.now(),
        "method": "POST",
        "headers": {"content-type": "application/json"},
        "state": Delivery.State.PROCESSED,
        "dedupe_key": f"key-{number}",
        "trace_id": f"trace-{number}",
        **given,
    }
    return Delivery.objects.create(
        workspace=endpoint.workspace,
        endpoint=endpoint,
        body=body,
        size=len(body),
        **values,
    )


@scopes_disabled()
def make_event(delivery: Delivery, **given: Any) -> Event:
    """Store an event of a delivery."""
    values = {
        "kind": "reply",
        "key": f"event-{next(_numbers)}",
        "outcome": "recorded",
        **given,
    }
    return Event.objects.create(
        workspace=delivery.workspace, delivery=delivery, **values
    )


@scopes_disabled()
def make_link(connection: Connection, *, record_id: int, **given: Any) -> Link:
    """Store a link of a lead to a contact."""
    values = {
        "record_type": "lead",
        "remote_object": "contacts",
        "remote_id": str(7000 + next(_numbers)),
        **given,
    }
    return Link.objects.create(
        workspace=connection.workspace,
        connection=connection,
        record_id=record_id,
        **values,
    )


@scopes_disabled()
def make_alias(link: Link, **given: Any) -> LinkAlias:
    """Store an id that a linked contact had before it was merged."""
    values = {
        "remote_object": link.remote_object,
        "remote_id": str(9000 + next(_numbers)),
        "reason": "merged",
        **given,
    }
    return LinkAlias.objects.create(
        workspace=link.workspace, connection=link.connection, link=link, **values
    )


@scopes_disabled()
def make_told_value(connection: Connection, **given: Any) -> ToldValue:
    """Store what was told of a contact's city."""
    values = {
        "remote_object": "contacts",
        "remote_id": "501",
        "field": "city",
        "value": "Lyon",
        "at": timezone.now(),
        **given,
    }
    return ToldValue.objects.create(
        workspace=connection.workspace, connection=connection, **values
    )


@scopes_disabled()
def make_sync_entry(
    connection: Connection, *, record_id: int, **given: Any
) -> SyncEntry:
    """Store a journal entry of a lead that was created in the CRM."""
    values = {
        "record_type": "lead",
        "remote_object": "contacts",
        "remote_id": str(8000 + next(_numbers)),
        "outcome": SyncEntry.Outcome.CREATED,
        **given,
    }
    return SyncEntry.objects.create(
        workspace=connection.workspace,
        connection=connection,
        record_id=record_id,
        **values,
    )


@scopes_disabled()
def make_run(mapping: ObjectMapping, **given: Any) -> Run:
    """Store a finished full comparison."""
    at = timezone.now()
    values = {
        "kind": Run.Kind.RECONCILE,
        "state": Run.State.DONE,
        "started_at": at,
        "progress_at": at,
        "direction": mapping.direction,
        **given,
    }
    return Run.objects.create(
        workspace=mapping.workspace,
        connection=mapping.connection,
        mapping=mapping,
        **values,
    )


@scopes_disabled()
def make_conflict(mapping: ObjectMapping, link: Link, **given: Any) -> Conflict:
    """Store an open conflict about the city of a linked lead."""
    values = {
        "record_type": link.record_type,
        "record_id": link.record_id,
        "field": "city",
        "remote_field": "city",
        "base_value": "Bonn",
        "hub_value": "Berlin",
        "crm_value": "Paris",
        "rule": "ask",
        **given,
    }
    return Conflict.objects.create(
        workspace=mapping.workspace,
        connection=mapping.connection,
        mapping=mapping,
        link=link,
        **values,
    )


@scopes_disabled()
def make_work_item(workspace: Workspace, **given: Any) -> WorkItem:
    """Store a ready item in the workspace's own channel."""
    at = timezone.now()
    values = {
        "kind": "push",
        "key": f"item-{next(_numbers)}",
        "not_before": at,
        "created_at": at,
        "updated_at": at,
        **given,
    }
    if "channel" not in values:
        values["channel"] = workspace_channel(workspace.pk)
    return WorkItem.objects.create(workspace=workspace, **values)


def make_parked_item(
    workspace: Workspace, *, message: str = "E-mail address is invalid", **given: Any
) -> WorkItem:
    """Store an item that failed for good, with its ledger in balance."""
    failed: dict[str, Any] = {
        "state": State.PARKED,
        "dead": 1,
        "attempts": 1,
        "error_class": "rejected",
        "error": message,
        "failed_at": timezone.now(),
        **given,
    }
    return make_work_item(workspace, **failed)


@scopes_disabled()
def furnish(workspace: Workspace, marker: str) -> dict[str, int]:
    """Store one of everything; return what it is called in addresses -> its id.

    marker: a word that stands in the name of each row, to be looked for elsewhere.
    """
    records = _records(workspace, marker)
    user = core.make_user(workspace, first_name=marker)
    member = Membership.objects.get(workspace=workspace, user=user)
    key, _ = core.make_api_key(workspace, name=marker)
    entry = AuditEntry.objects.create(
        workspace=workspace, action="demo.made", target=marker
    )
    connection = make_connection(workspace, name=marker)
    mapping, lead_id = make_mapping(connection), records["lead"]
    endpoint = make_endpoint(workspace, name=marker)
    delivery = make_delivery(endpoint, body=f'{{"is": "{marker}"}}'.encode())
    item = make_parked_item(
        workspace,
        message=marker,
        channel=connection.channel,
        group=str(mapping.pk),
        key=f"{mapping.pk}:{lead_id}",
    )
    link = make_link(connection, record_id=lead_id, remote_id=marker)
    entry_of_sync = make_sync_entry(connection, record_id=lead_id, message=marker)
    return (
        records
        | _traces(connection, user, marker)
        | {
            "user": user.pk,
            "membership": member.pk,
            "apikey": key.pk,
            "auditentry": entry.pk,
            "workspace": workspace.pk,
            "channel": item.channel_id,
            "connection": connection.pk,
            "oauthtoken": connection.pk,
            "objectmapping": mapping.pk,
            "fieldmapping": mapping.rows.get().pk,
            "endpoint": endpoint.pk,
            "delivery": delivery.pk,
            "event": make_event(delivery, lead_id=lead_id, detail=marker).pk,
            "link": link.pk,
            "linkalias": make_alias(link, remote_id=f"old {marker}").pk,
            "cursor": Cursor.objects.create(mapping=mapping).pk,
            "run": make_run(mapping, message=marker).pk,
            "conflict": make_conflict(mapping, link, hub_value=marker).pk,
            "syncentry": entry_of_sync.pk,
            "workitem": item.pk,
        }
    )


def _traces(connection: Connection, user: User, marker: str) -> dict[str, int]:
    """Store what a connection leaves behind by working."""
    state = OAuthState.objects.create(
        digest=f"digest of {marker}",
        workspace=connection.workspace,
        user=user,
        vendor=connection.vendor,
        session_key=marker,
        redirect_uri="https://example.com/",
        expires_at=timezone.now(),
    )
    schema = RemoteSchema.objects.create(
        connection=connection, object_type="contacts", fields=[{"name": marker}]
    )
    call = ApiCall.objects.create(
        connection=connection, method="GET", path=f"/{marker}", duration_ms=1
    )
    told = make_told_value(connection, value=marker)
    apart = KeptApart.objects.create(
        workspace=connection.workspace,
        connection=connection,
        record_type="lead",
        record_id=1,
        remote_object="contacts",
        remote_id=f"not {marker}",
    )
    form = make_form_source(connection, name=marker)
    return {
        "formsource": form.pk,
        "heldsubmission": make_held_submission(form, name=marker).pk,
        "keptapart": apart.pk,
        "oauthstate": state.pk,
        "remoteschema": schema.pk,
        "apicall": call.pk,
        "toldvalue": told.pk,
    }


def _records(workspace: Workspace, marker: str) -> dict[str, int]:
    pipeline = leads.make_pipeline(workspace, name=marker)
    company = leads.make_company(workspace, name=marker)
    lead = leads.make_lead(workspace, first_name=marker, company=company)
    stage = pipeline.stages.first()
    deal = leads.make_deal(workspace, name=marker, lead=lead, stage=stage)
    task = leads.make_activity(workspace, kind="task", subject=marker, lead=lead)
    field = leads.make_custom_field(workspace, label=marker)
    return leads.make_traces(deal, marker) | {
        "pipeline": pipeline.pk,
        "stage": deal.stage_id,
        "company": company.pk,
        "lead": lead.pk,
        "deal": deal.pk,
        "activity": task.pk,
        "campaign": leads.make_campaign(workspace, name=marker).pk,
        "customfield": field.pk,
    }
