"""Which keys the stored secrets need, and moving them all to the first one.

Everything may keep running meanwhile: a row is changed only if it still holds what was
read, and a row on the first key is left alone, so that it can be stopped and run again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Count, Max

from crmsync.core.crypto import (
    Column,
    WrongKey,
    decrypt,
    encrypted_columns,
    first_key_id,
)

BATCH = 500


@dataclass(frozen=True, slots=True)
class Need:
    """Rows of one column that need one key. sample: the primary key of the newest.

    problem: why they cannot be opened, "" when they can.
    """

    place: str
    key_id: str
    rows: int
    sample: object
    problem: str = ""


def needs() -> list[Need]:
    """Return what each key is still needed for, opening one row of each kind.

    Columns whose table does not exist yet are left out.
    """
    tables = set(connection.introspection.table_names())
    columns = (c for c in encrypted_columns() if c.table in tables)
    return [need for column in columns for need in _needs_of(column)]


def _needs_of(column: Column) -> Iterator[Need]:
    groups = column.rows().order_by().values("key_id")
    for group in groups.annotate(n=Count("pk"), newest=Max("pk")).order_by("key_id"):
        key_id, newest = group["key_id"], group["newest"]
        raw = column.rows().filter(pk=newest).values_list("raw", flat=True).first()
        problem = _problem(raw or "", column.field.place) if raw else ""
        yield Need(column.field.place, key_id, group["n"], newest, problem)


def _problem(raw: str, place: str) -> str:
    try:
        decrypt(raw, place)
    except WrongKey as error:
        return str(error)
    return ""


def rotate(column: Column, *, batch: int = BATCH) -> tuple[int, int]:
    """Encrypt a column anew; return how many rows were changed and could not be read.

    What cannot be read stays as it is.
    """
    changed = unreadable = 0
    last = None
    while True:
        rows = column.rows().exclude(key_id=first_key_id()).order_by("pk")
        if last is not None:
            rows = rows.filter(pk__gt=last)
        found = list(rows.values_list("pk", "raw")[:batch])
        if not found:
            return changed, unreadable
        with transaction.atomic():
            for pk, raw in found:
                if _problem(raw, column.field.place):
                    unreadable += 1
                else:
                    changed += _move(column, pk, raw)
        last = found[-1][0]


def _move(column: Column, pk: object, raw: str) -> int:
    """Encrypt one value under the first key, unless it has changed meanwhile."""
    plain = decrypt(raw, column.field.place)
    same = column.rows().filter(pk=pk, raw=raw)
    return same.update(**{column.field.name: plain})
