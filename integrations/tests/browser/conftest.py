"""A real browser at the real product: web, workers, broker and a simulated HubSpot."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from integrations.bench import rig
from integrations.tests.live import EVERYTHING, LiveSystem
from integrations.tests.live_seed import ADMIN, PASSWORD

CHROMIUM = next(
    (
        found
        for name in ("chromium", "chromium-browser", "google-chrome")
        if (found := shutil.which(name))
    ),
    None,
)
ARGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# An answer that a test asks for, and a request that a newer one made needless; what
# could not be sent at all is told as htmx:sendError.
NO_COMPLAINT = (
    "Failed to load resource: the server responded",
    "htmx:afterRequest",
    "htmx:sendAbort",
)


@dataclass(slots=True)
class Watched:
    """A page and everything it complained about; `wrong` must stay empty."""

    page: Any
    url: str
    wrong: list[str] = field(default_factory=list)

    def open(self, path: str) -> Any:
        """Load an address of the product and return the page."""
        self.page.goto(self.url + path)
        return self.page

    def sign_in(self, email: str = ADMIN, password: str = PASSWORD) -> None:
        """Sign in by the form."""
        self.open("/accounts/login/")
        self.page.get_by_label("E-mail").or_(
            self.page.locator("input[name=login]")
        ).first.fill(email)
        self.page.locator("input[name=password]").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url(f"{self.url}/")

    def overflow(self) -> int:
        """Return by how many pixels the page is wider than the window."""
        found: int = self.page.evaluate(
            "document.documentElement.scrollWidth - window.innerWidth"
        )
        return max(found, 0)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium, driven by Playwright.

    Ended with each module: while Playwright runs, its thread has an event loop, where
    Django refuses the database to every other test.
    """
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=list(ARGS))
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def live(
    browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveSystem]:
    """The whole product, with the static files a browser wants."""
    folder: Path = tmp_path_factory.mktemp("browser")
    app = {
        "HUBSPOT_SIM_CLIENT_ID": "live-client",
        "HUBSPOT_SIM_CLIENT_SECRET": "live-secret",
    }
    with LiveSystem(folder, env=app) as system:
        system.manage("collectstatic", "--no-input", "--verbosity", "0")
        system.start(*EVERYTHING)
        rig.steer(system.simulator_url, "/__sim/config", {"limits": False})
        yield system


@pytest.fixture
def watched(live: LiveSystem, browser: Any) -> Iterator[Watched]:
    """A signed-out page whose complaints fail the test."""
    context = browser.new_context(reduced_motion="reduce")
    found = _watch(context, live)
    yield found
    context.close()
    assert found.wrong == []


def _watch(context: Any, live: LiveSystem) -> Watched:
    page = context.new_page()
    page.set_default_timeout(20_000)
    watched = Watched(page, live.url)
    page.on("pageerror", lambda error: watched.wrong.append(f"error: {error}"))

    def heard(message: Any) -> None:
        if message.type == "error" and not message.text.startswith(NO_COMPLAINT):
            watched.wrong.append(message.text)

    page.on("console", heard)
    return watched
