"""Looks for new records of ours in the CRM, where a mapping goes both ways.

Two that meet by a push merge as two that meet by a pull: blanks are filled, and
nothing else is overwritten unless it was chosen.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from crmsync.core.models import WorkItem
from integrations.connectors.base import Connector
from integrations.models import ObjectMapping
from integrations.records import RemoteRecord
from integrations.sync import intake, journal, outbox, steps
from integrations.sync.journal import Failed
from integrations.sync.links import owners_of, record_of_key
from integrations.sync.plan import Leave, Send
from integrations.sync.results import already_linked
from integrations.sync.subjects import Rules, Subject
from integrations.sync.terms import Terms, fields_to_read

Row = tuple[WorkItem, Subject, Send]

_rng = random.Random()
_EQUAL = Leave("unchanged")


def meet(
    mapping: ObjectMapping,
    sends: Sequence[Row],
    rules: Rules,
    terms: Terms,
    connector: Connector,
) -> list[Row]:
    """Link what is there already by its key; return what is still to be written."""
    new = [one for one in sends if one[2].meet_first]
    if not new:
        return list(sends)
    by_value: dict[str, list[Row]] = defaultdict(list)
    for one in new:
        by_value[_one_form(one[2].write.key_value, rules, terms)].append(one)
    asked = {
        value: rows[0][2].write.key_value or "" for value, rows in by_value.items()
    }
    names = fields_to_read(mapping, terms.pulled)
    names = sorted({*names, rules.match_field, rules.key_field} - {""})
    there = _look_up(rules, terms, names, connector, asked)
    found: dict[str, tuple[Row, RemoteRecord]] = {}
    apart: dict[str, tuple[WorkItem, Leave]] = {}
    for value, records in there.items():
        living = [one for one in records if not one.became]
        # Several, or one that was converted: the write tells of that itself.
        for row in by_value[value] if len(living) == 1 else ():
            if other := row[1].kept_from(living[0].remote_id):
                apart[row[1].ref] = row[0], Leave("excluded", other.reason)
            elif not _is_ours(living[0], row, rules):
                found[row[1].ref] = row, living[0]
    journal.record_left(mapping, list(apart.values()))
    free = _without_taken(mapping, found, rules)
    written = _linked(mapping, free, rules, terms, connector)
    settled = found.keys() | apart.keys()
    return [one for one in sends if one[1].ref not in settled] + written


def _one_form(value: str | None, rules: Rules, terms: Terms) -> str:
    return terms.canon[rules.match_field](value or "").strip().casefold()


def _is_ours(record: RemoteRecord, row: Row, rules: Rules) -> bool:
    """Tell whether we made it ourselves and the answer was lost."""
    return bool(rules.key_field) and record.fields.get(rules.key_field) == row[1].key


def _look_up(
    rules: Rules,
    terms: Terms,
    names: Sequence[str],
    connector: Connector,
    values: Mapping[str, str],
) -> dict[str, list[RemoteRecord]]:
    """Return value, in one form -> records that have it. values: form -> as we have it.

    A record can be known by a further value that is not shown, such as an additional
    e-mail: which one it was found by is learnt by asking for half of the rest each.
    """
    key = rules.match_field
    found = connector.fetch(
        rules.remote_object, list(values.values()), fields=names, key_field=key
    )
    there: dict[str, list[RemoteRecord]] = defaultdict(list)
    strays = []
    for record in found:
        value = _one_form(record.fields.get(key), rules, terms)
        if value in values:
            there[value].append(record)
        else:
            strays.append(record)
    rest = [one for one in values if one not in there]
    if not (strays and rest):
        return there
    if len(rest) == 1:
        return {**there, rest[0]: strays}
    half = len(rest) // 2
    for some in (rest[:half], rest[half:]):
        part = {one: values[one] for one in some}
        there |= _look_up(rules, terms, names, connector, part)
    return there


def _without_taken(
    mapping: ObjectMapping, found: Mapping[str, tuple[Row, RemoteRecord]], rules: Rules
) -> dict[str, tuple[Row, RemoteRecord]]:
    """Hold what is another record of ours there; return the rest, by remote id."""
    ids = [record.remote_id for _, record in found.values()]
    owners = owners_of(mapping.connection, mapping.remote_object, ids)
    free: dict[str, tuple[Row, RemoteRecord]] = {}
    taken: list[tuple[WorkItem, str, int]] = []
    for row, record in found.values():
        record_id = outbox.record_of(row[0].key)
        key = record.fields.get(rules.key_field) or ""
        made = record_of_key(mapping.workspace, mapping.record_type, key)
        owner = owners.setdefault(record.remote_id, made or record_id)
        if owner == record_id:
            free[record.remote_id] = row, record
            continue
        taken.append((row[0], record.remote_id, owner))
    journal.record_failed(mapping, already_linked(mapping, taken), _rng)
    return free


def _linked(
    mapping: ObjectMapping,
    free: Mapping[str, tuple[Row, RemoteRecord]],
    rules: Rules,
    terms: Terms,
    connector: Connector,
) -> list[Row]:
    """Take in what the CRM has; return what it lacks, as updates."""
    if not free:
        return []
    taken = intake.take_in(
        mapping,
        [record for _, record in free.values()],
        connector,
        sending=True,
        keeps_failures=False,
        met={one: outbox.record_of(row[0].key) for one, (row, _) in free.items()},
    )
    written: list[Row] = []
    failed: list[Failed] = []
    equal: list[tuple[WorkItem, Leave]] = []
    for case in taken.cases:
        (item, subject, send), _ = free[case.ref]
        if case.failure is not None:
            failed.append(Failed(item, case.failure))
            continue
        fields = {**_own_key(send, rules), **taken.sends.get(case.ref, {})}
        if case.excluded or not (fields or send.ties):
            equal.append((item, _EQUAL))
            continue
        write = replace(
            send.write,
            remote_id=case.ref,
            key_field=None,
            key_value=None,
            fields=fields,
            mode="update",
            clears_first=steps.cleared_first(fields, case.crm, terms),
        )
        written.append((item, subject, replace(send, write=write, blank=())))
    journal.record_failed(mapping, failed, _rng)
    journal.record_left(mapping, equal)
    return written


def _own_key(send: Send, rules: Rules) -> dict[str, str]:
    given = send.write.fields.get(rules.key_field) if rules.key_field else None
    return {rules.key_field: str(given)} if given else {}
