"""Reading HubSpot's answers and telling which result belongs to which write.

PURE. Nothing about the shape of an answer is believed: what cannot be read or
placed becomes OutcomeUnknown, never an exception and never somebody else's id.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from integrations.connectors.hubspot.errors import VENDOR, error_of
from integrations.connectors.hubspot.spec import MERGED_FIELD
from integrations.connectors.hubspot.values import clean, clean_all, moment
from integrations.errors import OutcomeUnknown, Retryable, SyncError
from integrations.records import (
    RemoteOwner,
    RemotePipeline,
    RemoteRecord,
    RemoteStage,
    Write,
    WriteResult,
)

Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sent:
    """A write as it went into a batch.

    `trace` is its objectWriteTraceId, `properties` what was sent, as text.
    """

    write: Write
    trace: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Result:
    record: RemoteRecord
    trace: str
    new: bool | None


def entries(body: Json, key: str = "results") -> list[Json]:
    """Return the objects under key. Raises Retryable when there is no such list.

    For answers to reading; a write that is answered so is not to be repeated.
    """
    found = body.get(key)
    if not isinstance(found, list):
        raise Retryable(f"The answer has no {key}", vendor=VENDOR, code="BAD_SHAPE")
    return [entry for entry in found if isinstance(entry, dict)]


def only_currency(details: Json) -> str:
    """Return an account's one currency by its details, "" where it has several."""
    if details.get("additionalCurrencies"):
        return ""
    return clean(details.get("companyCurrency")) or ""


def next_after(body: Json) -> str | None:
    """Return paging.next.after, None on the last page."""
    node: object = body
    for key in ("paging", "next", "after"):
        node = node.get(key) if isinstance(node, Mapping) else None
    return clean(node) or None


def record(
    entry: Json, object_type: str, asked: Sequence[str] = ()
) -> RemoteRecord | None:
    """Read a record; None when it has no id. asked: properties it was to tell of."""
    remote_id = clean(entry.get("id"))
    if not remote_id:
        return None
    properties = entry.get("properties")
    # An unset property is null in some answers and absent in others.
    fields: dict[str, str | None] = {}
    if isinstance(properties, dict):
        fields = {**dict.fromkeys(asked), **clean_all(properties)}
    return RemoteRecord(
        object_type=object_type,
        remote_id=remote_id,
        fields=fields,
        updated_at=moment(entry.get("updatedAt")),
        archived=bool(entry.get("archived")),
        other_ids=_merged_ids(fields.get(MERGED_FIELD), remote_id),
    )


def records(
    body: Json, object_type: str, asked: Sequence[str] = ()
) -> list[RemoteRecord]:
    """Read every record of `results`. Raises Retryable as `entries` does."""
    read = (record(entry, object_type, asked) for entry in entries(body))
    return [one for one in read if one is not None]


def total(body: Json) -> int | None:
    """Return how many records a search matches, None when it does not say."""
    found = body.get("total")
    return found if isinstance(found, int) and not isinstance(found, bool) else None


def last_changes(entry: Json) -> dict[str, datetime]:
    """Return property -> when its newest version was written, from its history."""
    history = entry.get("propertiesWithHistory")
    changes: dict[str, datetime] = {}
    for name, versions in history.items() if isinstance(history, dict) else ():
        stamps = (moment(one.get("timestamp")) for one in _mappings(versions))
        newest = max(filter(None, stamps), default=None)
        if newest is not None:
            changes[name] = newest
    return changes


def owner(entry: Json) -> RemoteOwner:
    names = (clean(entry.get("firstName")), clean(entry.get("lastName")))
    email = clean(entry.get("email")) or ""
    return RemoteOwner(
        id=clean(entry.get("id")) or "",
        email=email,
        name=" ".join(name for name in names if name) or email,
        active=not entry.get("archived"),
    )


def pipeline(entry: Json) -> RemotePipeline:
    stages = _mappings(entry.get("stages"))
    return RemotePipeline(
        id=clean(entry.get("id")) or "",
        label=clean(entry.get("label")) or "",
        stages=tuple(
            _stage(stage)
            for stage in sorted(stages, key=_order)
            if not stage.get("archived")
        ),
    )


