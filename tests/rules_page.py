"""Writes docs/RULES.md (`make readme`): each rule with a story and what its card or line says there."""

import json
import tomllib
from collections import Counter
from datetime import date
from pathlib import Path

from cds.outcome import INDICATORS
from cds.review import RULES, Finding, review
from hooks.card_text import fill, plain, wording
from hooks.knowledge_version import all_knowledge
from hooks.signing import read_signing
from tests.fixtures import FOLDER, STORIES
from tests.sentences import TODAY

PAGE = Path(__file__).parent.parent / "docs" / "RULES.md"
HEAD = """# Every rule, a story of it, and what it says

**No clinician has signed this content off.** The patients are made up.
Written by the program from `cds/rules/`, `tests/rules/` and `fixtures/` (`make readme`).
The text is the card's first line where the rule leads a card in that story, else its line in another card.

| Rule | Title | Scenarios | Story | Indicator there | Text there |
|---|---|---|---|---|---|
"""


def scenarios() -> Counter[str]:
    """How many scenarios each rule has."""
    files = sorted((Path(__file__).parent / "rules").glob("*.toml"))
    return Counter(
        scenario["rule"] for path in files for scenario in tomllib.loads(path.read_text(encoding="utf-8"))["scenario"]
    )


def told_by_stories() -> dict[str, tuple[str, Finding]]:
    """For each rule the story that shows it at its gravest, the first of those."""
    found: dict[str, tuple[str, Finding]] = {}
    for name in STORIES:
        body = (FOLDER / f"{name}.request.json").read_bytes()
        signing = read_signing(body, date.fromisoformat(TODAY))
        seen = review(signing.drafts, signing.chart, signing.today, signing.hook, signing.selected)
        for finding in seen.findings:
            known = found.get(finding.rule)
            if known is None or INDICATORS.index(finding.indicator) < INDICATORS.index(known[1].indicator):
                found[finding.rule] = name, finding
    return found


def led(name: str, finding: Finding) -> str | None:
    """The first line of the card that the finding leads in the story's stored answer; None where it leads none."""
    answer = json.loads((FOLDER / f"{name}.response.json").read_text(encoding="utf-8"))
    for card in answer["cards"]:
        if card["extension"]["firstline.findings"][0]["rule"] == finding.rule:
            return str(card["summary"])
    return None


def page() -> str:
    knowledge, counted, stories = all_knowledge(), scenarios(), told_by_stories()
    rows = []
    for rule in ("G01", "G02", "G03", *[rule.id for rule in RULES]):
        name, finding = stories.get(rule, ("", None))
        text = ""
        if finding is not None:
            line = wording(knowledge[rule], finding.words, None).line
            text = led(name, finding) or fill(line, finding.facts, plain)
        story = f"[{name}](../fixtures/{name}.request.json)" if name else ""
        indicator = finding.indicator if finding is not None else "gate"
        rows.append(f"| {rule} | {knowledge[rule].title} | {counted[rule]} | {story} | {indicator} | {text} |")
    return HEAD + "\n".join(rows) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
