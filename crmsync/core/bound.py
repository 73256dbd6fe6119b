"""A cursor for statements that carry much: what they carry travels beside them.

Django writes parameters into the text of a statement, where each quote is doubled here
and read again there. For a document of a thousand rows that takes half as long as
storing them.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from django.db.backends.utils import CursorWrapper


def cursor() -> CursorWrapper:
    """Return a cursor of the current connection, to be used as its own is.

    PostgreSQL must be able to tell what each parameter is: cast it.
    """
    if connection.vendor != "postgresql":
        return connection.cursor()
    from psycopg import Cursor

    connection.ensure_connection()
    opened: Any = connection
    raw = Cursor(opened.connection)
    if opened.queries_logged:
        return opened.make_debug_cursor(raw)
    return opened.make_cursor(raw)
