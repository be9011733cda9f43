"""The dashboard in a browser: no barrier, nothing blocked, nothing sideways, and a story that counts."""

import csv
import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.opening import card, open_story
from tests.browser.serving import ROOT, serving
from tests.browser.test_looks import violations


@pytest.fixture(scope="module")
def demo_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("demo")
    url = f"sqlite:///{folder / 'demo.db'}"
    subprocess.run([sys.executable, "-m", "hooks.command_line", "demo", "--database", url], check=True, cwd=ROOT)
    with serving(FIRSTLINE_DATABASE_URL=url) as base:
        yield base


@pytest.fixture(scope="module")
def empty_address() -> Iterator[str]:
    with serving(FIRSTLINE_DATABASE_URL="none") as base:
        yield base


@pytest.fixture
def demo_page(browser: Browser, demo_address: str) -> Iterator[Page]:
    context = browser.new_context(base_url=demo_address, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    said: list[str] = []
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert said == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_with_everything_open(browser: Browser, demo_address: str, scheme: str) -> None:
    context = browser.new_context(
        base_url=demo_address,
        viewport={"width": 1280, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto("/insight")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert violations(page) == []
    context.close()


def test_axe_finds_nothing_in_empty_places(browser: Browser, empty_address: str, demo_address: str) -> None:
    context = browser.new_context()
    page = context.new_page()
    for address in (f"{empty_address}/insight", f"{demo_address}/insight?service=another"):
        page.goto(address)
        expect(page.locator(".empty")).to_be_visible()
        assert violations(page) == []
    context.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440, 3840])
def test_it_fits_every_width(browser: Browser, demo_address: str, width: int) -> None:
    context = browser.new_context(base_url=demo_address, viewport={"width": width, "height": 900})
    page = context.new_page()
    page.goto("/insight")
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


def test_charts_take_the_pages_patterns_and_colours(demo_page: Page) -> None:
    demo_page.goto("/insight")
    fill_of = "selector => getComputedStyle(document.querySelector(selector)).fill"
    assert 'url("' in demo_page.evaluate(fill_of, ".overridden .rect")
    assert 'url("' in demo_page.evaluate(fill_of, ".ignored .rect")
    before = demo_page.evaluate(fill_of, ".accepted .rect")
    demo_page.get_by_role("button", name="theme").click()
    assert demo_page.evaluate(fill_of, ".accepted .rect") != before
    for chart in demo_page.get_by_role("img").all():
        assert chart.get_attribute("aria-label")


def test_a_sign_is_told_and_a_choice_narrows_the_page(demo_page: Page) -> None:
    demo_page.goto("/insight")
    signs = demo_page.get_by_role("region", name="Signs of a malfunction")
    expect(signs).to_contain_text("medications: not provided")
    expect(demo_page.locator(".synthetic")).to_contain_text("Synthetic records")
    demo_page.get_by_label("Service", exact=True).select_option("firstline-order-sign")
    demo_page.get_by_role("button", name="Show").click()
    expect(demo_page.get_by_label("Service", exact=True)).to_have_value("firstline-order-sign")
    assert "service=firstline-order-sign" in demo_page.url
    services = demo_page.get_by_role("region", name="By client and service, table")
    expect(services.locator("tbody tr")).to_have_count(1)
    with demo_page.expect_download() as download:
        demo_page.get_by_role("link", name="Every rule as CSV").click()
    assert download.value.suggested_filename == "firstline-synthetic-rules.csv"
    demo_page.get_by_role("link", name="DD-01", exact=True).click()
    expect(demo_page.get_by_role("heading", level=1)).to_contain_text("DD-01")


def test_a_story_ends_in_the_dashboard(page: Page) -> None:
    def accepted() -> int:
        rows = csv.DictReader(io.StringIO(page.request.get("/insight/weeks.csv").text()))
        return sum(int(row["Accepted"]) for row in rows)

    page.goto("/insight")
    before = accepted()
    open_story(page)
    card(page, "No first-line drug tried").get_by_role("button", name="Duloxetine 30 mg a day").click()
    expect(page.locator("#said")).to_contain_text("Accepted")
    page.get_by_role("button", name="Sign order").click()
    expect(page.locator("#drafts .signed")).to_contain_text("Signed")
    page.get_by_role("link", name="Insight").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("what became of it")
    expect(page.locator(".figures")).to_contain_text("Accepted")
    assert accepted() == before + 1
