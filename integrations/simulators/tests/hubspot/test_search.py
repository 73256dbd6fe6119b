"""Search: operators, caps, order, paging and the lag of the index."""

import pytest

from integrations.simulators.tests.hubspot.conftest import Api

SEARCH = "/crm/v3/objects/contacts/search"
PEOPLE = [
    {"email": "ann@example.com", "firstname": "Ann", "hs_lead_status": "NEW"},
    {"email": "bob@example.org", "firstname": "bob", "hs_lead_status": "OPEN"},
    {"email": "cleo@example.org", "firstname": "Cleo Maria"},
]


def where(name: str, operator: str, value=None, **more: object) -> dict:
    found = {"propertyName": name, "operator": operator, **more}
    return found | ({"value": value} if value is not None else {})


@pytest.fixture
def people(sim) -> None:
    sim.seed([{"object": "contacts", "properties": person} for person in PEOPLE])


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        (where("firstname", "EQ", "BOB"), ["bob"]),
        (where("firstname", "NEQ", "bob"), ["ann", "cleo"]),
        (where("hs_lead_status", "EQ", "NEW"), ["ann"]),
        (where("hs_lead_status", "EQ", "new"), []),
        (where("firstname", "IN", values=["ann", "bob"]), ["ann", "bob"]),
        (where("firstname", "IN", values=["Ann"]), []),
        (where("firstname", "NOT_IN", values=["ann"]), ["bob", "cleo"]),
        (where("hs_lead_status", "IN", values=["NEW", "OPEN"]), ["ann", "bob"]),
        (where("hs_lead_status", "HAS_PROPERTY"), ["ann", "bob"]),
        (where("hs_lead_status", "NOT_HAS_PROPERTY"), ["cleo"]),
        (where("firstname", "CONTAINS_TOKEN", "maria"), ["cleo"]),
        (where("email", "CONTAINS_TOKEN", "*@example.org"), ["bob", "cleo"]),
        (where("firstname", "NOT_CONTAINS_TOKEN", "maria"), ["ann", "bob"]),
        (where("hs_object_id", "GT", "101"), ["bob", "cleo"]),
        (where("hs_object_id", "BETWEEN", "101", highValue="102"), ["ann", "bob"]),
        (where("createdate", "LT", "2020-01-01T00:00:00Z"), []),
        (where("createdate", "GTE", "1577836800000"), ["ann", "bob", "cleo"]),
    ],
)
def test_operators(api: Api, people, condition, found) -> None:
    answer = api.search("contacts", condition, properties=["email"])

    emails = [record["properties"]["email"] for record in answer["results"]]
    assert [email.split("@")[0] for email in emails] == found
    assert answer["total"] == len(found)


def test_filters_are_anded_and_groups_ored(api: Api, people) -> None:
    groups = [
        {"filters": [where("firstname", "EQ", "ann"), where("email", "HAS_PROPERTY")]},
        {
            "filters": [
                where("firstname", "EQ", "bob"),
                where("hs_object_id", "GT", "900"),
            ]
        },
        {"filters": [where("email", "EQ", "cleo@example.org")]},
    ]

    answer = api.post(SEARCH, {"filterGroups": groups}).json()

    assert [record["id"] for record in answer["results"]] == ["101", "103"]


def test_a_query_looks_through_the_default_properties(api: Api, people) -> None:
    answer = api.post(SEARCH, {"query": "cle mar"}).json()

    assert [record["id"] for record in answer["results"]] == ["103"]


@pytest.mark.parametrize(
    "body",
    [
        {"limit": 201},
        {"after": "x"},
        {"after": "9950", "limit": 100},
        {"sorts": ["email", "firstname"]},
        {"filterGroups": [{"filters": []}] * 6},
        {"filterGroups": [{"filters": [where("email", "HAS_PROPERTY")] * 7}]},
        {"filterGroups": [{"filters": [where("email", "HAS_PROPERTY")] * 6}] * 4},
        {"filterGroups": [{"filters": [where("nope", "HAS_PROPERTY")]}]},
        {"filterGroups": [{"filters": [where("email", "LIKE", "x")]}]},
        {"filterGroups": [{"filters": [where("email", "EQ")]}]},
        {"filterGroups": [{"filters": [where("createdate", "GT", "noon")]}]},
        {"query": "x" * 3000},
        {"filterGroups": [{"filters": [where("hs_lastmodifieddate", "HAS_PROPERTY")]}]},
    ],
)
def test_what_is_over_the_caps_or_unknown_is_a_400(api: Api, body) -> None:
    assert api.post(SEARCH, body).status_code == 400


