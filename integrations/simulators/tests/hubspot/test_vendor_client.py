"""The vendor's own client works against the simulator, within the contract."""

from types import SimpleNamespace
from typing import Any

import pytest

from integrations.simulators.testing import PRIVATE_TOKEN
from integrations.simulators.tests.hubspot import contract
from integrations.simulators.tests.hubspot.conftest import Api, Recorded

hubspot = pytest.importorskip("hubspot", reason="hubspot-api-client is not installed")


@pytest.fixture
def client(recorded: Recorded) -> Any:
    made = hubspot.HubSpot(access_token=PRIVATE_TOKEN)
    # The client has no setting for its host; every API object reads this one.
    made.config["host"] = recorded.server.url
    return made


def assert_within_contract(recorded: Recorded) -> None:
    contract.need_contract()
    found = [p for exchange in recorded.exchanges for p in contract.problems(exchange)]
    assert recorded.exchanges
    assert found == []


def person(number: int) -> dict[str, Any]:
    return {
        "properties": {
            "email": f"person{number}@example.com",
            "firstname": "Person",
            "lastname": str(number),
        }
    }


def test_the_client_creates_reads_updates_and_archives(client, recorded) -> None:
    contacts = client.crm.contacts.basic_api

    made = contacts.create(simple_public_object_input_for_create=person(1))
    contacts.update(made.id, {"properties": {"jobtitle": "Buyer", "lastname": ""}})
    read = contacts.get_by_id(
        "person1@example.com",
        id_property="email",
        properties=["jobtitle", "lastname"],
        properties_with_history=["jobtitle"],
    )
    contacts.archive(made.id)
    gone = contacts.get_page(archived=True)

    assert (read.id, read.properties["jobtitle"]) == (made.id, "Buyer")
    assert read.properties["lastname"] is None
    assert read.properties_with_history["jobtitle"][0].value == "Buyer"
    assert [record.id for record in gone.results] == [made.id]
    assert_within_contract(recorded)


def test_the_client_works_in_batches(client, recorded) -> None:
    batches = client.crm.contacts.batch_api
    inputs = [person(n) for n in range(1, 4)]

    made = batches.create({"inputs": inputs})
    upserted = batches.upsert(
        {
            "inputs": [
                {
                    "id": f"person{n}@example.com",
                    "idProperty": "email",
                    "properties": {"city": "Lyon"},
                }
                for n in range(3, 6)
            ]
        }
    )
    read = batches.read(
        {
            "inputs": [{"id": record.id} for record in made.results],
            "properties": ["city"],
            "propertiesWithHistory": [],
        }
    )
    batches.archive({"inputs": [{"id": made.results[0].id}]})

    assert [record.new for record in upserted.results] == [False, True, True]
    assert [record.properties["city"] for record in read.results] == [
        None,
        None,
        "Lyon",
    ]
    assert_within_contract(recorded)


def test_the_client_pages_through_a_list(client, recorded) -> None:
    for number in range(25):
        client.crm.contacts.basic_api.create(person(number))

    everybody = client.crm.contacts.get_all()

    assert len(everybody) == 25
    assert_within_contract(recorded)


def test_the_client_searches(client, recorded) -> None:
    for number in range(7):
        client.crm.contacts.basic_api.create(person(number))

    wanted = {"propertyName": "firstname", "operator": "EQ", "value": "person"}
    body = {"filterGroups": [{"filters": [wanted]}], "limit": 5, "sorts": ["lastname"]}
    first = client.crm.contacts.search_api.do_search(body)
    rest = client.crm.contacts.search_api.do_search(
        body | {"after": first.paging.next.after}
    )

    names = [r.properties["lastname"] for r in [*first.results, *rest.results]]
    assert (first.total, names) == (7, [str(n) for n in range(7)])
    assert rest.paging is None
    assert_within_contract(recorded)


def test_the_client_associates(client, recorded) -> None:
    contact = client.crm.contacts.basic_api.create(person(1))
    company = client.crm.companies.basic_api.create({"properties": {"name": "Fern"}})
    spec = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 1}]
    links = client.crm.associations.v4

    links.basic_api.create("contacts", contact.id, "companies", company.id, spec)
    page = links.basic_api.get_page("contacts", contact.id, "companies")
    batch = links.batch_api.get_page(
        "companies", "contacts", {"inputs": [{"id": company.id}]}
    )
    deal = client.crm.deals.basic_api.create(
        {
            "properties": {"dealname": "One", "dealstage": "qualifiedtobuy"},
            "associations": [
                {
                    "to": {"id": contact.id},
                    "types": [
                        {
                            "associationCategory": "HUBSPOT_DEFINED",
                            "associationTypeId": 3,
                        }
                    ],
                }
            ],
        }
    )
    read = client.crm.deals.basic_api.get_by_id(deal.id, associations=["contacts"])
    links.basic_api.archive("contacts", contact.id, "companies", company.id)

    assert {t.type_id for t in page.results[0].association_types} == {1, 279}
    assert {t.type_id for t in batch.results[0].to[0].association_types} == {2, 280}
    assert read.associations["contacts"].results[0].id == contact.id
    assert_within_contract(recorded)


