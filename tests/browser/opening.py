"""What several browser tests do first."""

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"


def request_of(story: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((FIXTURES / f"{story}.request.json").read_text(encoding="utf-8"))
    return told


def open_story(page: Page, story: str = "painful-diabetic-neuropathy-nothing-tried") -> None:
    """Opens order entry with this patient, and waits until the first hook was answered."""
    page.goto(f"/?patient={story}")
    expect(page.locator("#called")).to_contain_text("answered in")


def paste(page: Page, text: str) -> None:
    page.get_by_role("button", name="Change patient").click()
    page.locator("#pasted").fill(text)
    page.get_by_role("button", name="Open this chart").click()


def card(page: Page, words: str) -> Locator:
    return page.locator(".card", has_text=words)


def choose_drug(page: Page, text: str) -> None:
    page.get_by_label("Drug", exact=True).fill(text)
    page.locator("#drug-list [role=option]").first.click()
