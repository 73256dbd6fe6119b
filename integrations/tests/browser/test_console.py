"""The admin console in a browser: nothing is blocked, nothing complains."""

from __future__ import annotations

import pytest

from integrations.tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PAGES = (
    "/admin/",
    "/admin/leads/lead/",
    "/admin/integrations/connection/",
    "/admin/core/membership/add/",
    "/admin/leads/scorerule/",
)


def test_the_console_runs_under_its_content_policy(watched: Watched) -> None:
    watched.sign_in()

    seen = []
    for path in PAGES:
        page = watched.open(path)
        page.wait_for_load_state("networkidle")
        seen.append(page.get_by_role("link", name="Back to crmsync").is_visible())

    # What the policy blocks or a script throws is in `watched.wrong`, which the
    # fixture insists is empty.
    assert seen == [True] * len(PAGES)


def test_the_theme_reacts_so_its_scripts_run(watched: Watched) -> None:
    watched.sign_in()
    page = watched.open("/admin/")

    page.get_by_role("heading", name="Records").first.click()

    page.get_by_role("link", name="Lead keys").first.wait_for(state="visible")
