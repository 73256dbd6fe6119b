"""Facts that decide something."""

from typing import Any

import pytest

from integrations.connectors import daily
from integrations.connectors.salesforce.spec import SPEC, object_facts
from integrations.mapping.templates.salesforce import TEMPLATES


@pytest.mark.parametrize(
    ("header", "told"),
    [
        ("api-usage=18/5000", (18, 5000)),
        ("api-usage=25/5000; per-app-api-usage=17/250(appName=sample-app)", (25, 5000)),
        ("per-app-api-usage=17/250(appName=x); api-usage=25/5000", (25, 5000)),
        ("per-app-api-usage=17/250(appName=x)", None),
        ("", None),
        ("api-usage=1/0", None),
    ],
)
def test_the_orgs_own_day_is_read_and_not_the_apps(header: str, told: Any) -> None:
    assert SPEC.daily is not None

    read = daily.read({"sforce-limit-info": header}, SPEC.daily)

    assert (read and (read.used, read.limit)) == told


def test_a_custom_object_follows_the_usual_case() -> None:
    facts = object_facts("Visit__c")

    assert (facts.keys, facts.modified_field) == (("Crmsync_Id__c",), "SystemModstamp")


def test_every_mapping_of_the_template_is_to_an_object_we_know() -> None:
    assert {one.remote_object for one in TEMPLATES} <= SPEC.objects.keys()


def test_what_a_create_needs_is_mapped() -> None:
    for template in TEMPLATES:
        if template.creates:
            mapped = {row.destination for row in template.rows}
            # What it belongs to is a field there, and no row of a mapping.
            there = template.remote_object
            mapped |= {
                name for (one, _), name in SPEC.references.items() if one == there
            }
            assert set(SPEC.objects[there].required) <= mapped
