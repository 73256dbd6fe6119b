"""Whatever is sent, the simulator answers with a client error, never with its own."""

import json
from typing import Any

import pytest
from hypothesis import given, settings

from integrations.simulators.hubspot import HubSpotSimulator, Options, build
from integrations.simulators.hubspot.routes import ROUTES
from integrations.simulators.testing import PRIVATE_TOKEN
from integrations.simulators.tests import rubbish

VERSIONED = [
    (route.method, route.family, version, route.pattern)
    for route in ROUTES
    for version in sorted(route.versions)[:1]
]
AREAS = {
    "sequences": "/automation",
    "workflows": "/automation",
    "campaigns": "/marketing",
    "forms": "/marketing",
}
NAMES = [
    "properties",
    "inputs",
    "id",
    "idProperty",
    "filterGroups",
    "filters",
    "propertyName",
    "operator",
    "value",
    "values",
    "limit",
    "after",
    "sorts",
    "associations",
    "to",
    "from",
    "types",
    "stages",
    "label",
    "name",
    "options",
    "recordIdsToAdd",
    "count",
    "offset",
    "labels",
    "objectTypeId",
    "associationTypeId",
    "query",
    "hs_name",
    "hs_start_date",
]
WORDS = ["", "1", "101", "email", "EQ", "IN", "contacts", "0-1", "é/%"]
JSON = rubbish.bodies(NAMES, WORDS)


@pytest.fixture(scope="module")
def simulator() -> HubSpotSimulator:
    return build(Options(settings={"limits": False}))


@pytest.mark.parametrize("operation", VERSIONED, ids=lambda o: f"{o[0]} {o[1]}/{o[3]}")
def test_no_body_makes_it_fail(simulator: HubSpotSimulator, operation) -> None:
    method, family, version, pattern = operation
    rest = pattern.replace("{type}", "contacts").replace("{id}", "101")
    rest = rest.replace("{name}", "email").replace("{guid}", "g")
    outside = family in ("crm-object-schemas", "form-integrations")
    dated = version.startswith("20")
    middle = f"{family}/{version}" if dated or outside else f"{version}/{family}"
    area = "" if outside else AREAS.get(family, "/crm")
    path = f"{area}/{middle}/{rest}"

    @settings(max_examples=8, deadline=None, database=None)
    @given(JSON)
    def check(body: Any) -> None:
        assert (
            rubbish.status_of(
                simulator, PRIVATE_TOKEN, method, path, json.dumps(body).encode()
            )
            < 500
        )

    check()


@pytest.mark.parametrize("body", rubbish.NO_OBJECTS)
def test_bytes_that_are_no_object_are_refused(simulator, body) -> None:
    assert (
        rubbish.status_of(
            simulator, PRIVATE_TOKEN, "POST", "/crm/v3/objects/contacts", body
        )
        == 400
    )
