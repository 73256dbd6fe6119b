"""What the control panel reads and changes in Salesforce's organizations."""

from collections.abc import Iterable

from integrations.simulators import control
from integrations.simulators.errors import ControlError
from integrations.simulators.salesforce import errors, seeding
from integrations.simulators.salesforce.control_events import EventControl
from integrations.simulators.salesforce.control_org import OrgControl
from integrations.simulators.salesforce.controlling import named_table, picked_org
from integrations.simulators.salesforce.defaults import integration_user
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.values import iso, iso_ms
from integrations.simulators.salesforce.world import World
from integrations.simulators.wire import Json, Reply, Request


class Control(control.Control[Org, Table]):
    """Answers /__sim/... for Salesforce."""

    title = "Salesforce"

    def __init__(self, world: World) -> None:
        self.world = world
        self.events = EventControl(world)
        super().__init__(world)

    def handlers(self) -> control.Handlers:
        """Return (method, name) -> handler."""
        return {
            **super().handlers(),
            **OrgControl(self.world).handlers(),
            **self.events.handlers(),
        }

    def reply(self, request: Request) -> Reply:
        """Answer one control request."""
        try:
            return super().reply(request)
        except errors.RowError as error:
            return error.in_request().reply()

    def close(self) -> None:
        """Stop background work."""
        self.events.close()
        self.world.jobs.close()

    def cleared(self) -> None:
        """Forget subscribers, deliveries and jobs."""
        self.events.reset()
        self.world.jobs.clear()

    # -- organizations and tables

    def account(self, request: Request) -> Org:
        """Return the organization of ?org= (or ?hub=), by default the first."""
        return picked_org(self.world, request)

    def table(self, account: Org, name: str) -> Table:
        """Return an object's records; raises ControlError."""
        return named_table(account, name)

    def written(self, account: Org) -> Iterable[Table]:
        """Return the tables that were written to; setup records do not count."""
        return [table for table in account.tables.values() if _written(table)]

    def live(self, table: Table) -> int:
        """Return how many records are not deleted."""
        return table.live_count

    def records(self, account: Org, table: Table, *, archived: bool) -> list[Json]:
        """Return a table's records as the ground truth shows them."""
        return [
            dumped(table, row)
            for row in table.in_id_order()
            if archived or not row.deleted_at
        ]

    def record_history(self, account: Org, table: Table, number: str) -> Json:
        """Return {id, fields: field -> versions, writes}, oldest first."""
        row = table.rows.get(number)
        if row is None:
            raise errors.not_found()
        return row_history(row)

    def editable(self, table: Table) -> Iterable[str]:
        """Return the fields that may be updated."""
        return [name for name, made in table.fields.items() if made.updateable]

    def put_in(self, account: Org, raw: Json) -> Json:
        """See seeding.seed."""
        return seeding.seed(self.world, account, raw)

    def fixed_token(self, raw: Json) -> tuple[str, Json]:
        """Read {token, org?, user?}: a session that never expires.

        user: an id, username or e-mail; by default the integration user.
        """
        token = str(raw.get("token") or "")
        if not token:
            raise ControlError("a token is needed")
        org = self.world.org_with(str(raw.get("org") or self.world.default_org.id))
        if org is None:
            raise ControlError(f"no such organization: {raw.get('org')}")
        user = integration_user(org.spec)
        if raw.get("user"):
            row = org.user_named(str(raw["user"]))
            if row is None:
                raise ControlError(f"no such user: {raw['user']}")
            user = row.id
        return token, {"org": org.pod, "user": user}


def _written(table: Table) -> bool:
    return any(table.rows[number].events for number in table.ids[-1:])


def dumped(table: Table, row: Row) -> Json:
    """Return a record as the ground truth shows it: every field, hidden or not."""
    shown: Json = {}
    for name in table.fields:
        value = table.value(row, name)
        if value is not None:
            shown[name] = value
    for name in ("CreatedDate", "LastModifiedDate", "SystemModstamp"):
        shown[name] = iso(shown[name])
    return {
        "id": row.id,
        "properties": shown,
        "createdAt": iso(row.created),
        "updatedAt": iso(row.stamp),
        "archived": bool(row.deleted_at),
        "writes": len(row.events),
    }


def row_history(row: Row) -> Json:
    """Return {id, fields: field -> versions, writes} of one record."""
    names = {name for event in row.events for name in event.changes}
    return {
        "id": row.id,
        "fields": {name: row.history(name) for name in sorted(names)},
        "writes": [
            {
                "at": iso_ms(event.at),
                "changes": event.changes,
                "source": event.source,
                "sourceId": event.client or event.user,
                "userId": event.user,
            }
            for event in row.events
        ],
    }
