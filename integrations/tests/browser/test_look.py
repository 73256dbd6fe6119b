"""Every page at phone width and on a desk, light and dark: nothing sticks out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from integrations.tests.browser.conftest import Watched, _watch
from integrations.tests.live import LiveSystem, lgm_reply

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PATHS = (
    "/",
    "/leads/",
    "/leads/1/",
    "/leads/1/?tab=messages",
    "/leads/new/",
    "/companies/",
    "/deals/",
    "/deals/board/",
    "/deals/1/",
    "/connections/",
    "/connections/hubspot/new/",
    "/mappings/",
    "/runs/",
    "/conflicts/",
    "/conflicts/?tab=settled",
    "/errors/",
    "/deliveries/",
    "/deliveries/1/",
    "/settings/endpoints/",
    "/settings/endpoints/1/",
    "/settings/api-keys/",
    "/settings/people/",
    "/settings/fields/",
    "/settings/workspace/",
)


@pytest.fixture(scope="module")
def furnished(live: LiveSystem) -> LiveSystem:
    """A lead with a deal and a name no column was made for."""
    reply = lgm_reply(1)
    reply["lead"] = {
        "id": f"{1:024x}",
        "firstName": "Bartholomew" * 4,
        "lastName": "Featherstonehaugh-Cholmondeley",
        "proEmail": f"{'long' * 14}@a-very-long-subdomain.example.com",
    }
    live.post("lgm", reply)
    live.wait_until(lambda: live.count("leads_deal"))
    return live


@pytest.fixture(params=[(390, "light"), (390, "dark"), (1440, "light"), (1440, "dark")])
def window(
    request: pytest.FixtureRequest, furnished: LiveSystem, browser: Any
) -> Iterator[Watched]:
    width, theme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 844},
        color_scheme=theme,
        reduced_motion="reduce",
    )
    yield _watch(context, furnished)
    context.close()


def test_no_page_sticks_out_or_breaks_the_content_policy(window: Watched) -> None:
    window.sign_in()

    wide = []
    for path in PATHS:
        window.open(path)
        assert window.page.locator("h1").count() == 1, path
        if window.overflow():
            wide.append((path, window.overflow()))

    assert wide == []
    assert window.wrong == []


def test_the_drawer_opens_and_closes_by_keyboard(
    furnished: LiveSystem, browser: Any
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    window = _watch(context, furnished)
    window.sign_in()

    window.page.get_by_role("button", name="Menu").press("Enter")
    window.page.get_by_role("link", name="Leads", exact=True).wait_for()
    window.page.keyboard.press("Escape")

    expanded = window.page.get_by_role("button", name="Menu")
    assert expanded.get_attribute("aria-expanded") == "false"
    context.close()
