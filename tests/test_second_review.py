"""A second review asks less than the first: what it leaves out could not have found anything new."""

import json
import os
from datetime import date

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.breathing import is_gabapentinoid
from cds.case import Case
from cds.changes import ALL_FACTORS
from cds.findings import assess
from cds.gabapentinoid_orders import lowered_order
from cds.knowledge import GROUPS
from cds.orders import as_medication
from cds.review import RULES, _found_again
from cds.schedules import SCHEDULES
from cds.second_review import GABAPENTINOID_READERS, SecondReview, with_dose
from hooks.signing import read_signing
from tests.charts import signings
from tests.sentences import TODAY, request_of

MORE = os.environ.get("PROPERTY_EXAMPLES")
tried = settings(
    max_examples=int(MORE or 300),
    derandomize=MORE is None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
COUNTS = st.integers(1, 8)
DRUGS = st.sampled_from(("oxycodone 5 mg", "tramadol 50 mg", "methadone 5 mg", "codeine 30 mg"))
SIGS = st.sampled_from(("four times a day", "every 6 hours as needed", "every 4 hours", "once a day", "at night"))
TEXTS = st.sampled_from(
    (
        None,
        "one tablet once before MRI",
        "take as directed",
        "take 9 tablets every 4 hours",
        "1 tablet daily for 3 days",
    )
)
"""What the sig says in words, beside its numbers."""


def second_review(sentences: list[str], text: str | None = None) -> SecondReview:
    """The second review of a signing whose first review is done."""
    request = request_of(sentences)
    if text is not None:
        for entry in request["context"]["draftOrders"]["entry"]:
            for dosage in entry["resource"].get("dosageInstruction", ()):
                dosage["text"] = text
    case = read_signing(json.dumps(request).encode(), date.fromisoformat(TODAY)).case
    return SecondReview(case, assess(case, RULES).findings, _found_again)


def afresh(case: Case) -> Case:
    return Case(case.drafts, case.chart, case.today, case.hook, frozenset(d.ref for d in case.asked), case.settings)


@tried
@given(signings(), COUNTS, SIGS, TEXTS)
def test_what_is_carried_over_to_another_dose_is_what_it_would_be(
    sentences: list[str], count: int, sig: str, text: str | None
) -> None:
    nothing_is_lost(second_review([*sentences, f"orders oxycodone 5 mg oral tablet, {count} tablet {sig}"], text))


def nothing_is_lost(second: SecondReview) -> None:
    for draft in second.case.judged:
        for factor in ALL_FACTORS:
            other = second._at_dose(draft, with_dose(draft, factor))
            assert assess(other, RULES) == assess(afresh(other), RULES)
            assert [len(part.judged) for part in other.parts] == [len(part.judged) for part in afresh(other).parts]


def test_a_signing_that_is_judged_from_two_sides_stays_so() -> None:
    second = second_review(
        [
            "takes morphine 15 mg oral tablet, 1 tablet twice a day, since 2026-01-01, id m",
            "takes oxycodone 5 mg oral tablet, 1 tablet twice a day, since 2026-01-01, id o",
            "stops oxycodone 5 mg oral tablet, 1 tablet twice a day, id o",
            "orders alprazolam 0.5 mg oral tablet, 1 tablet twice a day",
        ]
    )
    assert len(second.case.parts) == 2
    nothing_is_lost(second)


@tried
@given(signings(), COUNTS, SIGS, DRUGS, TEXTS)
def test_a_lower_dose_that_needs_no_review_would_pass_it(
    sentences: list[str], count: int, sig: str, drug: str, text: str | None
) -> None:
    second = second_review([*sentences, f"orders {drug} oral tablet, {count} tablet {sig}"], text)
    for draft in second.case.judged:
        for factor in ALL_FACTORS:
            if second.is_milder_at(draft, factor):
                assert second.new_among(_found_again(second._at_dose(draft, with_dose(draft, factor)), GROUPS)) == ()


@tried
@given(signings(), st.sampled_from(("gabapentin 300 mg oral capsule", "pregabalin 75 mg oral capsule")), COUNTS)
def test_a_lower_gabapentinoid_is_read_by_those_that_are_asked(sentences: list[str], drug: str, count: int) -> None:
    more = f"takes {drug}, {count} capsule three times a day, since 2026-01-20"
    second = second_review([*sentences, more])
    case = second.case
    running = [order for order in case.kept if is_gabapentinoid(order)]
    name = next((n for n in SCHEDULES.lowering if running and running[0].drug and running[0].drug.has(n)), None)
    order = lowered_order(case, running[0], name) if name is not None and len(running) == 1 else None
    if order is not None:
        come = as_medication(order, case.today)
        assert second.objections(None, come, readers=GABAPENTINOID_READERS) == second.new_among(
            _found_again(second._other_case(None, come), GROUPS)
        )
