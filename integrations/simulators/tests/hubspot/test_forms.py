"""Form definitions, and submissions to forms that are defined."""

from typing import Any

import pytest

from integrations.simulators.testing import HUB_ID, RunningSimulator, SimulatorError
from integrations.simulators.tests.hubspot import contract
from integrations.simulators.tests.hubspot.conftest import Api, Recorded

FORMS = "/marketing/v3/forms"
SUBMIT = "/submissions/v3/integration"
GUID = "7d1c0d5e-40f3-4f7a-9f5d-0c9a6f6b2e11"


def definition(**more: Any) -> dict[str, Any]:
    """Return the body that makes a form which asks for an e-mail and a city."""
    fields = [
        {"objectTypeId": "0-1", "name": "email", "required": True},
        {"objectTypeId": "0-1", "name": "city", "required": False},
    ]
    action = {"type": "thank_you", "value": "We will call you."}
    return {
        "formType": "hubspot",
        "name": "Contact us",
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
        "archived": False,
        "fieldGroups": [
            {"groupType": "default_group", "richTextType": "text", "fields": fields}
        ],
        "configuration": {"postSubmitAction": action},
        "displayOptions": {},
        "legalConsentOptions": {"type": "none"},
        **more,
    }


def seeded(sim: RunningSimulator, *forms: dict[str, Any]) -> list[str]:
    ids: list[str] = sim.seed([], forms=list(forms))["forms"]
    return ids


def submit(api: Api, guid: str, *, way: str = "submit", **values: str) -> Any:
    fields = [
        {"objectTypeId": "0-1", "name": name, "value": value}
        for name, value in values.items()
    ]
    return api.post(f"{SUBMIT}/{way}/{HUB_ID}/{guid}", {"fields": fields})


def listed(api: Api, query: str = "") -> list[str]:
    answer = api.get(f"{FORMS}?{query}")
    assert answer.status_code == 200, answer.text
    return [form["name"] for form in answer.json()["results"]]


def reason(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["errors"][0]["errorType"]


def test_a_form_is_made_and_read(api: Api) -> None:
    made = api.post(FORMS, definition())

    read = api.get(f"{FORMS}/{made.json()['id'].upper()}")
    assert made.status_code == 201
    assert read.json() == made.json()
    assert (made.json()["name"], made.json()["formType"]) == ("Contact us", "hubspot")
    assert made.json()["createdAt"] > "2026-01-02"
    assert made.json()["configuration"]["language"] == "en"


@pytest.mark.parametrize(
    "wrong",
    [
        {"createdAt": None},
        {"fieldGroups": None},
        {"name": " "},
        {"name": 7},
        {"formType": "flow"},
        {"archived": "no"},
        {"displayOptions": []},
        {"configuration": {}},
        {"configuration": {"postSubmitAction": {"type": "dance", "value": "x"}}},
        {"fieldGroups": {}},
        {"fieldGroups": [{"fields": ["email"]}]},
        {"fieldGroups": [{"fields": [{"name": 7}]}]},
        {"fieldGroups": [{}]},
    ],
)
def test_half_a_definition_is_refused(api: Api, wrong) -> None:
    answer = api.post(FORMS, definition(**wrong))

    assert (answer.status_code, answer.json()["category"]) == (400, "VALIDATION_ERROR")
    assert listed(api) == []


def test_a_list_has_twenty_and_its_cursor_leads_on(api: Api, sim) -> None:
    seeded(sim, {"name": "F{n}", "count": 21})

    first = api.get(FORMS).json()
    after = first["paging"]["next"]["after"]

    assert [form["name"] for form in first["results"]] == [
        f"F{n}" for n in range(1, 21)
    ]
    assert not after.isdigit()
    assert listed(api, f"after={after}") == ["F21"]
    assert "paging" not in api.get(f"{FORMS}?limit=21").json()


def test_only_hubspot_forms_are_listed_unless_others_are_named(api: Api, sim) -> None:
    seeded(sim, *({"name": t, "formType": t} for t in ("hubspot", "captured", "flow")))

    assert listed(api) == ["hubspot"]
    assert listed(api, "formTypes=captured&formTypes=flow") == ["captured", "flow"]
    assert listed(api, "formTypes=captured,hubspot") == ["hubspot", "captured"]
    assert listed(api, "formTypes=all") == ["hubspot", "captured", "flow"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "after=2", "formTypes=x"])
def test_a_list_refuses_what_it_cannot_read(api: Api, query) -> None:
    assert api.get(f"{FORMS}?{query}").status_code == 400


def test_an_archived_form_is_shown_when_asked_for(api: Api, sim) -> None:
    kept, gone = seeded(sim, {"name": "Kept"}, {"name": "Gone"})

    assert api.delete(f"{FORMS}/{gone}").status_code == 204

    assert (listed(api), listed(api, "archived=true")) == (["Kept"], ["Gone"])
    assert api.get(f"{FORMS}/{gone}").status_code == 404
    assert "archivedAt" in api.get(f"{FORMS}/{gone}?archived=true").json()
    assert api.get(f"{FORMS}/{kept}?archived=true").status_code == 404
    assert api.delete(f"{FORMS}/{GUID}").status_code == 404


def test_forms_have_no_dated_path(api: Api) -> None:
    assert api.get("/marketing/forms/2026-03").status_code == 404


def test_forms_need_their_scope(sim) -> None:
    sim.add_token("pat-limited", ["crm.objects.contacts.read"])
    sim.add_token("pat-forms", ["forms"])

    assert Api(sim.base_url, "pat-limited").get(FORMS).status_code == 403
    assert Api(sim.base_url, "pat-forms").post(FORMS, definition()).status_code == 201


