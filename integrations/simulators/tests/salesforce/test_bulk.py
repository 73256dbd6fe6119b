"""Bulk API 2.0: ingest and query jobs from creation to results."""

import csv
import io
from typing import Any

import pytest

from integrations.simulators.testing import wait_until
from integrations.simulators.tests.salesforce import contract


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def ingest(api, data: str, **job: Any) -> str:
    """Run an ingest job to its end; return its path."""
    body = {"object": "Lead", "operation": "insert", "contentType": "CSV"} | job
    made = api.post("/jobs/ingest", body)
    assert made.status_code == 200, made.text
    path = f"/jobs/ingest/{made.json()['id']}"
    upload(api, path, data)
    closed = api.patch(path, {"state": "UploadComplete"})
    assert closed.json()["state"] == "UploadComplete"
    wait_until(lambda: ended(api, path))
    return path


def upload(api, path: str, data: str) -> None:
    answer = api.session.put(
        f"{api.base_url}/services/data/v64.0{path}/batches",
        data=data.encode(),
        headers={"Content-Type": "text/csv"},
        timeout=10,
    )
    assert (answer.status_code, answer.content) == (201, b"")


def ended(api, path: str) -> Any:
    job = api.get(path).json()
    return job if job["state"] in ("JobComplete", "Failed", "Aborted") else None


def test_an_insert_reports_good_and_bad_rows(api) -> None:
    rows = "".join(f"L{n},Fern\n" for n in range(5))

    path = ingest(api, f"LastName,Company\n{rows},Nobody\n")
    job = api.get(path).json()
    good = rows_of(api.get(f"{path}/successfulResults/").text)
    bad = rows_of(api.get(f"{path}/failedResults/").text)

    assert contract.problems("IngestJob", job) == []
    assert set(contract.recorded("bulk2.ingest.info.success")) - set(job) == {
        "externalIdFieldName"
    }
    assert (job["numberRecordsProcessed"], job["numberRecordsFailed"]) == (6, 1)
    assert {row["LastName"] for row in good} == {f"L{n}" for n in range(5)}
    assert {row["sf__Created"] for row in good} == {"true"}
    assert bad[0]["sf__Error"] == (
        "REQUIRED_FIELD_MISSING:Required fields are missing: [LastName]:LastName --"
    )
    assert api.query("SELECT COUNT() FROM Lead")["totalSize"] == 5


def test_results_come_in_another_order(api) -> None:
    names = [f"L{n:03}" for n in range(100)]

    path = ingest(api, "LastName,Company\n" + "".join(f"{n},Fern\n" for n in names))

    found = [r["LastName"] for r in rows_of(api.get(f"{path}/successfulResults").text)]
    assert found != names
    assert sorted(found) == names


def test_an_upsert_updates_clears_and_leaves(api) -> None:
    old = api.create(
        "Contact", LastName="Marsh", Email="a@example.com", Title="x", Department="y"
    )
    rows = "a@example.com,Keller,#N/A,\nb@example.com,Rao,,\n"
    data = f"Email,LastName,Title,Department\n{rows}"

    path = ingest(
        api, data, object="Contact", operation="upsert", externalIdFieldName="Email"
    )

    done = {r["Email"]: r for r in rows_of(api.get(f"{path}/successfulResults").text)}
    read = api.get(f"/sobjects/Contact/{old}").json()
    assert {key: row["sf__Created"] for key, row in done.items()} == {
        "a@example.com": "false",
        "b@example.com": "true",
    }
    assert (read["LastName"], read["Title"], read["Department"]) == (
        "Keller",
        None,
        "y",
    )


def test_a_bad_date_fails_its_row_as_recorded(api) -> None:
    wrong = "2003-04-987654321987654321"
    data = f"Name,StageName,external,CloseDate\nNoemi Miller,GENERATED,x,{wrong}\n"
    data = data.replace("external", "NextStep")

    path = ingest(api, data, object="Opportunity")

    recorded = rows_of(contract.recorded("bulk2.ingest.failedResults"))[0]
    failed = rows_of(api.get(f"{path}/failedResults").text)[0]
    assert failed["sf__Error"] == recorded["sf__Error"]


def test_updates_and_deletes_go_by_id(api) -> None:
    made = [api.create("Lead", LastName=f"L{n}", Company="Fern") for n in range(2)]

    ingest(api, f"Id,City\n{made[0]},Oslo\n", operation="update")
    path = ingest(api, f"Id\n{made[1]}\n{made[1]}\n", operation="delete")

    failed = rows_of(api.get(f"{path}/failedResults").text)
    assert api.get(f"/sobjects/Lead/{made[0]}").json()["City"] == "Oslo"
    assert api.get(f"/sobjects/Lead/{made[1]}").status_code == 404
    assert failed[0]["sf__Error"].startswith("ENTITY_IS_DELETED:")


