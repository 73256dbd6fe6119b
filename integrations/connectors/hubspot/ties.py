"""Reading and making associations."""

from collections.abc import Sequence
from functools import partial

from integrations.connectors.batches import settle
from integrations.connectors.hubspot import answers, searching, writing
from integrations.connectors.hubspot.calls import Calls
from integrations.connectors.hubspot.spec import SPEC
from integrations.connectors.paging import chunks
from integrations.errors import SyncError
from integrations.records import Association

# (from id, association)
Tie = tuple[str, Association]
# (position in the list of ties, its error)
Outcome = tuple[int, SyncError | None]


def read(
    calls: Calls, from_object: str, to_object: str, ids: Sequence[str]
) -> dict[str, list[str]]:
    """Map each of ids to the ids it is tied to, following long lists to their end."""
    ties: dict[str, list[str]] = {one: [] for one in ids}
    path = calls.path("associations", from_object, to_object, "batch", "read")
    for chunk in chunks(list(ties), SPEC.batch.associations_read):
        inputs: list[dict[str, str]] = [{"id": one} for one in chunk]
        while inputs:
            body = calls.post(
                path, {"inputs": inputs}, inputs=len(inputs), object_type=from_object
            )
            inputs = searching.collect_ties(body, ties)
    return ties


def make(calls: Calls, from_object: str, ties: Sequence[Tie]) -> list[SyncError | None]:
    """Make ties, one call per target object and type; None = made."""
    groups: dict[tuple[str, int | None], list[int]] = {}
    for number, (_, tie) in enumerate(ties):
        groups.setdefault((tie.to_object, tie.type_id), []).append(number)
    outcome: dict[int, SyncError | None] = {}
    for (to_object, type_id), members in groups.items():
        # The default call leaves labels alone; naming a type replaces them.
        verb = ("associate", "default") if type_id is None else ("create",)
        path = calls.path("associations", from_object, to_object, "batch", *verb)
        send = partial(_send, calls, path, from_object, ties)
        cut = chunks(members, SPEC.batch.associations_write)
        outcome |= dict(settle(cut, send, lambda one, error: (one, error)))
    return [outcome[number] for number in range(len(ties))]


def _send(
    calls: Calls,
    path: str,
    from_object: str,
    ties: Sequence[Tie],
    members: Sequence[int],
) -> list[Outcome]:
    pairs = [(ties[one][0], ties[one][1].to_id) for one in members]
    inputs = writing.tie_inputs(pairs, ties[members[0]][1].type_id)
    body = calls.post(
        path, {"inputs": inputs}, inputs=len(pairs), object_type=from_object
    )
    return list(zip(members, answers.tie_refusals(pairs, body), strict=True))