def test_no_page_goes_past_the_ten_thousandth_result(api: Api, sim) -> None:
    sim.seed(
        [
            {
                "object": "contacts",
                "count": 10_050,
                "properties": {"email": "p{n}@example.com"},
            }
        ]
    )

    last = api.post(SEARCH, {"limit": 200, "after": "9800"}).json()
    past = api.post(SEARCH, {"limit": 200, "after": last["paging"]["next"]["after"]})

    assert (last["total"], len(last["results"])) == (10_050, 200)
    assert past.status_code == 400


def test_thousands_with_one_timestamp_are_walked_by_id(api: Api, sim) -> None:
    stamp = "2026-03-01T12:00:00.000Z"
    sim.seed(
        [
            {
                "object": "contacts",
                "count": 12_000,
                "properties": {"email": "p{n}@example.com"},
                "createdAt": stamp,
                "updatedAt": stamp,
            }
        ]
    )

    seen: set[str] = set()
    last = "0"
    while True:
        page = api.search(
            "contacts",
            where("lastmodifieddate", "GTE", stamp),
            where("hs_object_id", "GT", last),
            sorts=["hs_object_id"],
            limit=200,
        )["results"]
        if not page:
            break
        seen |= {record["id"] for record in page}
        last = page[-1]["id"]

    assert len(seen) == 12_000


def test_results_come_oldest_first_or_as_sorted(api: Api, people) -> None:
    by_name = {"propertyName": "firstname", "direction": "DESCENDING"}

    plain = api.post(SEARCH, {}).json()["results"]
    sorted_ = api.post(SEARCH, {"sorts": [by_name]}).json()["results"]

    assert [record["id"] for record in plain] == ["101", "102", "103"]
    assert [record["id"] for record in sorted_] == ["103", "102", "101"]


def test_the_index_lags_behind_reads(api: Api, sim) -> None:
    sim.configure(index_delay_s=3600)
    number = api.create("contacts", email="ann@example.com", city="Lyon")

    assert api.search("contacts")["total"] == 0
    assert api.get(f"/crm/v3/objects/contacts/{number}").status_code == 200


def test_the_index_keeps_the_older_values_for_a_while(api: Api, sim) -> None:
    sim.seed(
        [{"object": "contacts", "properties": {"lastname": "Lee", "city": "Lyon"}}]
    )
    sim.configure(index_delay_s=3600)
    api.patch("/crm/v3/objects/contacts/101", {"properties": {"city": "Bonn"}})

    assert api.search("contacts", where("city", "EQ", "lyon"))["total"] == 1
    assert api.search("contacts", where("city", "EQ", "bonn"))["total"] == 0


def test_a_write_is_found_once_the_delay_is_over(api: Api, sim) -> None:
    sim.configure(index_delay_s=600)
    api.create("contacts", email="ann@example.com", city="Lyon")
    api.patch("/crm/v3/objects/contacts/101", {"properties": {"city": "Bonn"}})

    before = api.search("contacts", where("city", "EQ", "bonn"))["total"]
    sim.configure(clock_skew_s=601)
    after = api.search("contacts", where("city", "EQ", "bonn"))["total"]

    assert (before, after) == (0, 1)


def test_archived_records_are_never_found(api: Api, people) -> None:
    api.delete("/crm/v3/objects/contacts/101")

    assert api.search("contacts")["total"] == 2


def test_associations_work_as_a_pseudo_property(api: Api, people) -> None:
    company = api.create("companies", name="Fern")
    api.put(f"/crm/v4/objects/contacts/102/associations/default/companies/{company}")

    found = api.search("contacts", where("associations.company", "EQ", company))

    assert [record["id"] for record in found["results"]] == ["102"]


def test_numbers_are_compared_as_numbers(api: Api) -> None:
    for amount in ("9", "10", "100"):
        api.create("deals", dealname=amount, dealstage="closedwon", amount=amount)

    found = api.search("deals", where("amount", "GT", "9.5"), properties=["amount"])

    assert [r["properties"]["amount"] for r in found["results"]] == ["10", "100"]


def test_phones_are_found_without_their_country_code(api: Api) -> None:
    api.create("contacts", lastname="Lee", phone="+1 (415) 555-0100")

    name = "hs_searchable_calculated_phone_number"

    assert api.search("contacts", where(name, "EQ", "4155550100"))["total"] == 1