def written(sent: Sequence[Sent], body: Json, object_type: str) -> list[WriteResult]:
    """Give each write of a 2xx batch its result; order of `results` means nothing."""
    results = [_result(entry, object_type) for entry in _mappings(body.get("results"))]
    known = [result for result in results if result is not None]
    placed = _place(sent, known)
    refusals = _refusals(sent, body, placed)
    return [
        _outcome(one, placed.get(one.trace), refusals.get(one.trace)) for one in sent
    ]


def tie_refusals(
    pairs: Sequence[tuple[str, str]], body: Json
) -> list[SyncError | None]:
    """Give each (from id, to id) of an association batch its error, None = made.

    An error names the ids it is about; one that names none is about all of them.
    """
    refusals: list[SyncError | None] = [None] * len(pairs)
    for entry in _mappings(body.get("errors")):
        error = error_of(entry, _status(entry), {})
        context = entry.get("context")
        named = {
            str(one)
            for value in (context.values() if isinstance(context, Mapping) else ())
            for one in _some(value)
        }
        # Both ids where it names both: many ties share one of theirs.
        blamed = [n for n, pair in enumerate(pairs) if set(pair) <= named]
        blamed = blamed or [n for n, pair in enumerate(pairs) if named & set(pair)]
        for number in blamed or range(len(pairs)):
            refusals[number] = error
    return refusals


def refused(write: Write, error: SyncError) -> WriteResult:
    """The result of a write that has no answer of its own."""
    return WriteResult(write.ref, write.remote_id, None, {}, error)


def _outcome(
    sent: Sent, result: _Result | None, error: SyncError | None
) -> WriteResult:
    if result is not None:
        created = {"create": True, "update": False}.get(
            sent.write.effective_mode, result.new
        )
        found = result.record
        return WriteResult(
            sent.write.ref,
            found.remote_id,
            created,
            found.fields,
            updated_at=found.updated_at,
        )
    return refused(sent.write, error or _unanswered(sent))


def _merged_ids(text: str | None, remote_id: str) -> tuple[str, ...]:
    """Read the ids that lead here, without the record's own."""
    if not text:
        return ()
    named = dict.fromkeys(part.strip() for part in text.split(";"))
    return tuple(one for one in named if one and one != remote_id)


def _unanswered(sent: Sent) -> OutcomeUnknown:
    return OutcomeUnknown(
        "The answer does not say what became of this record",
        vendor=VENDOR,
        object_type=sent.write.object_type,
        code="NO_RESULT",
    )


def _place(sent: Sequence[Sent], results: list[_Result]) -> dict[str, _Result]:
    """Match by trace id, then id or key, then values; the last by elimination."""
    key = sent[0].write.key_field or ""
    updating = sent[0].write.effective_mode == "update"
    placed: dict[str, _Result] = {}

    def pair(name: Callable[[Sent], str], named: Callable[[_Result], str]) -> None:
        taken = {id(result) for result in placed.values()}
        ours = _unique([one for one in sent if one.trace not in placed], name)
        theirs = _unique([r for r in results if id(r) not in taken], named)
        both = ours.keys() & theirs.keys()
        placed.update({ours[word].trace: theirs[word] for word in both})

    pair(lambda one: one.trace, lambda result: result.trace)
    if updating:
        pair(lambda one: one.write.remote_id or "", lambda r: r.record.remote_id)
        return placed
    pair(
        lambda one: _folded(one.write.key_value),
        lambda result: _folded(result.record.fields.get(key)),
    )
    _place_by_values(sent, results, placed)
    return placed


def _place_by_values(
    sent: Sequence[Sent], results: list[_Result], placed: dict[str, _Result]
) -> None:
    taken = {id(result) for result in placed.values()}
    left = [one for one in sent if one.trace not in placed]
    open_results = [r for r in results if id(r) not in taken and not r.trace]
    if len(left) == len(open_results) == 1:
        # One write, one result: an e-mail that is a contact's second address comes
        # back under the first one and matches nothing.
        placed[left[0].trace] = open_results[0]
        return
    for one in left:
        hits = [result for result in open_results if _same_values(one, result)]
        if len(hits) != 1:
            continue
        rivals = [other for other in left if _same_values(other, hits[0])]
        if len(rivals) == 1:
            placed[one.trace] = hits[0]


