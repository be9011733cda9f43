"""Order entry as a prescriber uses it."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.opening import card, choose_drug, open_story, paste, request_of


def last_feedback(page: Page) -> dict[str, Any]:
    if page.locator("#panel-feedback").is_hidden():
        page.get_by_role("tab", name="Feedback").click()
    told: list[dict[str, Any]] = json.loads(page.locator("#panel-feedback pre").inner_text())
    return told[0]


def test_a_story_from_opening_to_signing(page: Page) -> None:
    open_story(page)
    expect(page.get_by_role("heading", name="Woman, 58")).to_be_visible()
    warning = card(page, "No first-line drug tried for diabetic neuropathy")
    expect(warning).to_contain_text("Warning")

    warning.get_by_role("button", name="Duloxetine 30 mg a day").click()
    expect(page.get_by_label("Drug", exact=True)).to_have_value("duloxetine 30 MG Delayed Release Oral Capsule")
    expect(page.locator("#said")).to_contain_text("Accepted")
    expect(warning).to_have_count(0)
    expect(page.locator("#quiet")).to_contain_text("Nothing to review")
    sent = last_feedback(page)
    assert (sent["recorded"], sent["outcome"], len(sent["acceptedSuggestions"])) == (True, "accepted", 1)

    page.get_by_role("button", name="Sign order").click()
    expect(page.locator("#drafts .signed")).to_contain_text("duloxetine")
    expect(page.locator("#drafts .signed")).to_contain_text("Signed")


def test_an_accepted_suggestion_can_be_undone(page: Page) -> None:
    open_story(page)
    page.get_by_role("button", name="Do not start oxycodone").click()
    expect(page.locator("#quiet")).to_contain_text("No order yet")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_label("Drug", exact=True)).to_have_value("Oxycodone Hydrochloride 5 MG Oral Tablet")
    expect(card(page, "No first-line drug tried")).to_be_visible()


def test_the_hook_fires_as_the_order_is_written(page: Page) -> None:
    open_story(page, "mme-90")
    expect(card(page, "90 MME")).to_contain_text("Critical")
    page.get_by_label("Frequency").select_option("once a day")
    expect(page.locator("#timing")).to_have_text("15 MME a day")
    expect(card(page, "90 MME")).to_have_count(0)
    page.get_by_label("Dose", exact=True).fill("4")
    expect(page.locator("#timing")).to_have_text("60 MME a day")


def test_an_order_from_nothing(page: Page) -> None:
    open_story(page)
    page.get_by_role("button", name="Discard").click()
    page.get_by_role("button", name="New order").click()
    choose_drug(page, "tramadol 50")
    page.get_by_label("Reason", exact=True).fill("postherpetic")
    page.locator("#reason-list [role=option]").first.click()
    expect(card(page, "No first-line drug tried for postherpetic neuralgia")).to_be_visible()
    page.get_by_role("tab", name="Request").click()
    sent = json.loads(page.locator("#panel-request pre").inner_text())
    assert sent["hook"] == "order-select"
    (entry,) = sent["context"]["draftOrders"]["entry"]
    assert entry["resource"]["reasonCode"][0]["coding"][0]["code"] == "B02.29"
    assert sent["context"]["selections"] == [f"MedicationRequest/{entry['resource']['id']}"]


def test_signing_shows_the_cards_once_more(page: Page) -> None:
    open_story(page, "clonazepam-active")
    page.get_by_role("button", name="Sign order").click()
    expect(page.locator("#said")).to_contain_text("Before you sign")
    expect(page.locator("#called")).to_contain_text("order-sign")
    expect(card(page, "risk of fatal breathing depression")).to_contain_text("Critical")
    page.get_by_role("button", name="Sign anyway").click()
    expect(page.locator("#drafts .signed")).to_contain_text("Oxycodone")


def test_a_card_is_dismissed_with_a_reason(page: Page) -> None:
    open_story(page)
    shown = card(page, "No first-line drug tried")
    shown.get_by_text("Dismiss", exact=True).click()
    shown.get_by_label("First-line drugs were tried and are not on this record").check()
    shown.get_by_label("In your words").fill("gabapentin abroad")
    shown.get_by_role("button", name="Dismiss this card").click()
    expect(shown).to_have_count(0)
    expect(page.locator("#hidden-cards")).to_contain_text("1 dismissed")
    sent = last_feedback(page)
    assert sent["recorded"] and sent["outcome"] == "overridden"
    assert sent["overrideReason"]["reason"]["code"] == "TriedElsewhere"
    page.get_by_label("Supply, days").fill("7")  # a dismissed card stays away while the order changes
    expect(page.locator("#hidden-cards")).to_contain_text("1 dismissed")
    page.get_by_role("button", name="Show again").click()
    expect(shown).to_be_visible()


def test_two_orders_are_signed_together(page: Page) -> None:
    open_story(page, "clonazepam-active")
    page.get_by_role("button", name="Order naloxone 4 mg nasal spray").click()
    expect(page.locator("#drafts button")).to_have_count(2)
    expect(page.get_by_label("Drug", exact=True)).to_have_value("naloxone 4 MG Nasal Spray")
    page.locator("#drafts button", has_text="Oxycodone").click()
    expect(page.get_by_label("Drug", exact=True)).to_have_value("Oxycodone Hydrochloride 5 MG Oral Tablet")
    expect(page.get_by_role("button", name="Sign 2 orders")).to_be_enabled()


def test_what_was_tried_is_drawn(page: Page) -> None:
    open_story(page, "gabapentin-600-mg-a-day-for-three-months")
    row = page.locator(".trial", has_text="gabapentin").first
    expect(row).to_contain_text("Dose too low")
    expect(row).to_contain_text("600 mg a day held, minimum 900")
    expect(row.get_by_role("img", name="gabapentin 600 mg a day for 91 days")).to_be_visible()
    open_story(page, "duloxetine-60-mg-for-three-weeks")
    expect(page.locator(".trial", has_text="duloxetine")).to_contain_text("Too short")
    open_story(page, "history-not-sent")
    expect(page.locator("#trials")).to_contain_text("Cannot be told")


def test_why_tells_every_rule_and_what_was_not_known(page: Page) -> None:
    open_story(page, "history-not-sent")
    page.get_by_role("tab", name="Why").click()
    row = page.locator(".outcomes tr", has_text="NP-15")
    expect(row).to_contain_text("Speaks")
    page.get_by_role("tab", name="What was not known").click()
    expect(page.locator("#panel-unknown")).to_contain_text("medications: not provided")
    page.get_by_role("tab", name="Answer").click()
    assert "firstline.review" in json.loads(page.locator("#panel-answer pre").inner_text())["extension"]


@pytest.mark.parametrize(
    "story", ["sign-as-the-sandbox-sends-it", "prescribe-dstu2", "prescribe-stu3", "sign-r5", "sign-with-renamed-keys"]
)
def test_a_pasted_request_is_opened(page: Page, story: str) -> None:
    open_story(page, "cancer-pain")
    paste(page, json.dumps(request_of(story)))
    expect(page.locator("#charts")).to_be_hidden()
    expect(page.locator("#turn")).to_contain_text("A chart that you brought")
    expect(page.locator(".card").first).to_be_visible()
    assert page.get_by_label("Drug", exact=True).input_value()


def test_a_pasted_bundle_is_opened_and_what_it_lacks_is_not_known(page: Page) -> None:
    told = request_of("gabapentin-600-mg-a-day-for-three-months")
    resources = [told["prefetch"]["patient"], told["context"]["draftOrders"]["entry"][0]["resource"]]
    for key in ("conditions", "medications"):
        resources += [entry["resource"] for entry in told["prefetch"][key]["entry"]]
    open_story(page, "cancer-pain")
    paste(
        page,
        json.dumps({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}),
    )
    expect(card(page, "No first-line drug fully tried")).to_be_visible()
    expect(page.locator("#glance")).to_contain_text("Not sent")  # allergies: the Bundle holds none


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "There is nothing here yet"),
        ('{"hook": "order-sign",\n  "context": {', "This is not JSON: it breaks at line 2"),
        ("[1, 2]", "not an object"),
        ('{"cards": []}', "the cards of an answer"),
        ('{"resourceType": "Patient", "id": "1"}', "a single FHIR resource"),
        ('{"resourceType": "Bundle", "type": "collection"}', "This Bundle is empty"),
        ('{"some": "thing"}', "neither a FHIR Bundle"),
        ('{"hook": "order-sign"}', "context: required"),
        ('{"hook": "order-sign", "context": {"userId": "Practitioner/1"}}', "context.patientId: required"),
    ],
)
def test_a_broken_paste_is_told(page: Page, text: str, says: str) -> None:
    open_story(page)
    paste(page, text)
    expect(page.get_by_role("alert")).to_contain_text(says)
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="Woman, 58")).to_be_visible()  # what was open stays open


def test_a_hostile_chart_runs_nothing(page: Page) -> None:
    attack = '<img src=x onerror="window.ran = 1"><script>window.ran = 1</script>'
    told = request_of("clonazepam-active")
    told["prefetch"]["patient"]["name"] = [{"family": attack, "given": ["Eve"]}]
    told["prefetch"]["conditions"]["entry"][0]["resource"]["code"] = {"text": attack}
    drug = told["prefetch"]["medications"]["entry"][0]["resource"]
    drug["medicationCodeableConcept"]["text"] = f"clonazepam 0.5 mg {attack} [x](javascript:window.ran=1)"
    told["prefetch"]["allergies"]["entry"] = [
        {"resource": {"resourceType": "AllergyIntolerance", "id": "a", "code": {"text": attack}}}
    ]
    draft = told["context"]["draftOrders"]["entry"][0]["resource"]
    draft["reasonCode"] = [{"text": attack}]
    draft["medicationCodeableConcept"]["text"] = f"Oxycodone 5 MG Oral Tablet {attack}"
    open_story(page)
    paste(page, json.dumps(told))
    expect(page.get_by_role("heading", name="Eve <img src=x")).to_be_visible()
    for tab in ("Why", "What was not known", "Request", "Answer"):
        page.get_by_role("tab", name=tab).click()
    expect(page.locator("#panel-answer pre")).to_be_visible()
    assert page.evaluate("window.ran") is None
    assert page.locator("main img, main script, main a[href^='javascript']").count() == 0


def test_a_late_answer_does_not_take_the_place_of_a_newer_one(page: Page) -> None:
    open_story(page, "mme-90")
    held: list[Route] = []
    page.route("**/firstline-order-select", lambda route: held.append(route), times=1)
    page.get_by_label("Frequency").select_option("4 times a day")
    page.wait_for_timeout(50)
    page.get_by_label("Frequency").select_option("once a day")
    expect(page.locator("#timing")).to_have_text("15 MME a day")
    for route in held:
        route.abort()
    expect(page.locator("#timing")).to_have_text("15 MME a day")


def test_a_service_that_is_gone_is_told_and_no_old_card_stays(page: Page) -> None:
    open_story(page)
    expect(page.locator(".card")).to_have_count(1)
    page.route("**/cds-services/**", lambda route: route.abort())
    page.get_by_label("Frequency").select_option("every 8 hours")
    expect(page.get_by_role("alert")).to_contain_text("Nothing was checked")
    expect(page.locator(".card")).to_have_count(0)


def test_feedback_that_is_not_recorded_is_told(page: Page) -> None:
    open_story(page)
    page.route("**/feedback", lambda route: route.fulfill(status=503, body=""))
    page.get_by_role("button", name="Do not start oxycodone").click()
    expect(page.locator("#said")).to_contain_text("could not be recorded")


def test_everything_by_keyboard(page: Page) -> None:
    page.goto("/")
    expect(page.locator("#called")).to_contain_text("answered in")

    def tab_to(selector: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            if page.evaluate("selector => document.activeElement.matches(selector)", selector):
                return
        raise AssertionError(f"{selector} is not reached by Tab")

    tab_to("#choose")
    page.keyboard.press("Enter")
    tab_to("#people button")
    page.keyboard.press("Enter")
    expect(page.locator("#charts")).to_be_hidden()
    tab_to("#drug")
    page.keyboard.press("Control+A")
    page.keyboard.type("morphine sulfate 15 mg oral tablet")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Drug", exact=True)).to_have_value("morphine sulfate 15 MG Oral Tablet")
    shown = card(page, "No first-line drug tried")
    expect(shown).to_contain_text("instead of morphine")
    tab_to(".dismissal summary")
    page.keyboard.press("Enter")
    tab_to(".dismissal input[type=radio]")
    page.keyboard.press("Space")
    tab_to(".dismissal button")
    page.keyboard.press("Enter")
    expect(page.locator("#hidden-cards")).to_contain_text("1 dismissed")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#said")).to_contain_text("Before you sign")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#drafts .signed")).to_contain_text("morphine")
    tab_to("[role=tab]")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#panel-unknown")).to_be_visible()
