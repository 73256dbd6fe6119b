"""The most recent edit wins, by when it was entered and not by when it was read."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Conflict
from integrations.tests.sync.trio import Actor, Trio
from leads.models import Change

Wait = Callable[[], None]


@pytest.fixture
def trio(trio: Trio) -> Trio:
    trio.populate(1)
    return trio


@pytest.fixture
def wait() -> Wait:
    """Let more time pass than clocks may differ by, as measured on a busy machine."""

    return lambda: time.sleep(5)


def titles(trio: Trio) -> set[str]:
    return {one["job_title"] for one in trio.values()[0].values()}


@pytest.mark.parametrize(
    ("first", "second"), [("salesforce", "hubspot"), ("hubspot", "salesforce")]
)
def test_the_later_edit_wins_though_the_earlier_was_read_after_it_was_made(
    trio: Trio, wait: Wait, first: Actor, second: Actor
) -> None:
    trio.edit(first, {0: {"job_title": "Older"}})
    wait()
    trio.edit(second, {0: {"job_title": "Newer"}})
    wait()

    trio.pull(first)
    trio.pull(second)
    trio.rest()

    assert titles(trio) == {"Newer"}
    (conflict,) = Conflict.objects.all()
    assert conflict.reason == "Most recent wins"
    assert conflict.winner == "crm"


def test_a_change_from_a_crm_keeps_when_it_was_entered(trio: Trio, wait: Wait) -> None:
    before = timezone.now()
    trio.edit("hubspot", {0: {"job_title": "Newer"}})
    wait()
    trio.pull("hubspot")

    change = Change.objects.filter(fields__has_key="job_title").latest("pk")
    assert change.said_at is not None
    assert abs(change.said_at - before) < timedelta(seconds=2)
    assert change.at - change.said_at > timedelta(seconds=2)


def test_a_change_made_here_was_entered_when_it_was_kept(trio: Trio) -> None:
    trio.edit("hub", {0: {"job_title": "Ours"}})

    change = Change.objects.filter(fields__has_key="job_title").latest("pk")
    assert change.said_at is None
