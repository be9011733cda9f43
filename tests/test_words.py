"""Every wording of a finding fills, and its summary fits on a card."""

import json
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


@pytest.mark.parametrize("scenario", SCENARIOS, ids=IDS)
def test_the_words_of_a_finding_fill(scenario: dict[str, Any]) -> None:
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
