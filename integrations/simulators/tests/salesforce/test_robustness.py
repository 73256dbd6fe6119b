"""Whatever is sent, the simulator answers with a client error, never with its own."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.simulators.salesforce import Options, SalesforceSimulator, build
from integrations.simulators.salesforce.ids import make, normal, number_of, with_check
from integrations.simulators.salesforce.routes import ROUTES
from integrations.simulators.testing import SALESFORCE_TOKEN
from integrations.simulators.tests import rubbish
from integrations.simulators.tests.salesforce.conftest import V

WRITING = [(r.method, r.pattern) for r in ROUTES if r.method in ("POST", "PATCH")]
NAMES = [
    "records",
    "attributes",
    "type",
    "id",
    "Id",
    "LastName",
    "Email",
    "allOrNone",
    "compositeRequest",
    "method",
    "url",
    "referenceId",
    "body",
    "graphs",
    "batchRequests",
    "richInput",
    "object",
    "operation",
    "state",
    "query",
    "ids",
    "externalIdFieldName",
    "FullName",
    "Metadata",
    "label",
    "length",
    "valueSet",
    "OwnerId",
    "Account",
    "fields",
]
WORDS = [
    "",
    "1",
    "Lead",
    "Email",
    "x@y.example",
    "insert",
    "upsert",
    "@{a.id}",
    "é/%",
    "POST",
]
JSON = rubbish.bodies(NAMES, WORDS)
SOQL = st.lists(
    st.sampled_from(
        [
        "SELECT", "Id", "FROM", "Lead", "WHERE", "(", ")", "AND", "OR", "NOT", "=",
        "!=", "<", "IN", "LIKE", "'x'", "3", "null", "COUNT()", "COUNT(Id)", "ORDER",
        "BY", "LIMIT", "OFFSET", ",", "Owner.Name", "SystemModstamp", "TODAY",
        "2026-01-01T00:00:00Z", "2026-13-45", "LAST_N_DAYS:3", "GROUP", "Rating",
        "true", "\\", "'", "FIELDS(ALL)",
    ]
    ),
    max_size=12,
).map(" ".join)  # fmt: skip


@pytest.fixture(scope="module")
def simulator() -> SalesforceSimulator:
    return build(Options(settings={"limits": False}))


def status_of(
    simulator: SalesforceSimulator, method: str, path: str, body: bytes, **query: str
) -> int:
    path = f"{V}/{path}"
    return rubbish.status_of(simulator, SALESFORCE_TOKEN, method, path, body, **query)


@pytest.mark.parametrize("operation", WRITING, ids=" ".join)
def test_no_body_makes_it_fail(simulator: SalesforceSimulator, operation) -> None:
    method, pattern = operation
    path = pattern.replace("{type}", "Lead").replace("{id}", "00QFh0000000001MAA")
    path = path.replace("{key}", "Email").replace("{value}", "a@x.example")

    @settings(max_examples=15, deadline=None, database=None)
    @given(JSON)
    def check(body: Any) -> None:
        assert status_of(simulator, method, path, json.dumps(body).encode()) < 500

    check()


@settings(max_examples=300, deadline=None, database=None)
@given(text=SOQL)
def test_no_query_makes_it_fail(simulator: SalesforceSimulator, text: str) -> None:
    assert status_of(simulator, "GET", "query", b"", q=text) < 500


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("composite/tree/Lead", {"records": [{"attributes": 1}]}),
        ("composite/tree/Lead", {"records": [{"X": {"records": [1]}}]}),
        ("composite/sobjects/Lead", {"ids": ["1"], "fields": True}),
        ("composite/sobjects/Lead", {"ids": [1.5], "fields": ["Id"]}),
        ("sobjects/Contact", {"LastName": "x", "Account": {"attributes": 1}}),
    ],
)
def test_values_of_the_wrong_kind_are_refused(simulator, path, body) -> None:
    assert status_of(simulator, "POST", path, json.dumps(body).encode()) == 400


@pytest.mark.parametrize("body", rubbish.NO_OBJECTS)
def test_bytes_that_are_no_object_are_refused(simulator, body: bytes) -> None:
    assert status_of(simulator, "POST", "sobjects/Lead", body) == 400


@given(st.integers(0, 62**9 - 1), st.integers(0, 62**9 - 1))
def test_ids_sort_as_they_are_made_and_read_back(one: int, other: int) -> None:
    first, second = make("00Q", "Fh0", one), make("00Q", "Fh0", other)

    assert number_of(first) == one
    assert normal(first[:15]) == normal(first) == first
    assert (first < second) is (one < other)


@pytest.mark.parametrize(
    "known", ["001D000000Kv3g5IAB", "003ak00000IiFInAAN", "0055f000005mc66AAA"]
)
def test_checksums_are_the_vendors(known: str) -> None:
    assert with_check(known[:15]) == known
