"""A well-known client library works against the simulator, within the contract.

simple-salesforce speaks only https; an adapter sends its requests here in the clear.
"""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from requests.adapters import HTTPAdapter

from integrations.simulators.testing import (
    CLIENT_ID,
    CLIENT_SECRET,
    SALESFORCE_ORG_ID,
    SALESFORCE_PASSWORD,
    SALESFORCE_TOKEN,
)
from integrations.simulators.tests.salesforce import contract

simple_salesforce = pytest.importorskip("simple_salesforce")

SCHEMAS = (
    ("/composite/sobjects", "CollectionResponse"),
    ("/jobs/ingest/", "IngestJob"),
    ("/jobs/query", "QueryJob"),
    ("/query", "QueryResult"),
)


class Recorder(HTTPAdapter):
    """Sends to the simulator and keeps (method, path, status, answer)."""

    def __init__(self, base_url: str) -> None:
        super().__init__()
        self.base = urlsplit(base_url)
        self.exchanges: list[tuple[str, str, int, requests.Response]] = []

    def send(self, request: Any, *args: Any, **more: Any) -> requests.Response:
        parts = urlsplit(request.url)
        moved = parts._replace(scheme="http", netloc=self.base.netloc)
        request.url = moved.geturl()
        answer = super().send(request, *args, **more)
        kept = (request.method, parts.path, answer.status_code, answer)
        self.exchanges.append(kept)
        return answer


@pytest.fixture
def recorder(sim) -> Recorder:
    return Recorder(sim.base_url)


@pytest.fixture
def session(recorder: Recorder) -> Any:
    made = requests.Session()
    made.mount("https://", recorder)
    yield made
    made.close()


@pytest.fixture
def client(sim, session) -> Any:
    sim.configure(auto_assign=False)
    return simple_salesforce.Salesforce(
        instance_url=sim.base_url.replace("http:", "https:"),
        session_id=SALESFORCE_TOKEN,
        session=session,
        version="64.0",
    )


def assert_within_contract(recorder: Recorder) -> None:
    contract.need_contract()
    assert recorder.exchanges
    assert [p for exchange in recorder.exchanges for p in problems(*exchange)] == []


def problems(
    method: str, path: str, status: int, answer: requests.Response
) -> list[str]:
    if not answer.content or "json" not in answer.headers.get("Content-Type", ""):
        return []
    body = json.loads(answer.content)
    name = _schema(method, path, status)
    found = contract.problems(name, body) if name else []
    return [f"{method} {path} -> {status}: {problem}" for problem in found]


def _schema(method: str, path: str, status: int) -> str:
    if status >= 400:
        return "RequestError"
    if "/sobjects/" in path and method in ("POST", "PATCH"):
        return "CollectionResponse" if "/composite/" in path else "SaveResult"
    return next((name for part, name in SCHEMAS if part in path), "")


def test_the_client_creates_reads_updates_and_deletes(client, recorder) -> None:
    lead = client.Lead

    made = lead.create({"LastName": "Marsh", "Company": "Fern", "Email": "a@x.example"})
    assert lead.update(made["id"], {"City": "Lyon"}) == 204
    assert lead.upsert("Email/a@x.example", {"Title": "Buyer"}) == 200
    read = lead.get(made["id"])
    by_key = lead.get_by_custom_id("Email", "a@x.example")
    assert lead.delete(made["id"]) == 204

    assert (read["City"], read["Title"]) == ("Lyon", "Buyer")
    assert by_key["Id"] == made["id"]
    client.limits()
    assert client.api_usage["api-usage"].used == 7
    assert_within_contract(recorder)


def test_the_client_pages_through_a_query(client, recorder, sim) -> None:
    person = {"LastName": "L{n}", "Company": "Fern"}
    sim.seed([{"object": "Lead", "properties": person, "count": 2500}])

    found = client.query_all("SELECT Id, Owner.Name FROM Lead ORDER BY Id")
    count = client.query("SELECT COUNT() FROM Lead")
    deleted = list(client.query_all_iter("SELECT Id FROM Lead", include_deleted=True))

    assert len(found["records"]) == found["totalSize"] == count["totalSize"] == 2500
    assert found["records"][0]["Owner"]["Name"] == "Ada Marsh"
    assert len(deleted) == 2500
    assert_within_contract(recorder)


