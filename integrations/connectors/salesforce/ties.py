"""Reading and making associations: a field of one of the two, or a row between them."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    MAIN_ROWS,
    PAIRS_IN_QUERY,
    SPEC,
)
from integrations.connectors.salesforce.values import clean, is_id, long_id
from integrations.errors import (
    DuplicateFound,
    OutcomeUnknown,
    SyncError,
    Unsupported,
)
from integrations.records import Association, RemoteRecord

# (from id, association)
Tie = tuple[str, Association]
Verb = Literal["PATCH", "POST"]
# (id of the one, id of the other), both long
Pair = tuple[str, str]
# (position in the list of ties, its error)
Outcome = tuple[int, SyncError | None]
Outcomes = dict[int, SyncError | None]
# (object, field with the first id, field with the other id): where a tie is written
Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class There:
    """What ties records. ids: pair -> the rows that say so.

    having: ids of the records that have a row at all; where one of several is the main
    one, of those that have it.
    """

    ids: Mapping[Pair, Sequence[str]]
    having: Collection[str]


def read(
    calls: Calls, from_object: str, to_object: str, ids: Sequence[str]
) -> dict[str, list[str]]:
    """Map each of ids to the ids it is tied to, the main one first."""
    table, ours, theirs = _place(from_object, to_object)
    tied: dict[str, list[str]] = {one: [] for one in ids}
    by_long = {long_id(one): one for one in ids if is_id(one)}
    for run in chunks(list(by_long), COLLECTION):
        rows = list(_rows(calls, table, (ours, theirs), run))
        for row in sorted(rows, key=lambda row: not _is_main(table, row)):
            one = by_long.get(long_id(clean(row.get(ours)) or ""))
            other = long_id(clean(row.get(theirs)) or "")
            if one and other and _is_of(other, to_object) and other not in tied[one]:
                tied[one].append(other)
    return tied


def between(
    calls: Calls, object_type: str, ties: Sequence[Sequence[Association]]
) -> list[str | None]:
    """Return the id of the row that names all of these; one query for many."""
    places = [_names(object_type, some) for some in ties]
    found: dict[frozenset[tuple[str, str]], str] = {}
    for names in dict.fromkeys(tuple(sorted(one)) for one in places):
        alike = [one for one in places if tuple(sorted(one)) == names]
        for run in chunks(alike, PAIRS_IN_QUERY):
            for row in _naming(calls, object_type, names, run):
                there = {(name, _long(row, name)) for name in names}
                found.setdefault(frozenset(there), _long(row, "Id"))
    return [found.get(frozenset(one.items())) for one in places]


def _names(object_type: str, ties: Sequence[Association]) -> dict[str, str]:
    """Return field -> the long id it has to hold. Raises Unsupported for no field."""
    named: dict[str, str] = {}
    for tie in ties:
        field = SPEC.references.get((object_type, tie.to_object))
        if field is None:
            told = f"{object_type} has no field for {tie.to_object}"
            raise Unsupported(told, vendor=VENDOR, code="NO_SUCH_TIE")
        named[field] = long_id(tie.to_id)
    return named


def _naming(
    calls: Calls,
    object_type: str,
    names: Sequence[str],
    wanted: Sequence[Mapping[str, str]],
) -> Iterator[Json]:
    """Yield the rows that may be one of these."""

    def page(cursor: str | None) -> tuple[list[Json], str | None]:
        text = soql.select(
            ["Id", *names],
            object_type,
            *(soql.any_of(n, dict.fromkeys(one[n] for one in wanted)) for n in names),
            soql.after_id(cursor),
            order=("Id",),
        )
        return _page_of(calls.query(text, object_type=object_type))

    return walk(page)


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

    def take(place: Place, members: Sequence[int]) -> Outcomes:
        pairs = {one: _pair(ties[one]) for one in members}
        there = _there(calls, place, list(pairs.values()))
        targets = {
            one: there.ids[pair] for one, pair in pairs.items() if pair in there.ids
        }
        take_away = _emptied if "Id" in place else _deleted
        return dict.fromkeys(members) | dict(take_away(calls, place, targets))

    return _by_kind(from_object, ties, take)


def _by_kind(
    from_object: str,
    ties: Sequence[Tie],
    do: Callable[[Place, Sequence[int]], Outcomes],
) -> list[SyncError | None]:
    """Do it to the ties to each object together; return what became of each in order.

    do: gets where they are written, and their positions in the list.
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
            outcome |= do(place, members)
    return [outcome[number] for number in range(len(ties))]


def _deleted(
    calls: Calls, place: Place, targets: Mapping[int, Sequence[str]]
) -> list[Outcome]:
    """Delete the rows between the two."""
    ids = [row for rows in targets.values() for row in rows]
    kept = deleting.delete(calls, place[0], ids)
    return [
        (one, next((kept[row] for row in rows if row in kept), None))
        for one, rows in targets.items()
    ]


def _emptied(
    calls: Calls, place: Place, targets: Mapping[int, Sequence[str]]
) -> list[Outcome]:
    """Empty the field that ties."""
    table, ours, theirs = place
    name = theirs if ours == "Id" else ours

    def send(some: Sequence[int]) -> list[Outcome]:
        ids = [targets[one][0] for one in some]
        body = [{"attributes": {"type": table}, "id": one, name: None} for one in ids]
        return _answered(calls, place, "PATCH", body, some)

    runs = distinct_chunks(list(targets), COLLECTION, key=lambda one: targets[one][0])
    return settle(runs, send, lambda one, error: (one, error))


