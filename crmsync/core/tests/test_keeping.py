"""A lease outlasts the call it was taken for, however long that takes."""

from __future__ import annotations

import time

import pytest
from django.utils import timezone

from crmsync.core import queue
from crmsync.core.keeping import kept
from crmsync.core.models import WorkItem
from crmsync.core.queue import Ask
from crmsync.core.testing import make_workspace


@pytest.fixture
def item(transactional_db: None, settings: pytest.FixtureRequest) -> WorkItem:
    """An item that is leased for a moment only."""
    settings.WORK_LEASE_S = 1.5  # type: ignore[attr-defined]
    workspace, channel = make_workspace(), queue.channel("a")
    ask = Ask(workspace_id=workspace.pk, kind="push", key="1", channel_id=channel.pk)
    queue.ask([ask])
    (claimed,) = queue.claim("push", channel_id=channel.pk, limit=1)
    return claimed


def test_a_kept_lease_outlasts_its_time(item: WorkItem) -> None:
    ends_at = item.leased_until
    assert ends_at is not None

    with kept([item]):
        while timezone.now() <= ends_at:
            time.sleep(0.05)
        rescued = queue.rescue()

    assert rescued == 0
    assert queue.finish([item]) == 1


def test_without_it_the_lease_ends(item: WorkItem) -> None:
    ends_at = item.leased_until
    assert ends_at is not None
    while timezone.now() <= ends_at:
        time.sleep(0.05)

    assert queue.rescue() == 1
    assert queue.finish([item]) == 0
