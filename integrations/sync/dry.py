"""Foresees a full comparison: the same reading and deciding, and no writing at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from django.db.models import Exists, OuterRef

from integrations.models import Link, ObjectMapping, SyncEntry
from integrations.records import Page, RemoteRecord
from integrations.sync import backfill, by_then, gather, intake, pages, settle
from integrations.sync.by_then import ByThen
from integrations.sync.cases import Case, outcome_of
from integrations.sync.counting import clears
from integrations.sync.driving import Drive
from integrations.sync.foresight import Foreseen, foresee_out
from integrations.sync.seen import Seen
from integrations.sync.subjects import Rules
from integrations.sync.terms import Terms, fields_to_read, terms_of
from leads.services.fields import MODELS
from leads.services.incoming import Taken

SAMPLES = 20


# Enough for what a record is known by here, by what it is there, and that it was met.
_KEYS_EACH = 3
# Taken for granted of a CRM that does not say how many records it has.
_MANY = 100_000


@dataclass(slots=True)
class _Slice:
    """One slice of the run. seen: what earlier records are known by, see `ByThen`."""

    drive: Drive
    terms: Terms
    rules: Rules
    seen: Seen

    @property
    def by_then(self) -> ByThen:
        """Return what records of ours are found by, by then."""
        return ByThen(self.drive.mapping, self.seen)

    def keep(self, *, over: bool) -> None:
        """Keep how far it is, and with it all that was counted on the way."""
        cursor = self.drive.run.cursor
        if over:
            cursor.pop("seen", None)
        else:
            cursor["seen"] = self.seen.dumped()
        self.drive.save(samples=self.drive.run.samples)


def foresee(drive: Drive) -> bool:
    """Do a slice of the dry run; return whether it is complete."""
    cursor = drive.run.cursor
    terms = terms_of(drive.mapping, drive.connector)
    rules = gather.rules_of(drive.mapping, terms)
    slice_ = _Slice(drive, terms, rules, _seen(drive))
    over = False
    try:
        if cursor.get("scanned") or _scan(slice_):
            only_in = drive.mapping.direction == ObjectMapping.Direction.PULL
            over = only_in or _ours(slice_)
    finally:
        slice_.keep(over=over)
    return over


def _seen(drive: Drive) -> Seen:
    if kept := drive.run.cursor.get("seen"):
        return Seen.loaded(str(kept))
    count = MODELS[drive.mapping.record_type].objects.count()
    if drive.mapping.direction != ObjectMapping.Direction.PUSH:
        there = drive.connector.count(drive.mapping.remote_object)
        count += _MANY if there is None else there
    return Seen.for_keys(count * _KEYS_EACH)


def _scan(slice_: _Slice) -> bool:
    drive, terms = slice_.drive, slice_.terms
    run, mapping = drive.run, drive.mapping
    if mapping.direction == ObjectMapping.Direction.PUSH:
        return True
    names = fields_to_read(mapping, terms.pulled)

    def read(page: str | None) -> Page:
        return drive.connector.scan(mapping.remote_object, page, names)

    begin = str(run.cursor.get("page") or "") or None
    # In the same portions as the real run: what meets in one is judged together.
    with closing(pages.together(read, begin, deadline=drive.deadline)) as found:
        while drive.may_go_on() and (page := next(found, None)) is not None:
            records = [one for one in page.records if not one.became]
            _note(slice_, _planned(slice_, records))
            run.cursor["page"] = page.cursor
            run.cursor["scanned"] = page.cursor is None
    return bool(run.cursor.get("scanned"))


def _planned(slice_: _Slice, records: Sequence[RemoteRecord]) -> list[Case]:
    drive, terms = slice_.drive, slice_.terms
    return intake.planned(
        drive.mapping, records, terms, drive.connector, by_then=slice_.by_then
    )


def _note(slice_: _Slice, cases: Sequence[Case]) -> None:
    """Count what would become of a page of remote records.

    The first of several new ones with the same key would be made; the others are the
    same record once it is there, and wait for a person to merge them in the CRM.
    """
    drive, counts = slice_.drive, Counter[str]()
    for some in _rounds(slice_, cases):
        _refuse_repeated(slice_, some)
        results = settle.foresee(drive.mapping, some, slice_.terms)
        for case in some:
            result = results.get(case.ref)
            slice_.by_then.learn(case, result)
            if name := slice_.rules.match_field:
                _note_there(slice_, [case.record.fields.get(name)])
            counts.update(outcomes_of(case, result))
            if len(drive.run.samples) < SAMPLES and (case.takes or case.sends):
                drive.run.samples.append(_sample(case))
    drive.count(counts)


def _rounds(slice_: _Slice, cases: Sequence[Case]) -> Iterator[list[Case]]:
    """Yield the cases in portions, as `intake.take_in` settles those that repeat.

    What is the same as an earlier one comes after it, for that may fail.
    """
    yield [one for one in cases if not one.repeats]
    rest = [one for one in cases if one.repeats]
    while rest:
        portion: list[Case] = []
        later: list[Case] = []
        asked: set[str] = set()
        for case in rest:
            its = case.known_as.asked if case.known_as else ()
            is_first = asked.isdisjoint(its)
            (portion if is_first else later).append(case)
            asked.update(its)
        yield portion
        rest = later


def _refuse_repeated(slice_: _Slice, cases: Sequence[Case]) -> None:
    """Fail what would by then be found to be a record that this run makes or links."""
    for case in cases:
        if case.link is not None or case.failure is not None or case.excluded:
            continue
        if slice_.by_then.is_twice(case.known_as, case.record_id):
            case.failure = by_then.twice()


def _there(slice_: _Slice, value: object) -> str:
    canon = slice_.terms.canon.get(slice_.rules.match_field, str)
    return f"there {canon(str(value or '')).strip().casefold()}"


def _note_there(slice_: _Slice, values: Iterable[object]) -> None:
    """Note which values the CRM has, and which of them more than once."""
    for value in values:
        key = _there(slice_, value)
        slice_.seen.add([f"more {key}" if key in slice_.seen else key])


def outcomes_of(case: Case, result: Taken | None) -> list[str]:
    """Return what would become of a record, on this side and on the other."""
    outcome = outcome_of(case, result)
    if result is not None and result.stale:
        outcome = SyncEntry.Outcome.FAILED
    told = [_WORDS[outcome]]
    if clears(case):
        told.append("cleared_here")
    if case.sends and case.failure is None and not case.excluded:
        told.append("updated")
    more = [one for one in told if one != "unchanged"]
    return more or told


_WORDS: Mapping[str, str] = {
    SyncEntry.Outcome.CREATED: "created_here",
    SyncEntry.Outcome.UPDATED: "updated_here",
    SyncEntry.Outcome.LINKED: "unchanged",
    SyncEntry.Outcome.UNCHANGED: "unchanged",
    SyncEntry.Outcome.EXCLUDED: "skipped",
    SyncEntry.Outcome.HELD: "held",
    SyncEntry.Outcome.FAILED: "held",
}


def _sample(case: Case) -> dict[str, object]:
    return {
        "record_id": case.record_id,
        "remote_id": case.record.remote_id,
        "label": case.snapshot.label if case.snapshot else "",
        "here": {n: [case.hub.get(n, ""), text] for n, text in case.takes.items()},
        "there": {n: [case.crm.get(n, ""), text] for n, text in case.sends.items()},
    }


def _ours(slice_: _Slice) -> bool:
    """Go through what is only here, or all of ours where nothing is pulled."""
    drive = slice_.drive
    run, mapping = drive.run, drive.mapping
    linked = Link.objects.of(mapping).filter(record_id=OuterRef("pk"))
    rows = MODELS[mapping.record_type].objects.order_by("pk")
    if mapping.direction == ObjectMapping.Direction.BOTH:
        rows = rows.filter(~Exists(linked))
    if mapping.only_kinds:
        rows = rows.filter(kind__in=mapping.only_kinds)
    while drive.may_go_on():
        last = run.cursor.get("last_id", 0)
        ids = list(
            rows.filter(pk__gt=last).values_list("pk", flat=True)[: backfill.CHUNK]
        )
        if not ids:
            return True
        new = [one for one in ids if not slice_.by_then.has_met(one)]
        found = foresee_out(mapping, new, drive.connector)
        found = _met_there(slice_, found)
        drive.count(Counter(one.outcome for one in found))
        for one in found:
            if len(run.samples) < SAMPLES and one.fields:
                run.samples.append(one.sample)
        run.cursor["last_id"] = ids[-1]
    return False


def _met_there(slice_: _Slice, found: Sequence[Foreseen]) -> list[Foreseen]:
    """Tell what would be found there by its key from what would be made.

    Where the CRM was not read it is asked for the keys alone.
    """
    new = [one for one in found if one.outcome == "created" and one.key]
    if slice_.drive.mapping.direction == ObjectMapping.Direction.PUSH:
        _look_up(slice_, [one.key for one in new])
    there = {one.record_id: _there(slice_, one.key) for one in new}
    told = []
    for one in found:
        key = there.get(one.record_id)
        unsure = (f"ours {key}", f"more {key}")
        if key is not None and any(one in slice_.seen for one in unsure):
            one = replace(one, outcome="held")
        elif key is not None:
            slice_.seen.add([f"ours {key}"])
            one = replace(one, outcome="updated") if key in slice_.seen else one
        told.append(one)
    return told


def _look_up(slice_: _Slice, keys: Sequence[str]) -> None:
    """Note which of these values the CRM has."""
    name, drive = slice_.rules.match_field, slice_.drive
    if not keys:
        return
    there = drive.connector.fetch(
        slice_.rules.remote_object,
        list(dict.fromkeys(keys)),
        fields=[name],
        key_field=name,
    )
    _note_there(slice_, (one.fields.get(name) for one in there))
