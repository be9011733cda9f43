"""The wordings of SAF-02 to SAF-16 can be filled from the facts of every scenario, and fit a card."""

import json
import tomllib
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cds.course import TOLERANT_DAYS, TOLERANT_DOSES, TOLERANT_MME
from cds.findings import Assessment, Rule, assess
from cds.knowledge import SUMMARY_LIMIT, load_group
from cds.rules import first_opioid, long_term
from hooks.card_text import fill, plain
from hooks.signing import read_signing
from tests.sentences import TODAY, request_of

FOLDER = Path(__file__).parent / "rules"
KNOWLEDGE = load_group("safety")
RULES = tuple(Rule(name, "safety", answer) for name, answer in (*long_term.RULES, *first_opioid.RULES))
SCENARIOS = [
    scenario
    for stem in ("safety_long_term", "safety_first_opioid")
    for scenario in tomllib.loads((FOLDER / f"{stem}.toml").read_text(encoding="utf-8"))["scenario"]
]


def seen(chart: list[str]) -> Assessment:
    signing = read_signing(json.dumps(request_of(chart)).encode(), date.fromisoformat(TODAY))
    return assess(signing.case, RULES)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[f"{one['rule']}: {one['says']}" for one in SCENARIOS])
def test_every_wording_is_filled_and_short(scenario: dict[str, list[str]]) -> None:
    found = seen(scenario["chart"])
    for finding in found.findings:
        words = KNOWLEDGE[finding.rule].words[finding.words]
        assert len(fill(words.summary, finding.facts, plain)) <= SUMMARY_LIMIT
        for text in (words.detail, words.line):
            assert "{" not in fill(text, finding.facts, plain)
    for said in found.said:
        assert "{" not in fill(KNOWLEDGE[said.rule].words[said.words].line, said.facts, plain)


def used_words() -> Iterator[tuple[str, str]]:
    for scenario in SCENARIOS:
        found = seen(scenario["chart"])
        yield from ((finding.rule, finding.words) for finding in found.findings)
        yield from ((said.rule, said.words) for said in found.said)


def test_every_wording_is_used_by_a_scenario() -> None:
    written = {(rule.id, name) for rule in RULES for name in KNOWLEDGE[rule.id].words}
    assert written - set(used_words()) == {("SAF-16", "default")}


def test_tolerance_is_told_as_it_is_reckoned() -> None:
    told = KNOWLEDGE["SAF-12"].thresholds
    for (drug, unit), dose in TOLERANT_DOSES.items():
        if unit == "mg":
            assert told[f"tolerant_{drug}_mg_per_day"] == dose
        else:
            assert told[f"tolerant_{drug}_mcg_per_hour"] == dose * 1000
    for rule in ("SAF-12", "SAF-13"):
        assert KNOWLEDGE[rule].thresholds["tolerant_mme_per_day"] == TOLERANT_MME
        assert KNOWLEDGE[rule].thresholds["tolerant_days"] == TOLERANT_DAYS
