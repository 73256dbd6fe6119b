"""A CRM whose own notices stopped is asked more often, until they come again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django_scopes import scope

from crmsync.core import queue
from crmsync.core.models import WorkItem
from crmsync.core.testing import make_workspace
from integrations.models import ObjectMapping, SyncEntry
from integrations.sync import hints
from integrations.sync.listening import EVERY, is_time, listen
from integrations.testing import (
    make_connection,
    make_endpoint,
    make_mapping,
    make_sync_entry,
)
from integrations.webhooks.base import Hint

pytestmark = pytest.mark.django_db
LONG_AGO = timedelta(minutes=20)


LOCAL = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}


@pytest.fixture
def mapping(settings: pytest.FixtureRequest) -> Iterator[ObjectMapping]:
    """A mapping whose CRM has an address for its notices."""
    settings.CACHES = LOCAL  # type: ignore[attr-defined]
    workspace = make_workspace()
    connection = make_connection(workspace)
    made = make_mapping(connection, direction="both")
    make_endpoint(workspace, source="hubspot", connection=connection)
    cache.clear()
    with scope(workspace=workspace):
        yield made


def wrote(
    mapping: ObjectMapping, times: int, *, ago: timedelta = LONG_AGO, first: int = 1
) -> None:
    """Let so many records have been written, long enough ago to have come back."""
    for number in range(first, first + times):
        entry = make_sync_entry(
            mapping.connection,
            record_id=number,
            remote_id=str(number),
            mapping=mapping,
            outcome="updated",
        )
        SyncEntry.objects.filter(pk=entry.pk).update(at=queue.now() - ago)


def told_of(mapping: ObjectMapping, *remote_ids: str, origin: str = "") -> None:
    """Let a notice come about these records."""
    pairs = [
        (Hint(mapping.remote_object, one, "changed", queue.now(), origin), "")
        for one in remote_ids
    ]
    hints.take(mapping.connection, pairs)


def look(mapping: ObjectMapping) -> ObjectMapping:
    listen(mapping, now=queue.now())
    return ObjectMapping.objects.select_related("connection").get(pk=mapping.pk)


def test_three_writes_that_did_not_come_back_make_polling_fast(
    mapping: ObjectMapping,
) -> None:
    wrote(mapping, 3)

    found = look(mapping)

    assert found.fast_pull_until is not None
    assert "webhooks look broken" in found.connection.status_detail
    assert WorkItem.objects.filter(kind="pull", key=str(mapping.pk)).exists()


def test_two_are_no_sign_yet(mapping: ObjectMapping) -> None:
    wrote(mapping, 2)

    assert look(mapping).fast_pull_until is None


def test_notices_of_others_records_do_not_hide_that_ours_do_not_come(
    mapping: ObjectMapping, django_capture_on_commit_callbacks: pytest.FixtureRequest
) -> None:
    wrote(mapping, 3)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        told_of(mapping, "77", "78")

    assert look(mapping).fast_pull_until is not None


def test_one_of_three_that_came_back_is_enough(mapping: ObjectMapping) -> None:
    wrote(mapping, 3)
    told_of(mapping, "2")

    assert look(mapping).fast_pull_until is None


def test_what_is_written_just_now_does_not_hide_what_did_not_come_back(
    mapping: ObjectMapping,
) -> None:
    wrote(mapping, 3)
    wrote(mapping, 20, ago=timedelta(minutes=1), first=100)

    assert look(mapping).fast_pull_until is not None


@pytest.mark.parametrize(("remote_id", "origin"), [("1", ""), ("99", "crmsync")])
def test_a_notice_of_our_write_ends_the_alarm(
    mapping: ObjectMapping,
    django_capture_on_commit_callbacks: pytest.FixtureRequest,
    remote_id: str,
    origin: str,
) -> None:
    wrote(mapping, 3)
    alarmed = look(mapping)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        told_of(mapping, remote_id, origin=origin)

    found = look(alarmed)

    assert found.fast_pull_until is None
    assert found.connection.status_detail == ""


def test_a_look_asks_little_however_much_was_written(
    mapping: ObjectMapping, django_assert_max_num_queries: pytest.FixtureRequest
) -> None:
    wrote(mapping, 60)
    told_of(mapping, *(str(number) for number in range(60)))

    now = queue.now()
    with django_assert_max_num_queries(3):  # type: ignore[operator]
        listen(mapping, now=now)


def test_every_mapping_has_its_turn_once_a_minute(mapping: ObjectMapping) -> None:
    ticks = [queue.now() + EVERY * number for number in range(4)]

    assert [is_time(mapping, now=at) for at in ticks].count(True) == 1


def test_who_expects_no_notices_is_not_alarmed(mapping: ObjectMapping) -> None:
    mapping.connection.endpoints.all().delete()
    wrote(mapping, 5)

    assert look(mapping).fast_pull_until is None
