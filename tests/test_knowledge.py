"""Knowledge that is wrong is refused at load, in words that name the file, the key and the remedy."""

import re
from pathlib import Path

import pytest

from cds.knowledge import KnowledgeError, load_group
from cds.review import RULES

BROKEN = Path(__file__).parent.parent / "fixtures" / "broken"
FILES = sorted(BROKEN.glob("*.toml"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_broken_file_is_refused_in_its_own_words(path: Path) -> None:
    """The file's first line holds the words that its error must contain, separated by bars."""
    first_line = path.read_text(encoding="utf-8").splitlines()[0]
    words = [word.strip() for word in first_line.removeprefix("# error:").split("|")]
    with pytest.raises(KnowledgeError) as refused:
        load_group(path.stem, BROKEN)
    for word in [path.name, *words]:
        assert word in str(refused.value)


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(KnowledgeError, match=re.escape("nowhere.toml: file:")):
        load_group("nowhere", BROKEN)


def test_a_missing_number_names_the_key() -> None:
    knowledge = load_group("sedation")["DD-01"]
    with pytest.raises(
        KnowledgeError, match=re.escape("sedation.toml: DD-01.thresholds.no_such_days: add this number")
    ):
        knowledge.number("no_such_days")


def test_a_fraction_is_no_number_of_days() -> None:
    knowledge = load_group("fraction_of_a_day", BROKEN / "loadable")["XX-01"]
    with pytest.raises(KnowledgeError, match=re.escape("XX-01.thresholds.window_days: write a whole number")):
        knowledge.days("window_days")


def test_every_rule_has_knowledge_and_a_wording() -> None:
    for rule in RULES:
        knowledge = load_group(rule.group)[rule.id]
        assert knowledge.words["default"].summary
        assert knowledge.next_review > knowledge.reviewed