def test_an_unknown_column_fails_the_job(api) -> None:
    path = ingest(api, "LastName,Company,Nope__c\nA,B,C\n")

    job = api.get(path).json()
    assert job["state"] == "Failed"
    assert job["errorMessage"] == "InvalidBatch : Field name not found : Nope__c"
    assert api.query("SELECT COUNT() FROM Lead")["totalSize"] == 0
    assert len(rows_of(api.get(f"{path}/unprocessedrecords").text)) == 1


def test_parents_are_found_by_a_dotted_column(api, sim) -> None:
    sim.control("POST", "fields", {
        "full_name": "Account.Ext__c",
        "metadata": {"type": "Text", "label": "Ext", "length": 9, "externalId": True},
    })  # fmt: skip
    account = api.create("Account", Name="Fern", Ext__c="A-1")

    ingest(api, "LastName,Account.Ext__c\nMarsh,A-1\n", object="Contact")

    assert api.values("SELECT Id, AccountId FROM Contact") == [account]


def test_a_job_takes_its_time_and_can_be_aborted(api, sim) -> None:
    sim.configure(bulk_delay_s=600)
    made = api.post(
        "/jobs/ingest", {"object": "Lead", "operation": "insert", "lineEnding": "LF"}
    ).json()
    path = f"/jobs/ingest/{made['id']}"
    upload(api, path, "LastName,Company\nA,B\n")
    api.patch(path, {"state": "UploadComplete"})

    waiting = api.get(path).json()["state"]
    early = api.delete(path)
    aborted = api.patch(path, {"state": "Aborted"}).json()["state"]
    left = rows_of(api.get(f"{path}/unprocessedrecords/").text)

    assert (waiting, early.status_code, aborted) == ("UploadComplete", 400, "Aborted")
    assert left == [{"LastName": "A", "Company": "B"}]
    assert api.delete(path).status_code == 204
    assert api.get(path).status_code == 404


def test_creation_and_closing_look_as_recorded(api) -> None:
    body = {"object": "Contact", "operation": "upsert", "externalIdFieldName": "Email"}

    made = api.post("/jobs/ingest", body).json()
    closed = api.patch(f"/jobs/ingest/{made['id']}", {"state": "UploadComplete"}).json()

    for answer, name in ((made, "create"), (closed, "close")):
        known = contract.recorded(f"bulk2.ingest.{name}")
        assert contract.shape(answer) == contract.shape(known)


@pytest.mark.parametrize(
    "body",
    [
        {"object": "Nope", "operation": "insert"},
        {"object": "Lead", "operation": "guess"},
        {"object": "Lead", "operation": "upsert"},
        {"object": "Lead", "operation": "upsert", "externalIdFieldName": "Title"},
        {"object": "Lead", "operation": "insert", "columnDelimiter": "X"},
    ],
)
def test_impossible_jobs_are_refused(api, body) -> None:
    assert api.refused(api.post("/jobs/ingest", body)) == (400, "INVALIDJOB")


# -- queries


def query_job(api, text: str, operation: str = "query") -> str:
    made = api.post("/jobs/query", {"operation": operation, "query": text})
    assert made.status_code == 200, made.text
    path = f"/jobs/query/{made.json()['id']}"
    wait_until(lambda: ended(api, path))
    return path


def test_query_results_come_page_by_page(api, sim) -> None:
    lead = {"LastName": "L{n}", "Company": 'Fern, "Inc"'}
    sim.seed([{"object": "Lead", "properties": lead, "count": 25}])
    path = query_job(api, "SELECT Id, LastName, Company, Owner.Name FROM Lead")

    pages, locator = [], ""
    while locator != "null":
        page = api.get(f"{path}/results?maxRecords=10&locator={locator}")
        locator = page.headers["Sforce-Locator"]
        pages.append(rows_of(page.text))

    assert [len(page) for page in pages] == [10, 10, 5]
    assert list(pages[0][0]) == ["Id", "LastName", "Company", "Owner.Name"]
    assert pages[0][0]["Company"] == 'Fern, "Inc"'
    assert len({row["Id"] for page in pages for row in page}) == 25


def test_query_all_jobs_show_the_deleted(api) -> None:
    lead = api.create("Lead", LastName="Gone", Company="Fern")
    api.delete(f"/sobjects/Lead/{lead}")
    text = "SELECT Id, IsDeleted, SystemModstamp, City FROM Lead"

    (row,) = rows_of(api.get(f"{query_job(api, text, 'queryAll')}/results").text)
    none = rows_of(api.get(f"{query_job(api, text)}/results").text)

    assert (row["Id"], row["IsDeleted"], row["City"]) == (lead, "true", "")
    assert row["SystemModstamp"].endswith(".000Z")
    assert none == []


def test_query_jobs_refuse_aggregates_and_nonsense(api) -> None:
    for text in ("SELECT COUNT() FROM Lead", "SELECT Nope FROM Lead", "nonsense"):
        body = {"operation": "query", "query": text}
        assert api.post("/jobs/query", body).status_code == 400
