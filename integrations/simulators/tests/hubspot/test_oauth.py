"""OAuth as only HubSpot does it: scopes, rotation, introspection, descriptions."""

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from integrations.simulators.tests.hubspot.conftest import Api

BACK = "http://localhost:9/back"
CLIENT = {"client_id": "demo-client-id", "client_secret": "demo-client-secret"}
SCOPES = "oauth crm.objects.contacts.read crm.objects.contacts.write"


def authorize_url(sim, **changes: str) -> str:
    query = {
        "client_id": "demo-client-id",
        "redirect_uri": BACK,
        "scope": SCOPES,
        "state": "s 1",
    }
    return f"{sim.base_url}/oauth/authorize?{urlencode(query | changes)}"


def decide(
    sim, decision: str = "connect", account: str = "4100001", **changes: str
) -> dict[str, str]:
    answer = requests.post(
        authorize_url(sim, **changes),
        data={"decision": decision, "account": account},
        allow_redirects=False,
        timeout=10,
    )
    back = answer.headers.get("Location", "")
    return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}


def token(sim, version: str = "v3", **form: str) -> requests.Response:
    url = f"{sim.base_url}/oauth/{version}/token"
    return requests.post(url, data=CLIENT | form, timeout=10)


def exchange(sim, **changes: str) -> dict:
    code = decide(sim, **changes)["code"]
    answer = token(sim, grant_type="authorization_code", code=code, redirect_uri=BACK)
    assert answer.status_code == 200, answer.text
    granted: dict = answer.json()
    return granted


def refresh(sim, refresh_token: str) -> requests.Response:
    return token(sim, grant_type="refresh_token", refresh_token=refresh_token)


def test_the_consent_page_shows_scopes_accounts_and_both_buttons(sim) -> None:
    page = requests.get(authorize_url(sim), timeout=10)

    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    for text in ("crm.objects.contacts.write", "4100001", "4100002"):
        assert text in page.text
    assert "Connect app" in page.text
    assert "Cancel" in page.text


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "unknown"},
        {"redirect_uri": "http://elsewhere.example.com/back"},
        {"redirect_uri": "javascript:alert(1)"},
        {"scope": "crm.objects.contacts.read"},
        {"code_challenge": "x", "code_challenge_method": "plain"},
    ],
)
def test_a_wrong_authorize_url_is_an_error_page_and_no_redirect(sim, change) -> None:
    page = requests.get(authorize_url(sim, **change), allow_redirects=False, timeout=10)

    assert page.status_code == 400
    assert "Authorization failed" in page.text


def test_the_second_account_has_its_own_records(sim) -> None:
    granted = exchange(sim, account="4100002")
    api = Api(sim.base_url, granted["access_token"])

    api.create("contacts", email="ann@example.com")

    assert granted["hub_id"] == 4100002
    assert sim.dump("contacts") == []
    assert len(sim.dump("contacts", hub_id=4100002)) == 1


def test_an_account_in_the_path_is_the_only_choice(sim) -> None:
    url = authorize_url(sim).replace("/oauth/", "/oauth/4100002/")

    page = requests.get(url, timeout=10).text

    assert "4100002" in page
    assert "4100001" not in page


def test_v1_and_v3_differ_in_what_they_tell(sim) -> None:
    granted = exchange(sim)

    old = token(
        sim, "v1", grant_type="refresh_token", refresh_token=granted["refresh_token"]
    ).json()

    assert set(granted) - set(old) == {"hub_id", "scopes"}
    assert granted["expires_in"] == 1800
    assert len(granted["access_token"]) > 200


def test_an_unknown_refresh_token_is_named_so(sim) -> None:
    answer = refresh(sim, "nope")

    assert answer.status_code == 400
    assert answer.json() == {
        "error": "invalid_grant",
        "error_description": "refresh token is invalid, expired or revoked",
        "status": "BAD_REFRESH_TOKEN",
        "message": "refresh token is invalid, expired or revoked",
    }


def test_a_wrong_client_secret_is_refused(sim) -> None:
    url = f"{sim.base_url}/oauth/v3/token"
    form = CLIENT | {"client_secret": "wrong", "grant_type": "refresh_token"}

    answer = requests.post(url, data=form, timeout=10)

    assert (answer.status_code, answer.json()["status"]) == (400, "BAD_CLIENT_SECRET")


