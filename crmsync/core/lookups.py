"""`IN` with many values as one parameter where the database has arrays.

A thousand parameters cost more to write into a statement than the statement costs to
run; an array is one, and PostgreSQL plans both the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Field, IntegerField
from django.db.models.lookups import In

# Below this the plain form costs as little.
_MANY = 20
_PLAIN = {int, str}
# What no column holds, so that no array can name it.
_BEYOND = 2**63


def numbers(values: Iterable[int]) -> str:
    """Return whole numbers as PostgreSQL writes an array of them; cast it.

    The driver looks at each value of a list to learn how to write it, which takes
    longer than to find the rows.
    """
    return "{" + ",".join(map(str, values)) + "}"


def texts(values: Iterable[str]) -> str:
    """Return texts as PostgreSQL writes an array of them."""
    safe = [one.replace("\\", "\\\\").replace('"', '\\"') for one in values]
    return '{"' + '","'.join(safe) + '"}' if safe else "{}"


class InArray(In):
    """Compares with any of an array; every other case is Django's own."""

    def get_prep_lookup(self) -> Any:
        """Return the values as they are where each is what the column holds."""
        whole = isinstance(self.lhs.output_field, IntegerField)
        if whole and type(self.rhs) is list and set(map(type, self.rhs)) == {int}:
            return self.rhs
        return super().get_prep_lookup()

    def as_postgresql(self, compiler: Any, connection: Any) -> tuple[str, Any]:
        """Return the SQL and its parameters."""
        kinds = set(map(type, self.rhs)) if self.rhs_is_direct_value() else set()
        if len(kinds) != 1 or not kinds <= _PLAIN or len(self.rhs) < _MANY:
            return super().as_sql(compiler, connection)
        sql, params = self.process_lhs(compiler, connection)
        if kinds == {str}:
            return f"{sql} = ANY(%s)", [*params, texts(self.rhs)]
        if min(self.rhs) >= -_BEYOND and max(self.rhs) < _BEYOND:
            return f"{sql} = ANY(%s::bigint[])", [*params, numbers(self.rhs)]
        return super().as_sql(compiler, connection)


def register() -> None:
    """Let every field use it."""
    Field.register_lookup(InArray)
