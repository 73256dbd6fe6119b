"""A large turn is leased in two steps; what is urgent passes between them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import connection
from django_scopes import scope

from crmsync.core import claiming, queue
from crmsync.core.models import Channel, WorkItem, Workspace
from crmsync.core.queue import Ask
from crmsync.core.testing import make_workspace

pytestmark = pytest.mark.django_db(transaction=True)

KIND = "push"
BATCH = 1


@pytest.fixture
def workspace() -> Iterator[Workspace]:
    made = make_workspace()
    with scope(workspace=made):
        yield made


@pytest.fixture
def channel(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Channel:
    monkeypatch.setattr(claiming, "MOST_LOCKED", 3)
    made = queue.channel("connection:1", cap=4)
    queue.ask(
        Ask(workspace.pk, KIND, f"{one:02}", made.pk, lane=BATCH) for one in range(10)
    )
    return made


def claim(channel: Channel, limit: int, full: int = 2) -> list[WorkItem]:
    return queue.claim(KIND, channel_id=channel.pk, limit=limit, full=full, lane=BATCH)


def test_all_of_a_large_turn_is_ours_in_order_under_one_token(channel: Channel) -> None:
    items = claim(channel, 8)

    assert [item.key for item in items] == [f"{one:02}" for one in range(8)]
    assert len({item.lease_token for item in items}) == 1
    assert len(queue.extend(items)) == 8


def test_what_is_claimed_is_what_is_stored(channel: Channel) -> None:
    WorkItem.objects.filter(key="04").update(
        error_class="held", error_about={"here": [1]}, attempts=2, run=7
    )
    claimed = claim(channel, 8)
    stored = {one.pk: one for one in WorkItem.objects.all()}

    for one in claimed:
        assert one == stored[one.pk]
        assert not one._state.adding
        for field in WorkItem._meta.concrete_fields:
            if field.attname != "updated_at":  # the database's own clock
                assert getattr(one, field.attname) == getattr(
                    stored[one.pk], field.attname
                ), field.attname


def test_the_channel_is_charged_for_all_of_it(channel: Channel) -> None:
    claim(channel, 8)

    channel.refresh_from_db()
    assert channel.vtime == 8


def test_a_large_turn_is_not_taken_for_a_small_one(channel: Channel) -> None:
    claim(channel, 2)

    assert len(claim(channel, 7, full=7)) == 7
    assert claim(channel, 7, full=7) == []  # one is left, and shares a later call


def test_what_may_kill_a_worker_stays_out_of_the_second_step(channel: Channel) -> None:
    WorkItem.objects.filter(key="05").update(rescues=queue.LONELY_RESCUES)

    assert [item.key for item in claim(channel, 8)] == [
        "00", "01", "02", "03", "04", "06", "07", "08",
    ]  # fmt: skip
    assert [item.key for item in claim(channel, 8)] == ["05"]


def test_another_may_claim_before_the_second_step(
    channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = claiming._lease_more
    others: list[WorkItem] = []

    def meanwhile(*args: object) -> list[WorkItem]:
        assert not connection.in_atomic_block
        monkeypatch.setattr(claiming, "_lease_more", second)
        others.extend(claim(channel, 4))
        return second(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(claiming, "_lease_more", meanwhile)
    items = claim(channel, 8)

    keys = [item.key for item in items + others]
    assert len(others) == 4
    assert sorted(keys) == [f"{one:02}" for one in range(10)]
