"""Which record an upsert by a field that is no external id is about: asked first.

One query a batch. Where several records have the value, a person must decide: to take
the first would be a guess that nobody sees.
"""

from collections import defaultdict
from collections.abc import Sequence

from integrations.connectors.salesforce import answers, reading, writing
from integrations.connectors.salesforce.answers import Sent
from integrations.connectors.salesforce.calls import Calls
from integrations.connectors.salesforce.errors import AMBIGUOUS, VENDOR
from integrations.errors import AmbiguousMatch, DuplicateFound
from integrations.records import RemoteRecord, WriteResult


def resolve(
    calls: Calls, object_type: str, sent: Sequence[Sent]
) -> tuple[list[Sent], list[WriteResult]]:
    """Return the writes with their records known, and those that cannot be decided."""
    open_ones = [one for one in sent if writing.needs_looking_up(one)]
    by_field: dict[str, list[Sent]] = defaultdict(list)
    for one in open_ones:
        by_field[one.key_field].append(one)
    there = {
        (field, value): records
        for field, some in by_field.items()
        for value, records in _look_up(calls, object_type, field, some).items()
    }
    ready: list[Sent] = []
    undecided: list[WriteResult] = []
    for one in sent:
        if not writing.needs_looking_up(one):
            ready.append(one)
            continue
        records = there.get((one.key_field, _folded(one.key_value)), [])
        outcome = _decide(one, records)
        if isinstance(outcome, Sent):
            ready.append(outcome)
        else:
            undecided.append(outcome)
    return ready, undecided


def _look_up(
    calls: Calls, object_type: str, field: str, sent: Sequence[Sent]
) -> dict[str, list[RemoteRecord]]:
    """Return value, folded -> records that have it."""
    values = [one.key_value for one in sent]
    found: dict[str, list[RemoteRecord]] = defaultdict(list)
    for record in reading.fetch(calls, object_type, values, fields=(), key_field=field):
        found[_folded(record.fields.get(field) or "")].append(record)
    return found


def _decide(sent: Sent, records: Sequence[RemoteRecord]) -> Sent | WriteResult:
    if not records:
        return writing.not_found(sent)
    # A lead that was converted is a contact now; a living one comes first.
    living = [one for one in records if not one.became] or list(records)
    if len(living) > 1:
        return answers.refused(sent, _several(sent, living))
    if living[0].became:
        told = "It was converted: to be linked, then followed"
        gone = DuplicateFound(told, existing_id=living[0].remote_id, vendor=VENDOR)
        return answers.refused(sent, gone)
    return writing.found(sent, living[0].remote_id)


def _several(sent: Sent, records: Sequence[RemoteRecord]) -> AmbiguousMatch:
    ids = ", ".join(one.remote_id for one in records[:5])
    return AmbiguousMatch(
        f"{len(records)} records there have this {sent.key_field} ({ids}). Choose the "
        "one that is meant, or merge them there and retry.",
        candidates=[("", one.remote_id) for one in records],
        field=sent.key_field,
        value=sent.key_value,
        rule=AMBIGUOUS,
        code=AMBIGUOUS,
        vendor=VENDOR,
    )


def _folded(value: str) -> str:
    return value.strip().casefold()
