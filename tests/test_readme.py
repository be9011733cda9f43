"""The README shows a real request and its real answer, and names files that exist."""

import json
import re
from pathlib import Path

from cds.review import RULES
from tests.calling import an_app, call
from tests.rules_page import PAGE, page, scenarios, told_by_stories

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```json\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def test_the_answer_shown_is_the_answer_given() -> None:
    request, shown = BLOCKS
    answered = call(an_app(), "POST", "/cds-services/firstline-order-sign", content=request, headers=JSON)
    assert json.loads(shown) == answered.json(), "run make readme"


JSON = {"Content-Type": "application/json"}


def test_every_file_that_it_names_exists() -> None:
    named = set(re.findall(r"`((?:cds|hooks|tests|fixtures|docs)/[\w./-]*[\w/])`", README))
    assert len(named) > 10
    for path in named:
        assert (ROOT / path).exists(), path


def test_it_says_that_no_clinician_signed() -> None:
    assert "No clinician has signed the content off." in README


def test_the_page_of_rules_is_the_programs() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run make readme"


def test_every_rule_has_scenarios_and_a_story() -> None:
    counted, stories = scenarios(), told_by_stories()
    for rule in RULES:
        assert counted[rule.id], rule.id
        assert rule.id in stories, rule.id
    assert all(counted[gate] for gate in ("G01", "G02", "G03"))
