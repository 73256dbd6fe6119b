"""Two ways in a browser: a mapping is turned, tried out and compared."""

from __future__ import annotations

import re
from typing import Any

import pytest

from integrations.tests.browser.conftest import Watched
from integrations.tests.browser.test_journey import connect
from integrations.tests.live import LiveSystem, lgm_reply

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def open_mapping(watched: Watched, live: LiveSystem) -> Any:
    """Open the mapping of leads, once the account is set up."""
    if not live.count("integrations_connection"):
        connect(watched)
    live.wait_until(lambda: live.count("integrations_objectmapping"))
    page = watched.open("/mappings/")
    page.get_by_role("link", name=re.compile("Lead.*Contacts")).first.click()
    page.get_by_role("button", name="Save mapping").wait_for()
    return page


def test_a_mapping_goes_both_ways_after_a_dry_run(
    watched: Watched, live: LiveSystem
) -> None:
    watched.sign_in()
    if not live.count("integrations_connection"):
        connect(watched)
    live.post("lgm", lgm_reply(301))
    live.wait_until(lambda: live.count("integrations_link"))
    page = open_mapping(watched, live)

    page.locator(".way-card", has_text="Both ways").click()
    page.get_by_label("Ask for changes").wait_for()
    page.get_by_role("button", name="Save mapping").click()
    page.get_by_text("saved as version").wait_for()
    page.locator(".tabs").get_by_role("link", name="Runs").click()
    page.locator("#start-dry").get_by_role("button").click()

    page.get_by_text("What would happen").wait_for()
    assert page.get_by_text("Nothing was written.").is_visible()
    page.get_by_role("button", name="Do it now").click()
    page.get_by_text("What became of it").wait_for()
    assert page.get_by_role("heading", name=re.compile("Full comparison")).is_visible()


def test_the_way_of_a_field_is_chosen_by_keyboard(
    watched: Watched, live: LiveSystem
) -> None:
    watched.sign_in()
    page = open_mapping(watched, live)
    page.locator(".way-card", has_text="Both ways").click()
    row = page.locator(".map-row").nth(1)

    row.get_by_label("Both ways").focus()
    page.keyboard.press("ArrowRight")

    page.locator(".map-row").nth(1).get_by_text("Only from HubSpot").last.wait_for()
    assert row.get_by_label("Only from HubSpot").is_checked()
