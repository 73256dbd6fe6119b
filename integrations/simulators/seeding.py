"""Putting records in from outside the API: what is the same at every vendor."""

from collections.abc import Iterator
from typing import Any

from integrations.simulators.wire import Json


def each_new(properties: Json, item: Json) -> Iterator[Json]:
    """Yield the properties of every record to make: `count`, with {n} its number."""
    for number in range(1, int(item.get("count") or 1) + 1):
        yield {name: _numbered(value, number) for name, value in properties.items()}


def _numbered(value: Any, number: int) -> Any:
    return value.replace("{n}", str(number)) if isinstance(value, str) else value
