"""Writing marketing campaigns: updates by id, creates, and upserts by name."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from integrations.connectors.batches import settle
from integrations.connectors.hubspot import answers, writing
from integrations.connectors.hubspot.answers import Sent
from integrations.connectors.hubspot.calls import Calls
from integrations.connectors.hubspot.errors import VENDOR
from integrations.connectors.hubspot.spec import (
    CAMPAIGN_NAME,
    CAMPAIGNS,
    object_facts,
)
from integrations.connectors.paging import distinct_chunks
from integrations.errors import (
    AmbiguousMatch,
    RecordRejected,
    SyncError,
    Unsupported,
)
from integrations.records import RemoteRecord, Write, WriteResult

# (calls, names, fields) -> name in one form -> the campaigns of that name
LookUp = Callable[
    [Calls, Sequence[str], Sequence[str]], Mapping[str, Sequence[RemoteRecord]]
]


def path(calls: Calls, *parts: str) -> str:
    return calls.path("campaigns", *parts)


def most() -> int:
    """Return the most inputs of one call."""
    return object_facts(CAMPAIGNS).batch


def form_of(name: str | None) -> str:
    """Return the one form of names that mean the same."""
    return (name or "").strip().casefold()


def no_key(field: str) -> Unsupported:
    message = f"HubSpot campaigns are found by {CAMPAIGN_NAME} alone"
    return Unsupported(message, vendor=VENDOR, field=field)


def write(
    calls: Calls, object_type: str, writes: Sequence[Write], look_up: LookUp
) -> list[WriteResult]:
    """Write campaigns; an upsert looks its name up first.

    Of several upserts of one name the first decides which record it is.
    """
    done: list[WriteResult] = []
    ready, named, doubled = _sorted(writes, done)
    there = look_up(calls, [one.key_value or "" for one in named], (CAMPAIGN_NAME,))
    for one in named:
        try:
            ready.append(_met(one, there.get(form_of(one.key_value), [])))
        except RecordRejected as error:
            done.append(answers.refused(one, error))
    done += _send(calls, object_type, ready, done)
    by_ref = {result.ref: result for result in done}
    late: list[Write] = []
    for one, first in doubled:
        made = by_ref[first.ref]
        if made.remote_id is None and made.error is not None:
            by_ref[one.ref] = answers.refused(one, made.error)
        else:
            late.append(_as_update(one, made.remote_id or ""))
    by_ref |= _send_late(calls, object_type, late)
    return [by_ref[one.ref] for one in writes]


def _sorted(
    writes: Sequence[Write], done: list[WriteResult]
) -> tuple[list[Write], list[Write], list[tuple[Write, Write]]]:
    """Return what is clear, what is looked up, and (again, first) of one name."""
    ready: list[Write] = []
    first: dict[str, Write] = {}
    doubled: list[tuple[Write, Write]] = []
    for one in writes:
        name = form_of(one.key_value)
        if one.effective_mode != "upsert":
            ready.append(one)
        elif one.key_field not in (None, CAMPAIGN_NAME):
            done.append(answers.refused(one, no_key(one.key_field or "")))
        elif not name:
            error = RecordRejected("No key to find the record by", code="NO_KEY")
            done.append(answers.refused(one, error))
        elif name in first:
            doubled.append((one, first[name]))
        else:
            first[name] = one
    return ready, list(first.values()), doubled


def _met(write: Write, there: Sequence[RemoteRecord]) -> Write:
    """Return the update or the create that an upsert is. Raises AmbiguousMatch."""
    if not there:
        return replace(write, mode="create", key_field=CAMPAIGN_NAME)
    if len(there) == 1:
        return _as_update(write, there[0].remote_id)
    raise AmbiguousMatch(
        f"{len(there)} campaigns in HubSpot have this name",
        candidates=[("", one.remote_id) for one in there],
        field=CAMPAIGN_NAME,
        value=write.key_value or "",
        vendor=VENDOR,
        object_type=write.object_type,
    )


def _as_update(write: Write, remote_id: str) -> Write:
    return replace(write, remote_id=remote_id, mode="update")


def _send(
    calls: Calls, object_type: str, writes: Sequence[Write], done: list[WriteResult]
) -> list[WriteResult]:
    """Send updates and creates. What cannot be put into words goes to done."""
    prepared: list[Sent] = []
    for number, one in enumerate(writes):
        try:
            prepared.append(_prepare(one, f"w{number}"))
        except RecordRejected as error:
            done.append(answers.refused(one, error))
    return settle(
        _batches(prepared),
        lambda batch: _send_batch(calls, object_type, batch),
        lambda sent, error: answers.refused(sent.write, error),
        blamed=writing.blamed,
    )


def _send_late(
    calls: Calls, object_type: str, writes: Sequence[Write]
) -> dict[str, WriteResult]:
    """Send what follows another write; a failure of all is each one's own."""
    done: list[WriteResult] = []
    try:
        done += _send(calls, object_type, writes, done)
    except SyncError as error:
        done += [answers.refused(one, error) for one in writes]
    return {one.ref: one for one in done}


def _prepare(write: Write, trace: str) -> Sent:
    """Turn into text; a create is named, so that its answer is told from others."""
    sent = writing.prepare(write, trace)
    name = sent.properties.get(CAMPAIGN_NAME, "").strip()
    if write.effective_mode != "create":
        return sent
    if not name:
        raise RecordRejected(
            "A campaign needs a name", field=CAMPAIGN_NAME, code="NO_NAME"
        )
    return replace(sent, write=replace(write, key_field=CAMPAIGN_NAME, key_value=name))


def _batches(prepared: Sequence[Sent]) -> Iterator[list[Sent]]:
    """Cut into calls; no record and no new name twice in one.

    Answers come in any order and say of a new record nothing but its properties.
    """
    for mode in ("update", "create"):
        some = [one for one in prepared if one.write.effective_mode == mode]
        yield from distinct_chunks(some, most(), key=_identity)


def _identity(sent: Sent) -> str:
    return sent.write.remote_id or form_of(sent.write.key_value)


def _send_batch(
    calls: Calls, object_type: str, batch: Sequence[Sent]
) -> list[WriteResult]:
    mode = batch[0].write.effective_mode
    inputs: list[dict[str, object]] = []
    for one in batch:
        entry: dict[str, object] = {"properties": dict(one.properties)}
        inputs.append(
            entry if mode == "create" else {"id": one.write.remote_id} | entry
        )
    body = calls.post(
        path(calls, "batch", mode),
        {"inputs": inputs},
        inputs=len(batch),
        object_type=object_type,
        repeatable=mode != "create",
    )
    return answers.written(batch, body, object_type)
