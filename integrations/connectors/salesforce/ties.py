"""Reading and making associations: a field of one of the two, or a row between them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal

from integrations.connectors.batches import settle
from integrations.connectors.paging import chunks, distinct_chunks, walk
from integrations.connectors.salesforce import answers, deleting, soql, writing
from integrations.connectors.salesforce.answers import Json
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.errors import VENDOR
from integrations.connectors.salesforce.reading import has_more
from integrations.connectors.salesforce.spec import (
    COLLECTION,
    JUNCTIONS,
    SPEC,
)
from integrations.connectors.salesforce.values import clean, is_id, long_id
from integrations.errors import DuplicateFound, SyncError, Unsupported
from integrations.records import Association, RemoteRecord

# (from id, association)
Tie = tuple[str, Association]
Verb = Literal["PATCH", "POST"]
# (position in the list of ties, its error)
Outcome = tuple[int, SyncError | None]
Outcomes = dict[int, SyncError | None]
# (object, field with the first id, field with the other id): where a tie is written
Place = tuple[str, str, str]


def read(
    calls: Calls, from_object: str, to_object: str, ids: Sequence[str]
) -> dict[str, list[str]]:
    """Map each of ids to the ids it is tied to."""
    table, ours, theirs = _place(from_object, to_object)
    tied: dict[str, list[str]] = {one: [] for one in ids}
    by_long = {long_id(one): one for one in ids if is_id(one)}
    for run in chunks(list(by_long), COLLECTION):
        for row in _rows(calls, table, (ours, theirs), run):
            one = by_long.get(long_id(clean(row.get(ours)) or ""))
            other = long_id(clean(row.get(theirs)) or "")
            if one and other and _is_of(other, to_object) and other not in tied[one]:
                tied[one].append(other)
    return tied


def told(record: RemoteRecord, to_object: str) -> list[str] | None:
    """Return what a record is tied to by a field that was read along with it."""
    name = SPEC.references.get((record.object_type, to_object), "")
    if name not in record.fields:
        return None
    other = long_id(record.fields[name] or "")
    return [other] if other and _is_of(other, to_object) else []


def part(calls: Calls, from_object: str, ties: Sequence[Tie]) -> list[SyncError | None]:
    """Take ties away where they still are; None = it is not, or no longer.

    A field that names another record by now is not emptied.
    """

    def take(place: Place, _: str, members: Sequence[int]) -> Outcomes:
        there = _parted(calls, place, [_pair(ties[one]) for one in members])
        targets = {one: there.get(_pair(ties[one]), "") for one in members}
        gone = {one: None for one in members if not targets[one]}
        return gone | dict(_emptied(calls, place, targets))

    return _by_kind(from_object, ties, take)


def _by_kind(
    from_object: str,
    ties: Sequence[Tie],
    do: Callable[[Place, str, Sequence[int]], Outcomes],
) -> list[SyncError | None]:
    """Do it to the ties to each object together; return what became of each in order.

    do: gets where they are written, the other object, and their positions in the list.
    """
    outcome: Outcomes = {}
    groups: dict[str, list[int]] = {}
    for number, (_, tie) in enumerate(ties):
        groups.setdefault(tie.to_object, []).append(number)
    for to_object, members in groups.items():
        try:
            place = _place(from_object, to_object)
        except Unsupported as error:
            outcome |= dict.fromkeys(members, error)
        else:
            outcome |= do(place, to_object, members)
    return [outcome[number] for number in range(len(ties))]


def _parted(
    calls: Calls, place: Place, pairs: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], str]:
    """Return each of the pairs that is tied -> the id of the record that says so."""
    table, ours, theirs = place
    found = {}
    for run in chunks(list(dict.fromkeys(one for one, _ in pairs)), COLLECTION):
        for row in _rows(calls, table, (ours, theirs), run):
            pair = tuple(long_id(clean(row.get(one)) or "") for one in (ours, theirs))
            found[pair[0], pair[1]] = long_id(clean(row.get("Id")) or "")
    return {pair: found[pair] for pair in pairs if pair in found}


def _emptied(calls: Calls, place: Place, targets: Mapping[int, str]) -> list[Outcome]:
    """Empty the field that ties, or delete the row between the two."""
    table, ours, theirs = place
    name = theirs if ours == "Id" else ours

    def send(some: Sequence[int]) -> list[Outcome]:
        ids = [targets[one] for one in some]
        if "Id" not in place:
            kept = deleting.delete(calls, table, ids)
            return [(one, kept.get(targets[one])) for one in some]
        body = [{"attributes": {"type": table}, "id": one, name: None} for one in ids]
        return _answered(calls, place, "PATCH", body, some)

    members = [one for one, target in targets.items() if target]
    runs = distinct_chunks(members, COLLECTION, key=lambda one: targets[one])
    return settle(runs, send, lambda one, error: (one, error))


def make(calls: Calls, from_object: str, ties: Sequence[Tie]) -> list[SyncError | None]:
    """Make ties, one call per kind; None = made, or there already."""

    def tie(place: Place, to_object: str, members: Sequence[int]) -> Outcomes:
        there = _there(calls, from_object, to_object, [ties[one] for one in members])
        missing = [one for one in members if _pair(ties[one]) not in there]
        made = dict(_made(calls, place, ties, missing))
        return dict.fromkeys(members) | made

    return _by_kind(from_object, ties, tie)


def _there(
    calls: Calls, from_object: str, to_object: str, ties: Sequence[Tie]
) -> set[tuple[str, str]]:
    """Return the ties that are made already, where making one again would double it."""
    if "Id" in _place(from_object, to_object):
        return set()
    ids = list(dict.fromkeys(one for one, _ in ties))
    tied = read(calls, from_object, to_object, ids)
    return {(long_id(one), other) for one, others in tied.items() for other in others}


def _pair(tie: Tie) -> tuple[str, str]:
    return long_id(tie[0]), long_id(tie[1].to_id)


def _place(from_object: str, to_object: str) -> Place:
    """Return where a tie is kept. Raises Unsupported where there is no such tie."""
    if field := SPEC.references.get((from_object, to_object)):
        return from_object, "Id", field
    if field := SPEC.references.get((to_object, from_object)):
        return to_object, field, "Id"
    if row := JUNCTIONS.get((from_object, to_object)):
        return row
    if row := JUNCTIONS.get((to_object, from_object)):
        return row[0], row[2], row[1]
    told = f"{from_object} and {to_object} are not tied to each other there"
    raise Unsupported(told, vendor=VENDOR, code="NO_SUCH_TIE")


def _rows(
    calls: Calls, table: str, columns: tuple[str, str], ids: Sequence[str]
) -> Iterator[Json]:
    """Yield the rows whose first column has one of these ids."""

    def page(cursor: str | None) -> tuple[list[Json], str | None]:
        text = soql.select(
            list(dict.fromkeys(("Id", *columns))),
            table,
            soql.any_of(columns[0], ids),
            soql.after_id(cursor),
            order=("Id",),
        )
        body = calls.query(text, object_type=table)
        rows = answers.entries(body)
        last = clean(rows[-1].get("Id")) if rows else None
        return rows, last if has_more(body, len(rows)) else None

    return walk(page)


def _is_of(remote_id: str, object_type: str) -> bool:
    """Tell whether an id is one of this object: one field holds leads and contacts."""
    facts = SPEC.objects.get(object_type)
    return facts is None or not facts.type_id or remote_id.startswith(facts.type_id)


def _made(
    calls: Calls, place: Place, ties: Sequence[Tie], members: Sequence[int]
) -> list[Outcome]:
    def send(chunk: Sequence[int]) -> list[Outcome]:
        return _send(calls, place, ties, chunk)

    def identity(one: int) -> str:
        return _row(place, ties[one])[0] or f"\x00{one}"

    # One call must not name a record twice.
    runs = distinct_chunks(members, COLLECTION, key=identity)
    return settle(runs, send, lambda one, error: (one, error))


def _row(place: Place, tie: Tie) -> tuple[str, dict[str, object]]:
    """Return which record a tie changes, "" for a new one, and how."""
    table, ours, theirs = place
    ids = {ours: tie[0], theirs: tie[1].to_id}
    target = ids.pop("Id", "")
    row: dict[str, object] = {"attributes": {"type": table}, **ids}
    return target, row | ({"id": target} if target else {})


def _send(
    calls: Calls, place: Place, ties: Sequence[Tie], members: Sequence[int]
) -> list[Outcome]:
    verb: Verb = "PATCH" if "Id" in place else "POST"
    body = [_row(place, ties[one])[1] for one in members]
    return _answered(calls, place, verb, body, members)


def _answered(
    calls: Calls,
    place: Place,
    verb: Verb,
    body: Sequence[Mapping[str, object]],
    members: Sequence[int],
) -> list[Outcome]:
    updating = verb == "PATCH"
    answer = calls.send(
        verb,
        calls.path("composite", "sobjects"),
        {"allOrNone": False, "records": list(body)},
        headers=writing.headers("update"),
        inputs=len(body),
        object_type=place[0],
        # A second row for the same two is refused, which says that it is there.
        repeatable=True,
    )
    if len(answer.items) != len(members):
        return [(one, answers.unanswered(place[0])) for one in members]
    pairs = zip(members, answer.items, strict=True)
    return [(one, _refusal(item, place[0], updating=updating)) for one, item in pairs]


def _refusal(item: object, table: str, *, updating: bool) -> SyncError | None:
    if not isinstance(item, dict) or "success" not in item:
        return answers.unanswered(table)
    if item["success"] is True:
        return None
    error = answers.row_error(item, updating=updating)
    return None if isinstance(error, DuplicateFound) else error
