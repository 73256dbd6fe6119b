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
from integrations.sync.listening import listen
from integrations.testing import (
    make_connection,
    make_endpoint,
    make_mapping,
    make_sync_entry,
)

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


def wrote(mapping: ObjectMapping, times: int) -> None:
    """Let so many records have been written, long enough ago to have come back."""
    for number in range(times):
        entry = make_sync_entry(
            mapping.connection, record_id=number + 1, mapping=mapping, outcome="updated"
        )
        SyncEntry.objects.filter(pk=entry.pk).update(at=queue.now() - LONG_AGO)


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


def test_a_notice_ends_the_alarm(
    mapping: ObjectMapping, django_capture_on_commit_callbacks: pytest.FixtureRequest
) -> None:
    wrote(mapping, 3)
    alarmed = look(mapping)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        hints.note_echo(mapping.connection, [mapping.remote_object])

    found = look(alarmed)

    assert found.fast_pull_until is None
    assert found.connection.status_detail == ""


def test_who_expects_no_notices_is_not_alarmed(mapping: ObjectMapping) -> None:
    mapping.connection.endpoints.all().delete()
    wrote(mapping, 5)

    assert look(mapping).fast_pull_until is None
