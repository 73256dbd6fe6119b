"""What the database knows of its tables is kept true."""

from __future__ import annotations

import pytest
from django.db import connection

from crmsync.core.models import Channel
from crmsync.core.upkeep import Table, keep_up, needed

on_postgresql = pytest.mark.skipif(
    "connection.vendor != 'postgresql'", reason="needs PostgreSQL"
)


def test_a_table_that_has_hardly_changed_is_left_alone() -> None:
    assert needed(Table("leads_lead", live=10_000, changed=2_500, dead=9_000)) == ""


def test_a_table_that_has_grown_is_looked_at_again() -> None:
    table = Table("leads_lead", live=10_000, changed=2_501, dead=0)
    assert needed(table) == 'ANALYZE (SKIP_LOCKED) "leads_lead"'


def test_a_small_table_may_change_whole() -> None:
    assert needed(Table("leads_lead", live=100, changed=500, dead=0)) == ""


def test_a_queue_is_rid_of_what_its_updates_left() -> None:
    table = Table("core_workitem", live=10_000, changed=0, dead=5_001)
    assert needed(table) == 'VACUUM (ANALYZE, SKIP_LOCKED) "core_workitem"'


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_the_planner_learns_how_large_a_table_is() -> None:
    Channel.objects.bulk_create(Channel(name=f"channel {one}") for one in range(600))
    with connection.cursor() as cursor:
        # The server tells what changed a moment later, or when it is asked to.
        cursor.execute("SELECT pg_stat_force_next_flush()")
    assert 'ANALYZE (SKIP_LOCKED) "core_channel"' in keep_up()
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples FROM pg_class WHERE relname = 'core_channel'")
        assert cursor.fetchone() == (600,)
    assert keep_up() == []


@on_postgresql
@pytest.mark.django_db(transaction=True)
def test_documents_are_left_out_when_a_table_is_looked_at() -> None:
    Channel.objects.bulk_create(Channel(name=f"channel {one}") for one in range(9))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE core_channel")
        cursor.execute(
            "SELECT attname FROM pg_stats WHERE tablename = 'core_channel'"
            " AND attname IN ('name', 'lane_turns')"
        )
        assert cursor.fetchall() == [("name",)]


@pytest.mark.skipif("connection.vendor == 'postgresql'", reason="needs SQLite")
@pytest.mark.django_db
def test_an_embedded_database_needs_none_of_it() -> None:
    assert keep_up() == []
