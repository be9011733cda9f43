"""What must hold for every chart, tried on charts at random (a fixed seed; PROPERTY_EXAMPLES=2000 for more, fresh)."""

import copy
import json
import os
import random
from datetime import date, datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.outcome import INDICATORS
from cds.review import Review, review
from hooks.answer import Answerer
from hooks.services import SERVICES
from hooks.settings import Settings
from hooks.signing import read_signing
from tests.charts import OPIOIDS, UNRELATED, signings
from tests.sentences import KEYS, NOW, TODAY, bundle, request_of

MORE = os.environ.get("PROPERTY_EXAMPLES")
tried = settings(
    max_examples=int(MORE or 500),
    derandomize=MORE is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def seen(request: dict[str, Any]) -> Review:
    signing = read_signing(json.dumps(request).encode(), date.fromisoformat(TODAY))
    return review(signing.drafts, signing.chart, signing.today, signing.hook, signing.selected)


ANSWERER = Answerer(Settings())


def answered(request: dict[str, Any]) -> dict[str, Any]:
    """The answer of the order-sign service."""
    service = SERVICES["firstline-order-sign"]
    status, body = ANSWERER.answer(service, json.dumps(request).encode(), datetime.fromisoformat(NOW))
    assert status == 200
    return dict(json.loads(body))


def said(found: Review) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.indicator, finding.words) for finding in found.findings]


def rank(indicator: str) -> int:
    return INDICATORS.index(indicator)  # type: ignore[arg-type]


def highest(found: Review, group: str) -> int:
    return min((rank(f.indicator) for f in found.findings if f.group == group), default=len(INDICATORS))


@tried
@given(signings(), st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(sentences: list[str], chance: random.Random) -> None:
    request = request_of(sentences)
    shuffled = copy.deepcopy(request)
    for value in shuffled["prefetch"].values():
        if isinstance(value, dict) and "entry" in value:
            chance.shuffle(value["entry"])
    chance.shuffle(shuffled["context"]["draftOrders"]["entry"])
    keys = list(shuffled["prefetch"])
    chance.shuffle(keys)
    shuffled["prefetch"] = {key: shuffled["prefetch"][key] for key in keys}
    assert seen(shuffled) == seen(request)


@tried
@given(signings(), st.sampled_from(UNRELATED))
def test_an_unrelated_drug_changes_nothing(sentences: list[str], drug: tuple[str, str]) -> None:
    more = [*sentences, f"takes {drug[0]}, 1 {drug[1]} once a day, since 2026-02-03"]
    assert said(seen(request_of(more))) == said(seen(request_of(sentences)))


@tried
@given(signings(), st.sampled_from(KEYS))
def test_hiding_an_answer_never_silences_a_finding(sentences: list[str], key: str) -> None:
    """What fired before still fires, or cannot be told; never does a hidden answer make a rule content."""
    request = request_of(sentences)
    hidden = copy.deepcopy(request)
    hidden["prefetch"].pop(key, None)
    before, after = seen(request), seen(hidden)
    still = {finding.rule for finding in after.findings}
    grave = {finding.rule for finding in before.findings if finding.indicator != "info"}
    if grave - still:
        assert set(after.not_assessed) - set(before.not_assessed), (key, grave - still)


@tried
@given(signings(), st.sampled_from([drug for drug in OPIOIDS if drug[1] == "tablet"]), st.integers(1, 6))
def test_raising_a_dose_never_lowers_a_groups_indicator(
    sentences: list[str], drug: tuple[str, str], tablets: int
) -> None:
    def highest_at(count: int) -> list[int]:
        order = f"orders {drug[0]}, {count} tablet four times a day, for 14 days"
        found = seen(request_of([*sentences, order]))
        return [highest(found, group) for group in ("sedation", "dose")]

    low, high = highest_at(tablets), highest_at(tablets + 1)
    assert all(after <= before for before, after in zip(low, high, strict=True)), (low, high)


def after(request: dict[str, Any], suggestion: dict[str, Any]) -> dict[str, Any]:
    """The request as the EHR would send it once this suggestion is accepted."""
    accepted = copy.deepcopy(request)
    drafts = [entry["resource"] for entry in accepted["context"]["draftOrders"]["entry"]]
    for number, action in enumerate(suggestion["actions"]):
        kept = [draft for draft in drafts if f"{draft['resourceType']}/{draft['id']}" != action.get("resourceId")]
        if action["type"] == "create":
            drafts.append({"id": f"new-{number}", **action["resource"]})
        elif action["type"] == "update":
            drafts = [action["resource"] if draft["id"] == action["resource"]["id"] else draft for draft in drafts]
        else:
            drafts = kept
    accepted["context"]["draftOrders"] = bundle(drafts)
    return accepted


def grave(answer: dict[str, Any]) -> set[str]:
    found = answer["extension"]["firstline.review"].get("findings", [])
    rules = {finding["rule"] for finding in found if finding["indicator"] != "info"}
    return rules | {"DD-23"} if "DD-24" in rules else rules


@tried
@given(signings())
def test_an_accepted_suggestion_brings_no_new_finding(sentences: list[str]) -> None:
    """Over the wire: the order that a card offers, signed in place of what it replaces, is not objected to."""
    request = request_of(sentences)
    answer = answered(request)
    for card in answer["cards"]:
        for suggestion in card.get("suggestions", []):
            again = answered(after(request, suggestion))
            assert grave(again) <= grave(answer), (suggestion["label"], grave(again) - grave(answer))
            if not suggestion["label"].startswith("Taper"):  # that one goes on with what was taken
                assert warned_of(again) == set(), (suggestion["label"], warned_of(again))


def warned_of(answer: dict[str, Any]) -> set[str]:
    """Rules that warn of an order that was itself a suggestion."""
    found = answer["extension"]["firstline.review"].get("findings", [])
    return {
        finding["rule"]
        for finding in found
        if finding["indicator"] != "info"
        and any("/new-" in order for order in (finding["order"], *finding.get("others", ())))
    }
