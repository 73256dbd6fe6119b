"""What a CRM keeps less exactly than we do does not travel back, nor out again."""

from __future__ import annotations

import pytest

from integrations.tests.sync.crm import HubSpotUser, SalesforceUser
from integrations.tests.sync.fields import add_field
from integrations.tests.sync.trio import Trio
from leads.facts import Origin
from leads.models import Change, Lead
from leads.services import records
from leads.services.records import Edit

HERE = Origin("user", "1", "Ada Example")


def writes(trio: Trio) -> int:
    """Return how many records were written to either CRM."""
    return sum(
        told["inputs"]
        for one in (trio.hubspot, trio.salesforce)
        for route, told in one.stats()["routes"].items()
        if not (route.startswith("GET") or "search" in route or "read" in route)
    )


@pytest.mark.parametrize(
    ("kind", "ours", "in_hubspot", "in_salesforce"),
    [
        (
            "datetime",
            "2026-01-02T03:04:05.678901+00:00",
            "2026-01-02T03:04:05.678Z",
            "2026-01-02T03:04:05.000+0000",
        ),
        ("number", 3.75, "3.75", 4),
        ("number", -2.5, "-2.5", -2),
        ("number", 0.4, "0.4", 0),
        (
            "text",
            "Ada@Fern.Example.com",
            "Ada@Fern.Example.com",
            "ada@fern.example.com",
        ),
        ("text", "  ada@fern.example.com ", None, "ada@fern.example.com"),
    ],
)
def test_what_a_crm_rounds_stays_as_it_is_here_and_goes_out_once(
    trio: Trio, kind: str, ours: object, in_hubspot: str | None, in_salesforce: object
) -> None:
    add_field(trio, "exact", kind)
    trio.populate(1)
    edit = Edit(trio.leads[0], {"custom": {"exact": ours}})
    records.update(trio.workspace, "lead", [edit], origin=HERE)
    trio.rest()
    kept, before = Lead.objects.get().custom["exact"], writes(trio)

    for actor in ("salesforce", "hubspot", "salesforce"):
        trio.pull(actor)
    trio.rest()

    there = HubSpotUser(trio.hubspot).sees(trio.ids["hubspot"][0], "exact")
    (lead,) = SalesforceUser(trio.salesforce).has("Lead")
    assert Lead.objects.get().custom["exact"] == kept
    assert lead["Exact__c"] == in_salesforce
    assert in_hubspot in (None, there["exact"])
    assert writes(trio) == before
    assert not Change.objects.filter(origin_kind="connection").exists()
