"""Every scenario of tests/rules: sentences in, the rule's answer out, through the real reading of a hook request."""

import json
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cds.case import Case
from cds.findings import assess
from cds.outcome import CannotTell, DoesNotApply, Fires
from cds.review import RULES, Review, review
from cds.trials import ladder_of
from hooks.signing import read_signing
from tests.sentences import KEYS, TODAY, request_of

FOLDER = Path(__file__).parent / "rules"
SCENARIOS = [
    {"group": path.stem, **scenario}
    for path in sorted(FOLDER.glob("*.toml"))
    for scenario in tomllib.loads(path.read_text(encoding="utf-8"))["scenario"]
]
KNOWN_KEYS = {
    "group", "rule", "says", "covers", "chart", "expect", "facts", "words", "not_assessed", "missing", "indication",
    "localized", "state", "excluded", "in_scope", "mme", "mme_at_least", "asks",
}  # fmt: skip
EXPECTATIONS = {"critical", "warning", "info", "silent", "cannot tell"}
COVERS = {"fires", "under", "at", "over", "missing", "exclusion", "irrelevant", "line"}
IDS = [f"{scenario['rule']}: {scenario['says']}" for scenario in SCENARIOS]


def seen(scenario: dict[str, Any]) -> tuple[Case, Review]:
    signing = read_signing(json.dumps(request_of(scenario["chart"])).encode(), date.fromisoformat(TODAY))
    return signing.case, review(signing.drafts, signing.chart, signing.today, signing.hook, signing.selected)


def test_each_scenario_is_told_once_and_wholly() -> None:
    assert len(IDS) == len(set(IDS))
    for scenario in SCENARIOS:
        assert set(scenario) <= KNOWN_KEYS, scenario["says"]
        assert scenario["expect"] in EXPECTATIONS
        assert scenario["covers"] in COVERS


@pytest.mark.parametrize("scenario", SCENARIOS, ids=IDS)
def test_scenario(scenario: dict[str, Any]) -> None:
    case, found = seen(scenario)
    rule, expected = scenario["rule"], scenario["expect"]
    outcomes = [outcome for rule_id, _, outcome in found.outcomes if rule_id == rule]
    findings = [finding for finding in found.findings if finding.rule == rule]
    if expected == "silent":
        assert all(isinstance(outcome, DoesNotApply) for outcome in outcomes), outcomes
    elif expected == "cannot tell":
        assert not findings, findings
        assert any(isinstance(outcome, CannotTell) for outcome in outcomes), outcomes
    else:
        assert [finding.indicator for finding in findings][:1] == [expected], outcomes
    if "facts" in scenario:
        assert {key: findings[0].facts.get(key) for key in scenario["facts"]} == scenario["facts"]
    if "words" in scenario:
        assert findings[0].words == scenario["words"]
    if "asks" in scenario:
        assert set(scenario["asks"]) <= set(findings[0].asks)
    if "missing" in scenario:
        said = {entry for outcome in outcomes if isinstance(outcome, CannotTell) for entry in outcome.missing}
        said |= {entry for outcome in outcomes if isinstance(outcome, Fires) for entry in outcome.unknown}
        assert set(scenario["missing"]) <= said
    check_gates(scenario, case, found)


def check_gates(scenario: dict[str, Any], case: Case, found: Review) -> None:
    if "not_assessed" in scenario:
        assert set(scenario["not_assessed"]) <= set(found.not_assessed), found.not_assessed
    if "in_scope" in scenario:
        assert len(found.in_scope) == scenario["in_scope"]
    if "indication" in scenario:
        assert case.indication(case.judged[0]).grade == scenario["indication"]
    if "localized" in scenario:
        assert case.indication(case.judged[0]).localized is scenario["localized"]
    if "state" in scenario:
        assert ladder_of(case, case.judged[0]).state == scenario["state"]
    if "excluded" in scenario:
        assert (case.exclusion(case.judged[0]).because or "") == scenario["excluded"]
    if "mme" in scenario:
        assert (found.mme_per_day or "") == scenario["mme"]
    if "mme_at_least" in scenario:
        assert (found.mme_at_least or "") == scenario["mme_at_least"]


LOUD = [scenario for scenario in SCENARIOS if scenario["expect"] in ("critical", "warning", "info")]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("scenario", LOUD, ids=[f"{s['rule']}: {s['says']}" for s in LOUD])
def test_hiding_an_answer_never_silences_a_finding(scenario: dict[str, Any], key: str) -> None:
    """A finding that is gone once a question is hidden must have become "cannot tell", or another rule says so."""
    request = request_of(scenario["chart"])
    if key not in request["prefetch"]:
        return
    hidden = {**request, "prefetch": {name: value for name, value in request["prefetch"].items() if name != key}}
    signing = read_signing(json.dumps(hidden).encode(), date.fromisoformat(TODAY))
    answers = assess(signing.case, [rule for rule in RULES if rule.id == scenario["rule"]])
    if not answers.findings:
        whole = review(signing.drafts, signing.chart, signing.today, signing.hook, signing.selected)
        assert answers.not_assessed or whole.not_assessed, "a hidden fact became silence"
