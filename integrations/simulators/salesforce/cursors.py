"""Open queries, for their next pages."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from integrations.simulators.salesforce.rows import Row
from integrations.simulators.wire import Json

MOST_CURSORS = 500


@dataclass(slots=True)
class Cursor:
    """An open query. expires_at: by the vendor's clock."""

    id: str
    rows: list[Row]
    render: Callable[[Row], Json]
    page: int
    all_rows: bool
    expires_at: float


@dataclass(slots=True)
class Cursors:
    """The open queries of one organization; the oldest make way."""

    open: "OrderedDict[str, Cursor]" = field(default_factory=OrderedDict)

    def add(self, cursor: Cursor) -> None:
        """Keep a query open."""
        self.open[cursor.id] = cursor
        while len(self.open) > MOST_CURSORS:
            self.open.popitem(last=False)
