"""What every control handler needs: its organization, its records, who acts."""

from integrations.simulators.errors import ControlError
from integrations.simulators.salesforce.org import Org
from integrations.simulators.salesforce.rows import Row
from integrations.simulators.salesforce.table import Table
from integrations.simulators.salesforce.world import World
from integrations.simulators.salesforce.writer import Writer
from integrations.simulators.wire import Json, Request

UI_ORIGIN = "com/salesforce/api/soap/64.0;client=SfdcInternalAPI/"
# Who edits in the browser when nobody is named.
UI_USER = "ada.marsh@example.com"


def picked_org(world: World, request: Request) -> Org:
    """Return the organization of ?org= (or ?hub=), by default the first."""
    name = request.first("org") or request.first("hub")
    org = world.org_with(name) if name else world.default_org
    if org is None:
        raise ControlError(f"no such organization: {name}")
    return org


def named_table(org: Org, name: object) -> Table:
    """Return an object's records; raises ControlError."""
    table = org.table(str(name))
    if table is None:
        raise ControlError(f"no such object: {name}")
    return table


def named_row(table: Table, identifier: object) -> Row:
    """Return a record, deleted or not; raises ControlError."""
    row = table.rows.get(str(identifier))
    if row is None:
        raise ControlError(f"no {table.name} {identifier}")
    return row


def ui_writer(world: World, org: Org, raw: Json, *, source: str = "UI") -> Writer:
    """Return a person in the browser. raw: may name the user and the time `at` (ms)."""
    name = str(raw.get("user") or UI_USER)
    user = org.user_named(name)
    if user is None:
        raise ControlError(f"no such user: {name}")
    return Writer(
        world,
        org,
        user=user.id,
        source=source,
        origin=UI_ORIGIN,
        admin=True,
        auto_assign=False,
    )
