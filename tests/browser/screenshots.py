"""Takes the pictures of docs/screenshots/ (`make screenshots`): pages of a real service, on the day of the stories."""

import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.opening import open_story
from tests.browser.serving import ROOT, launched, serving

FOLDER = ROOT / "docs" / "screenshots"
DESK, PHONE = (1440, 900), (390, 844)


def _steered(page: Page) -> None:
    open_story(page, "two-classes-and-a-combination-oxycodone-steered-to-tramadol")


def _accepted(page: Page) -> None:
    open_story(page)
    page.locator("button.recommended").click()
    expect(page.locator("#said")).to_contain_text("Accepted")
    page.get_by_role("tab", name="Feedback").click()
    page.wait_for_timeout(1800)  # the fields that changed have stopped saying so
    page.evaluate("scrollTo(0, 0)")


def _critical(page: Page) -> None:
    open_story(page, "clonazepam-active")
    page.get_by_role("tab", name="Why").click()


def _patients(page: Page) -> None:
    open_story(page)
    page.get_by_role("button", name="Change patient").click()


def _too_low(page: Page) -> None:
    open_story(page, "gabapentin-600-mg-a-day-for-three-months")


def _path(path: str) -> Callable[[Page], None]:
    def opened(page: Page) -> None:
        page.goto(path)
        page.wait_for_load_state("networkidle")

    return opened


def _charts(page: Page) -> None:
    _path("/insight")(page)
    page.locator(".pairs").evaluate("pairs => pairs.scrollIntoView()")


PICTURES: dict[str, tuple[Callable[[Page], None], tuple[int, int], str, bool]] = {
    "order-entry": (_too_low, DESK, "light", False),
    "order-entry-dark": (_steered, DESK, "dark", False),
    "order-entry-accepted": (_accepted, DESK, "light", False),
    "order-entry-why": (_critical, DESK, "light", True),
    "order-entry-patients": (_patients, DESK, "light", False),
    "order-entry-phone": (_too_low, PHONE, "light", False),
    "evidence": (_path("/evidence"), DESK, "light", False),
    "evidence-rule": (_path("/evidence/NP-01"), DESK, "light", False),
    "evidence-rule-dark": (_path("/evidence/DD-24"), DESK, "dark", False),
}
"""By name: what to open, the size of the window, the colour scheme, and whether the whole page is taken."""
SYNTHETIC: dict[str, tuple[Callable[[Page], None], tuple[int, int], str, bool]] = {
    "insight": (_path("/insight"), DESK, "light", False),
    "insight-charts": (_charts, DESK, "light", False),
    "insight-dark": (_path("/insight"), DESK, "dark", False),
    "insight-phone": (_path("/insight"), PHONE, "light", False),
}
"""The same, of a synthetic month."""


def _take(browser: Browser, base: str, name: str) -> None:
    opened, (width, height), scheme, whole = {**PICTURES, **SYNTHETIC}[name]
    context = browser.new_context(
        base_url=base,
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    opened(page)
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(250)
    page.screenshot(path=FOLDER / f"{name}.png", full_page=whole)
    context.close()


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as records, sync_playwright() as playwright:
        browser = launched(playwright)
        month = f"sqlite:///{Path(records) / 'month.db'}"
        subprocess.run([sys.executable, "-m", "hooks.command_line", "demo", "--database", month], check=True, cwd=ROOT)
        for pictures, database in ((PICTURES, f"sqlite:///{Path(records) / 'records.db'}"), (SYNTHETIC, month)):
            with serving(FIRSTLINE_DATABASE_URL=database) as base:
                for name in pictures:
                    _take(browser, base, name)
                    print(f"docs/screenshots/{name}.png")
        browser.close()


if __name__ == "__main__":
    main()