def _unique(items: Sequence[T], name: Callable[[T], str]) -> dict[str, T]:
    """Index items by their name, leaving out the nameless and the ambiguous."""
    count = Counter(map(name, items))
    return {name(one): one for one in items if name(one) and count[name(one)] == 1}


def _same_values(sent: Sent, result: _Result) -> bool:
    """Every sent value that came back is the same, and at least one did."""
    theirs = result.record.fields
    shared = [n for n, value in sent.properties.items() if value and theirs.get(n)]
    same = (_folded(sent.properties[n]) == _folded(theirs[n]) for n in shared)
    return bool(shared) and all(same)


def _refusals(
    sent: Sequence[Sent], body: Json, placed: Mapping[str, _Result]
) -> dict[str, SyncError]:
    """Map trace ids to the errors of a 207."""
    by_trace: dict[str, SyncError] = {}
    nameless: list[SyncError] = []
    traces = {one.trace for one in sent}
    by_id = {one.write.remote_id or one.write.key_value: one.trace for one in sent}
    for entry in _mappings(body.get("errors")):
        error = error_of(entry, _status(entry), {})
        error.object_type = sent[0].write.object_type
        named = [trace for trace in _named(entry, by_id) if trace in traces]
        by_trace.update(dict.fromkeys(named, error))
        if not named:
            nameless.append(error)
    answered = placed.keys() | by_trace.keys()
    missing = [one.trace for one in sent if one.trace not in answered]
    if len(nameless) == 1:
        # One reason for all that are missing; with several, who had which is a guess.
        by_trace.update(dict.fromkeys(missing, nameless[0]))
    return by_trace


def _named(entry: Json, by_id: Mapping[str | None, str]) -> list[str]:
    context = entry.get("context")
    if not isinstance(context, Mapping):
        return []
    found = [str(t) for t in _some(context.get("objectWriteTraceId"))]
    for key in ("ids", "id"):
        found += [by_id.get(str(i), "") for i in _some(context.get(key))]
    return found


# A 207's entries carry a category and no HTTP status.
_STATUS_OF_CATEGORY = {
    "CONFLICT": 409,
    "OBJECT_NOT_FOUND": 404,
    "MISSING_SCOPES": 403,
    "RATE_LIMIT": 429,
    "RATE_LIMITS": 429,
}
# Parts of categories by which the record is to blame.
_REFUSES = ("VALID", "BAD_REQUEST", "PROPERTY", "EXIST")


def _status(entry: Json) -> int:
    """Return the HTTP status of an entry; what blames no record may pass."""
    category = str(entry.get("category") or "").upper()
    if category in _STATUS_OF_CATEGORY:
        return _STATUS_OF_CATEGORY[category]
    refuses = not category or any(word in category for word in _REFUSES)
    return 400 if refuses or entry.get("errors") else 500


def _result(entry: Json, object_type: str) -> _Result | None:
    found = record(entry, object_type)
    if found is None:
        return None
    new = entry.get("new")
    trace = clean(entry.get("objectWriteTraceId")) or ""
    return _Result(found, trace, new if isinstance(new, bool) else None)


def _stage(entry: Json) -> RemoteStage:
    metadata = entry.get("metadata")
    metadata = metadata if isinstance(metadata, Mapping) else {}
    return RemoteStage(
        id=clean(entry.get("id")) or "",
        label=clean(entry.get("label")) or "",
        closed=clean(metadata.get("isClosed")) == "true",
        probability=_share(metadata.get("probability")),
    )


def _share(value: object) -> float | None:
    try:
        return float(clean(value) or "")
    except ValueError:
        return None


def _order(entry: Json) -> float:
    order = entry.get("displayOrder")
    return float(order) if isinstance(order, (int, float)) else 0.0


def _folded(text: str | None) -> str:
    return (text or "").strip().casefold()


def _mappings(value: object) -> list[Json]:
    return [entry for entry in _list(value) if isinstance(entry, Mapping)]


def _some(value: object) -> list[Any]:
    """Return a list, or the one thing that came without its list."""
    return [value] if isinstance(value, str | int) else _list(value)


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
