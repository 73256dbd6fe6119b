"""Random edits on three sides, with rounds of work between them in any order."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from integrations.models import Conflict
from integrations.tests.sync.trio import (
    Story,
    Trio,
    lasts,
    must_clash,
    random_edits,
    shuffled_work,
)
from leads.models import Change

SCHEDULES, TICKS = 1000, 6
EDITS, PEOPLE = 1000, 100

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(1800)]


def out_of_step(trio: Trio, story: Story) -> list[str]:
    """Return who does not have the same value on all three sides."""
    return [
        f"person {number}, {name}: {values}; entered {told.get(name, [])}"
        for number, (sides, told) in enumerate(zip(trio.values(), story, strict=True))
        for name in sides["hub"]
        if len(set(values := [side[name] for side in sides.values()])) != 1
    ]


def lost_edits(trio: Trio, story: Story) -> list[str]:
    """Return the fields that have none of the values they were left with.

    What one alone edits has what they entered last; of several it is one's last.
    """
    return [
        f"person {number}, {name}: {sides['hub'][name]}; entered {entered}"
        for number, (sides, told) in enumerate(zip(trio.values(), story, strict=True))
        for name, entered in told.items()
        if sides["hub"][name] not in {one.value for one in lasts(entered).values()}
    ]


def untold_conflicts(trio: Trio, story: Story) -> list[str]:
    """Return the fields that two edited at once, of which no conflict is noted."""
    noted = set(Conflict.objects.values_list("record_id", "field"))
    return [
        f"person {number}, {name}: {entered}"
        for number, told in enumerate(story)
        for name, entered in told.items()
        if must_clash(entered) and (trio.leads[number], name) not in noted
    ]


def test_random_schedules_lose_no_edit_and_end_equal_everywhere(
    trio: Trio, seed: int, scaled: Callable[[int], int]
) -> None:
    rng = random.Random(seed)
    trio.populate(scaled(SCHEDULES))
    story: Story = [{} for _ in trio.leads]

    for tick in range(TICKS):
        edits = random_edits(rng, story, tick, chance=0.35)
        for actor in rng.sample(list(edits), len(edits)):
            trio.edit(actor, edits[actor])
        for job in shuffled_work(rng, trio):
            job()
    trio.rest()

    assert out_of_step(trio, story) == []
    assert lost_edits(trio, story) == []
    assert untold_conflicts(trio, story) == []
    assert trio.counts() == (len(trio.leads), len(trio.leads))


def test_after_many_edits_with_echoes_nothing_moves_any_more(
    trio: Trio, seed: int, scaled: Callable[[int], int]
) -> None:
    rng = random.Random(seed)
    trio.populate(scaled(PEOPLE))
    story: Story = [{} for _ in trio.leads]
    before, made, tick = trio.writes(), 0, 0

    while made < scaled(EDITS):
        edits = random_edits(rng, story, tick, chance=0.5)
        for actor, some in edits.items():
            trio.edit(actor, some)
            made += len(some)
        for job in shuffled_work(rng, trio):
            job()
        tick += 1
    trio.rest()
    written, changes = trio.writes() - before, Change.objects.count()
    for _ in range(3):
        trio.rest()

    assert written <= made * 2
    assert trio.writes() - before == written
    assert Change.objects.count() == changes
    assert out_of_step(trio, story) == []
