"""The same order sent in twelve ways is judged the same; only the one whose codings disagree says so."""

from typing import Any

from tests.calling import an_app, call
from tests.fixtures import STORIES, service_of, told

WAYS = [name for name in STORIES if name.startswith("same-order-as-")]


def review_of(name: str) -> dict[str, Any]:
    request = told(STORIES[name])
    answer = call(an_app(), "POST", f"/cds-services/{service_of(request)}", json=request).json()
    review: dict[str, Any] = answer["extension"]["firstline.review"]
    return review


def judged(review: dict[str, Any]) -> dict[str, Any]:
    """What was found, without the names of the resources and cards."""
    return {
        "findings": [(each["rule"], each["indicator"], each["facts"], "card" in each) for each in review["findings"]],
        "mme": review["mmePerDay"],
        "indication": review["indication"],
        "state": review.get("ladderState"),
    }


def test_twelve_ways_and_one_judgement() -> None:
    reviews = {name: review_of(name) for name in WAYS}
    assert len(reviews) == 12
    expected = judged(reviews["same-order-as-rxnorm"])
    assert {rule for rule, *_ in expected["findings"]} >= {"NP-01", "DD-01"}
    assert expected["mme"] == "30"
    for name, review in reviews.items():
        assert judged(review) == expected, name
    disagreeing = {
        name
        for name, review in reviews.items()
        if any("codings disagree" in missing for missing in review["notAssessed"])
    }
    assert disagreeing == {"same-order-as-disagreeing"}
    assert "drug of MedicationRequest/d1: codings disagree" in reviews["same-order-as-disagreeing"]["notAssessed"]
