"""What a mapping says, compiled: how values go out, come in and are compared.

Compiled once per version of the mapping and kept in the process.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from crmsync.core.models import Workspace
from integrations.connectors import CONNECTORS
from integrations.connectors.base import Connector
from integrations.errors import SyncError
from integrations.mapping.canon import Canon, canon_of
from integrations.mapping.engine import Called, Compiled, Row
from integrations.mapping.inverse import Inverse, collisions
from integrations.mapping.merge import FieldRule
from integrations.models import Connection, FieldMapping, ObjectMapping, RemoteSchema
from integrations.records import RemoteField, RemoteOption
from integrations.sync.called import called
from integrations.sync.spelling import SPELT
from leads.models import CustomField
from leads.services.fields import FIELDS as WRITABLE
from leads.snapshots import FIELDS, FieldInfo

OWNER_FIELD_TYPE = "owner"
AMOUNT, CURRENCY = "amount", "currency"
# Fields whose text is sent as it is.
_AS_IT_IS = frozenset({"text", "phone", "enum"})
# A list of options there is spelt as its options are.
_TEXT = frozenset({"text", "phone", "html"})
_KEPT = 256


@dataclass(frozen=True, slots=True)
class Terms:
    """A mapping as plain values and functions.

    compiled: what is sent; texts: every row, for comparing; inverse: what is taken in;
    rules and canon: remote field -> how it merges, and the one form of its values.
    """

    compiled: Compiled
    texts: Compiled
    inverse: Inverse
    rules: Mapping[str, FieldRule]
    canon: Mapping[str, Canon]
    # Remote fields that hold what a record belongs to.
    references: tuple[str, ...] = ()
    # Remote field -> what people call it, ours and their values.
    called: Mapping[str, Called] = field(default_factory=dict)

    @property
    def pulled(self) -> list[str]:
        """Return the remote fields that are read for merging."""
        return list(dict.fromkeys((*self.rules, *self.references)))

    @property
    def sources(self) -> Mapping[str, str]:
        """Return remote field -> our field."""
        return {name: rule.source for name, rule in self.rules.items()}


_cache: OrderedDict[tuple[object, ...], Terms] = OrderedDict()


def terms_of(mapping: ObjectMapping, connector: Connector) -> Terms:
    """Return the terms of a mapping; one whose field the CRM lacks is left out."""
    rows = list(mapping.rows.filter(active=True, suspended_because=""))
    described_at = (
        RemoteSchema.objects.filter(
            connection=mapping.connection, object_type=mapping.remote_object
        )
        .values_list("described_at", flat=True)
        .first()
    )
    key = _key(mapping, rows, described_at, connector)
    terms = _cache.get(key)
    if terms is None:
        terms = _cache[key] = _compile(mapping, rows, connector)
        if len(_cache) > _KEPT:
            _cache.popitem(last=False)
    return terms


def _key(
    mapping: ObjectMapping,
    rows: Sequence[FieldMapping],
    described_at: datetime | None,
    connector: Connector,
) -> tuple[object, ...]:
    told = tuple(
        (
            row.source,
            row.destination,
            row.transform,
            repr(row.values),
            row.default,
            row.clear_blanks,
            row.backward,
            row.direction,
            row.rule,
            row.first,
            row.tie,
            repr(row.order),
        )
        for row in rows
    )
    connection = mapping.connection
    return (
        mapping.pk,
        mapping.direction,
        mapping.remote_object,
        mapping.record_type,
        told,
        described_at,
        connection.name,
        repr(connection.owners),
        connection.currency,
        mapping.workspace.phone_region,
        type(connector),
    )


def _compile(
    mapping: ObjectMapping, stored: Sequence[FieldMapping], connector: Connector
) -> Terms:
    fields = described(mapping.connection, mapping.remote_object)
    stored = [row for row in stored if row.destination in fields]
    # Amounts whose currency the mapping does not say are in the account's own.
    says_currency = any(row.source == CURRENCY for row in stored)
    currency = "" if says_currency else mapping.connection.currency
    infos = _our_fields(mapping)
    rows = {
        one.destination: _row(mapping, fields, infos, one, currency) for one in stored
    }
    canon = {
        # A value that a table gives is the CRM's own, whatever ours is: an id, say.
        name: _canon(
            mapping.workspace,
            connector,
            fields[name],
            None if row.values else infos.get(row.source),
        )
        for name, row in rows.items()
    }
    to_text = {name: _to_text(connector, fields[name]) for name in rows}
    back = _readable(mapping, [rows[one.destination] for one in stored], infos)
    rules = {
        one.destination: _rule(
            mapping, one, fields[one.destination], pullable=one.destination in back
        )
        for one in stored
    }
    pushed = [row for name, row in rows.items() if rules[name].pushes]
    # As every connector sends text, without the way there: nearly all values are this.
    plain = {
        name: fields[name].max_length or sys.maxsize
        for name in rows
        if fields[name].type in _AS_IT_IS
    }
    return Terms(
        compiled=Compiled(pushed, to_text, as_it_is=plain),
        texts=Compiled(list(rows.values()), to_text, as_it_is=plain),
        inverse=Inverse(
            [row for name, row in rows.items() if rules[name].pulls],
            {name: partial(connector.from_remote, field=fields[name]) for name in rows},
        ),
        rules=rules,
        canon=canon,
        references=tuple(
            name
            for (owner, _), name in connector.spec.references.items()
            if owner == mapping.remote_object and name in fields
        ),
        called={name: row.called for name, row in rows.items()},
    )


def _row(
    mapping: ObjectMapping,
    fields: Mapping[str, RemoteField],
    infos: Mapping[str, FieldInfo],
    row: FieldMapping,
    currency: str,
) -> Row:
    field = fields[row.destination]
    return Row(
        row.source,
        row.destination,
        row.transform,
        row.values or owners_by_email(mapping.connection, fields, row.destination),
        row.default,
        row.clear_blanks,
        # Someone here whom the CRM does not know must not hold up the record.
        leave_out_unknown=field.type == OWNER_FIELD_TYPE,
        currency=currency if row.source == AMOUNT else "",
        called=called(mapping, infos.get(row.source), field),
    )


def _rule(
    mapping: ObjectMapping, row: FieldMapping, field: RemoteField, *, pullable: bool
) -> FieldRule:
    sides = ObjectMapping.Direction
    ways = FieldMapping.Direction
    pulls = mapping.direction != sides.PUSH and row.direction != ways.PUSH and pullable
    pushes = (
        mapping.direction != sides.PULL
        and row.direction != ways.PULL
        and not field.read_only
    )
    return FieldRule(
        source=row.source,
        destination=row.destination,
        pulls=pulls,
        pushes=pushes,
        rule=row.rule,
        first=row.first,
        tie="hub" if row.tie == "hub" else "crm",
        clears=row.clear_blanks,
        order=tuple(str(one) for one in row.order),
        default=row.default,
        steps=_steps(mapping, row, field),
        backward=row.backward,
    )


def _steps(
    mapping: ObjectMapping, row: FieldMapping, field: RemoteField
) -> tuple[str, ...]:
    """Return the values of a field that only moves forward there, in their order."""
    spec = CONNECTORS[mapping.connection.vendor].spec
    if (mapping.remote_object, field.name) not in spec.forward_only:
        return ()
    given = tuple(str(one) for one in row.order)
    return given or tuple(one.value for one in field.options)


def _our_fields(mapping: ObjectMapping) -> dict[str, FieldInfo]:
    plain = {one.name: one for one in FIELDS.get(mapping.record_type, ())}
    own = CustomField.objects.filter(record_type=mapping.record_type)
    for one in own:
        plain[f"custom.{one.name}"] = FieldInfo(
            f"custom.{one.name}", one.label, one.type
        )
    return plain


def _readable(
    mapping: ObjectMapping, rows: Sequence[Row], infos: Mapping[str, FieldInfo]
) -> set[str]:
    """Return the remote fields that can be read back into a field of ours.

    Of several rows of one field of ours only one can be, the last: a deal's stage, not
    its pipeline.
    """
    fitting = {
        row.source: row.destination
        for row in rows
        if writable(mapping.record_type, row.source, infos)
        and not collisions(row.values)
    }
    return set(fitting.values())


def writable(record_type: str, source: str, infos: Mapping[str, FieldInfo]) -> bool:
    """Tell whether a field of ours takes a value from outside."""
    if source.startswith("custom."):
        return source in infos
    info = infos.get(source)
    target = getattr(info, "writes", "") or source
    return target in WRITABLE.get(record_type, {})


def _canon(
    workspace: Workspace,
    connector: Connector,
    field: RemoteField,
    info: FieldInfo | None,
) -> Canon:
    def reform(text: str, field: RemoteField) -> str:
        try:
            return connector.to_remote(connector.from_remote(text, field), field)
        except SyncError:
            return text

    if info is not None and info.name in SPELT and field.type in _TEXT:
        return SPELT[info.name]
    return canon_of(
        field,
        info.type if info else "text",
        reform=reform,
        phone_region=workspace.phone_region,
    )


def _to_text(
    connector: Connector, field: RemoteField
) -> Callable[[object | None], str]:
    if field.type in _AS_IT_IS:
        return lambda value: connector.to_remote(value, field)

    def to_text(value: object | None) -> str:
        text = connector.to_remote(value, field)
        return connector.to_remote(connector.from_remote(text, field), field)

    return to_text


def fields_to_read(mapping: ObjectMapping, names: list[str]) -> list[str]:
    """Return the remote fields that are asked for: these and our key."""
    own = mapping.connection.key_fields.get(mapping.remote_object, "")
    return [*names, *([own] if own and own not in names else [])]


# --- what the CRM said of itself ------------------------------------------------------


def described(connection: Connection, remote_object: str) -> dict[str, RemoteField]:
    """Return remote name -> field, as the CRM last described the object."""
    schema = RemoteSchema.objects.filter(
        connection=connection, object_type=remote_object
    ).first()
    return (
        {entry["name"]: field_from(entry) for entry in schema.fields} if schema else {}
    )


def field_from(entry: Mapping[str, object]) -> RemoteField:
    """Return a stored field description as a value."""
    known = {name: entry[name] for name in RemoteField.__slots__ if name in entry}
    known.pop("refusal", None)
    options = entry.get("options") or ()
    known["options"] = tuple(RemoteOption(**option) for option in options)  # type: ignore[attr-defined]
    return RemoteField(**known)  # type: ignore[arg-type]


def owners_by_email(
    connection: Connection, fields: Mapping[str, RemoteField], destination: str
) -> dict[str, str]:
    """Return e-mail -> owner id for a field that takes an owner, else nothing."""
    if fields[destination].type != OWNER_FIELD_TYPE:
        return {}
    return {owner["email"].lower(): owner["id"] for owner in connection.owners}
