"""Runs as they are looked through: filtered, with their samples and their records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import QuerySet
from django.http import QueryDict

from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from integrations import selectors, sentences
from integrations.failures import safe_cell
from integrations.models import Connection, ObjectMapping, Run, SyncEntry
from integrations.sentences import Told
from integrations.services.mappings import our_fields
from leads.browse import Choice

# Changed fields shown of one record; the rest is a number.
FIELDS_SHOWN = 6


def number_in(text: str) -> int | None:
    """Return the id in an address, None when it can be none.

    >>> number_in("12"), number_in("x"), number_in("9" * 30)
    (12, None, None)
    """
    fits = text.isascii() and text.isdigit() and len(text) < 19
    return int(text) if fits else None


# --- the list -------------------------------------------------------------------------


def filtered(query: QueryDict) -> QuerySet[Run]:
    """Return the runs a list's address asks for; an unknown filter is none."""
    rows = Run.objects.select_related("mapping", "connection", "asked_by")
    for name in ("connection", "mapping"):
        if (wanted := number_in(query.get(name, ""))) is not None:
            rows = rows.filter(**{name: wanted})
    if (kind := query.get("kind", "")) in Run.Kind.values:
        rows = rows.filter(kind=kind)
    if (state := query.get("state", "")) in Run.State.values:
        rows = rows.filter(state=state)
    return rows


def choices(query: QueryDict) -> list[Choice]:
    """Return the filters over the list of runs."""
    connections = Connection.objects.order_by("name").values_list("pk", "name")
    mappings = ObjectMapping.objects.select_related("connection")
    ordered = mappings.order_by("connection__name", "record_type", "pk")
    given: tuple[tuple[str, str, str, list[tuple[str, str]]], ...] = (
        (
            "connection",
            "Connection",
            "Any connection",
            [(str(pk), name) for pk, name in connections],
        ),
        (
            "mapping",
            "Mapping",
            "Any mapping",
            [(str(one.pk), f"{one} · {one.connection}") for one in ordered],
        ),
        ("kind", "Kind", "Any kind", list(Run.Kind.choices)),
        ("state", "State", "Any state", list(Run.State.choices)),
    )
    return [
        Choice(name, label, query.get(name, ""), [("", anything), *options])
        for name, label, anything, options in given
    ]


# --- the records of one run -----------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Changed:
    """One field before and after, or on the two sides."""

    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry of a run with the record it is about."""

    row: SyncEntry
    label: str
    url: str
    changed: Sequence[Changed] = ()
    told: Told | None = None

    @property
    def more(self) -> int:
        """Return how many changed fields are not shown."""
        return max(len(self.row.undo) - FIELDS_SHOWN, 0)


def entries_of(run: Run, outcome: str = "") -> QuerySet[SyncEntry]:
    """Return the journal of a run; an unknown outcome is no filter."""
    rows = SyncEntry.objects.filter(run=run)
    known = outcome in SyncEntry.Outcome.values
    return rows.filter(outcome=outcome) if known else rows


def outcome_choice(outcome: str) -> Choice:
    """Return the filter over the journal of a run."""
    options = [("", "Any outcome"), *SyncEntry.Outcome.choices]
    return Choice("outcome", "Outcome", outcome, options)


def with_records(run: Run, rows: Iterable[SyncEntry]) -> list[Entry]:
    """Join journal entries with the records they are about."""
    rows = list(rows)
    known = selectors.records_by_id(
        run.mapping.record_type, [row.record_id for row in rows]
    )
    labels = selectors.remote_labels(run.mapping)
    labels |= our_fields(run.mapping.record_type)
    return [
        Entry(
            row,
            selectors.label_of(run.mapping, known.get(row.record_id), row),
            selectors.url_of(known.get(row.record_id)),
            _changed(row.undo, labels),
            sentences.told(row, run.connection),
        )
        for row in rows
    ]


def _changed(undo: Mapping[str, object], labels: Mapping[str, str]) -> list[Changed]:
    pairs = [
        (name, pair)
        for name, pair in undo.items()
        if isinstance(pair, list) and len(pair) == 2
    ]
    return [
        Changed(labels.get(name, name), *(str(one or "") for one in pair))
        for name, pair in pairs[:FIELDS_SHOWN]
    ]


def parked_of(run: Run) -> QuerySet[WorkItem]:
    """Return what of a run failed and waits for a person."""
    return WorkItem.objects.filter(run=run.pk, state=State.PARKED)


HEADINGS = (
    "Record",
    "Type",
    "Record id",
    "Remote id",
    "Way",
    "Outcome",
    "Fields",
    "Cause",
    "Message",
    "At",
)


def cells(run: Run, rows: Iterable[SyncEntry]) -> Iterable[list[str]]:
    """Return the rows of a run's export."""
    for one in with_records(run, rows):
        row = one.row
        values = (
            one.label,
            row.record_type,
            row.record_id or "",
            row.remote_id,
            "in" if row.direction == "pull" else "out",
            row.get_outcome_display(),
            ", ".join(row.fields),
            row.error_class,
            one.told.sentence if one.told else "",
            row.at.isoformat(),
        )
        yield [safe_cell(value) for value in values]


# --- samples --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sample:
    """One record of a dry run, an audit or a stopped run.

    there, here: what changes on each side; apart: what differs, ours and theirs.
    """

    label: str
    url: str
    remote_id: str
    there: Sequence[Changed] = ()
    here: Sequence[Changed] = ()
    apart: Sequence[Changed] = field(default_factory=tuple)


def samples_of(run: Run) -> list[Sample]:
    """Return the samples a run has kept, with the names people know."""
    ids = [one["record_id"] for one in run.samples if one.get("record_id")]
    known = selectors.records_by_id(run.mapping.record_type, ids)
    labels = selectors.remote_labels(run.mapping)
    return [_sample(run, one, known, labels) for one in run.samples]


def _sample(
    run: Run,
    one: Mapping[str, object],
    known: Mapping[int, object],
    labels: Mapping[str, str],
) -> Sample:
    record_id = one.get("record_id")
    record = known.get(record_id) if isinstance(record_id, int) else None
    remote_id = str(one.get("remote_id") or "")
    noun = run.mapping.get_record_type_display().lower()
    unknown = f"{noun.capitalize()} {record_id}" if record_id else f"A new {noun}"
    changes: dict[str, list[Changed]] = {}
    if run.kind == Run.Kind.AUDIT:
        changes["apart"] = _pairs(one.get("here"), one.get("there"), labels)
    elif "after" in one:
        changes["here"] = _pairs(one.get("before"), one.get("after"), labels)
    else:
        sent = _dict(one.get("there"))
        # What we keep our own key in says nothing to a person.
        keys = set(run.connection.key_fields.values())
        plain = {name: pair for name, pair in sent.items() if name not in keys}
        changes["there"] = _changed(plain, labels)
        changes["here"] = _changed(_dict(one.get("here")), labels)
    label = str(record or one.get("label") or unknown)
    return Sample(label, selectors.url_of(record), remote_id, **changes)


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


def _pairs(before: object, after: object, labels: Mapping[str, str]) -> list[Changed]:
    first, then = _dict(before), _dict(after)
    names = list(dict.fromkeys([*first, *then]))[:FIELDS_SHOWN]
    return [
        Changed(labels.get(n, n), str(first.get(n) or ""), str(then.get(n) or ""))
        for n in names
    ]
