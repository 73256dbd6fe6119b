"""Rate limits: windows, headers, bodies, and that they can be switched off."""

import requests

from integrations.simulators.tests.hubspot.conftest import Api
from integrations.simulators.tests.hubspot.test_oauth import exchange

LIST = "/crm/v3/objects/contacts"


def statuses(api: Api, times: int, path: str = LIST) -> list[int]:
    return [api.get(path).status_code for _ in range(times)]


def test_a_private_app_is_stopped_at_its_window(api: Api, sim) -> None:
    sim.configure(limits=True, private_limit=3)

    answers = [api.get(LIST) for _ in range(4)]

    assert [a.status_code for a in answers] == [200, 200, 200, 429]
    assert answers[0].headers["X-HubSpot-RateLimit-Max"] == "3"
    assert [a.headers["X-HubSpot-RateLimit-Remaining"] for a in answers] == [
        "2",
        "1",
        "0",
        "0",
    ]
    assert answers[0].headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert answers[0].headers["X-HubSpot-RateLimit-Daily"] == "650000"
    body = answers[3].json()
    assert body["errorType"] == "RATE_LIMIT"
    assert body["policyName"] == "TEN_SECONDLY_ROLLING"
    assert "Retry-After" not in answers[3].headers


def test_the_window_rolls_on(api: Api, sim) -> None:
    sim.configure(limits=True, private_limit=2)
    assert statuses(api, 3) == [200, 200, 429]

    sim.configure(clock_skew_s=10.1)

    assert statuses(api, 2) == [200, 200]


def test_an_oauth_app_has_its_own_window_and_no_daily_limit(api: Api, sim) -> None:
    oauth = Api(sim.base_url, exchange(sim)["access_token"])
    sim.configure(limits=True, private_limit=1, oauth_limit=2)

    assert statuses(api, 2) == [200, 429]
    assert statuses(oauth, 3) == [200, 200, 429]
    assert "X-HubSpot-RateLimit-Daily" not in oauth.get(LIST).headers


def test_search_has_its_own_bucket_and_no_headers(api: Api, sim) -> None:
    sim.configure(limits=True, search_limit=2, private_limit=1)

    answers = [api.post(f"{LIST}/search", {}) for _ in range(3)]

    assert [a.status_code for a in answers] == [200, 200, 429]
    assert answers[2].json()["policyName"] == "SECONDLY"
    assert not [name for name in answers[0].headers if "ratelimit" in name.lower()]
    assert statuses(api, 1) == [200]


def test_the_day_ends_with_a_daily_429(api: Api, sim) -> None:
    sim.configure(limits=True, daily_limit=2)

    answers = [api.get(LIST) for _ in range(3)]

    assert answers[2].status_code == 429
    assert answers[2].json()["policyName"] == "DAILY"
    assert answers[2].json()["message"] == "You have reached your daily limit."


def test_retry_after_is_sent_when_asked_for(api: Api, sim) -> None:
    sim.configure(limits=True, private_limit=0, retry_after_s=7)

    assert api.get(LIST).headers["Retry-After"] == "7"


def test_limits_can_be_switched_off(api: Api, sim) -> None:
    sim.configure(limits=False, private_limit=1, search_limit=1)

    assert statuses(api, 5) == [200] * 5


def test_the_control_api_is_never_limited_nor_counted(api: Api, sim) -> None:
    sim.configure(limits=True, private_limit=1)
    for _ in range(5):
        requests.get(f"{sim.base_url}/__sim/config", timeout=10)

    assert statuses(api, 1) == [200]
    assert sim.stats()["total"] == 1
