"""Setting up a connected account: describe it, make our key fields and mappings.

Safe to run again: what exists is kept as people have changed it.
"""

from __future__ import annotations

import logging
import random
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict

from django.db import transaction
from django_scopes import scopes_disabled

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.queue import Failure
from crmsync.core.scoping import in_workspace
from integrations.connectors import CONNECTORS
from integrations.connectors.base import Connector
from integrations.connectors.session import open_connector
from integrations.errors import (
    PermissionMissing,
    RateLimited,
    ReauthRequired,
    RecordGone,
    SyncError,
    Unsupported,
    redact,
)
from integrations.mapping.suggest import OurStage, match_stages
from integrations.mapping.templates import TEMPLATES
from integrations.mapping.templates.base import MappingTemplate, RowTemplate
from integrations.models import Connection, FieldMapping, ObjectMapping, RemoteSchema
from integrations.records import RemoteField, RemotePipeline
from integrations.sync import signin, suspending
from integrations.sync.asking_setup import KIND as SETUP_KIND
from integrations.sync.calls import record as record_calls
from leads.models import Stage

log = logging.getLogger(__name__)

_rng = random.Random()
# ISO 4217
_CURRENCY = re.compile(r"[A-Z]{3}")
# What an account answers about an object it does not have, or does not show us.
_NOT_SHOWN = (PermissionMissing, RecordGone, Unsupported)


@scopes_disabled()
def set_up_due() -> int:
    """Set up every connection that asks for it; return how many."""
    handled = 0
    for _, channel_id, _ in queue.due_groups(SETUP_KIND):
        for item in queue.claim(SETUP_KIND, channel_id=channel_id, limit=1):
            _set_up_item(item)
            handled += 1
    return handled


def _set_up_item(item: WorkItem) -> None:
    with in_workspace(item.workspace):
        connection = Connection.objects.filter(pk=item.key).first()
        if connection is None:
            queue.finish([item], skipped=True)
            return
        try:
            _set_up_leased(connection, item)
        except Exception as error:
            # One account that cannot be set up must not keep others from being served.
            log.exception("set-up failed", extra={"connection": connection.pk})
            told = redact(f"{type(error).__name__}: {error}")
            queue.fail(item, Failure("bug", told), _rng)


def _set_up_leased(connection: Connection, item: WorkItem) -> None:
    used = signin.generation_of(connection)
    connector, calls = open_connector(connection)
    try:
        set_up(connection, connector)
    except RateLimited as error:
        queue.give_back([item], wait_s=error.retry_after_s or 10)
    except ReauthRequired as error:
        if signin.end(connection, error, used=used):
            queue.fail(item, Failure(error.error_class, str(error)), _rng)
        else:
            queue.give_back([item])
    except SyncError as error:
        _note_failure(connection, error)
        queue.fail(item, Failure(error.error_class, str(error)), _rng)
    else:
        queue.finish([item])
    finally:
        record_calls(connection, calls.take())


def _note_failure(connection: Connection, error: SyncError) -> None:
    connection.status_detail = str(error)[:500]
    connection.save(update_fields=["status_detail", "updated_at"])


def set_up(connection: Connection, connector: Connector) -> None:
    """Describe the account and make what is missing. Raises SyncError.

    All calls come first, then one transaction.
    """
    templates = TEMPLATES[connection.vendor]
    objects = list(dict.fromkeys(one.remote_object for one in templates))
    switched_on = ObjectMapping.objects.filter(connection=connection, active=True)
    needed = {one.remote_object for one in templates if one.active}
    needed |= set(switched_on.values_list("remote_object", flat=True))
    described = _described(connector, objects, needed)
    templates = tuple(one for one in templates if one.remote_object in described)
    known = connector.spec.objects
    keys = {
        name: _key_field(connector, name)
        for name in described
        if not (name in known and known[name].known_by_ties)
    }
    pipelines = _pipelines(templates, connector)
    owners = connector.owners()
    currency = connector.currency()
    with transaction.atomic():
        for name, fields in described.items():
            _store_schema(connection, name, fields)
        # What is out of sight for a while has its key there all the same.
        connection.key_fields = {**connection.key_fields, **keys}
        connection.pipelines = [asdict(one) for one in pipelines]
        connection.owners = [asdict(one) for one in owners if one.active]
        connection.currency = currency if _CURRENCY.fullmatch(currency) else ""
        _note_success(connection, _refused_keys(connector, keys))
        for template in templates:
            names = {field.name for field in described[template.remote_object]}
            _store_mapping(connection, template, names, pipelines)


