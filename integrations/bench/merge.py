"""How many fields the merge decides a second, and what the mapping engine costs.

In this process, on one core, without a database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

from django.utils import timezone

from integrations.bench import people
from integrations.bench import terms as compiled
from integrations.bench.report import Figure, spread
from integrations.mapping.engine import Compiled, Mapped
from integrations.mapping.merge import Base, FieldRule, Outcome, Sides, merge
from integrations.models import Link
from integrations.records import RemoteRecord
from integrations.sync.cases import Case
from integrations.sync.compare import decide
from integrations.sync.terms import Terms
from leads.facts import Snapshot

T = TypeVar("T")
Row = Mapping[str, object]
FIELDS = len(people.FIELDS)
REACH = 50_000


def run(*, rounds: int, records: int) -> list[Figure]:
    """Measure the merge and P12. records: of fifteen fields, in each round."""
    rates: dict[str, list[float]] = {"merge": [], "compare": [], "hand": []}
    engine: list[float] = []
    for turn in range(rounds):
        numbers = range(turn * records, (turn + 1) * records)
        sides = [one for number in numbers for one in _sides(number)]
        cases = [_case(number) for number in numbers]
        rates["hand"].append(_rate(len(sides), _by_hand, sides))
        rates["merge"].append(_rate(len(sides), _merged, sides))
        rates["compare"].append(_rate(FIELDS * len(cases), _compared, cases))
        engine.append(_engine_over_hand(numbers))
    return _figures(rates, engine)


def _figures(rates: Mapping[str, Sequence[float]], engine: list[float]) -> list[Figure]:
    pairs = zip(rates["merge"], rates["hand"], strict=True)
    whole = rates["compare"]
    return [
        Figure(
            "fields decided a second, with reading, mapping and echoes",
            spread(whole, 0),
            f">= {REACH:,}",
            median(whole) >= REACH,
        ),
        Figure("fields decided a second by the rules alone", spread(rates["merge"], 0)),
        Figure(
            "the rules alone / three comparisons by hand",
            spread([one / two for one, two in pairs]),
        ),
        Figure(
            "P12: mapping engine / the same by hand",
            spread(engine),
            ">= 0.4",
            median(engine) >= 0.4,
        ),
    ]


def _rate(count: int, work: Callable[[T], object], of: T) -> float:
    started = time.process_time()
    work(of)
    return count / (time.process_time() - started)


# --- the rules alone ------------------------------------------------------------------


def _sides(number: int) -> list[Sides]:
    """Return a record's fields: most unchanged, some changed on either side or both."""
    return [
        _one(at, text) for at, text in enumerate(people.properties(number).values())
    ]


def _one(at: int, text: str) -> Sides:
    crm = f"{text} there" if at % 5 == 1 or at % 15 == 7 else text
    hub = f"{text} here" if at % 5 == 3 or at % 15 == 7 else text
    return Sides(Base(text, text), crm, hub)


_RULE = FieldRule("city", "city", rule="crm")


def _merged(sides: Sequence[Sides]) -> list[Outcome]:
    return [merge(one, _RULE) for one in sides]


def _by_hand(sides: Sequence[Sides]) -> list[tuple[str | None, str | None]]:
    return [_decided(one) for one in sides]


def _decided(one: Sides) -> tuple[str | None, str | None]:
    base, crm, hub = one.base, one.crm, one.hub
    if crm == hub or base is None:
        return None, None
    if crm != base.crm:
        return crm, None
    return (None, hub) if hub != base.hub else (None, None)


# --- with reading and mapping ---------------------------------------------------------


def _case(number: int) -> Case:
    """Return a linked record whose fields changed as in `_sides`."""
    before = people.properties(number)
    sides = {name: _one(at, before[name]) for at, name in enumerate(before)}
    theirs = {name: one.crm for name, one in sides.items()}
    ours = {people.FIELDS[name]: one.hub for name, one in sides.items()}
    return Case(
        RemoteRecord("contacts", str(number), theirs, timezone.now()),
        link=Link(record_id=number, base=before),
        record_id=number,
        snapshot=Snapshot("lead", number, "", ours, {}),
    )


def _compared(cases: Sequence[Case]) -> None:
    decide(cases, _terms(), frozen={}, at=timezone.now())


def _terms() -> Terms:
    return compiled.fifteen_fields()


# --- the mapping engine ---------------------------------------------------------------


def _engine_over_hand(numbers: range) -> float:
    """Return how fast the engine is beside code for this one mapping."""
    engine = compiled.engine()
    rows = [_values(number) for number in numbers]
    hand = _rate(len(rows), _mapped_by_hand, rows)
    return _rate(len(rows), lambda some: _mapped(engine, some), rows) / hand


def _mapped(engine: Compiled, rows: Sequence[Row]) -> list[Mapped]:
    return [engine(one, creating=True) for one in rows]


def _mapped_by_hand(rows: Sequence[Row]) -> list[dict[str, str]]:
    return [compiled.by_hand(one) for one in rows]


def _values(number: int) -> Row:
    theirs = people.properties(number)
    return {ours: theirs[name] for name, ours in people.FIELDS.items()}
