"""The life of an OAuth token, against the simulator."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from integrations.connectors import CONNECTORS
from integrations.connectors.http import HttpClient
from integrations.connectors.hubspot.connector import HubSpotConnector
from integrations.connectors.hubspot.spec import SPEC
from integrations.errors import ReauthRequired
from integrations.simulators.testing import (
    CLIENT_ID,
    CLIENT_SECRET,
    HUB_ID,
    RunningSimulator,
)

assert SPEC.oauth is not None
OAUTH = SPEC.oauth
CALLBACK = "http://127.0.0.1/callback"


class Tokens:
    """A token provider that refreshes when told that its token was refused."""

    def __init__(self, base_url: str) -> None:
        self.url = base_url + OAUTH.token_path
        self.refreshed = 0
        self._take({"grant_type": "authorization_code", "code": consent(base_url)})

    def __call__(self, refused: str | None = None) -> str:
        if refused == self.access:
            self.refreshed += 1
            self._take({"grant_type": "refresh_token", "refresh_token": self.refresh})
        return self.access

    def _take(self, form: dict[str, str]) -> None:
        client = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        got = requests.post(
            self.url, form | client | {"redirect_uri": CALLBACK}, timeout=10
        )
        got.raise_for_status()
        self.access = got.json()["access_token"]
        self.refresh = got.json()["refresh_token"]


def consent(base_url: str) -> str:
    query = urlencode(
        {
            "client_id": CLIENT_ID,
            "redirect_uri": CALLBACK,
            "scope": OAUTH.scope_separator.join(OAUTH.scopes),
            "state": "s",
        }
    )
    got = requests.post(
        f"{base_url}{OAUTH.authorize_path}?{query}",
        {"decision": "connect", "account": str(HUB_ID)},
        allow_redirects=False,
        timeout=10,
    )
    return parse_qs(urlsplit(got.headers["Location"]).query)["code"][0]


@pytest.fixture(scope="module")
def simulator() -> Iterator[RunningSimulator]:
    with RunningSimulator("hubspot", flags=["--no-limits"]) as running:
        yield running


@pytest.fixture
def tokens(simulator: RunningSimulator) -> Tokens:
    return Tokens(simulator.base_url)


@pytest.fixture
def hubspot(simulator: RunningSimulator, tokens: Tokens) -> Iterator[HubSpotConnector]:
    with HttpClient(
        simulator.base_url,
        tokens,
        vendor="hubspot",
        parse_error=CONNECTORS["hubspot"].parse_error,
    ) as client:
        yield HubSpotConnector(client)


def test_the_granted_account_and_scopes_are_read_from_the_token(
    hubspot: HubSpotConnector,
) -> None:
    account = hubspot.check()

    assert account.id == str(HUB_ID)
    assert set(OAUTH.scopes) <= set(account.scopes)
    assert 0 < (account.token_expires_in_s or 0) <= 1800


def test_the_asked_scopes_are_enough_for_what_the_connector_does(
    hubspot: HubSpotConnector,
) -> None:
    for object_type in ("contacts", "companies", "deals"):
        assert hubspot.describe(object_type)
        assert hubspot.fetch(object_type, ["1"], fields=[]) == []
    assert hubspot.owners()


def test_an_expired_token_is_renewed_once_on_the_way(
    simulator: RunningSimulator, tokens: Tokens, hubspot: HubSpotConnector
) -> None:
    simulator.control("POST", "expire-tokens")

    assert hubspot.owners()
    assert hubspot.owners()

    assert tokens.refreshed == 1


def test_an_uninstalled_app_asks_for_a_new_connection(
    simulator: RunningSimulator, tokens: Tokens
) -> None:
    simulator.control("POST", "revoke")
    client = HttpClient(
        simulator.base_url,
        lambda refused=None: tokens.access,
        vendor="hubspot",
        parse_error=CONNECTORS["hubspot"].parse_error,
    )

    with client, pytest.raises(ReauthRequired):
        HubSpotConnector(client).owners()
