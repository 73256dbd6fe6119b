"""Writes many rows of one table in one statement, whatever their number.

On PostgreSQL the rows travel as one JSON document, which costs a fraction of what as
many parameters do; elsewhere Django's own bulk calls serve.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from operator import attrgetter
from typing import Any

from django.db import connection, models
from django.utils import timezone

from crmsync.core import bound, quickjson

# Keeps the document of one statement far below what a server takes.
_ROWS = 5_000


def insert(model: type[models.Model], records: Sequence[Any]) -> None:
    """Store new records and give them their ids, in the order given."""
    if connection.vendor != "postgresql":
        manager(model).bulk_create(records)
        return
    _stamp(model, records)
    names = _names(model)
    for some in _chunks(records):
        with bound.cursor() as cursor:
            cursor.execute(_insert_sql(model, names, "id"), [_rows(some, names)])
            ids = cursor.fetchall()
        for record, (pk,) in zip(some, ids, strict=True):
            record.pk = pk
            record._state.adding = False  # noqa: SLF001 - Django's own public name


def insert_rows(
    model: type[models.Model],
    names: tuple[str, ...],
    rows: Iterable[tuple[object, ...]],
) -> None:
    """Store rows that nobody needs as objects. names: every column, as attributes."""
    for some in _chunks(rows):
        if connection.vendor == "postgresql":
            with bound.cursor() as cursor:
                cursor.execute(_insert_sql(model, names, ""), [_json(some)])
        else:
            manager(model).bulk_create(
                model(**dict(zip(names, row, strict=True))) for row in some
            )


def update(
    model: type[models.Model], records: Sequence[Any], names: Iterable[str]
) -> None:
    """Store these columns of records that are locked by the caller."""
    names = tuple(sorted(names))
    if connection.vendor != "postgresql":
        manager(model).bulk_update(records, names)
        return
    for some in _chunks(records):
        with bound.cursor() as cursor:
            cursor.execute(_update_sql(model, names), [_rows(some, ("id", *names))])


def manager(model: type[models.Model]) -> models.Manager[Any]:
    """Return the manager that sees the workspace's rows."""
    return model._default_manager  # noqa: SLF001 - Django's own public name


def _meta(model: type[models.Model]) -> Any:
    return model._meta  # noqa: SLF001 - Django's own public name


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while some := list(islice(left, _ROWS)):
        yield some


def _rows(records: Sequence[Any], names: tuple[str, ...]) -> str:
    return _json(list(map(attrgetter(*names), records)))


def _json(rows: Sequence[tuple[object, ...]]) -> str:
    # Times and decimals have no form of their own in JSON; the column reads theirs.
    return quickjson.written(rows, str).decode()


def _stamp(model: type[models.Model], records: Sequence[Any]) -> None:
    now = timezone.now()
    names = [
        field.attname
        for field in _meta(model).concrete_fields
        if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
    ]
    for record in records:
        for name in names:
            setattr(record, name, now)


@cache
def _names(model: type[models.Model]) -> tuple[str, ...]:
    return tuple(
        field.attname for field in _meta(model).concrete_fields if not field.primary_key
    )


@cache
def _insert_sql(
    model: type[models.Model], names: tuple[str, ...], returning: str
) -> str:
    by_name = columns(model)
    places = ", ".join(f'"{by_name[name].column}"' for name in names)
    values = ", ".join(_read(by_name[name], at) for at, name in enumerate(names))
    sql = (
        f'INSERT INTO "{_meta(model).db_table}" ({places}) '  # noqa: S608 - our names
        f"SELECT {values} FROM jsonb_array_elements(%s::jsonb) AS given(row)"
    )
    return f"{sql} RETURNING {returning}" if returning else sql


@cache
def _update_sql(model: type[models.Model], names: tuple[str, ...]) -> str:
    by_name = columns(model)
    values = ", ".join(
        f'"{by_name[name].column}" = {_read(by_name[name], at)}'
        for at, name in enumerate(names, start=1)
    )
    return (
        f'UPDATE "{_meta(model).db_table}" AS kept SET {values} '  # noqa: S608 - our names
        "FROM jsonb_array_elements(%s::jsonb) AS given(row) "
        "WHERE kept.id = (row->>0)::bigint"
    )


@cache
def columns(model: type[models.Model]) -> Mapping[str, models.Field[Any, Any]]:
    """Return every column of the table: attribute -> field."""
    return {field.attname: field for field in _meta(model).concrete_fields}


def _read(field: models.Field[Any, Any], at: int) -> str:
    """Return the SQL of a value of the row; texts keep their length to be checked."""
    if isinstance(field, models.JSONField):
        return f"row->{at}"
    if isinstance(field, models.CharField | models.TextField):
        return f"row->>{at}"
    return f"(row->>{at})::{field.db_type(connection)}"
