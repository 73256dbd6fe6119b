"""Marketing campaigns, one at a time and in lists."""

import re
from typing import Any

import pytest

from integrations.simulators.testing import RunningSimulator, SimulatorError
from integrations.simulators.tests.hubspot.conftest import Api

CAMPAIGNS = "/marketing/v3/campaigns"
DATED = "/marketing/campaigns/2026-03"
NOBODY = "00000000-0000-4000-8000-000000000000"
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
READ, WRITE = "marketing.campaigns.read", "marketing.campaigns.write"


def create(api: Api, **properties: str) -> Any:
    answer = api.post(CAMPAIGNS, {"properties": properties})
    assert answer.status_code == 201, answer.text
    return answer.json()


def names(api: Api, query: str) -> list[str]:
    answer = api.get(f"{CAMPAIGNS}?properties=hs_name&{query}")
    assert answer.status_code == 200, answer.text
    return [found["properties"]["hs_name"] for found in answer.json()["results"]]


def test_a_campaign_is_made_with_a_guid_for_its_id(api: Api) -> None:
    made = create(api, hs_name="Spring", hs_start_date="2026-03-01", hs_notes="")

    assert GUID.fullmatch(made["id"])
    assert made["properties"] == {"hs_name": "Spring", "hs_start_date": "2026-03-01"}
    assert made["createdAt"] == made["updatedAt"]
    assert made["businessUnits"] == []


def test_reading_shows_no_property_that_is_not_named(api: Api) -> None:
    made = create(api, hs_name="Spring", hs_utm="spring")

    bare = api.get(f"{CAMPAIGNS}/{made['id']}").json()
    full = api.get(f"{CAMPAIGNS}/{made['id']}?properties=hs_utm,hs_notes,nope").json()

    assert bare["properties"] == {}
    assert full["properties"] == {"hs_utm": "spring"}
    assert full["assets"] == {}


def test_what_campaigns_have_but_do_not_show_is_refused(api: Api) -> None:
    made = create(api, hs_name="Spring")

    answer = api.get(f"{CAMPAIGNS}/{made['id']}?properties=hs_name,hs_revenue")

    assert answer.status_code == 400
    assert answer.json()["message"] == "Forbidden properties: ['hs_revenue']"


def test_a_record_number_is_no_campaign_id(api: Api) -> None:
    made = create(api, hs_name="Spring")
    shown = api.get(f"{CAMPAIGNS}/{made['id']}?properties=hs_object_id").json()

    by_number = api.get(f"{CAMPAIGNS}/{shown['properties']['hs_object_id']}")

    assert by_number.status_code == 400
    assert by_number.json()["category"] == "VALIDATION_ERROR"


def test_a_change_sets_and_an_empty_string_resets(api: Api) -> None:
    made = create(api, hs_name="Spring", hs_notes="Old", hs_audience="All")
    change = {"properties": {"hs_notes": "", "hs_campaign_status": "active"}}

    answer = api.patch(f"{CAMPAIGNS}/{made['id']}", change)

    asked = "hs_name,hs_notes,hs_audience,hs_campaign_status"
    read = api.get(f"{CAMPAIGNS}/{made['id']}?properties={asked}").json()
    assert answer.status_code == 200
    assert answer.json()["properties"] == {"hs_campaign_status": "active"}
    assert read["properties"] == {
        "hs_name": "Spring",
        "hs_audience": "All",
        "hs_campaign_status": "active",
    }


@pytest.mark.parametrize(
    ("properties", "why"),
    [
        ({}, "required properties"),
        ({"hs_name": ""}, "required properties"),
        ({"hs_name": "A", "nope": "1"}, "forbidden for write"),
        ({"hs_name": "A", "hs_owner": "71001"}, "forbidden for write"),
        ({"hs_name": "A", "hs_color_hex": "#123456"}, "forbidden for write"),
        ({"hs_name": "A", "hs_object_id": "7"}, "forbidden for write"),
        ({"hs_name": "A", "hs_start_date": "2026-03-01T00:00:00Z"}, "YYYY-MM-DD"),
        ({"hs_name": "A", "hs_end_date": "1772323200000"}, "YYYY-MM-DD"),
        ({"hs_name": "A", "hs_end_date": "2026-02-31"}, "not a valid date"),
        ({"hs_name": "A", "hs_campaign_status": "Active"}, "allowed options"),
        ({"hs_name": "A", "hs_currency_code": "euro"}, "currency"),
        ({"hs_name": "A", "hs_notes": None}, "must be strings"),
        ({"hs_name": 7}, "String"),
        ([], "must be an object"),
    ],
)
def test_what_may_not_be_written_is_refused(api: Api, properties, why) -> None:
    answer = api.post(CAMPAIGNS, {"properties": properties})

    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert why in answer.json()["message"]
    assert api.get(CAMPAIGNS).json()["total"] == 0


