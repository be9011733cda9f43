"""Every claim of the article is carried, every rule's evidence can be told, and wrong tables are refused."""

from pathlib import Path

import pytest

from cds.evidence import CLAIMS, POINTS, evidence_of, load_claims, load_points
from cds.knowledge import KnowledgeError
from hooks.command_line import evidence_text
from hooks.knowledge_version import all_knowledge


def test_no_claim_is_orphaned() -> None:
    """A rule names it, or the evidence text tells what no rule can say of it."""
    carried = {claim for rule in all_knowledge().values() for claim in rule.seed}
    for claim in CLAIMS.values():
        assert claim.id in carried or claim.evidence, claim.id


def test_rules_name_only_claims_that_are_made() -> None:
    for rule in all_knowledge().values():
        assert rule.seed, rule.id
        assert set(rule.seed) <= set(CLAIMS)


def test_the_article_makes_51_claims_and_17_points_are_imprecise() -> None:
    assert list(CLAIMS) == [f"SEED-{number:02}" for number in range(1, 52)]
    assert len(POINTS) == 17


def test_every_disputed_point_is_shown_by_a_rule() -> None:
    known = all_knowledge()
    for point in POINTS:
        assert set(point.rules) <= set(known), point.disputed
        assert all(point in evidence_of(known[rule]).points for rule in point.rules)


def test_the_evidence_of_every_rule_can_be_told() -> None:
    for rule in all_knowledge().values():
        told = evidence_text(evidence_of(rule))
        assert rule.title in told
        assert "No clinician has signed this content off." in told
        for name in rule.local:
            assert f"{name.replace('_', ' ')}: {rule.thresholds[name]} (a local number: no source confirms it)" in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[SEED-01]\nclaim = ''", "seed.toml: SEED-01: a claim has the keys"),
        ("[SEED-01]\nclaim = 'x'\nrules = ['NP-01']", "seed.toml: SEED-01: a claim has the keys"),
        ("SEED-01 = 3", "seed.toml: SEED-01: a claim has the keys"),
        ("[SEED-01", "seed.toml: file: correct the TOML"),
        (None, "seed.toml: file: put it beside the program"),
    ],
)
def test_wrong_claims_are_refused(tmp_path: Path, text: str | None, words: str) -> None:
    if text is not None:
        (tmp_path / "seed.toml").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError) as refused:
        load_claims(tmp_path)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    "text", ["[[point]]\ndisputed = 'x'\ndecided = 'y'", "[[point]]\ndisputed = 'x'\ndecided = ''\nrules = ['NP-01']"]
)
def test_wrong_points_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "disputed.toml").write_text(text, encoding="utf-8")
    with pytest.raises(KnowledgeError, match=r"disputed\.toml: point 1: a point has disputed, decided and rules"):
        load_points(tmp_path)
