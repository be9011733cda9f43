"""What holds on every page: axe-core finds no barrier, nothing comes from elsewhere, little is loaded, all fits."""

import statistics

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.opening import open_story

ALL_KILOBYTES = 200
EVIDENCE = ("/evidence", "/evidence/NP-01", "/evidence/G02", "/evidence/DD-24", "/evidence/none")


def violations(page: Page) -> list[str]:
    page.evaluate("() => Promise.all(document.getAnimations().map((animation) => animation.finished))")
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {node['target']} {node['failureSummary']}" for one in found for node in one["nodes"]]


@pytest.fixture(params=["light", "dark"])
def themed(request: pytest.FixtureRequest, browser: Browser, address: str):  # type: ignore[no-untyped-def]
    context = browser.new_context(
        base_url=address, viewport={"width": 1280, "height": 900}, color_scheme=request.param, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize(
    "story", ["two-classes-and-a-combination-oxycodone-steered-to-tramadol", "clonazepam-active", "history-not-sent"]
)
def test_axe_finds_nothing_at_order_entry(themed: Page, story: str) -> None:
    open_story(themed, story)
    assert violations(themed) == []


def test_axe_finds_nothing_in_what_opens(themed: Page) -> None:
    open_story(themed)
    themed.locator(".dismissal summary").first.click()
    themed.locator(".detail summary").first.click()
    for tab in ("Why", "What was not known", "Answer"):
        themed.get_by_role("tab", name=tab).click()
        assert violations(themed) == []
    themed.get_by_label("Drug", exact=True).fill("morphine")
    expect(themed.locator("#drug-list")).to_be_visible()
    assert violations(themed) == []
    themed.keyboard.press("Escape")
    themed.get_by_role("button", name="Change patient").click()
    assert violations(themed) == []


@pytest.mark.parametrize("path", EVIDENCE)
def test_axe_finds_nothing_on_the_evidence(themed: Page, path: str) -> None:
    themed.goto(path)
    assert violations(themed) == []


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440, 3840])
def test_no_page_scrolls_sideways(browser: Browser, address: str, width: int) -> None:
    context = browser.new_context(base_url=address, viewport={"width": width, "height": 900})
    page = context.new_page()
    for path in ("/?patient=two-classes-and-a-combination-oxycodone-steered-to-tramadol", *EVIDENCE[:2]):
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()


def test_little_is_loaded_and_nothing_from_elsewhere(page: Page, address: str) -> None:
    loaded: dict[str, int] = {}
    page.on("response", lambda response: loaded.__setitem__(response.url, len(response.body())))
    open_story(page)
    page.wait_for_load_state("networkidle")
    assert all(url.startswith(address) for url in loaded)
    assert len(loaded) > 8
    assert sum(loaded.values()) < ALL_KILOBYTES * 1024


def test_the_theme_is_the_systems_until_the_reader_chooses(themed: Page) -> None:
    themed.goto("/evidence")
    ground = "getComputedStyle(document.body).backgroundColor"
    before = themed.evaluate(ground)
    themed.get_by_role("button", name="theme").click()
    chosen = themed.evaluate(ground)
    assert chosen != before
    themed.goto("/evidence/NP-01")
    assert themed.evaluate(ground) == chosen


MEASURED = """async (drug) => {
  const input = document.getElementById("drug");
  const cards = document.getElementById("cards");
  const painted = (wanted) => new Promise((resolve) => {
    const look = () => {
      if (!wanted()) return;
      watching.disconnect();
      requestAnimationFrame(() => resolve(performance.now()));
    };
    const watching = new MutationObserver(look);
    watching.observe(document.getElementById("main"), { childList: true, subtree: true, characterData: true });
    look();
  });
  const choose = (text) => {
    input.value = text;
    input.dispatchEvent(new Event("input"));
    const [option] = document.querySelectorAll("#drug-list [role=option]");
    option.dispatchEvent(new PointerEvent("pointerdown", { cancelable: true }));
  };
  choose("gabapentin 300");
  await painted(() => cards.children.length === 0);
  const begun = performance.now();
  choose(drug);
  return (await painted(() => cards.children.length > 0)) - begun;
}"""


def test_the_time_from_choosing_a_drug_to_a_card_is_told(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    open_story(page)
    taken = [page.evaluate(MEASURED, "oxycodone hydrochloride 10") for _ in range(15)]
    with capsys.disabled():
        print(f"\nfrom choosing a drug to a painted card: median {statistics.median(taken):.0f} ms of {len(taken)}")
    assert all(time > 0 for time in taken)