def test_the_client_describes_an_account(client, recorded) -> None:
    option = {"label": "Hot", "value": "hot", "displayOrder": 0, "hidden": False}
    made = client.crm.properties.core_api.create(
        "contacts",
        {
            "name": "warmth",
            "label": "Warmth",
            "type": "enumeration",
            "fieldType": "select",
            "groupName": "contactinformation",
            "options": [option],
        },
    )

    listed = client.crm.properties.core_api.get_all("contacts").results
    pipelines = client.crm.pipelines.pipelines_api.get_all("deals").results
    owners = client.crm.owners.owners_api.get_page(email="ada.marsh@example.com")

    assert made.options[0].value == "hot"
    assert {"email", "warmth"} <= {prop.name for prop in listed}
    assert [pipeline.label for pipeline in pipelines] == ["Sales Pipeline", "Outbound"]
    assert [owner.first_name for owner in owners.results] == ["Ada"]
    assert_within_contract(recorded)


def test_the_client_asks_who_an_account_is(client, recorded) -> None:
    # It has no method of its own for that, and no contract file is at hand.
    client.config["base_url"] = recorded.server.url

    answer = client.api_request({"path": "/account-info/v3/details"})

    assert answer.status_code == 200
    assert answer.json()["companyCurrency"] == "USD"


def test_the_client_defines_and_fills_a_custom_object(client, recorded) -> None:
    schema = client.crm.schemas.core_api.create(
        {
            "name": "capsules",
            "labels": {"singular": "Capsule", "plural": "Capsules"},
            "primaryDisplayProperty": "title",
            "requiredProperties": ["title"],
            "searchableProperties": ["title"],
            "properties": [
                {
                    "name": "title",
                    "label": "Title",
                    "type": "string",
                    "fieldType": "text",
                }
            ],
            "associatedObjects": ["CONTACT"],
        }
    )
    made = client.crm.objects.basic_api.create(
        schema.object_type_id, {"properties": {"title": "Autumn"}}
    )
    read = client.crm.objects.basic_api.get_by_id("capsules", made.id)

    assert schema.object_type_id.startswith("2-")
    assert read.properties["title"] == "Autumn"
    assert_within_contract(recorded)


def test_the_client_sees_refusals_as_the_contract_words_them(client, recorded) -> None:
    contacts = client.crm.contacts.basic_api
    made = contacts.create(person(1))

    with pytest.raises(hubspot.crm.contacts.exceptions.ApiException) as conflict:
        contacts.create(person(1))
    with pytest.raises(hubspot.crm.contacts.exceptions.ApiException) as missing:
        contacts.get_by_id("999999")
    with pytest.raises(hubspot.crm.contacts.exceptions.ApiException) as invalid:
        contacts.create({"properties": {"email": "two@example.com", "nope": "1"}})

    assert conflict.value.status == 409
    assert f"Existing ID: {made.id}" in conflict.value.body
    assert (missing.value.status, invalid.value.status) == (404, 400)
    assert_within_contract(recorded)


def test_the_client_exchanges_and_refreshes_tokens(client, recorded) -> None:
    code = _consent(recorded.server.url)
    form = {"client_id": "demo-client-id", "client_secret": "demo-client-secret"}

    first = client.oauth.tokens_api.create(
        grant_type="authorization_code",
        code=code,
        redirect_uri="http://localhost:9/back",
        **form,
    )
    second = client.oauth.tokens_api.create(
        grant_type="refresh_token", refresh_token=first.refresh_token, **form
    )
    info = client.oauth.access_tokens_api.get(second.access_token)

    assert second.expires_in == 1800
    assert (info.hub_id, info.scopes) == (
        4100001,
        ["oauth", "crm.objects.contacts.read"],
    )
    recorded.exchanges = [e for e in recorded.exchanges if "/token" in e.path]
    assert_within_contract(recorded)


def _consent(base_url: str) -> str:
    query = (
        "client_id=demo-client-id&redirect_uri=http://localhost:9/back"
        "&scope=oauth%20crm.objects.contacts.read"
    )
    api = Api(base_url)
    answer = api.session.post(
        f"{base_url}/oauth/authorize?{query}",
        data={"decision": "connect", "account": "4100001"},
        allow_redirects=False,
        timeout=10,
    )
    return answer.headers["Location"].partition("code=")[2]


def test_both_path_styles_give_the_same_answers(recorded) -> None:
    api = Api(recorded.server.url)
    number = api.create("contacts", email="ann@example.com")
    styles = SimpleNamespace(
        numbered=api.get(f"/crm/v3/objects/contacts/{number}").json(),
        dated=api.get(f"/crm/objects/2026-03/contacts/{number}").json(),
    )

    assert styles.numbered == styles.dated
    assert api.get("/crm/properties/2026-03/contacts").status_code == 200
    assert api.get("/crm/pipelines/2026-03/deals").status_code == 200
    assert api.get(f"/crm/objects/2026-03/0-1/{number}/associations/0-2").json() == {
        "results": []
    }
    assert_within_contract(recorded)
