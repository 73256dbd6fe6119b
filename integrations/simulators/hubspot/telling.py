"""What webhooks hear of the changes that one request makes."""

from dataclasses import dataclass, field

from integrations.simulators.hubspot.association_types import AssociationType
from integrations.simulators.hubspot.portal import Portal
from integrations.simulators.hubspot.records import RecordTable
from integrations.simulators.hubspot.rules import Changes
from integrations.simulators.wire import Json


@dataclass(slots=True)
class Change:
    """Something webhooks may tell. what: creation, propertyChange, ..."""

    what: str
    kind: str
    number: int
    at: int
    more: Json = field(default_factory=dict)
    source_id: str = ""


class Telling:
    """The changes of one request. at: epoch ms; quiet: nobody listens, keep none."""

    def __init__(
        self, portal: Portal, *, at: int, source_id: str = "", quiet: bool = False
    ) -> None:
        self.portal = portal
        self.at = at
        self.source_id = source_id
        self.quiet = quiet
        self.changes: list[Change] = []

    def tell_link(
        self,
        source: tuple[str, int],
        target: tuple[str, int],
        kind: AssociationType,
        *,
        removed: bool,
    ) -> None:
        """Note an association change for webhooks, in both directions."""
        if self.quiet:
            return
        for near, far in ((source, target), (target, source)):
            more: Json = {
                "fromObjectId": near[1],
                "toObjectId": far[1],
                "associationType": association_name(self.portal, near[0], far[0]),
                "associationRemoved": removed,
                "isPrimaryAssociation": kind.primary,
            }
            self._note("associationChange", near[0], near[1], more)

    def tell_merge(self, table: RecordTable, survivor: int, more: Json) -> None:
        """Note a merge for webhooks."""
        self.tell(table, survivor, "merge", more)

    def tell_values(self, table: RecordTable, number: int, changes: Changes) -> None:
        """Note each property that was set or cleared."""
        if self.quiet:
            return
        for name, value in changes.items():
            told = {"propertyName": name, "propertyValue": value or ""}
            self.tell(table, number, "propertyChange", told)

    def tell(self, table: RecordTable, number: int, what: str, more: Json) -> None:
        """Note one thing that happened to a record.

        Webhooks tell of CRM records alone.
        """
        if self.quiet or table.kind.guid:
            return
        self._note(what, table.kind.name, number, more)

    def _note(self, what: str, kind: str, number: int, more: Json) -> None:
        change = Change(what, kind, number, self.at, more, self.source_id)
        self.changes.append(change)


def association_name(portal: Portal, source: str, target: str) -> str:
    """Return a pair as webhooks name it: CONTACT_TO_COMPANY."""
    near, far = portal.tables[source].kind, portal.tables[target].kind
    return f"{near.label}_TO_{far.label}"
