"""Shaping writes into HubSpot's batch bodies.

PURE. Bodies: SDK, crm objects batch API; guide crm/using-object-apis.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from integrations.connectors.hubspot import tying
from integrations.connectors.hubspot.answers import Sent
from integrations.connectors.hubspot.spec import SPEC
from integrations.connectors.hubspot.values import to_remote
from integrations.connectors.paging import distinct_chunks
from integrations.errors import Misconfigured, RecordRejected, SyncError
from integrations.records import Association, Mode, RemoteField, Write


def prepare(write: Write, trace: str) -> Sent:
    """Turn a write's values into text.

    Raises RecordRejected for a value that cannot be sent or a missing key.
    """
    mode = write.effective_mode
    properties = {name: _value(name, value) for name, value in write.fields.items()}
    has_key = bool(write.key_field and write.key_value)
    if mode == "upsert" and not has_key:
        raise RecordRejected("No key to find the record by", code="NO_KEY")
    if mode == "update" and not write.remote_id:
        raise RecordRejected("No id to update", code="NO_ID")
    if mode == "create":
        # Clearing means nothing on a record that does not exist.
        properties = {name: text for name, text in properties.items() if text}
        if has_key:
            properties[str(write.key_field)] = str(write.key_value)
    return Sent(write, trace, properties)


def clearing(sent: Sent) -> Sent | None:
    """Return the update that must come before a write, None where none must."""
    names = sent.write.clears_first
    if not names or not sent.write.remote_id:
        return None
    write = replace(
        sent.write, fields=dict.fromkeys(names), associations=(), clears_first=()
    )
    return prepare(write, sent.trace)


def batches(sent: Sequence[Sent]) -> Iterator[list[Sent]]:
    """Cut into calls: one mode and key field each, no record twice in one."""
    groups: dict[tuple[Mode, str], list[Sent]] = {}
    for one in sent:
        groups.setdefault(_group(one.write), []).append(one)
    for group in groups.values():
        yield from distinct_chunks(group, SPEC.batch.write, key=_identity)


def body_of(batch: Sequence[Sent]) -> dict[str, object]:
    return {"inputs": [_input(one) for one in batch]}


def blamed(sent: Sent, error: SyncError) -> bool:
    """An unknown property damns the inputs that carry it, and only those."""
    return isinstance(error, Misconfigured) and error.field in sent.properties


def inline(write: Write) -> tuple[Association, ...]:
    """Associations that fit into the create call itself."""
    if write.effective_mode != "create":
        return ()
    return tuple(tie for tie in write.associations if type_id(write, tie) is not None)


def not_inline(write: Write) -> list[Association]:
    """Associations that need a call of their own, once the record has an id."""
    went_along = inline(write)
    return [tie for tie in write.associations if tie not in went_along]


def type_id(write: Write, tie: Association) -> int | None:
    """Return the association type of a tie, None when only the vendor knows it."""
    if tie.type_id is not None:
        return tie.type_id
    pair = (write.object_type, tie.to_object)
    return SPEC.main_ties.get(pair, SPEC.associations.get(pair))


def _group(write: Write) -> tuple[Mode, str]:
    mode = write.effective_mode
    # Results are matched by the key, so a batch has one key field.
    return mode, "" if mode == "update" else write.key_field or ""


def _identity(sent: Sent) -> str:
    write = sent.write
    if write.effective_mode == "update":
        return str(write.remote_id)
    # Without a key each create is its own.
    return (write.key_value or "").strip().casefold() or f"\x00{sent.trace}"


def _input(sent: Sent) -> dict[str, object]:
    write = sent.write
    # A unique trace per input is what makes HubSpot answer 207 per record instead
    # of refusing the whole batch.
    entry: dict[str, object] = {
        "properties": dict(sent.properties),
        "objectWriteTraceId": sent.trace,
    }
    mode = write.effective_mode
    if mode == "update":
        entry["id"] = write.remote_id
    elif mode == "upsert":
        entry["id"], entry["idProperty"] = write.key_value, write.key_field
    elif ties := inline(write):
        entry["associations"] = [_association(write, tie) for tie in ties]
    return entry


def _association(write: Write, tie: Association) -> dict[str, object]:
    kind = tying.type_body((tying.BUILT_IN, type_id(write, tie) or 0))
    return {"to": {"id": tie.to_id}, "types": [kind]}


def _value(name: str, value: object | None) -> str:
    if type(value) is str:
        return value  # as nearly all are
    try:
        return to_remote(value)
    except RecordRejected as error:
        field = RemoteField(name, name, "text")
        raise RecordRejected(
            error.message, field=field.name, value=error.value, code=error.code
        ) from None