def make(calls: Calls, from_object: str, ties: Sequence[Tie]) -> list[SyncError | None]:
    """Make ties, one call per kind; None = made, or there already.

    Nothing that is the main one already has to give way.
    """

    def tie(place: Place, members: Sequence[int]) -> Outcomes:
        if "Id" in place:
            return dict(_made(calls, place, ties, members))
        return _made_once(calls, place, ties, members)

    return _by_kind(from_object, ties, tie)


def _made_once(
    calls: Calls, place: Place, ties: Sequence[Tie], members: Sequence[int]
) -> Outcomes:
    """Make the rows between the two that are not there yet, and no second one.

    One whose answer was lost is looked for, since to repeat it could double it.
    """
    pairs = {one: _pair(ties[one]) for one in members}
    there = _there(calls, place, list(pairs.values()))
    # The same tie twice is made by the first of the two.
    first = {pair: one for one, pair in reversed(pairs.items())}
    missing = sorted(one for pair, one in first.items() if pair not in there.ids)
    mains = _mains(place, {one: pairs[one] for one in missing}, there)
    made: Outcomes = dict(_made(calls, place, ties, missing, mains=mains))
    lost = [one for one, error in made.items() if isinstance(error, OutcomeUnknown)]
    if lost:
        found = _look_again(calls, place, [pairs[one] for one in lost])
        made |= {one: None for one in lost if pairs[one] in found}
    return {one: made.get(first[pair]) for one, pair in pairs.items()}


def _look_again(
    calls: Calls, place: Place, pairs: Sequence[Pair]
) -> Mapping[Pair, Sequence[str]]:
    try:
        return _there(calls, place, pairs).ids
    except SyncError:
        return {}  # they stay unknown, and the next try looks


def _mains(place: Place, missing: Mapping[int, Pair], there: There) -> set[int]:
    """Return which of the rows to be made are the main ones: the first of a record."""
    if place[0] not in MAIN_ROWS:
        return set()
    nth = place[1:].index(MAIN_ROWS[place[0]][0])
    firsts = {pair[nth]: one for one, pair in reversed(list(missing.items()))}
    return {one for record, one in firsts.items() if record not in there.having}


def _there(calls: Calls, place: Place, pairs: Sequence[Pair]) -> There:
    """Read what ties these, and by what else the records with main rows are tied."""
    table, ours, theirs = place
    column = MAIN_ROWS[table][0] if table in MAIN_ROWS else ours
    nth = place[1:].index(column)
    found: dict[Pair, list[str]] = {}
    having: set[str] = set()
    for run in chunks(list(dict.fromkeys(one[nth] for one in pairs)), COLLECTION):
        for row in _rows(calls, table, (column, theirs if nth == 0 else ours), run):
            pair = _long(row, ours), _long(row, theirs)
            found.setdefault(pair, []).append(_long(row, "Id"))
            having.add(pair[nth])
    return There({pair: found[pair] for pair in pairs if pair in found}, having)


def _long(row: Json, name: str) -> str:
    return long_id(clean(row.get(name)) or "")


def _pair(tie: Tie) -> Pair:
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

    flag = MAIN_ROWS[table][1:] if table in MAIN_ROWS else ()

    def page(cursor: str | None) -> tuple[list[Json], str | None]:
        text = soql.select(
            list(dict.fromkeys(("Id", *columns, *flag))),
            table,
            soql.any_of(columns[0], ids),
            soql.after_id(cursor),
            order=("Id",),
        )
        return _page_of(calls.query(text, object_type=table))

    return walk(page)


def _page_of(body: Json) -> tuple[list[Json], str | None]:
    """Return the rows of an answer in the order of their ids, and where to go on."""
    rows = answers.entries(body)
    last = clean(rows[-1].get("Id")) if rows else None
    return rows, last if has_more(body, len(rows)) else None


def _is_main(table: str, row: Json) -> bool:
    return table in MAIN_ROWS and row.get(MAIN_ROWS[table][1]) is True


def _is_of(remote_id: str, object_type: str) -> bool:
    """Tell whether an id is one of this object: one field holds leads and contacts."""
    facts = SPEC.objects.get(object_type)
    return facts is None or not facts.type_id or remote_id.startswith(facts.type_id)


def _made(
    calls: Calls,
    place: Place,
    ties: Sequence[Tie],
    members: Sequence[int],
    *,
    mains: Collection[int] = (),
) -> list[Outcome]:
    """Write ties. mains: those that become the main one of their record."""

    def send(some: Sequence[int]) -> list[Outcome]:
        verb: Verb = "PATCH" if "Id" in place else "POST"
        body = [_row(place, ties[one], main=one in mains)[1] for one in some]
        return _answered(calls, place, verb, body, some)

    def identity(one: int) -> str:
        return _row(place, ties[one])[0] or f"\x00{one}"

    # One call must not name a record twice.
    runs = distinct_chunks(members, COLLECTION, key=identity)
    return settle(runs, send, lambda one, error: (one, error))


def _row(
    place: Place, tie: Tie, *, main: bool = False
) -> tuple[str, dict[str, object]]:
    """Return which record a tie changes, "" for a new one, and how."""
    table, ours, theirs = place
    ids = {ours: tie[0], theirs: tie[1].to_id}
    target = ids.pop("Id", "")
    row: dict[str, object] = {"attributes": {"type": table}, **ids}
    if main:
        row[MAIN_ROWS[table][1]] = True
    return target, row | ({"id": target} if target else {})


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
        # A second row for the same two is refused, which says that it is there, but
        # for those that can be there several times.
        repeatable=updating or place[0] not in MAIN_ROWS,
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
