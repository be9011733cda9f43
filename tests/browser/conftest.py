"""One server and one browser for all tests of this folder, closed with it: a browser's loop must not run on."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.serving import launched, serving


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("records")
    with serving(FIRSTLINE_DATABASE_URL=f"sqlite:///{folder / 'records.db'}") as base:
        yield base


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = launched(playwright)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that fails the test when a script of it does."""
    context = browser.new_context(base_url=address, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    failures: list[str] = []
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.on("console", lambda said: failures.append(said.text) if said.type == "error" else None)
    yield opened
    context.close()
    expected = [failure for failure in failures if "Failed to load resource" in failure]
    assert failures == expected
