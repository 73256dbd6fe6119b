"""What drives a run: the run, its connector, and how long it may go on."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

from crmsync.core import queue
from crmsync.core.models import WorkItem
from integrations.connectors.base import Connector
from integrations.models import ObjectMapping, Run


@dataclass(slots=True)
class Drive:
    """One slice of a run. deadline: when to give way to others (monotonic)."""

    run: Run
    mapping: ObjectMapping
    connector: Connector
    item: WorkItem | None = None
    deadline: float | None = None

    @property
    def tried_before(self) -> bool:
        """Tell whether a worker may have died or failed at this slice before."""
        return self.item is not None and was_tried(self.item)

    def may_go_on(self) -> bool:
        """Renew the lease; tell whether the slice is not over and nobody said stop."""
        if self.deadline is not None and time.monotonic() > self.deadline:
            return False
        return self.is_wanted()

    def is_wanted(self) -> bool:
        """Renew the lease; tell whether the run is ours to go on with by now."""
        if self.item is not None and not queue.extend([self.item]):
            return False
        state = Run.objects.filter(pk=self.run.pk).values_list("state", flat=True)
        return state.first() == Run.State.RUNNING

    def save(self, **values: object) -> None:
        """Keep where the run goes on, and more of its columns."""
        for name, value in values.items():
            setattr(self.run, name, value)
        self.run.save(update_fields=["cursor", *values])

    def count(self, outcomes: Mapping[str, int]) -> None:
        """Add to counts that only this run's page shows; see `Run.cursor["counts"]`."""
        counts = self.run.cursor.setdefault("counts", {})
        for name, number in outcomes.items():
            counts[name] = counts.get(name, 0) + number


def was_tried(item: WorkItem) -> bool:
    """Tell whether work may have been done for an item that nobody finished."""
    return bool(item.attempts or item.rescues)
