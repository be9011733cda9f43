"""What must hold for every chart, tried on charts at random (a fixed seed; PROPERTY_EXAMPLES=2000 for more, fresh)."""

import copy
import json
import os
import random
from datetime import date
from typing import Any

from cds.outcome import INDICATORS
from cds.review import Review, review
from hooks.signing import read_signing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.charts import OPIOIDS, UNRELATED, signings
from tests.sentences import KEYS, TODAY, request_of

MORE = os.environ.get("PROPERTY_EXAMPLES")
tried = settings(
    max_examples=int(MORE or 500),
    derandomize=MORE is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def seen(request: dict[str, Any]) -> Review:
    signing = read_signing(json.dumps(request).encode(), date.fromisoformat(TODAY))
    return review(signing.drafts, signing.chart, signing.today, signing.hook, signing.selected)


def said(found: Review) -> list[tuple[str, str, str]]:
    return [(finding.rule, finding.indicator, finding.words) for finding in found.findings]


def rank(indicator: str) -> int:
    return INDICATORS.index(indicator)  # type: ignore[arg-type]


def highest(found: Review, group: str) -> int:
    return min((rank(f.indicator) for f in found.findings if f.group == group), default=len(INDICATORS))


@tried
@given(signings(), st.randoms(use_true_random=False))
def test_the_order_of_entries_changes_nothing(sentences: list[str], chance: random.Random) -> None:
    request = request_of(sentences)
    shuffled = copy.deepcopy(request)
    for value in shuffled["prefetch"].values():
        if isinstance(value, dict) and "entry" in value:
            chance.shuffle(value["entry"])
    chance.shuffle(shuffled["context"]["draftOrders"]["entry"])
    keys = list(shuffled["prefetch"])
    chance.shuffle(keys)
    shuffled["prefetch"] = {key: shuffled["prefetch"][key] for key in keys}
    assert seen(shuffled) == seen(request)


@tried
@given(signings(), st.sampled_from(UNRELATED))
def test_an_unrelated_drug_changes_nothing(sentences: list[str], drug: tuple[str, str]) -> None:
    more = [*sentences, f"takes {drug[0]}, 1 {drug[1]} once a day, since 2026-02-03"]
    assert said(seen(request_of(more))) == said(seen(request_of(sentences)))


@tried
@given(signings(), st.sampled_from(KEYS))
def test_hiding_an_answer_never_silences_a_finding(sentences: list[str], key: str) -> None:
    """What fired before still fires, or cannot be told; never does a hidden answer make a rule content."""
    request = request_of(sentences)
    hidden = copy.deepcopy(request)
    hidden["prefetch"].pop(key, None)
    before, after = seen(request), seen(hidden)
    still = {finding.rule for finding in after.findings}
    grave = {finding.rule for finding in before.findings if finding.indicator != "info"}
    if grave - still:
        assert set(after.not_assessed) - set(before.not_assessed), (key, grave - still)


@tried
@given(signings(), st.sampled_from([drug for drug in OPIOIDS if drug[1] == "tablet"]), st.integers(1, 6))
def test_raising_a_dose_never_lowers_a_groups_indicator(
    sentences: list[str], drug: tuple[str, str], tablets: int
) -> None:
    def highest_at(count: int) -> list[int]:
        order = f"orders {drug[0]}, {count} tablet four times a day, for 14 days"
        found = seen(request_of([*sentences, order]))
        return [highest(found, group) for group in ("sedation", "dose")]

    low, high = highest_at(tablets), highest_at(tablets + 1)
    assert all(after <= before for before, after in zip(low, high, strict=True)), (low, high)


@tried
@given(signings())
def test_a_review_proposes_nothing_that_it_would_object_to(sentences: list[str]) -> None:
    """Every created order, put in the chart in place of what is deleted, brings no new warning or critical finding."""
    from cds.alternatives import chart_with
    from cds.case import Case
    from cds.findings import assess
    from cds.review import RULES

    signing = read_signing(json.dumps(request_of(sentences)).encode(), date.fromisoformat(TODAY))
    found = review(signing.drafts, signing.chart, signing.today, signing.hook, signing.selected)
    known = {(finding.rule, finding.indicator) for finding in found.findings}
    case = Case(signing.drafts, signing.chart, signing.today, signing.hook, signing.selected)
    for proposals in found.proposals.by_group.values():
        for proposal in proposals:
            if proposal.create is None:
                continue
            again = assess(chart_with(case, proposal), RULES)
            new = {(f.rule, f.indicator) for f in again.findings if f.indicator != "info"} - known
            assert not new, (proposal.label, new)
