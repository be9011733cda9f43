"""Every wording of a finding fills, its summary fits on a card, and it is read within ten seconds."""

import json
import statistics
from datetime import date
from typing import Any

import pytest

from cds.findings import NOT_CHECKED
from cds.knowledge import GROUPS, RULES_FOLDER, SUMMARY_LIMIT, load_group
from cds.review import review
from hooks.signing import read_signing
from tests.sentences import TODAY, request_of
from tests.test_scenarios import IDS, SCENARIOS

KNOWLEDGE = {
    rule: knowledge
    for group in GROUPS
    if (RULES_FOLDER / f"{group}.toml").exists()
    for rule, knowledge in load_group(group).items()
}

TEN_SECONDS = 40
"""Words that an adult reads silently in ten seconds: 238 a minute (Brysbaert 2019, 10.1016/j.jml.2019.104047)."""
LONG_NAMES = 14
"""What names of several drugs, or a list of what is not known, may add."""


@pytest.fixture(scope="module")
def prose() -> dict[tuple[str, str], int]:
    """The words of summary and first paragraph by rule and wording, the most of any scenario; lists are glanced at."""
    return {}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=IDS)
def test_the_words_of_a_finding_fill(scenario: dict[str, Any], prose: dict[tuple[str, str], int]) -> None:
    signing = read_signing(json.dumps(request_of(scenario["chart"])).encode(), date.fromisoformat(TODAY))
    found = review(signing.drafts, signing.chart, signing.today, signing.hook, signing.selected)
    for finding in (*found.findings, *found.said):
        if finding.rule != scenario["rule"]:
            continue
        assert finding.words != NOT_CHECKED
        words = KNOWLEDGE[finding.rule].words[finding.words]
        assert all(finding.facts.values()), finding.facts
        facts = {"alternative": "gabapentin 300 mg", **finding.facts}
        if words.summary != words.line:  # a line of another card may be longer
            assert len(words.summary.format_map(facts)) <= SUMMARY_LIMIT
        assert words.detail.format_map(facts)
        assert words.line.format_map(facts)
        lines = f"{words.summary}\n{words.detail}".format_map(facts).splitlines()
        read = sum(len(line.split()) for line in lines if not line.startswith("- "))
        prose[finding.rule, finding.words] = max(read, prose.get((finding.rule, finding.words), 0))


def test_a_card_is_read_in_ten_seconds(prose: dict[tuple[str, str], int]) -> None:
    assert statistics.median(prose.values()) <= TEN_SECONDS
    assert {name: words for name, words in prose.items() if words > TEN_SECONDS + LONG_NAMES} == {}