def _described(
    connector: Connector, objects: Sequence[str], needed: Collection[str]
) -> dict[str, tuple[RemoteField, ...]]:
    """Describe objects; one that is not needed and not shown to us is left out.

    It may belong to a product that the account does not have, and the others must not
    wait for that. Once it is shown, the next set-up makes its mapping.
    """
    described: dict[str, tuple[RemoteField, ...]] = {}
    for name in objects:
        try:
            described[name] = connector.describe(name)
        except _NOT_SHOWN as error:
            if name in needed:
                raise
            about = {"vendor": connector.spec.name, "object": name, "why": error.code}
            log.info("object not shown, left out", extra=about)
    return described


def _pipelines(
    templates: Sequence[MappingTemplate], connector: Connector
) -> tuple[RemotePipeline, ...]:
    """Return the pipelines of what deals are mapped to."""
    mapped = (one.remote_object for one in templates if one.record_type == "deal")
    known = (connector.spec.objects.get(name) for name in mapped)
    found = next((one for one in known if one and one.has_pipelines), None)
    return connector.pipelines(found.name) if found else ()


def _note_success(connection: Connection, detail: str) -> None:
    """Store what was described; a connection signed out meanwhile stays so."""
    rows = Connection.objects.select_for_update().filter(pk=connection.pk)
    connection.status = rows.values_list("status", flat=True).get()
    names = ["key_fields", "pipelines", "owners", "currency", "updated_at"]
    if connection.status in {Connection.Status.SETTING_UP, Connection.Status.ACTIVE}:
        connection.status = Connection.Status.ACTIVE
        connection.status_detail = detail
        names += ["status", "status_detail"]
    connection.save(update_fields=names)


def _key_field(connector: Connector, remote_object: str) -> str:
    """Make our unique field on an object; "" where the account refuses it."""
    own = connector.spec.own_key
    wanted = RemoteField(
        name=own.name,
        label=own.label,
        type="text",
        unique=True,
        group=own.group,
        description=own.description,
    )
    (made,) = connector.ensure_fields(remote_object, [wanted])
    return "" if made.refusal else made.name


def _refused_keys(connector: Connector, keys: Mapping[str, str]) -> str:
    """Tell where a key was refused; an object that takes none is no news."""
    facts = connector.spec.objects
    takes_none = {name for name, one in facts.items() if not one.keys}
    refused = sorted(name for name, field in keys.items() if not field)
    refused = [name for name in refused if name not in takes_none]
    if not refused:
        return ""
    return (
        f"The account lets us keep no unique id on {', '.join(refused)}. After a lost "
        "answer such records wait for a person instead of being sent again."
    )


def _store_schema(
    connection: Connection, remote_object: str, fields: tuple[RemoteField, ...]
) -> None:
    entries = []
    for field in fields:
        entry = asdict(field)
        entry.pop("refusal", None)
        entries.append(entry)
    RemoteSchema.objects.update_or_create(
        connection=connection, object_type=remote_object, defaults={"fields": entries}
    )


def _store_mapping(
    connection: Connection,
    template: MappingTemplate,
    names: set[str],
    pipelines: tuple[RemotePipeline, ...],
) -> None:
    mapping, is_new = ObjectMapping.objects.get_or_create(
        workspace_id=connection.workspace_id,
        connection=connection,
        record_type=template.record_type,
        remote_object=template.remote_object,
        defaults={
            "active": template.active,
            "match_field": template.match_field,
            "engaged_only": template.engaged_only,
            "only_kinds": list(template.only_kinds),
            "direction": template.direction,
            "creates": template.creates,
        },
    )
    if not is_new:
        suspending.resume_found(mapping)
        return
    stages = match_stages(_our_stages(), pipelines)
    facts = CONNECTORS[connection.vendor].spec.objects.get(template.remote_object)
    stage_field = facts.stage_field if facts else ""
    FieldMapping.objects.bulk_create(
        FieldMapping(
            mapping=mapping,
            position=place,
            source=row.source,
            destination=row.destination,
            values=_row_values(row, stages, stage_field),
            default=row.default,
            direction=row.direction,
            rule=row.rule,
            order=list(row.order),
        )
        for place, row in enumerate(template.rows)
        if row.destination in names
        # Where there is one currency, a deal there does not name it.
        and not (row.source == "currency" and connection.currency)
    )


def _row_values(
    row: RowTemplate, stages: Mapping[int, tuple[str, str]], stage_field: str
) -> dict[str, str]:
    """Return the row's value map; for a stage it depends on the account."""
    if row.source != "stage_id":
        return dict(row.values)
    place = 1 if row.destination == stage_field else 0
    return {str(ours): remote[place] for ours, remote in stages.items()}


def _our_stages() -> list[OurStage]:
    rows = Stage.objects.select_related("pipeline").order_by("pipeline_id", "position")
    return [
        OurStage(one.pk, one.name, one.pipeline.name, one.outcome)  # type: ignore[arg-type]
        for one in rows
    ]