def test_a_name_may_not_be_taken_away(api: Api) -> None:
    made = create(api, hs_name="Spring")

    answer = api.patch(f"{CAMPAIGNS}/{made['id']}", {"properties": {"hs_name": ""}})

    assert answer.status_code == 400


def test_a_goal_is_ignored_in_a_create_and_refused_in_a_change(api: Api) -> None:
    made = create(api, hs_name="Spring", hs_goal="Many leads")
    change = {"properties": {"hs_goal": "More"}}

    assert made["properties"] == {"hs_name": "Spring"}
    assert api.patch(f"{CAMPAIGNS}/{made['id']}", change).status_code == 400


def test_two_campaigns_may_have_one_name(api: Api) -> None:
    first, second = create(api, hs_name="Spring"), create(api, hs_name="Spring")

    assert first["id"] != second["id"]


def test_a_campaign_may_belong_to_brands(api: Api) -> None:
    made = create(api, hs_name="Spring", hs_business_unit_ids="7;8")

    assert made["businessUnits"] == [{"id": 7}, {"id": 8}]


def test_deleting_answers_the_same_whether_or_not_there_is_one(api: Api) -> None:
    path = f"{CAMPAIGNS}/{create(api, hs_name='Spring')['id']}"

    assert [api.delete(path).status_code for _ in range(2)] == [204, 204]
    assert api.delete(f"{CAMPAIGNS}/{NOBODY}").status_code == 204
    assert api.get(path).status_code == 404
    assert api.patch(path, {"properties": {"hs_notes": "x"}}).status_code == 404
    assert api.get(CAMPAIGNS).json() == {"total": 0, "results": []}


def test_a_list_is_paged_by_a_cursor_that_says_nothing(api: Api, sim) -> None:
    named = {"object": "campaigns", "count": 5, "properties": {"hs_name": "C{n}"}}
    sim.seed([named])

    first = api.get(f"{CAMPAIGNS}?limit=2&properties=hs_name").json()
    after = first["paging"]["next"]["after"]

    assert (first["total"], len(first["results"])) == (5, 2)
    assert not after.isdigit()
    assert names(api, f"limit=2&after={after}") == ["C3", "C4"]
    assert "paging" not in api.get(f"{CAMPAIGNS}?limit=5").json()
    assert "assets" not in first["results"][0]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "after=2", "sort=hs_notes"])
def test_a_list_refuses_what_it_cannot_read(api: Api, query) -> None:
    assert api.get(f"{CAMPAIGNS}?{query}").status_code == 400


def test_a_list_is_sorted_by_name_unless_told_otherwise(api: Api) -> None:
    for name in ("Beta", "alpha", "Gamma"):
        create(api, hs_name=name)

    assert names(api, "") == ["alpha", "Beta", "Gamma"]
    assert names(api, "sort=-hs_name") == ["Gamma", "Beta", "alpha"]


def test_a_list_may_be_sorted_by_its_dates(api: Api, sim) -> None:
    for day, name in ((2, "Beta"), (1, "Gamma"), (3, "Alpha")):
        stamps = {"createdAt": f"2026-01-0{day}", "updatedAt": f"2026-02-0{4 - day}"}
        sim.seed([{"object": "campaigns", "properties": {"hs_name": name}, **stamps}])

    assert names(api, "sort=createdAt") == ["Gamma", "Beta", "Alpha"]
    assert names(api, "sort=-createdAt") == ["Alpha", "Beta", "Gamma"]
    assert names(api, "sort=updatedAt") == ["Alpha", "Beta", "Gamma"]


def test_a_list_is_filtered_by_a_part_of_the_name(api: Api) -> None:
    for name in ("Spring sale", "Offspring", "Autumn"):
        create(api, hs_name=name)

    assert names(api, "name=spring") == ["Offspring", "Spring sale"]


def test_both_path_styles_give_the_same_answers(api: Api) -> None:
    made = api.post(DATED, {"properties": {"hs_name": "Spring"}}).json()

    path = f"{made['id']}?properties=hs_name"
    assert api.get(f"{DATED}/{path}").json() == api.get(f"{CAMPAIGNS}/{path}").json()
    assert api.get(DATED).json() == api.get(CAMPAIGNS).json()


