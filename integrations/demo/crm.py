"""Connects the demo to its simulated CRMs and says what goes which way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from crmsync.core.models import Workspace
from crmsync.core.services import Actor
from integrations.demo.selling import CURRENCY
from integrations.demo.simulated import Simulated
from integrations.models import Connection, FieldMapping, ObjectMapping
from integrations.services import connect_with_token
from integrations.services.mappings import RowValues, change_mapping, row_values
from integrations.services.setup import set_up_due
from leads.models import CustomField
from leads.services import customfields

TOKENS = {
    "hubspot": "pat-demo-token",
    "salesforce": "00DFh0000000001!demo-session",
}
PULL_EVERY_S = 30
# "lost" is missing: the kind of gap that a sales-ops person finds on the errors page.
_STATUSES = {
    "new": "NEW",
    "contacted": "ATTEMPTED_TO_CONTACT",
    "replied": "CONNECTED",
    "qualified": "IN_PROGRESS",
    "customer": "OPEN_DEAL",
}
# Forms of the account, to choose from.
_FORMS = ("Demo request", "Newsletter", "Webinar: two CRMs in step")
_FIELDS = ("email", "firstname", "lastname", "company")
_LATER = (
    RowValues("status", "hs_lead_status", values=_STATUSES, direction="push"),
    RowValues("custom.language", "hs_language"),
)
# What is not left to the time of the change.
_RULES = {
    ("contacts", "jobtitle"): FieldMapping.Rule.ASK,
    ("contacts", "company"): FieldMapping.Rule.HUB,
    ("Lead", "Phone"): FieldMapping.Rule.ASK,
    ("Lead", "City"): FieldMapping.Rule.CRM,
}


@dataclass(frozen=True, slots=True)
class Crm:
    """One connected CRM, and the simulator behind it."""

    connection: Connection
    simulated: Simulated

    @property
    def is_ready(self) -> bool:
        """Tell whether the account has been described and mapped."""
        return self.connection.status == Connection.Status.ACTIVE

    def mapping(self, remote_object: str) -> ObjectMapping:
        """Return the mapping to an object of it."""
        mappings = ObjectMapping.objects.select_related("connection", "workspace")
        return mappings.get(connection=self.connection, remote_object=remote_object)


def connect(workspace: Workspace) -> dict[str, Crm]:
    """Connect both simulators and set them up; vendor -> CRM.

    Raises NotReachable, before anything is connected, and ConnectionRefused.
    """
    simulators = [Simulated(vendor) for vendor in TOKENS]
    for one in simulators:
        one.control("currencies", {"company_currency": CURRENCY})
    _make_forms(simulators[0])
    crms = {one.vendor: Crm(_connection(workspace, one), one) for one in simulators}
    set_up_due()
    for crm in crms.values():
        crm.connection.refresh_from_db()
    return crms


def _make_forms(hubspot: Simulated) -> None:
    forms = [{"name": name, "fields": list(_FIELDS)} for name in _FORMS]
    hubspot.control("seed", {"records": [], "forms": forms})


def _connection(workspace: Workspace, simulated: Simulated) -> Connection:
    return connect_with_token(
        workspace,
        vendor=simulated.vendor,
        name=simulated.label,
        token=TOKENS[simulated.vendor],
        api_url=simulated.url,
    )


def arrange(workspace: Workspace, crms: Mapping[str, Crm], actor: Actor) -> None:
    """Map owners, let people go both ways, and ask for changes often."""
    for crm in crms.values():
        owners = _owners(workspace, crm.connection)
        for mapping in ObjectMapping.objects.filter(connection=crm.connection):
            _arrange(mapping, owners, actor)


def map_more(workspace: Workspace, crms: Mapping[str, Crm], actor: Actor) -> None:
    """Map a status and a field of our own to HubSpot, as one does some time later."""
    if not CustomField.objects.filter(name="language").exists():
        customfields.define(
            workspace,
            actor,
            record_type="lead",
            name="language",
            label="Language",
            type="text",
        )
    mapping = crms["hubspot"].mapping("contacts")
    rows = [row_values(row) for row in mapping.rows.all()]
    change_mapping(mapping, actor, {}, rows=[*rows, *_LATER])


def _owners(workspace: Workspace, connection: Connection) -> dict[str, str]:
    """Return whom of the CRM's people each of ours is there: e-mail -> owner id."""
    ours = workspace.memberships.order_by("pk").values_list("user__email", flat=True)
    theirs = [owner["id"] for owner in connection.owners]
    people = [one for one in theirs if one != connection.user_id]
    return dict(zip(ours, people, strict=False))


def _arrange(mapping: ObjectMapping, owners: Mapping[str, str], actor: Actor) -> None:
    rows = [_row(mapping, row_values(row), owners) for row in mapping.rows.all()]
    values: dict[str, object] = {"pull_every_s": PULL_EVERY_S}
    if mapping.remote_object == "contacts":
        values["direction"] = ObjectMapping.Direction.BOTH
    change_mapping(mapping, actor, values, rows=rows)


def _row(
    mapping: ObjectMapping, row: RowValues, owners: Mapping[str, str]
) -> RowValues:
    rule = _RULES.get((mapping.remote_object, row.destination), row.rule)
    values = owners if row.source == "owner_email" else row.values
    return replace(row, rule=rule, values=values)
