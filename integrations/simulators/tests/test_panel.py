"""The panel in a real browser: finding a person, editing and deleting them."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PERSON = "p2@example.com"
SIZES = [(1440, 900), (390, 844)]

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine (Debian: apt install chromium)")
    playwright = pytest.importorskip("playwright.sync_api", reason="no Playwright here")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield opened
        opened.close()


@pytest.fixture
def page(browser, bench, sim, request) -> Iterator[Any]:
    """The panel, with one person of three found and chosen."""
    for number in range(3):
        sim.seed([{"object": bench.people, "properties": bench.person(number)}])
    width, height = request.param
    context = browser.new_context(viewport={"width": width, "height": height})
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.goto(f"{sim.base_url}/__sim/#edit")
    opened.get_by_label("Name or e-mail").fill(PERSON)
    opened.get_by_role("button", name="Find").click()
    edit = opened.get_by_role("button", name="Edit")
    edit.wait_for()
    box = edit.bounding_box()
    assert box["x"] + box["width"] <= width, "Edit is out of sight"
    edit.click()
    yield opened
    context.close()
    assert wrong == []


def held(bench, sim) -> dict[str, Any]:
    """Return the values of the person who was found, none when they are gone."""
    dump = sim.control("GET", f"dump?archived=false&object={bench.people}")
    records = [each["properties"] for each in dump[bench.people]]
    return next((each for each in records if each[bench.email] == PERSON), {})


def put(page, field: str, value: str) -> None:
    form = page.locator("#person")
    form.get_by_label("Field").select_option(field)
    form.get_by_label("Value").fill(value)
    form.get_by_role("button", name="Save").click()


@pytest.mark.parametrize("page", SIZES, indirect=True, ids=["desk", "phone"])
def test_a_person_is_found_and_edited(bench, sim, page) -> None:
    put(page, bench.city, "Oslo")
    page.get_by_text(f"{bench.city} is Oslo").wait_for()

    assert held(bench, sim)[bench.city] == "Oslo"
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("page", SIZES[:1], indirect=True, ids=["desk"])
def test_what_the_vendor_refuses_is_told(bench, sim, page) -> None:
    put(page, bench.email, "nowhere")
    page.locator("#told.bad", has_text="nowhere").wait_for()

    assert held(bench, sim)


@pytest.mark.parametrize("page", SIZES[:1], indirect=True, ids=["desk"])
def test_a_person_can_be_deleted_after_being_asked(bench, sim, page) -> None:
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Delete this record").click()
    kept = held(bench, sim)
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete this record").click()
    page.get_by_text(": deleted").wait_for()

    assert kept
    assert held(bench, sim) == {}