def test_refresh_tokens_stay_unless_rotation_is_on(sim) -> None:
    granted = exchange(sim)

    again = refresh(sim, granted["refresh_token"]).json()

    assert again["refresh_token"] == granted["refresh_token"]
    assert again["access_token"] != granted["access_token"]


def test_reusing_a_rotated_token_revokes_the_family(sim) -> None:
    sim.configure(rotate_refresh_tokens=True)
    first = exchange(sim)["refresh_token"]
    second = refresh(sim, first).json()["refresh_token"]

    reused = refresh(sim, first)
    newest = refresh(sim, second)

    assert second != first
    assert reused.json()["status"] == "BAD_REFRESH_TOKEN"
    assert newest.json()["status"] == "BAD_REFRESH_TOKEN"


def test_an_expired_access_token_is_told_apart_from_a_bad_one(sim) -> None:
    sim.configure(access_token_ttl_s=30)
    granted = exchange(sim)
    api = Api(sim.base_url, granted["access_token"])
    assert api.get("/crm/v3/objects/contacts").status_code == 200

    sim.configure(clock_skew_s=31)
    expired = api.get("/crm/v3/objects/contacts")
    unknown = Api(sim.base_url, "nope").get("/crm/v3/objects/contacts")

    assert granted["expires_in"] == 30
    assert (expired.status_code, unknown.status_code) == (401, 401)
    assert expired.json()["category"] == "EXPIRED_AUTHENTICATION"
    assert unknown.json()["category"] == "INVALID_AUTHENTICATION"


def test_a_missing_scope_is_a_403_that_names_it(sim) -> None:
    api = Api(sim.base_url, exchange(sim)["access_token"])

    answer = api.get("/crm/v3/objects/deals")

    assert answer.status_code == 403
    assert answer.json()["category"] == "MISSING_SCOPES"
    assert answer.json()["errors"][0]["context"]["requiredGranularScopes"] == [
        "crm.objects.deals.read"
    ]


def test_private_tokens_may_have_scopes_too(sim) -> None:
    sim.add_token("pat-readonly", ["crm.objects.contacts.read"])
    api = Api(sim.base_url, "pat-readonly")

    assert api.get("/crm/v3/objects/contacts").status_code == 200
    assert api.post("/crm/v3/objects/contacts", {"properties": {}}).status_code == 403


def test_introspection_takes_either_field(sim) -> None:
    granted = exchange(sim)
    url = f"{sim.base_url}/oauth/v3/token/introspect"
    base = CLIENT | {"token_type_hint": "access_token"}

    by_hint = requests.post(
        url, data=base | {"access_token": granted["access_token"]}, timeout=10
    ).json()
    by_token = requests.post(
        url, data=base | {"token": granted["access_token"]}, timeout=10
    ).json()
    unknown = requests.post(url, data=base | {"token": "nope"}, timeout=10).json()

    assert by_hint["active"] is by_token["active"] is True
    assert by_hint["scopes"] == SCOPES.split()
    assert unknown == {"active": False}


def test_revoking_ends_refreshing_but_not_live_tokens(sim) -> None:
    granted = exchange(sim)
    form = CLIENT | {"token": granted["refresh_token"]}

    requests.post(f"{sim.base_url}/oauth/v3/token/revoke", data=form, timeout=10)

    api = Api(sim.base_url, granted["access_token"])
    assert refresh(sim, granted["refresh_token"]).status_code == 400
    assert api.get("/crm/v3/objects/contacts").status_code == 200


def test_v1_describes_and_deletes_tokens(sim) -> None:
    granted = exchange(sim)
    base = f"{sim.base_url}/oauth/v1"

    info = requests.get(f"{base}/access-tokens/{granted['access_token']}", timeout=10)
    path = f"{base}/refresh-tokens/{granted['refresh_token']}"
    described = requests.get(path, timeout=10).json()
    gone = requests.delete(path, timeout=10)

    assert info.json()["hub_id"] == described["hub_id"] == 4100001
    assert gone.status_code == 204
    assert refresh(sim, granted["refresh_token"]).status_code == 400
