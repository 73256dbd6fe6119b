"""SOQL: conditions, order, pages, parents, and its ways of saying no."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.simulators.tests.salesforce import contract

STAMP = "2026-01-01T00:00:00Z"


def seed(sim, count: int, **more: Any) -> list[str]:
    item: dict[str, Any] = {
        "object": "Lead",
        "properties": {
            "LastName": "L{n}",
            "Company": "Fern",
            "Email": "l{n}@x.example",
        },
        "count": count,
    }
    found: list[str] = sim.seed([item | more])["Lead"]
    return found


@pytest.fixture
def leads(api) -> list[str]:
    rows: list[dict[str, Any]] = [
        {"LastName": "Ames", "Company": "Fern", "Rating": "Hot", "AnnualRevenue": 10},
        {"LastName": "Bell", "Company": "fern", "Rating": "Cold", "AnnualRevenue": 20},
        {"LastName": "Cole", "Company": "Quarry"},
        {"LastName": "Dean_x", "Company": "O'Hara", "AnnualRevenue": 30},
    ]
    return [api.create("Lead", **row) for row in rows]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("Company = 'FERN'", ["Ames", "Bell"]),
        ("Company != 'Fern'", ["Cole", "Dean_x"]),
        ("Rating = null", ["Cole", "Dean_x"]),
        ("Rating != NULL AND Company = 'Fern'", ["Ames", "Bell"]),
        ("Rating = 'Hot' OR AnnualRevenue >= 30", ["Ames", "Dean_x"]),
        ("NOT (Rating = 'Hot' OR AnnualRevenue > 20)", ["Bell", "Cole"]),
        ("Rating IN ('Hot', 'Cold')", ["Ames", "Bell"]),
        ("Rating NOT IN ('Hot', null)", ["Bell"]),
        ("LastName LIKE '%e%' AND LastName LIKE '____'", ["Ames", "Bell", "Cole"]),
        (r"LastName LIKE '%\_x'", ["Dean_x"]),
        (r"Company = 'O\'Hara'", ["Dean_x"]),
        ("AnnualRevenue < 20.5", ["Ames", "Bell"]),
        ("IsConverted = false AND LastName > 'C'", ["Cole", "Dean_x"]),
        ("Owner.Email LIKE 'integration%'", ["Ames", "Bell", "Cole", "Dean_x"]),
        ("CreatedDate = TODAY AND LastName < 'C'", ["Ames", "Bell"]),
        ("CreatedDate > YESTERDAY AND LastName < 'C'", ["Ames", "Bell"]),
        ("CreatedDate < LAST_N_DAYS:2", []),
        ("OwnerId IN (SELECT Id FROM User WHERE LastName = 'Marsh')", []),
    ],
)  # fmt: skip
def test_conditions(api, leads, condition: str, expected: list[str]) -> None:
    text = f"SELECT LastName FROM Lead WHERE {condition} ORDER BY LastName"

    assert api.values(text) == expected


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("LastName DESC", ["Dean_x", "Cole", "Bell", "Ames"]),
        ("AnnualRevenue", ["Cole", "Ames", "Bell", "Dean_x"]),
        ("AnnualRevenue NULLS LAST", ["Ames", "Bell", "Dean_x", "Cole"]),
        ("Company ASC, LastName DESC", ["Bell", "Ames", "Dean_x", "Cole"]),
    ],
)
def test_order(api, leads, order: str, expected: list[str]) -> None:
    assert api.values(f"SELECT LastName FROM Lead ORDER BY {order}") == expected


def test_limit_and_offset(api, leads) -> None:
    text = "SELECT LastName FROM Lead ORDER BY LastName LIMIT 2 OFFSET 1"

    assert api.values(text) == ["Bell", "Cole"]


def test_counting(api, leads) -> None:
    plain = api.query("SELECT COUNT() FROM Lead WHERE Company = 'Fern'")
    grouped = api.query(
        "SELECT Company, COUNT(Id) n, MAX(AnnualRevenue) FROM Lead GROUP BY Company"
    )["records"]

    assert (plain["totalSize"], plain["records"]) == (2, [])
    assert {(r["Company"], r["n"], r["expr0"]) for r in grouped} >= {
        ("Quarry", 1, None),
        ("O'Hara", 1, 30.0),
    }


def test_parents_are_nested_or_null(api) -> None:
    account = api.create("Account", Name="Fern")
    api.create("Contact", LastName="Ames", AccountId=account)
    api.create("Contact", LastName="Bell")

    rows = api.query(
        "SELECT Id, Account.Name, Account.Owner.Name FROM Contact ORDER BY LastName"
    )["records"]

    assert rows[0]["Account"]["Name"] == "Fern"
    assert rows[0]["Account"]["Owner"]["Name"] == "Integration User"
    assert rows[1]["Account"] is None


def test_pages_follow_one_another_without_a_gap(api, sim) -> None:
    made = seed(sim, 450)
    headers = {"Sforce-Query-Options": "batchSize=200"}
    text = "SELECT Id FROM Lead ORDER BY SystemModstamp, Id"

    pages = [api.query(text, headers=headers)]
    while not pages[-1]["done"]:
        pages.append(api.get(pages[-1]["nextRecordsUrl"]).json())

    found = [row["Id"] for page in pages for row in page["records"]]
    assert found == made
    assert [len(page["records"]) for page in pages] == [200, 200, 50]
    assert all(contract.problems("QueryResult", page) == [] for page in pages)
    assert contract.shape(pages[0]).keys() == contract.recorded("query.page").keys()


def test_a_page_is_never_smaller_than_200(api, sim) -> None:
    seed(sim, 201)

    page = api.query(
        "SELECT Id FROM Lead", headers={"Sforce-Query-Options": "batchSize=1"}
    )

    assert (len(page["records"]), page["totalSize"]) == (200, 201)


def test_locators_expire(api, sim) -> None:
    seed(sim, 201)
    page = api.query(
        "SELECT Id FROM Lead", headers={"Sforce-Query-Options": "batchSize=200"}
    )
    sim.configure(clock_skew_s=901)

    answer = api.get(page["nextRecordsUrl"])

    assert answer.json() == contract.recorded("query.bad_locator")


def test_twelve_thousand_records_of_one_second_are_walked_by_key(api, sim) -> None:
    made = seed(sim, 12_000, SystemModstamp=STAMP)
    found: list[str] = []
    where = f"SystemModstamp >= {STAMP}"

    while True:
        rows = api.query(
            f"SELECT Id, SystemModstamp FROM Lead WHERE {where} "
            "ORDER BY SystemModstamp, Id LIMIT 2000"
        )["records"]
        found += [row["Id"] for row in rows]
        if len(rows) < 2000:
            break
        last = rows[-1]["Id"]
        tied = f"(SystemModstamp = {STAMP} AND Id > '{last}')"
        where = f"SystemModstamp > {STAMP} OR {tied}"

    assert found == made
    slowest = max(
        line["ms"] for line in sim.requests_since() if "query" in line["path"]
    )
    assert slowest < 1000


def test_without_order_there_is_none(api, sim) -> None:
    made = seed(sim, 50)

    orders = {tuple(api.values("SELECT Id FROM Lead")) for _ in range(12)}

    assert len(orders) > 1
    assert all(sorted(order) == made for order in orders)


def test_query_all_shows_the_deleted(api) -> None:
    identifier = api.create("Lead", LastName="Gone", Company="Fern")
    api.delete(f"/sobjects/Lead/{identifier}")
    text = "SELECT Id, IsDeleted FROM Lead WHERE IsDeleted = true"

    plain = api.query(text)
    everything = api.get("/queryAll", params={"q": text}).json()

    assert plain["totalSize"] == 0
    assert [row["IsDeleted"] for row in everything["records"]] == [True]


def test_late_rows_appear_behind_the_cursor(api, sim) -> None:
    sim.configure(visibility_delay_s=600)
    late = api.create("Lead", LastName="Late", Company="Fern")
    stamp = api.get(f"/sobjects/Lead/{late}?fields=SystemModstamp").json()

    before = api.values("SELECT Id FROM Lead")
    sim.configure(visibility_delay_s=0, clock_skew_s=601)
    text = f"SELECT Id FROM Lead WHERE SystemModstamp = {stamp['SystemModstamp'][:19]}Z"

    assert (before, api.values(text)) == ([], [late])


def test_a_late_update_shows_the_old_value(api, sim) -> None:
    identifier = api.create("Lead", LastName="Old", Company="Fern")
    sim.configure(visibility_delay_s=600)
    api.update("Lead", identifier, LastName="New")

    before = api.values("SELECT LastName FROM Lead ORDER BY SystemModstamp, Id")
    sim.control("POST", "settle")
    after = api.values("SELECT LastName FROM Lead ORDER BY SystemModstamp, Id")

    assert (before, after) == (["Old"], ["New"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("SELECT Foo FROM Lead", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Nope.Name = 'x'", "INVALID_FIELD"),
        ("SELECT Id FORM Lead", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE", "MALFORMED_QUERY"),
        ("SELECT Id FROM Lead WHERE Id = 'x", "MALFORMED_QUERY"),
        ("SELECT Id, COUNT(Id) FROM Lead", "MALFORMED_QUERY"),
        (f"SELECT Id FROM Lead WHERE SystemModstamp > '{STAMP}'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE LastName = 3", "INVALID_FIELD"),
        ("SELECT Id FROM Lead WHERE Description = 'x'", "INVALID_FIELD"),
        ("SELECT Id FROM Lead ORDER BY Description", "INVALID_FIELD"),
        ("SELECT Id FROM Lead OFFSET 2001", "NUMBER_OUTSIDE_VALID_RANGE"),
    ],
)
def test_bad_queries_are_refused(api, text: str, code: str) -> None:
    answer = api.get("/query", params={"q": text})

    assert api.refused(answer) == (400, code)
    assert contract.problems("RequestError", answer.json()) == []


def test_an_unknown_object_is_pointed_at(api) -> None:
    answer = api.get("/query", params={"q": "select count() from XYZZY"})

    assert answer.json() == contract.recorded("error.invalid_type_soql")


def test_an_endless_address_is_refused(api) -> None:
    text = "SELECT Id FROM Lead WHERE Id IN (" + ",".join(["'x'"] * 5000) + ")"

    assert api.get("/query", params={"q": text}).status_code == 414


# -- replication


def test_updated_and_deleted_say_what_they_cover(api, sim) -> None:
    stays = api.create("Contact", LastName="Ames")
    goes = api.create("Contact", LastName="Bell")
    api.delete(f"/sobjects/Contact/{goes}")
    sim.control("POST", "purge")
    sim.configure(clock_skew_s=120)
    span = _span()

    updated = api.get(f"/sobjects/Contact/updated/?{span}").json()
    deleted = api.get(f"/sobjects/Contact/deleted/?{span}").json()

    assert updated["ids"] == [stays]
    assert [row["id"] for row in deleted["deletedRecords"]] == [goes]
    for answer, name in ((updated, "getUpdated"), (deleted, "getDeleted")):
        assert contract.shape(answer) == contract.shape(contract.recorded(name))


def _span() -> str:
    now = datetime.now(UTC)
    start = (now - timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    end = (now + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"start={start}&end={end}"


@pytest.mark.parametrize("span", ["", "start=x&end=y", "start=2001-01-01T00:00:00Z"
                                  "&end=2001-02-01T00:00:00Z"])  # fmt: skip
def test_impossible_spans_are_refused(api, span: str) -> None:
    answer = api.get(f"/sobjects/Contact/updated/?{span}")

    assert api.refused(answer) == (400, "INVALID_REPLICATION_DATE")
