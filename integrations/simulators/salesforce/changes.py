"""What a write changed, as event deliveries hear of it."""

from dataclasses import dataclass
from typing import Any

from integrations.simulators.salesforce.rows import Row


@dataclass(frozen=True, slots=True)
class Change:
    """One record's change. kind: CREATE, UPDATE, DELETE or UNDELETE.

    values: what was set (None = cleared); at: epoch ms; client and source: as in
    rows.Event; origin: what a change event says of where it came from.
    """

    kind: str
    table: str
    row: Row
    values: dict[str, Any]
    at: int
    user: str
    client: str
    source: str
    origin: str
