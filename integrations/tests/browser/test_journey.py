"""What a newcomer does: sign in, connect, see a reply arrive, see a failure, retry."""

from __future__ import annotations

import re

import pytest

from integrations.bench import rig
from integrations.tests.browser.conftest import Watched
from integrations.tests.live import LiveSystem, lgm_reply

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def connect(watched: Watched) -> None:
    """Connect by a private app's token, once."""
    page = watched.open("/connections/")
    if page.locator(".connection-card").count():
        return
    page.get_by_role("link", name="Connect HubSpot").click()
    page.get_by_label("Access token").fill(rig.TOKEN)
    page.get_by_role("button", name="Check and connect").click()
    page.get_by_text("Healthy").first.wait_for()


def test_a_reply_is_seen_on_its_way_into_the_crm(
    watched: Watched, live: LiveSystem
) -> None:
    watched.sign_in()
    connect(watched)

    live.post("lgm", lgm_reply(101))
    page = watched.open("/leads/")
    live.wait_until(lambda: live.count("leads_lead", "last_name = %s", "Example 101"))
    page.reload()
    page.locator("#leads a.cell-title", has_text="Example 101").click()

    timeline = page.locator("#timeline")
    timeline.get_by_text("Lead created in HubSpot").wait_for()
    timeline.get_by_text("Activity created in HubSpot").wait_for()
    told = timeline.inner_text()
    for words in ("Webhook from Live lgm", "Reply", "Score +20", "Deal opened"):
        assert words in told
    # One line for what the person is there; activities may add theirs at any moment.
    assert page.locator("#standing").get_by_text("In step").first.is_visible()
    timeline.get_by_role("link", name="Webhook from Live lgm").click()
    page.get_by_text("Reply number 101").wait_for()


def test_a_failure_is_seen_and_retried(watched: Watched, live: LiveSystem) -> None:
    watched.sign_in()
    connect(watched)
    fault = {"kind": "403", "object": "contacts", "count": 1, "method": "POST"}
    rig.steer(live.simulator_url, "/__sim/faults", fault)

    live.post("lgm", lgm_reply(202))
    live.wait_until(lambda: live.count("core_workitem", "state = 'parked'"))
    page = watched.open("/")
    page.get_by_role("link", name=re.compile("^Errors")).click()
    row = page.locator("#issues tbody tr").first
    row.get_by_text("Permission").wait_for()
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name=re.compile("Retry 1 selected")).click()

    page.get_by_text("1 is tried again now.").wait_for()
    live.wait_until(lambda: not live.count("core_workitem", "state <> 'done'"))
    watched.open("/errors/")
    page.get_by_text("Everything is in step").wait_for()


def test_a_test_reply_is_sent_from_the_endpoints_page(
    watched: Watched, live: LiveSystem
) -> None:
    watched.sign_in()
    page = watched.open("/settings/endpoints/")
    page.get_by_role("link", name="Live lgm").click()
    page.get_by_role("button", name="Send a test reply").click()
    page.get_by_role("button", name="Send it").click()

    page.get_by_text("Processed", exact=True).first.wait_for()
    page.locator("main").get_by_role("link").filter(
        has_text=re.compile(r"\w+ \w+")
    ).last.wait_for()


def test_a_mapping_gets_a_row_in_the_browser(
    watched: Watched, live: LiveSystem
) -> None:
    watched.sign_in()
    connect(watched)
    page = watched.open("/mappings/")
    page.get_by_role("link", name=re.compile("Lead.*Contacts")).first.click()
    page.get_by_role("button", name="Save mapping").wait_for()
    before = page.locator(".map-row").count()

    page.get_by_role("button", name="Add a field").click()
    added = page.locator(".map-row").nth(before)
    added.wait_for()
    added.get_by_label("Our field").select_option("source")
    added.get_by_label("Their field").select_option("message")
    page.get_by_role("button", name="Save mapping").click()

    page.get_by_text("saved as version 2").wait_for()
    assert page.locator(".map-row").count() == before + 1


def test_oauth_connects_an_account(watched: Watched, live: LiveSystem) -> None:
    watched.sign_in()
    page = watched.open("/connections/hubspot/new/")
    page.get_by_role("link", name="Sign in with HubSpot").click()
    page.wait_for_url(re.compile(re.escape(live.simulator_url)))
    page.get_by_role("button", name="Connect app").click()

    page.wait_for_url(re.compile(rf"{re.escape(live.url)}/connections/\d+/"))
    page.get_by_text("Healthy").first.wait_for()