def test_the_generic_crm_api_does_not_know_campaigns(api: Api) -> None:
    create(api, hs_name="Spring")

    for name in ("campaigns", "0-35", "CAMPAIGN"):
        assert api.get(f"/crm/v3/objects/{name}").status_code == 400
        assert api.post(f"/crm/v3/objects/{name}/search", {}).status_code == 400
        assert api.get(f"/crm/v3/properties/{name}").status_code == 400


@pytest.mark.parametrize(
    ("scopes", "statuses"),
    [
        ([READ, WRITE], [200, 201]),
        ([READ], [200, 403]),
        ([WRITE], [403, 403]),
        (["crm.objects.contacts.read"], [403, 403]),
    ],
)
def test_every_call_needs_the_read_scope(sim, scopes, statuses) -> None:
    sim.add_token("pat-limited", scopes)
    api = Api(sim.base_url, "pat-limited")

    answers = [
        api.get(CAMPAIGNS),
        api.post(CAMPAIGNS, {"properties": {"hs_name": "Spring"}}),
    ]

    assert [answer.status_code for answer in answers] == statuses


def test_an_account_without_the_product_refuses(api: Api, sim) -> None:
    sim.configure(marketing_hub=False)

    answer = api.get(CAMPAIGNS)

    assert (answer.status_code, answer.json()["category"]) == (403, "MISSING_SCOPES")
    assert api.get("/crm/v3/objects/contacts").status_code == 200


def test_calls_are_limited_and_faulty_as_any_other(api: Api, sim) -> None:
    sim.configure(limits=True, private_limit=1)
    limited = [api.get(CAMPAIGNS) for _ in range(2)]
    sim.configure(limits=False)
    sim.set_fault("503", object="campaigns", count=1)

    assert [answer.status_code for answer in limited] == [200, 429]
    assert limited[1].json()["policyName"] == "TEN_SECONDLY_ROLLING"
    assert api.get(f"{CAMPAIGNS}/{NOBODY}").status_code == 503
    assert f"GET {CAMPAIGNS}/{{id}}" in sim.stats()["routes"]


def test_hidden_campaigns_are_not_shown(api: Api, sim) -> None:
    made = create(api, hs_name="Spring")
    sim.configure(hidden_records=made["id"])

    assert api.get(f"{CAMPAIGNS}/{made['id']}").status_code == 404
    assert api.get(CAMPAIGNS).json()["total"] == 0


def test_the_ground_truth_shows_campaigns_by_their_ids(api: Api, sim) -> None:
    made = create(api, hs_name="Spring")
    api.patch(f"{CAMPAIGNS}/{made['id']}", {"properties": {"hs_name": "Summer"}})

    shown = sim.dump("campaigns")
    history = sim.history("campaigns", made["id"])

    assert [(x["id"], x["properties"]["hs_name"]) for x in shown] == [
        (made["id"], "Summer")
    ]
    assert [v["value"] for v in history["fields"]["hs_name"]] == ["Spring", "Summer"]
    assert sim.stats()["records"] == {"campaigns": 1}


def test_a_seeded_campaign_is_changed_from_outside_the_api(api: Api, sim) -> None:
    one = {"object": "campaigns", "properties": {"hs_name": "Spring"}}
    number = sim.seed([one])["campaigns"][0]
    sums = {"hs_budget_items_sum_amount": "1200", "hs_owner": "71001"}

    sim.seed(
        [{"object": "campaigns", "id": number, "system": True, "properties": sums}]
    )

    path = f"{CAMPAIGNS}/{number}?properties=hs_budget_items_sum_amount,hs_owner"
    assert api.get(path).json()["properties"] == sums
    with pytest.raises(SimulatorError, match="READ_ONLY_VALUE"):
        sim.seed([one | {"properties": {"hs_name": "A", "hs_color_hex": "#123456"}}])


def test_campaigns_outlive_a_kill(tmp_path) -> None:
    with RunningSimulator(data=tmp_path, flags=["--no-limits"]) as sim:
        made = create(Api(sim.base_url), hs_name="Spring", hs_utm="s")
        before = sim.dump("campaigns")

        sim.restart()

        path = f"{CAMPAIGNS}/{made['id']}?properties=hs_name,hs_utm"
        read = Api(sim.base_url).get(path).json()
        assert sim.dump("campaigns") == before
        assert read["properties"] == {"hs_name": "Spring", "hs_utm": "s"}


def test_no_webhook_tells_of_a_campaign(api: Api, sim) -> None:
    sim.set_webhooks("http://localhost:9/in", ["object.creation@0-35"])

    create(api, hs_name="Spring")
    sim.seed([{"object": "campaigns", "properties": {"hs_name": "Summer"}}])

    told = sim.webhooks()
    assert (told["waiting"], told["deliveries"]) == (0, [])
