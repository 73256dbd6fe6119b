"""Reading and making associations."""

from collections.abc import Collection, Sequence
from functools import partial

from integrations.connectors.batches import settle
from integrations.connectors.hubspot import answers, tying
from integrations.connectors.hubspot.calls import Calls
from integrations.connectors.hubspot.spec import SPEC
from integrations.connectors.hubspot.tying import Kind, Tied
from integrations.connectors.paging import chunks
from integrations.errors import SyncError
from integrations.records import Association

# (from id, association)
Tie = tuple[str, Association]
# (position in the list of ties, its error)
Outcome = tuple[int, SyncError | None]
# (position in the list of ties, the types it is made with, None = the default one)
Made = tuple[int, tuple[Kind, ...] | None]


def read(
    calls: Calls, from_object: str, to_object: str, ids: Sequence[str]
) -> dict[str, list[str]]:
    """Map each of ids to the ids it belongs to: the primary one, else all of them."""
    main = tying.main_kind(from_object, to_object)
    tied = _tied(calls, from_object, to_object, ids)
    return {one: tying.belongs_to(others, main) for one, others in tied.items()}


def make(
    calls: Calls,
    from_object: str,
    ties: Sequence[Tie],
    *,
    fresh: Collection[str] = (),
) -> list[SyncError | None]:
    """Make ties, one call per target object and way; None = made.

    fresh: ids of records that have just been made, and have no ties yet.
    """
    groups: dict[str, list[int]] = {}
    for number, (_, tie) in enumerate(ties):
        groups.setdefault(tie.to_object, []).append(number)
    outcome: dict[int, SyncError | None] = {}
    for to_object, members in groups.items():
        made = _kinds(calls, from_object, to_object, ties, members, fresh=fresh)
        # The default call leaves labels alone; naming a type replaces them.
        plain = [one for one in made if one[1] is None]
        typed = [one for one in made if one[1] is not None]
        for verb, some in ((("associate", "default"), plain), (("create",), typed)):
            path = calls.path("associations", from_object, to_object, "batch", *verb)
            send = partial(_send, calls, path, from_object, ties)
            cut = chunks(some, SPEC.batch.associations_write)
            outcome |= dict(settle(cut, send, lambda one, error: (one[0], error)))
    return [outcome[number] for number in range(len(ties))]


def part(calls: Calls, from_object: str, ties: Sequence[Tie]) -> list[SyncError | None]:
    """Take ties away, with all their labels; None = done."""
    groups: dict[str, list[int]] = {}
    for number, (_, tie) in enumerate(ties):
        groups.setdefault(tie.to_object, []).append(number)
    outcome: dict[int, SyncError | None] = {}
    for to_object, members in groups.items():
        path = calls.path("associations", from_object, to_object, "batch", "archive")

        def send(some: Sequence[int], path: str = path) -> list[Outcome]:
            inputs = [
                {"from": {"id": ties[one][0]}, "to": [{"id": ties[one][1].to_id}]}
                for one in some
            ]
            calls.post(
                path, {"inputs": inputs}, inputs=len(some), object_type=from_object
            )
            return [(one, None) for one in some]

        cut = chunks(members, SPEC.batch.associations_write)
        outcome |= dict(settle(cut, send, lambda one, error: (one, error)))
    return [outcome[number] for number in range(len(ties))]


def _kinds(
    calls: Calls,
    from_object: str,
    to_object: str,
    ties: Sequence[Tie],
    members: Sequence[int],
    *,
    fresh: Collection[str],
) -> list[Made]:
    """Return the types each tie is made with, after a look at what is there."""
    main = tying.main_kind(from_object, to_object)
    if main is None:
        return [(one, _named(ties[one][1])) for one in members]
    doubted = [ties[one][0] for one in members if ties[one][1].type_id is None]
    ids = [one for one in dict.fromkeys(doubted) if one not in fresh]
    tied = _tied(calls, from_object, to_object, ids)
    return [
        (
            one,
            _named(ties[one][1])
            or tying.kinds_of(ties[one][1], tied.get(ties[one][0], {}), main),
        )
        for one in members
    ]


def _named(tie: Association) -> tuple[Kind, ...] | None:
    return None if tie.type_id is None else ((tying.BUILT_IN, tie.type_id),)


def _tied(
    calls: Calls, from_object: str, to_object: str, ids: Sequence[str]
) -> dict[str, Tied]:
    """Read all ties of records, following long lists to their end."""
    ties: dict[str, Tied] = {one: {} for one in ids}
    path = calls.path("associations", from_object, to_object, "batch", "read")
    for chunk in chunks(list(ties), SPEC.batch.associations_read):
        inputs: list[dict[str, str]] = [{"id": one} for one in chunk]
        while inputs:
            body = calls.post(
                path, {"inputs": inputs}, inputs=len(inputs), object_type=from_object
            )
            inputs = tying.collect(body, ties)
    return ties


def _send(
    calls: Calls,
    path: str,
    from_object: str,
    ties: Sequence[Tie],
    members: Sequence[Made],
) -> list[Outcome]:
    pairs = [(ties[one][0], ties[one][1].to_id) for one, _ in members]
    inputs = [
        tying.tie_input(*pair, kinds)
        for pair, (_, kinds) in zip(pairs, members, strict=True)
    ]
    body = calls.post(
        path, {"inputs": inputs}, inputs=len(pairs), object_type=from_object
    )
    numbers = [one for one, _ in members]
    return list(zip(numbers, answers.tie_refusals(pairs, body), strict=True))
