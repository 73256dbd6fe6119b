"""Reading Salesforce's answers and telling which result belongs to which write.

PURE. Nothing about the shape of an answer is believed: what cannot be read or placed
becomes OutcomeUnknown, never an exception and never somebody else's id.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from integrations.connectors.salesforce.errors import VENDOR, error_of
from integrations.connectors.salesforce.spec import BECAME
from integrations.connectors.salesforce.values import clean, is_id, long_id, moment
from integrations.errors import (
    OutcomeUnknown,
    RecordGone,
    RecordRejected,
    Retryable,
    SyncError,
)
from integrations.records import (
    RemoteOwner,
    RemoteRecord,
    RemoteStage,
    Write,
    WriteResult,
)

Json = Mapping[str, Any]
STAMP = "SystemModstamp"
_NOT_FIELDS = frozenset({"attributes", "Id"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A write as it goes into a call. body: field -> text, None = clear.

    key_field, key_value: what it is upserted by, "" for none; target: the id it
    updates, "" for none.
    """

    write: Write
    body: Mapping[str, str | None]
    key_field: str = ""
    key_value: str = ""
    target: str = ""


def entries(body: Json, key: str = "records") -> list[Json]:
    """Return the objects under key. Raises Retryable when there is no such list."""
    found = body.get(key)
    if not isinstance(found, list):
        raise Retryable(f"The answer has no {key}", vendor=VENDOR, code="BAD_SHAPE")
    return mappings(found)


def mappings(values: Sequence[object]) -> list[Json]:
    """Return those that are objects."""
    return [one for one in values if isinstance(one, dict)]


def is_last(body: Json) -> bool:
    """Tell whether a query's page is the last; one that does not say so is."""
    return body.get("done") is not False


def total(body: Json) -> int | None:
    """Return how many records a query matches, None when it does not say."""
    found = body.get("totalSize")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def record(entry: Json, object_type: str) -> RemoteRecord | None:
    """Read a record; None when it has no id."""
    remote_id = clean(entry.get("Id"))
    if not remote_id:
        return None
    fields = {
        name: clean(value) for name, value in entry.items() if name not in _NOT_FIELDS
    }
    return RemoteRecord(
        object_type=object_type,
        remote_id=long_id(remote_id),
        fields=fields,
        updated_at=moment(entry.get(STAMP)),
        archived=entry.get("IsDeleted") is True,
        became=became(entry) if object_type == "Lead" else {},
    )


def records(found: Sequence[Json], object_type: str) -> list[RemoteRecord]:
    """Read every record."""
    read = (record(entry, object_type) for entry in found)
    return [one for one in read if one is not None]


def became(entry: Json) -> dict[str, str]:
    """Return what a converted lead is now: object -> id; {} for one that is not."""
    if entry.get("IsConverted") is not True:
        return {}
    ids = {name: clean(entry.get(field)) for name, field in BECAME.items()}
    return {name: long_id(one) for name, one in ids.items() if one}


def owner(entry: Json) -> RemoteOwner:
    email = clean(entry.get("Email")) or ""
    return RemoteOwner(
        id=long_id(clean(entry.get("Id")) or ""),
        email=email,
        name=clean(entry.get("Name")) or email,
        active=entry.get("IsActive") is True,
    )


def stage(entry: Json) -> RemoteStage:
    """Read an opportunity stage; a record holds its API name."""
    label = clean(entry.get("MasterLabel")) or ""
    share = entry.get("DefaultProbability")
    known = isinstance(share, int | float) and not isinstance(share, bool)
    return RemoteStage(
        id=clean(entry.get("ApiName")) or label,
        label=label,
        closed=entry.get("IsClosed") is True,
        probability=share / 100 if known else None,  # type: ignore[operator]
    )


def written(
    sent: Sequence[Sent], items: Sequence[object], *, updating: bool
) -> list[WriteResult]:
    """Give each write of a collection its result: they come in the order sent.

    Where some are missing the order tells nothing, except of updates, which are known
    by their ids.
    """
    if len(items) == len(sent):
        pairs = zip(sent, items, strict=True)
        return [_outcome(one, item, updating=updating) for one, item in pairs]
    by_id = {long_id(str(item.get("id"))): item for item in mappings(items) if updating}
    return [
        _outcome(one, by_id.get(long_id(one.target)), updating=updating) for one in sent
    ]


def not_deleted(
    ids: Sequence[str], items: Sequence[object], object_type: str
) -> dict[str, SyncError]:
    """Return id -> why it stays; what is gone already does not. In the order sent."""
    if len(items) != len(ids):
        return {one: unanswered(object_type) for one in ids}
    kept: dict[str, SyncError] = {}
    for one, item in zip(ids, items, strict=True):
        told = item if isinstance(item, dict) else {}
        if told.get("success") is not True:
            error = row_error(told, updating=True)
            if not isinstance(error, RecordGone):
                error.object_type = error.object_type or object_type
                kept[one] = error
    return kept


def refused(sent: Sent, error: SyncError) -> WriteResult:
    """The result of a write that has no answer of its own, or was refused."""
    if isinstance(error, RecordRejected) and not error.value:
        # The field is named, what was in it is not.
        error.value = sent.body.get(error.field) or ""
        if error.field == sent.key_field:
            error.value = error.value or sent.key_value
    error.object_type = error.object_type or sent.write.object_type
    return WriteResult(sent.write.ref, sent.write.remote_id, None, {}, error)


def unanswered(object_type: str) -> OutcomeUnknown:
    """The outcome of what the answer is silent about."""
    return OutcomeUnknown(
        "The answer does not say what became of this record",
        vendor=VENDOR,
        object_type=object_type,
        code="NO_RESULT",
    )


def row_error(item: Json, *, updating: bool) -> SyncError:
    """Name why a row was refused; one that gives no reason was refused all the same."""
    errors = item.get("errors")
    first = next(iter(mappings(errors)), None) if isinstance(errors, list) else None
    if first is None:
        told = "Refused without a reason"
        return RecordRejected(told, vendor=VENDOR, code="NO_REASON")
    error = error_of(first)
    unknown_id = error.code in {"INVALID_CROSS_REFERENCE_KEY", "MALFORMED_ID"}
    about_itself = not first.get("fields") or first.get("fields") == ["Id"]
    if updating and unknown_id and about_itself:
        # How an update is answered whose record is gone from the recycle bin too.
        return RecordGone(error.message, vendor=VENDOR, code=error.code)
    return error


def _outcome(sent: Sent, item: object, *, updating: bool) -> WriteResult:
    if not isinstance(item, dict) or "success" not in item:
        return refused(sent, unanswered(sent.write.object_type))
    if item["success"] is not True:
        return refused(sent, row_error(item, updating=updating))
    remote_id = long_id(clean(item.get("id")) or "")
    if not is_id(remote_id) or (updating and remote_id != long_id(sent.target)):
        return refused(sent, unanswered(sent.write.object_type))
    created = item.get("created")
    if not isinstance(created, bool):
        created = not updating and not sent.key_field
    return WriteResult(sent.write.ref, remote_id, created, {})
