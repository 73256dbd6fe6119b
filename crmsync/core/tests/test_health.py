"""Health pages: what is red, what is merely degraded, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django_scopes import scopes_disabled

from crmsync.core import heartbeat, queue, readiness
from crmsync.core.models import WorkItem
from crmsync.core.models.work import State
from crmsync.core.readiness import Status, look
from crmsync.core.scoping import workspace_channel
from crmsync.core.testing import make_user, make_workspace

LONG_AGO = timedelta(seconds=readiness.STALLED_S + 60)
UP_FOR_AN_HOUR = 3600.0


@pytest.fixture(autouse=True)
def own_cache_and_broker(settings) -> Iterator[None]:
    """A cache and a broker that are there, whatever runs on this machine."""
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    }
    settings.CELERY_BROKER_URL = "memory://"
    for name in heartbeat.SILENT_S:
        heartbeat.mark(name)
    yield
    cache.clear()


@pytest.fixture
def no_database(transactional_db) -> Iterator[None]:
    """The database of the connection is where nothing answers."""
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict |= {
        "NAME": "/nowhere/at/all.sqlite3",
        "HOST": "127.0.0.1",
        "PORT": "1",
    }
    yield
    connection.close()
    connection.settings_dict.update(before)


def make_due(**given: object) -> WorkItem:
    at = timezone.now() - LONG_AGO
    workspace = make_workspace()
    values = {
        "kind": "push",
        "key": "1:1",
        "channel": workspace_channel(workspace.pk),
        "not_before": at,
        "created_at": at,
        "updated_at": at,
        **given,
    }
    with scopes_disabled():
        return WorkItem.objects.create(workspace=workspace, **values)


def test_the_process_says_it_is_up_without_touching_a_database(client) -> None:
    # Without the `db` fixture any query fails the test.
    answer = client.get("/healthz")

    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}
    assert answer["Cache-Control"] == "no-store"
    assert not answer.cookies


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_needs_no_allowed_host_and_no_https(client, db, settings, path) -> None:
    settings.SECURE_SSL_REDIRECT = True

    answer = client.get(path, headers={"host": "10.1.2.3:8000"})

    assert answer.status_code == 200


def test_signed_in_people_cost_the_probe_no_session(client, db) -> None:
    client.force_login(make_user(make_workspace()))

    with CaptureNothing(connection):
        answer = client.get("/healthz")

    assert answer.status_code == 200


def test_only_looking_is_allowed(client) -> None:
    assert client.post("/healthz").status_code == 405
    assert client.post("/readyz").status_code == 405


def test_everything_in_order_is_ready(client, db) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert set(answer.json()["parts"]) == {
        "database",
        "migrations",
        "broker",
        "workers",
        "waiting",
    }


def test_a_database_that_is_away_is_not_ready(no_database) -> None:
    found = look()

    assert found.status == Status.FAILING
    assert found.parts["database"].status == Status.FAILING
    assert found.parts["waiting"].status == Status.FAILING


def test_the_page_is_503_without_its_database_and_says_nothing_private(
    no_database, client
) -> None:
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert "nowhere" not in answer.content.decode()


@pytest.mark.django_db(transaction=True)
def test_a_migration_that_is_missing_is_not_ready() -> None:
    readiness._migrated.clear()
    call_command("migrate", "core", "zero", fake=True, verbosity=0)

    try:
        found = look()
    finally:
        call_command("migrate", fake=True, verbosity=0)

    assert found.parts["migrations"].status == Status.FAILING
    assert look().parts["migrations"].status == Status.OK


def test_a_broker_that_is_away_is_degraded_and_still_200(client, db, settings) -> None:
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["parts"]["broker"]["status"] == "degraded"


@pytest.mark.parametrize("name", list(heartbeat.SILENT_S))
def test_workers_that_fell_silent_are_not_ready(db, name) -> None:
    cache.delete(f"heartbeat-{name}")

    found = look(up_s=UP_FOR_AN_HOUR)

    assert found.status == Status.FAILING
    assert name in found.parts["workers"].detail


def test_workers_get_time_to_start(db) -> None:
    cache.clear()

    assert look(up_s=1).parts["workers"].status == Status.OK


def test_silent_workers_without_a_broker_are_the_brokers_fault(db, settings) -> None:
    cache.clear()
    settings.CELERY_BROKER_URL = "redis://127.0.0.1:1/0"

    assert look(up_s=UP_FOR_AN_HOUR).status == Status.DEGRADED


def test_nobody_is_blamed_while_the_cache_forgets(db, settings) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
    }

    workers = look(up_s=UP_FOR_AN_HOUR).parts["workers"]

    assert workers.status == Status.DEGRADED


def test_old_work_that_nobody_takes_on_is_a_stall(db) -> None:
    make_due()

    found = look(up_s=UP_FOR_AN_HOUR)

    assert found.status == Status.FAILING
    assert "push" in found.parts["waiting"].detail
    assert (found.parts["waiting"].seconds or 0) >= LONG_AGO.total_seconds()


def test_old_work_while_the_kind_is_worked_on_is_only_late(db) -> None:
    make_due()
    soon = timezone.now() + timedelta(seconds=30)
    make_due(key="1:2", state=State.LEASED, lease_token=1, leased_until=soon)

    assert look(up_s=UP_FOR_AN_HOUR).parts["waiting"].status == Status.DEGRADED


def test_work_behind_a_closed_channel_is_no_stall(db) -> None:
    blocked, paused = make_due(), make_due(key="1:2")
    queue.block(blocked.channel_id, "Sign in again")
    queue.pause(paused.channel_id, 60)

    assert look(up_s=UP_FOR_AN_HOUR).parts["waiting"].status == Status.OK


def test_work_that_waited_while_all_was_off_gets_time(db) -> None:
    make_due()

    assert look(up_s=1).parts["waiting"].status == Status.DEGRADED


class CaptureNothing:
    """Fails when anything asks the database inside it."""

    def __init__(self, database) -> None:
        self.wrapper = database.execute_wrapper(self.refuse)

    def refuse(self, *_: object) -> None:
        raise AssertionError("a query was made")

    def __enter__(self) -> None:
        self.wrapper.__enter__()

    def __exit__(self, *error: object) -> None:
        self.wrapper.__exit__(*error)
