"""Every stored answer conforms to CDS Hooks; and the checker sees what does not."""

import copy
import json
from typing import Any

import pytest

from tests.conformance import breaches
from tests.fixtures import FOLDER, STORIES

FIRST_DIALECT = "medication-prescribe"


def stored(name: str) -> tuple[dict[str, Any], str]:
    """The answer of a story and its dialect."""
    request = json.loads((FOLDER / f"{name}.request.json").read_text(encoding="utf-8"))
    answer = json.loads((FOLDER / f"{name}.response.json").read_text(encoding="utf-8"))
    return answer, "1.0" if request["hook"] == FIRST_DIALECT else "2.0"


def example() -> dict[str, Any]:
    """An answer with every part: a card with suggestions of all kinds, override reasons and a link."""
    answer, _ = stored("painful-diabetic-neuropathy-nothing-tried")
    card = answer["cards"][0]
    card["links"] = [{"label": "Evidence", "url": "https://cds.example.org/evidence/NP-01", "type": "absolute"}]
    assert breaches(answer) == []
    return answer


@pytest.mark.parametrize("name", STORIES)
def test_stories_are_answered_as_the_standard_has_it(name: str) -> None:
    answer, dialect = stored(name)
    if answer.get("resourceType") == "OperationOutcome":
        assert [issue["severity"] for issue in answer["issue"]] == ["error"]
        return
    assert breaches(answer, dialect) == []


def test_some_stories_speak_the_first_dialect() -> None:
    assert "1.0" in {stored(name)[1] for name in STORIES}


CARD: tuple[str | int, ...] = ("cards", 0)
SUGGESTION = (*CARD, "suggestions", 0)
ACTION = (*SUGGESTION, "actions", 0)
DELETION = (*SUGGESTION, "actions", -1)
GONE = object()


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (("cards",), None),
        (("more",), 1),
        ((*CARD, "summary"), "x" * 140),
        ((*CARD, "summary"), "two\nlines"),
        ((*CARD, "summary"), ""),
        ((*CARD, "indicator"), "hard-stop"),
        ((*CARD, "uuid"), "1"),
        ((*CARD, "more"), 1),
        ((*CARD, "detail"), 7),
        ((*CARD, "detail"), "<b>"),
        ((*CARD, "detail"), "[x](javascript:alert)"),
        ((*CARD, "detail"), "![x](https://x.example/x.png)"),
        ((*CARD, "detail"), "see www.example.org"),
        ((*CARD, "detail"), "see https://x.example"),
        ((*CARD, "detail"), "a@b.example"),
        ((*CARD, "detail"), "\u202eyxo"),
        ((*CARD, "source", "label"), GONE),
        ((*CARD, "source", "url"), "/evidence"),
        ((*CARD, "source", "more"), 1),
        ((*CARD, "selectionBehavior"), GONE),
        ((*CARD, "selectionBehavior"), "all"),
        ((*CARD, "suggestions"), []),
        ((*CARD, "overrideReasons", 0, "display"), GONE),
        ((*CARD, "links", 0, "type"), "relative"),
        ((*CARD, "links", 0, "appContext"), "x"),
        ((*CARD, "extension", "firstline.findings", 0, "facts"), {}),
        ((*SUGGESTION, "label"), GONE),
        ((*SUGGESTION, "uuid"), GONE),
        ((*ACTION, "type"), "CREATE"),
        ((*ACTION, "description"), GONE),
        ((*ACTION, "resource"), "{}"),
        ((*ACTION, "resource", "id"), "x"),
        ((*DELETION, "resourceId"), GONE),
        ((*DELETION, "resource"), {"resourceType": "MedicationRequest"}),
        (("extension", "firstline.review", "findings"), None),
    ],
)
def test_a_breach_is_seen(at: tuple[Any, ...], value: Any) -> None:
    answer = example()
    holder: Any = answer
    for step in at[:-1]:
        holder = holder[step]
    if value is GONE:
        del holder[at[-1]]
    else:
        holder[at[-1]] = value
    assert breaches(answer)


def test_breaches_between_parts_are_seen() -> None:
    twice = example()
    twice["cards"].append(copy.deepcopy(twice["cards"][0]))
    assert "cards: one uuid twice" in breaches(twice)
    recommended = example()
    for suggestion in recommended["cards"][0]["suggestions"]:
        suggestion["isRecommended"] = True
    assert "cards/0/suggestions: more than one recommended" in breaches(recommended)
    turned = example()
    turned["cards"][0]["suggestions"][0]["actions"].reverse()
    assert "cards/0/suggestions/0/actions: a deletion before the last" in breaches(turned)
    assert breaches([]) == ["answer: no list of cards"]


def test_the_first_dialect_knows_no_newer_fields() -> None:
    found = set(breaches(example(), "1.0"))
    assert {
        "cards/0/uuid: not a field of this dialect",
        "cards/0/overrideReasons: not a field of this dialect",
        "cards/0/source/topic: not a field of this dialect",
        "cards/0/suggestions/0/actions/1/resourceId: not a field of this dialect",
        "cards/0/suggestions/0/actions/1: a deletion names its order as this dialect does",
    } <= found