def test_calls_are_limited_and_faulty_as_any_other(api: Api, sim) -> None:
    sim.configure(limits=True, private_limit=1)
    limited = [api.get(FORMS).status_code for _ in range(2)]
    sim.configure(limits=False)
    sim.set_fault("502", object="forms", count=1)

    assert limited == [200, 429]
    assert api.get(FORMS).status_code == 502


def test_a_submission_is_answered_as_the_form_says(api: Api, sim) -> None:
    made = api.post(FORMS, definition()).json()["id"]
    action = {"type": "redirect_url", "value": "https://www.example.com/thanks"}
    leading = seeded(sim, {"configuration": {"postSubmitAction": action}})[0]

    told = submit(api, made, email="ann@example.com", city="Lyon")
    led = submit(api, leading, way="secure/submit", email="ann@example.com")

    read = api.get(f"/form-integrations/v1/submissions/forms/{made.upper()}").json()
    assert told.json() == {"inlineMessage": "We will call you."}
    assert led.json() == {"redirectUri": "https://www.example.com/thanks"}
    assert [r["properties"]["city"] for r in sim.dump("contacts")] == ["Lyon"]
    assert [s["values"][1]["value"] for s in read["results"]] == ["Lyon"]


def test_a_form_wants_what_it_requires(api: Api, sim) -> None:
    required = {"fields": [{"name": "email"}, {"name": "lastname", "required": True}]}
    guid = seeded(sim, {"fieldGroups": [required]})[0]

    assert reason(submit(api, guid, email="ann@example.com")) == (400, "REQUIRED_FIELD")
    assert sim.dump("contacts") == []
    good = submit(api, guid, email="ann@example.com", lastname="Lee")
    assert good.status_code == 200


def test_without_a_token_every_field_must_be_in_the_form(api: Api, sim) -> None:
    guid = seeded(sim, {"fields": ["email", "city"]})[0]
    values = {"email": "ann@example.com", "jobtitle": "Buyer"}

    refused = submit(api, guid, **values)
    taken = submit(api, guid, way="secure/submit", **values)

    assert reason(refused) == (400, "FIELD_NOT_IN_FORM_DEFINITION")
    assert taken.status_code == 200
    assert sim.dump("contacts")[0]["properties"]["jobtitle"] == "Buyer"


def test_an_archived_form_takes_no_submission(api: Api, sim) -> None:
    guid = seeded(sim, {"fields": ["email"]})[0]
    api.delete(f"{FORMS}/{guid}")

    assert submit(api, guid, email="ann@example.com").status_code == 404
    assert sim.dump("contacts") == []


def test_a_form_that_is_not_defined_takes_anything(api: Api, sim) -> None:
    answer = submit(api, GUID, email="ann@example.com", jobtitle="Buyer")

    assert answer.status_code == 200
    assert api.get(f"{FORMS}/{GUID}").status_code == 404


def test_a_seeded_form_may_be_named_and_changed(api: Api, sim) -> None:
    dates = {"createdAt": "2026-01-01T00:00:00.000Z"}
    stamp = dates | {"updatedAt": "2026-01-02T00:00:00.000Z"}
    seeded(sim, {"id": GUID, "name": "Old", "fields": ["email"], **stamp})

    seeded(sim, {"id": GUID, "name": "New"})

    form = api.get(f"{FORMS}/{GUID}").json()
    assert (form["name"], form["createdAt"]) == ("New", dates["createdAt"])
    assert form["updatedAt"] > "2026-01-03"
    assert form["fieldGroups"][0]["fields"][0]["name"] == "email"


@pytest.mark.parametrize("wrong", [{"formType": "x"}, {"fieldGroups": [{"fields": 1}]}])
def test_seeding_refuses_what_is_no_form(sim, wrong) -> None:
    with pytest.raises(SimulatorError):
        seeded(sim, wrong)


def test_the_control_api_shows_forms_and_what_was_sent(api: Api, sim) -> None:
    guid = seeded(sim, {"name": "Contact us", "fields": ["email"]})[0]
    submit(api, guid, email="ann@example.com")

    shown = sim.control("GET", "forms")

    assert [form["name"] for form in shown["forms"]] == ["Contact us"]
    assert [key.split("/")[0] for key in shown["submissions"]] == [guid]


def test_forms_outlive_a_kill(tmp_path) -> None:
    with RunningSimulator(data=tmp_path, flags=["--no-limits"]) as sim:
        seeded(sim, {"name": "Contact us"})
        before = Api(sim.base_url).get(FORMS).json()

        sim.restart()

        assert Api(sim.base_url).get(FORMS).json() == before


def test_forms_keep_within_the_contract(recorded: Recorded) -> None:
    contract.need_contract()
    api = Api(recorded.server.url)
    # The contract's fields and consents know one kind each; these have neither.
    consent = {
        "type": "implicit_consent_to_process",
        "subscriptionTypeIds": [1],
        "lawfulBasis": "lead",
        "privacyText": "We keep it to ourselves.",
        "communicationsCheckboxes": [],
    }
    parts = {"fieldGroups": [], "legalConsentOptions": consent}
    whole = api.post(FORMS, definition(**parts)).json()
    recorded.exchanges.clear()

    made = api.post(FORMS, {k: v for k, v in whole.items() if k != "id"}).json()
    api.get(f"{FORMS}?limit=1&archived=false&formTypes=hubspot")
    api.get(f"{FORMS}/{made['id']}")
    api.delete(f"{FORMS}/{made['id']}")
    api.get(f"{FORMS}/{made['id']}")

    found = [p for exchange in recorded.exchanges for p in contract.problems(exchange)]
    assert [exchange.status for exchange in recorded.exchanges] == [
        201,
        200,
        200,
        204,
        404,
    ]
    assert found == []