def test_the_client_describes_and_sees_limits(client, recorder) -> None:
    objects = {item["name"] for item in client.describe()["sobjects"]}
    fields = {field["name"] for field in client.Lead.describe()["fields"]}
    limits = client.limits()
    metadata = client.Lead.metadata()

    assert {"Lead", "Contact", "Account", "Opportunity", "Task"} <= objects
    assert {"Id", "LastName", "SystemModstamp"} <= fields
    assert limits["DailyApiRequests"]["Max"] == 100_000
    assert metadata["objectDescribe"]["keyPrefix"] == "00Q"
    assert_within_contract(recorder)


def test_the_client_asks_what_changed(client, recorder, sim) -> None:
    import datetime

    made = client.Contact.create({"LastName": "Marsh"})
    client.Contact.delete(made["id"])
    sim.configure(clock_skew_s=120)
    now = datetime.datetime.now(datetime.UTC)
    start, end = now - datetime.timedelta(hours=1), now + datetime.timedelta(hours=1)

    deleted = client.Contact.deleted(start, end)
    updated = client.Contact.updated(start, end)

    assert [row["id"] for row in deleted["deletedRecords"]] == [made["id"]]
    assert updated["ids"] == []
    assert_within_contract(recorder)


def test_the_client_loads_in_bulk(client, recorder) -> None:
    people = [
        {"LastName": f"L{n}", "Company": "Fern", "Email": f"l{n}@x.example"}
        for n in range(5)
    ]

    made = client.bulk2.Lead.insert(
        records=[*people, {"LastName": "Nobody"}], wait=0.01
    )
    again = client.bulk2.Lead.upsert(
        records=[{"Email": "l1@x.example", "City": "Oslo"}],
        external_id_field="Email",
        wait=0.01,
    )
    failed = client.bulk2.Lead.get_failed_records(made[0]["job_id"])
    pages = list(
        client.bulk2.Lead.query(
            "SELECT LastName, City FROM Lead", max_records=2, wait=0.01
        )
    )

    assert made[0]["numberRecordsFailed"] == 1
    assert "REQUIRED_FIELD_MISSING" in failed
    assert again[0]["numberRecordsProcessed"] == 1
    assert len(pages) == 3
    assert '"L1","Oslo"' in "".join(pages)
    assert_within_contract(recorder)


def test_the_client_reports_refusals(client, recorder) -> None:
    made = client.Lead.create({"LastName": "Marsh", "Company": "Fern"})
    client.Lead.delete(made["id"])

    with pytest.raises(simple_salesforce.SalesforceResourceNotFound) as gone:
        client.Lead.get(made["id"])
    with pytest.raises(simple_salesforce.SalesforceMalformedRequest) as bad:
        client.Lead.create({"LastName": "Marsh"})
    with pytest.raises(simple_salesforce.SalesforceMalformedRequest):
        client.query("SELECT Nope FROM Lead")

    assert gone.value.content[0]["errorCode"] == "ENTITY_IS_DELETED"
    assert bad.value.content[0]["fields"] == ["Company"]
    assert_within_contract(recorder)


def test_several_matches_are_an_error_of_their_own(client, sim) -> None:
    person = {"LastName": "L{n}", "Company": "Fern", "Email": "same@x.example"}
    sim.seed([{"object": "Lead", "properties": person, "count": 2}])

    with pytest.raises(simple_salesforce.SalesforceMoreThanOneRecord):
        client.Lead.upsert("Email/same@x.example", {"City": "Oslo"})


@pytest.mark.parametrize(
    "who",
    [
        {},
        {
            "username": "ada.marsh@fernhill.example.com",
            "password": SALESFORCE_PASSWORD,
        },
    ],
)
def test_the_client_logs_in(session, who) -> None:
    client = simple_salesforce.Salesforce(
        consumer_key=CLIENT_ID,
        consumer_secret=CLIENT_SECRET,
        domain="fernhill",
        session=session,
        version="64.0",
        **who,
    )

    assert client.query("SELECT Id FROM Organization")["records"][0]["Id"] == (
        SALESFORCE_ORG_ID
    )


def test_the_client_makes_a_composite_call(client, recorder) -> None:
    rows = [{"attributes": {"type": "Contact"}, "LastName": f"P{n}"} for n in range(3)]

    made = client.restful("composite/sobjects", method="POST", json={"records": rows})
    changed = client.restful(
        "composite/sobjects/Contact/Email",
        method="PATCH",
        json={"records": [rows[0] | {"Email": "p@x.example"}]},
    )

    assert [row["success"] for row in made] == [True, True, True]
    assert changed[0]["created"] is True
    assert_within_contract(recorder)
