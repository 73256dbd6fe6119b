"""One record: its values, its stamps, and everything that ever happened to it."""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from integrations.simulators.salesforce.values import iso_ms
from integrations.simulators.wire import Json


class Event(NamedTuple):
    """One write: what it set (None = cleared), when (epoch ms), who, and through what.

    client: the API client's own name; source: API, BULK, UI, CONVERT, MERGE, ...
    """

    at: int
    changes: dict[str, Any]
    user: str
    client: str
    source: str


@dataclass(slots=True)
class Row:
    """One record. Times are epoch seconds; deleted_at 0 = live.

    values: field -> value without nulls; replaced, never changed in place, so that the
    first event may share it. bin_root: the record whose deletion took this one along.
    """

    id: str
    values: dict[str, Any]
    created: int
    modified: int
    stamp: int
    created_by: str
    modified_by: str
    deleted_at: int = 0
    bin_root: str = ""
    events: list[Event] = field(default_factory=list)

    def copy(self) -> "Row":
        """Return the record as it is now, without its history."""
        return Row(
            self.id,
            self.values,
            self.created,
            self.modified,
            self.stamp,
            self.created_by,
            self.modified_by,
            self.deleted_at,
            self.bin_root,
        )

    def assume(self, other: "Row") -> None:
        """Take on another state of the same record, history apart."""
        self.values = other.values
        self.created, self.modified = other.created, other.modified
        self.stamp, self.modified_by = other.stamp, other.modified_by
        self.deleted_at, self.bin_root = other.deleted_at, other.bin_root

    def history(self, name: str) -> list[Json]:
        """Return one field's versions, oldest first."""
        return [
            {
                "value": event.changes[name],
                "timestamp": iso_ms(event.at),
                "sourceType": event.source,
                "sourceId": event.client or event.user,
                "userId": event.user,
            }
            for event in self.events
            if name in event.changes
        ]
