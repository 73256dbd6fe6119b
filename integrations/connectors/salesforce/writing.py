"""Shaping writes into collections: which call, which key, which references.

PURE. Bodies: REST resources_composite_sobjects_collections.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from integrations.connectors.paging import distinct_chunks
from integrations.connectors.salesforce.answers import Sent
from integrations.connectors.salesforce.soql import name
from integrations.connectors.salesforce.spec import (
    COLLECTION,
    CREATE_ONLY,
    ID_LOOKUPS,
    OWN_KEY,
    SPEC,
    WHAT,
    WHO,
    WRITE_HEADERS,
    object_facts,
)
from integrations.connectors.salesforce.values import to_remote
from integrations.errors import Misconfigured, RecordRejected, SyncError
from integrations.records import Association, Mode, RemoteField, Write

_LEAD_PREFIX = "00Q"
_KNOWN_TWICE = "Sforce-Duplicate-Rule-Header"


def prepare(write: Write) -> Sent:
    """Turn a write's values into text, its parents into references.

    Raises RecordRejected for a value that cannot be sent or a missing key,
    Misconfigured for a field whose name is none.
    """
    mode = write.effective_mode
    has_key = bool(write.key_field and write.key_value)
    if mode == "upsert" and not has_key:
        raise RecordRejected("No key to find the record by", code="NO_KEY")
    if mode == "update" and not write.remote_id:
        raise RecordRejected("No id to update", code="NO_ID")
    body = {name(field): _value(field, one) for field, one in write.fields.items()}
    body |= _references(write)
    if mode == "update":
        return Sent(write, body, target=str(write.remote_id))
    key_field, key_value = write.key_field or "", write.key_value or ""
    if mode == "create":
        key = {key_field: key_value} if has_key else {}
        return Sent(write, _without_blanks(body | key))
    return Sent(write, body, key_field=key_field, key_value=key_value)


def needs_looking_up(sent: Sent) -> bool:
    """Tell whether only a query can say which record an upsert is about.

    An upsert takes an external id. By e-mail it would do as well, but not say which of
    several it took.
    """
    own = object_facts(sent.write.object_type).keys
    return bool(sent.key_field) and sent.key_field not in own


def found(sent: Sent, remote_id: str) -> Sent:
    """Return an upsert whose record is known as an update of it."""
    return replace(sent, key_field="", key_value="", target=remote_id)


def not_found(sent: Sent) -> Sent:
    """Return an upsert whose record is not there: by our own key where it has one.

    Then a lost answer, or another worker at the same time, makes no second record.
    """
    body = {**sent.body, sent.key_field: sent.key_value}
    own = body.get(OWN_KEY)
    if own:
        body.pop(OWN_KEY)
        return replace(sent, body=body, key_field=OWN_KEY, key_value=own)
    if sent.key_field in ID_LOOKUPS.get(sent.write.object_type, ()):
        return sent
    return replace(sent, body=_without_blanks(body), key_field="", key_value="")


def kind_of(sent: Sent) -> tuple[Mode, str]:
    """Return how a write goes out, and by which key field it is upserted."""
    if sent.target:
        return "update", ""
    return ("upsert", sent.key_field) if sent.key_field else ("create", "")


def batches(sent: Sequence[Sent], size: int = COLLECTION) -> Iterator[list[Sent]]:
    """Cut into calls: one kind each, no record twice in one.

    A key that comes twice in one call damns every row that has it.
    """
    groups: dict[tuple[Mode, str], list[Sent]] = {}
    for one in sent:
        groups.setdefault(kind_of(one), []).append(one)
    for group in groups.values():
        yield from distinct_chunks(group, size, key=_identity)


def body_of(batch: Sequence[Sent]) -> dict[str, object]:
    return {"allOrNone": False, "records": [_row(one) for one in batch]}


def headers(kind: Mode) -> Mapping[str, str]:
    """Return the headers of a write.

    A record that is to be made is held back by any duplicate rule, so that the one
    that is there can be adopted; of one we know, an alert stops nothing.
    """
    allows = "true" if kind == "update" else "false"
    rule = f"allowSave={allows}; includeRecordDetails=false; runAsCurrentUser=true"
    return WRITE_HEADERS | {_KNOWN_TWICE: rule}


def blamed(sent: Sent, error: SyncError) -> bool:
    """An unknown field damns the rows that carry it, and only those."""
    return isinstance(error, Misconfigured) and error.field in sent.body


def is_inline(write: Write, tie: Association) -> bool:
    """Tell whether a tie goes along in the record itself."""
    return _reference(write, tie) is not None


def _references(write: Write) -> dict[str, str]:
    fields: dict[str, str] = {}
    for tie in write.associations:
        if field := _reference(write, tie):
            fields.setdefault(field, tie.to_id)
    if fields.get(WHO, "").startswith(_LEAD_PREFIX):
        # What belongs to a lead may belong to nothing else.
        fields.pop(WHAT, None)
    return fields


def _reference(write: Write, tie: Association) -> str | None:
    pair = (write.object_type, tie.to_object)
    if field := SPEC.references.get(pair):
        return field
    return CREATE_ONLY.get(pair) if write.effective_mode == "create" else None


def _identity(sent: Sent) -> str:
    if sent.target:
        return sent.target
    # Without a key each create is its own.
    return sent.key_value.strip().casefold() or f"\x00{sent.write.ref}"


def _row(sent: Sent) -> dict[str, object]:
    row: dict[str, object] = {"attributes": {"type": sent.write.object_type}}
    if sent.target:
        row["id"] = sent.target
    row |= sent.body
    if sent.key_field:
        row[sent.key_field] = sent.key_value
    return row


def _without_blanks(body: Mapping[str, str | None]) -> dict[str, str | None]:
    """Clearing means nothing on a record that does not exist."""
    return {field: text for field, text in body.items() if text is not None}


def _value(field: str, value: object | None) -> str | None:
    if type(value) is str:
        return value or None  # as nearly all are
    return to_remote(value, RemoteField(field, field, "text")) or None
