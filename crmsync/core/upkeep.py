"""Keeps what PostgreSQL knows of its tables true while they change fast.

Autovacuum looks about once a minute, and some servers have it off. A backfill fills a
table in less, and until someone has looked every plan is made for an empty one: three
hundred rows by their ids were read as all rows of the workspace.
"""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

# Changed rows from which a table is looked at again, and their share of it.
MANY_CHANGED, SHARE_CHANGED = 500, 0.25
# The same of rows left behind by updates. A queue's rows die faster than others'.
MANY_DEAD, SHARE_DEAD = 5000, 0.2
# Above it a cleaning takes long enough to keep others waiting: autovacuum's own work.
MOST_LIVE = 500_000
QUEUE = frozenset({"core_workitem", "core_channel"})

_SQL = """SELECT relname, n_live_tup, n_mod_since_analyze, n_dead_tup
  FROM pg_stat_user_tables WHERE schemaname = current_schema() AND relname = ANY(%s)"""

_DOCUMENTS_SQL = """SELECT c.relname, a.attname
  FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
  AND a.atttypid = 'jsonb'::regtype AND a.attstattarget <> 0"""


@dataclass(frozen=True, slots=True)
class Table:
    """How much of a table has changed, in rows. changed: since it was looked at."""

    name: str
    live: int
    changed: int
    dead: int


def keep_up() -> list[str]:
    """Look again at tables that have changed much; return the statements run.

    Does nothing inside a transaction, nor on SQLite.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        return []
    names = connection.introspection.django_table_names()
    with connection.cursor() as cursor:
        cursor.execute(_SQL, [names])
        tables = [Table(*row) for row in cursor.fetchall()]
        run = [statement for one in tables if (statement := needed(one))]
        for statement in run:
            cursor.execute(statement)
    return run


def overlook_documents() -> None:
    """Leave JSON documents out when a table is looked at; none is searched by what is
    in it, and comparing thousands of them is most of the work.
    """
    if connection.vendor != "postgresql":
        return
    names = connection.introspection.django_table_names()
    with connection.cursor() as cursor:
        cursor.execute(_DOCUMENTS_SQL, [names])
        for table, column in cursor.fetchall():
            cursor.execute(
                f'ALTER TABLE "{table}" ALTER COLUMN "{column}" SET STATISTICS 0'
            )


def needed(table: Table) -> str:
    """Return the statement a table needs, "" for none. PURE.

    One that somebody else is at is passed over.

    >>> needed(Table("leads_lead", live=10_000, changed=900, dead=0))
    ''
    """
    name = f'"{table.name}"'
    small_queue = table.name in QUEUE and table.live <= MOST_LIVE
    if small_queue and table.dead > max(MANY_DEAD, SHARE_DEAD * table.live):
        return f"VACUUM (ANALYZE, SKIP_LOCKED) {name}"
    if table.changed > max(MANY_CHANGED, SHARE_CHANGED * table.live):
        return f"ANALYZE (SKIP_LOCKED) {name}"
    return ""
