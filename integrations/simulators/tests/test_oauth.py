"""Signing in at every simulator: consent, codes, refreshing, expiry."""

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from integrations.simulators.testing import CLIENT_ID, CLIENT_SECRET, RunningSimulator
from integrations.simulators.tests.benches import Bench

BACK = "http://localhost:9/back"
CLIENT = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}


class SignedIn:
    """A person who let the app in, and what it was granted."""

    def __init__(self, bench: Bench, sim: RunningSimulator, **form: str) -> None:
        self.bench, self.sim = bench, sim
        answer = self.exchange(bench, sim, self.decide(bench, sim, **form)["code"])
        assert answer.status_code == 200, answer.text
        self.granted: dict[str, Any] = answer.json()

    @staticmethod
    def url(bench: Bench, sim: RunningSimulator, **changes: str) -> str:
        query = {"client_id": CLIENT_ID, "redirect_uri": BACK, "state": "s 1"}
        asked = urlencode(query | dict(bench.sign_in.extra) | changes)
        return f"{sim.base_url}{bench.sign_in.authorize}?{asked}"

    @classmethod
    def page(
        cls, bench: Bench, sim: RunningSimulator, **changes: str
    ) -> requests.Response:
        url = cls.url(bench, sim, **changes)
        return requests.get(url, allow_redirects=False, timeout=10)

    @classmethod
    def decide(
        cls, bench: Bench, sim: RunningSimulator, *, challenge: str = "", **form: str
    ) -> dict[str, str]:
        more = {"code_challenge": challenge, "code_challenge_method": "S256"}
        answer = requests.post(
            cls.url(bench, sim, **(more if challenge else {})),
            data={"decision": bench.sign_in.yes} | form,
            allow_redirects=False,
            timeout=10,
        )
        back = parse_qs(urlsplit(answer.headers["Location"]).query)
        return {name: values[0] for name, values in back.items()}

    @staticmethod
    def exchange(
        bench: Bench, sim: RunningSimulator, code: str, **more: str
    ) -> requests.Response:
        form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code": code}
        url = f"{sim.base_url}{bench.sign_in.token}"
        return requests.post(url, data=CLIENT | form | more, timeout=10)

    def refresh(self, **more: str) -> requests.Response:
        form = {"grant_type": "refresh_token"} | {
            "refresh_token": self.granted["refresh_token"]
        }
        url = f"{self.sim.base_url}{self.bench.sign_in.token}"
        return requests.post(url, data=CLIENT | form | more, timeout=10)

    def status(self) -> int:
        token = self.granted["access_token"]
        client = self.bench.client(self.sim.base_url, token)
        return client.get(self.bench.reading).status_code


def test_the_page_names_the_app_the_accounts_and_what_is_asked(bench, sim) -> None:
    page = SignedIn.page(bench, sim)

    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")
    for text in ("crmsync", *bench.sign_in.accounts, bench.sign_in.extra["scope"][:3]):
        assert text in page.text
    for decision in (bench.sign_in.yes, bench.sign_in.no):
        assert f'value="{decision}"' in page.text


@pytest.mark.parametrize(
    "change",
    [
        {"client_id": "unknown"},
        {"redirect_uri": "http://elsewhere.example.com/back"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": "https://example.com/back#part"},
        {"code_challenge": "x", "code_challenge_method": "plain"},
    ],
)
def test_a_wrong_address_is_an_error_page_and_no_redirect(bench, sim, change) -> None:
    page = SignedIn.page(bench, sim, **change)

    assert page.status_code == 400
    assert "role=alert" in page.text


def test_state_comes_back_with_the_code(bench, sim) -> None:
    answer = SignedIn.decide(bench, sim)

    assert answer["state"] == "s 1"
    assert answer["code"]


def test_a_refusal_comes_back_too(bench, sim) -> None:
    answer = SignedIn.decide(bench, sim, decision=bench.sign_in.no)

    assert answer["error"] == "access_denied"
    assert answer["error_description"]
    assert answer["state"] == "s 1"


def test_a_code_becomes_a_token_once(bench, sim) -> None:
    code = SignedIn.decide(bench, sim)["code"]

    answers = [SignedIn.exchange(bench, sim, code).status_code for _ in range(2)]

    assert answers == [200, 400]


def test_a_code_expires_soon(bench, sim) -> None:
    code = SignedIn.decide(bench, sim)["code"]
    sim.configure(clock_skew_s=bench.sign_in.code_ttl_s + 1)

    assert SignedIn.exchange(bench, sim, code).status_code == 400


def test_a_code_needs_its_redirect_uri(bench, sim) -> None:
    code = SignedIn.decide(bench, sim)["code"]

    other = SignedIn.exchange(bench, sim, code, redirect_uri=f"{BACK}/other")

    assert other.status_code == 400


@pytest.mark.parametrize(("verifier", "status"), [("v" * 50, 200), ("w" * 50, 400)])
def test_a_verifier_is_checked_when_announced(bench, sim, verifier, status) -> None:
    digest = hashlib.sha256(b"v" * 50).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    code = SignedIn.decide(bench, sim, challenge=challenge)["code"]

    answer = SignedIn.exchange(bench, sim, code, code_verifier=verifier)

    assert answer.status_code == status


def test_the_second_account_has_its_own_records(bench, sim) -> None:
    other = bench.sign_in.accounts[1]
    token = SignedIn(bench, sim, account=other).granted["access_token"]

    made = bench.client(sim.base_url, token).post(bench.collection, bench.one())

    there = sim.control("GET", f"dump?object={bench.people}&hub={other}")
    assert made.status_code == 201
    assert sim.dump(bench.people) == []
    assert len(there[bench.people]) == 1


def test_a_refresh_gives_another_access_token(bench, sim) -> None:
    person = SignedIn(bench, sim)

    again = person.refresh().json()

    assert again["access_token"] != person.granted["access_token"]
    assert person.refresh().status_code == 200


def test_a_rotated_refresh_token_works_no_more(bench, sim) -> None:
    sim.configure(rotate_refresh_tokens=True)
    person = SignedIn(bench, sim)

    rotated = person.refresh().json()["refresh_token"]

    assert rotated != person.granted["refresh_token"]
    assert person.refresh(refresh_token=rotated).status_code == 200
    assert person.refresh().status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [{"client_secret": "guess"}, {"refresh_token": "nope"}, {"client_id": "nobody"}],
)
def test_a_refresh_needs_the_app_and_its_token(bench, sim, wrong) -> None:
    assert SignedIn(bench, sim).refresh(**wrong).status_code == 400


def test_an_access_token_expires(bench, sim) -> None:
    sim.configure(access_token_ttl_s=30)
    person = SignedIn(bench, sim)
    before = person.status()

    sim.configure(clock_skew_s=31)

    assert (before, person.status()) == (200, 401)


def test_all_access_tokens_can_be_expired_at_once(bench, sim) -> None:
    person = SignedIn(bench, sim)

    sim.control("POST", "expire-tokens")

    assert person.status() == 401
    assert person.refresh().status_code == 200


def test_an_app_can_be_let_out_again(bench, sim) -> None:
    person = SignedIn(bench, sim)

    counts = sim.control("POST", "revoke")

    assert (counts["access"], counts["refresh"]) == (0, 0)
    assert person.status() == 401
    assert person.refresh().status_code == 400


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer nope", "Basic eDp5"])
def test_without_a_known_token_nobody_is_let_in(bench, sim, authorization) -> None:
    client = bench.client(sim.base_url)

    answer = client.get(bench.reading, headers={"Authorization": authorization})

    assert answer.status_code == 401
