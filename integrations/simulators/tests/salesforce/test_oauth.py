"""OAuth as only Salesforce does it: sessions, approvals, other grants, identity."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from integrations.simulators.testing import (
    CLIENT_ID,
    CLIENT_SECRET,
    SALESFORCE_ORG_ID,
    SALESFORCE_OTHER_ORG_ID,
    SALESFORCE_PASSWORD,
    SALESFORCE_USER_ID,
)
from integrations.simulators.tests.salesforce import contract
from integrations.simulators.tests.salesforce.conftest import Api

BACK = "http://localhost:9/back"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


def ask(sim, **more: str) -> str:
    query = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": BACK,
        "scope": "api refresh_token id",
        "state": "s1",
        **more,
    }
    return f"{sim.base_url}/services/oauth2/authorize?{urlencode(query)}"


def consent(sim, form: dict[str, str] | None = None, **more: str) -> dict[str, str]:
    answer = requests.post(
        ask(sim, **more),
        data={"decision": "allow", **(form or {})},
        allow_redirects=False,
        timeout=10,
    )
    query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


def token(sim, **form: str) -> requests.Response:
    url = f"{sim.base_url}/services/oauth2/token"
    return requests.post(url, data=CLIENT | form, timeout=10)


def exchange(sim, **form: str) -> Any:
    code = consent(sim, form or None)["code"]
    return token(
        sim, grant_type="authorization_code", code=code, redirect_uri=BACK
    ).json()


def refresh(sim, granted: Any) -> requests.Response:
    return token(
        sim, grant_type="refresh_token", refresh_token=granted["refresh_token"]
    )


@pytest.mark.parametrize(
    "wrong",
    [{"client_id": "no"}, {"redirect_uri": "ftp://x"}, {"response_type": "token"}],
)
def test_a_wrong_address_is_shown_to_the_person(sim, wrong) -> None:
    answer = requests.get(ask(sim, **wrong), timeout=10, allow_redirects=False)

    assert answer.status_code == 400
    assert "OAuth Error" in answer.text


def test_a_code_becomes_a_session(sim) -> None:
    granted = exchange(sim)

    known = contract.recorded("oauth.token.code")
    assert set(known) - set(granted) == {"id_token"}
    assert granted["instance_url"] == sim.base_url
    assert granted["id"].endswith(f"/id/{SALESFORCE_ORG_ID}/{SALESFORCE_USER_ID}")
    assert "expires_in" not in granted
    assert Api(sim.base_url, granted["access_token"]).get("/limits").status_code == 200


def test_a_refresh_gives_a_session_and_no_refresh_token(sim) -> None:
    granted = exchange(sim)

    answer = refresh(sim, granted).json()

    assert set(contract.recorded("oauth.token.refresh")) <= set(answer)
    assert "refresh_token" not in answer
    assert answer["access_token"] != granted["access_token"]


def test_rotation_invalidates_the_old_token_at_once(sim) -> None:
    sim.configure(rotate_refresh_tokens=True)
    granted = exchange(sim)

    rotated = refresh(sim, granted).json()
    old = refresh(sim, granted)

    assert old.json() == contract.recorded("oauth.error.refresh_revoked")
    assert refresh(sim, rotated).status_code == 200


def test_the_sixth_approval_revokes_the_first(sim) -> None:
    granted = [exchange(sim) for _ in range(6)]

    statuses = [refresh(sim, each).status_code for each in granted]

    assert statuses == [400, 200, 200, 200, 200, 200]


def test_expired_and_unknown_sessions_are_the_same_to_the_caller(sim) -> None:
    client = Api(sim.base_url, exchange(sim)["access_token"])
    sim.control("POST", "expire-tokens")

    expired = client.get("/limits")
    unknown = Api(sim.base_url, "nope").get("/limits")

    assert expired.status_code == unknown.status_code == 401
    assert (
        expired.json() == unknown.json() == contract.recorded("error.invalid_session")
    )


def test_a_session_lives_while_it_is_used(sim) -> None:
    sim.configure(access_token_ttl_s=100)
    client = Api(sim.base_url, exchange(sim)["access_token"])

    statuses = []
    for skew in (60, 120, 260):
        sim.configure(clock_skew_s=skew)
        statuses.append(client.get("/limits").status_code)

    assert statuses == [200, 200, 401]


def test_a_revoked_grant_takes_its_sessions_along(sim) -> None:
    granted = exchange(sim)
    url = f"{sim.base_url}/services/oauth2/revoke"

    requests.post(url, data={"token": granted["refresh_token"]}, timeout=10)

    client = Api(sim.base_url, granted["access_token"])
    assert client.get("/limits").status_code == 401
    assert refresh(sim, granted).json()["error"] == "invalid_grant"


def test_another_organization_is_another_id(sim) -> None:
    granted = exchange(sim, account=SALESFORCE_OTHER_ORG_ID)
    client = Api(sim.base_url, granted["access_token"])

    ids = client.values("SELECT Id FROM Organization")

    assert ids == [SALESFORCE_OTHER_ORG_ID]
    assert f"/{SALESFORCE_OTHER_ORG_ID}/" in granted["id"]


def test_other_grants(sim) -> None:
    robot = token(sim, grant_type="client_credentials")
    person = token(
        sim,
        grant_type="password",
        username="ada.marsh@fernhill.example.com",
        password=SALESFORCE_PASSWORD + "security-token",
    )
    wrong = token(
        sim,
        grant_type="password",
        username="ada.marsh@fernhill.example.com",
        password="guess",
    )

    assert robot.json()["id"].endswith(SALESFORCE_USER_ID)
    assert person.status_code == 200
    assert wrong.json() == contract.recorded("oauth.error.bad_credentials")


def test_who_a_session_belongs_to(sim) -> None:
    granted = exchange(sim)
    client = Api(sim.base_url, granted["access_token"])

    info = client.get("/services/oauth2/userinfo").json()
    identity = client.session.get(granted["id"], timeout=10).json()
    told = requests.post(
        f"{sim.base_url}/services/oauth2/introspect",
        data=CLIENT | {"token": granted["access_token"]},
        timeout=10,
    ).json()

    assert info["organization_id"] == identity["organization_id"] == SALESFORCE_ORG_ID
    assert info["user_id"] == identity["user_id"] == SALESFORCE_USER_ID
    assert told["active"] is True
    assert {"scope", "client_id", "username", "sub", "exp", "iat", "nbf"} <= set(told)


def test_an_app_must_know_its_secret(sim) -> None:
    answer = token(sim, grant_type="client_credentials", client_secret="guess")

    assert answer.json()["error"] == "invalid_client"
