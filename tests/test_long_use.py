"""How long opioids were taken, pregnancy and function scores: the small questions that no scenario puts."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.chart import MedicationOrder
from cds.function_scores import Change, function_changes, interference_change
from cds.long_use import Run, by_the_clock, days_at, last_rise, opioid_run, run_of, taken_for
from cds.pregnancy import Status, Windows, breastfeeding, pregnancy
from tests.builders import TODAY, a_day, case, day, dispense, draft, present, seen, statement, tablet

OXYCODONE = tablet("oxycodone 5")
DRAFT = draft("d", OXYCODONE, a_day(5, 4))
WINDOWS = Windows(90, 42, 30, 300)


def fill(ref: str, ago: int, days: int, mg: float = 5) -> MedicationOrder:
    return dispense(ref, tablet("oxycodone 5"), ago, days, a_day(mg, 4))


def test_a_gap_of_14_days_is_joined_and_not_counted() -> None:
    joined = case(DRAFT, fill("a", 43, 10), fill("b", 19, 20))
    assert opioid_run(joined) == Run(30, day(43))
    parted = case(DRAFT, fill("a", 44, 10), fill("b", 19, 20))
    assert opioid_run(parted) == Run(20, day(19))


def test_no_run_where_nothing_reaches_to_today() -> None:
    assert opioid_run(case(DRAFT, fill("a", 100, 10))) == Run()
    assert last_rise(case(DRAFT)) is None
    assert taken_for(case(DRAFT), 1) is False


def test_a_drug_without_dates_leaves_it_open() -> None:
    undated = statement("s", OXYCODONE, a_day(5, 4), authored=None)
    assert taken_for(case(DRAFT, undated), 30) is None
    assert taken_for(case(DRAFT, questions={}), 30) is None


def test_days_at_a_dose_are_counted_across_changes() -> None:
    some = case(
        DRAFT,
        fill("a", 29, 10),
        fill("b", 19, 10, mg=10),
        fill("c", 9, 10),
    )
    records = by_the_clock(some)
    start = run_of(records, TODAY).start
    assert start == day(29)
    assert days_at(records, start, TODAY, Decimal(60)) == 10
    assert days_at(records, start, TODAY, Decimal(30)) == 30
    assert days_at(records, start, TODAY, Decimal(61)) == 0
    assert last_rise(some) == day(19)


@given(st.integers(1, 200), st.integers(1, 100))
def test_the_dose_of_one_fill_is_the_same_on_all_its_days(days: int, mg: int) -> None:
    records = by_the_clock(case(DRAFT, dispense("a", tablet("morphine 1"), days - 1, days, a_day(mg))))
    start = run_of(records, TODAY).start
    assert start is not None
    assert days_at(records, start, TODAY, Decimal(mg)) == days
    assert days_at(records, start, TODAY, Decimal(mg) + 1) == 0


# Pregnancy


def told(**fields: Any) -> Status:
    return pregnancy(case(DRAFT, **fields), WINDOWS)


@pytest.mark.parametrize("text", ["", "not a date", "2026-13-40"])
def test_a_due_date_that_cannot_be_read_says_nothing(text: str) -> None:
    assert told(observations=(seen("estimated_delivery", None, 5, text=text),)).answer == "unknown"


def test_the_last_record_counts() -> None:
    before, after = (
        seen("pregnancy_status", 1, 50, text="pregnant"),
        seen("pregnancy_status", 2, 10, text="not pregnant"),
    )
    assert told(observations=(before, after)).answer == "no"
    late = seen("pregnancy_status", 3, 5, text="pregnant")
    assert told(observations=(before, after, late)).answer == "yes"


def test_of_one_day_the_dangerous_reading() -> None:
    both = (seen("pregnancy_status", 1, 5, text="pregnant"), seen("pregnancy_status", 2, 5, text="not pregnant"))
    assert told(observations=both).answer == "yes"


def test_the_latest_of_the_old_evidence_is_named() -> None:
    old = (seen("pregnancy_status", 1, 100, text="pregnant"), seen("pregnancy_status", 2, 200, text="pregnant"))
    assert told(observations=old) == Status("stale", f"pregnancy recorded {day(100)}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pos", "yes"),
        ("positive (a)", "yes"),
        ("positive (qualifier value)", "yes"),
        ("hcg positive", "yes"),
        ("presumptive positive", "yes"),
        ("positive, gestational age unknown", "yes"),
        ("not detected", "no"),
        ("hcg negative", "no"),
        ("non-reactive", "no"),
        ("no hcg detected (positive control valid)", "unknown"),
        ("not performed", "unknown"),
        ("inconclusive", "unknown"),
    ],
)
def test_the_words_of_a_pregnancy_test(text: str, expected: str) -> None:
    assert told(observations=(seen("pregnancy_test", None, 5, text=text),)).answer == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("patient is pregnant", "yes"),
        ("pregnant: 12 weeks", "yes"),
        ("not currently pregnant", "no"),
        ("postpartum", "no"),
        ("pregnant: no", "no"),
        ("pregnant: unknown", "unknown"),
        ("possibly pregnant", "unknown"),
        ("trying to become pregnant", "unknown"),
        ("not applicable", "unknown"),
    ],
)
def test_the_words_of_a_pregnancy_status(text: str, expected: str) -> None:
    assert told(observations=(seen("pregnancy_status", None, 5, text=text),)).answer == expected


@pytest.mark.parametrize(
    ("text", "ago", "listed", "expected"),
    [
        ("breast and bottle", 10, False, "yes"),
        ("no longer exclusively breastfeeding", 10, False, "yes"),
        ("breastfeeding: no", 10, True, "no"),
        ("weaned", 10, True, "no"),
        ("currently not breastfeeding", 10, True, "no"),
        *((text, 10, False, "unknown") for text in ("unknown", "declined", "formula feeding", "bottle fed")),
        ("plans breastfeeding", 10, False, "unknown"),
        ("breastfeeding status unknown", 10, False, "unknown"),
        ("unknown", 10, True, "yes"),
        ("currently breastfeeding", 10, False, "yes"),
        ("Not currently breastfeeding".casefold(), 10, True, "no"),
        ("no", 100, False, "unknown"),
        ("no", 100, True, "yes"),
        ("yes", 100, False, "stale"),
        (None, 10, True, "yes"),
        (None, 10, False, "unknown"),
    ],
)
def test_breastfeeding(text: str | None, ago: int, listed: bool, expected: str) -> None:
    conditions = (present("breastfeeding"),) if listed else ()
    some = case(DRAFT, observations=(seen("breastfeeding", None, ago, text=text),), conditions=conditions)
    assert breastfeeding(some, WINDOWS).answer == expected


def test_an_answer_that_says_nothing_does_not_take_back_breastfeeding() -> None:
    before, after = seen("breastfeeding", None, 30, text="yes"), seen("breastfeeding", None, 5, text="declined")
    assert breastfeeding(case(DRAFT, observations=(before, after)), WINDOWS).answer == "yes"


# Function scores


def test_a_third_is_exact() -> None:
    """PEG 20/3 to 14/3 is exactly 30 % better."""
    some = case(
        DRAFT,
        observations=(
            seen("pain_score", 6, 100),
            seen("peg_item", 7, 100, code="91145-3"),
            seen("peg_item", 7.0, 100, code="91146-1"),
            seen("pain_score", 4, 5),
            seen("peg_item", 5, 5, code="91145-3"),
            seen("peg_item", 5.0, 5, code="91146-1"),
        ),
    )
    (change,) = function_changes(some, day(90))
    assert change == Change("PEG", Fraction(20, 3), day(100), Fraction(14, 3), day(5))
    assert change.percent == 30


def test_one_item_alone_is_no_score() -> None:
    items = (seen("peg_item", 7, 100, code="91145-3"), seen("peg_item", 5, 5, code="91145-3"))
    some = case(DRAFT, observations=(*items, seen("pain_score", 6, 100), seen("pain_score", 4, 5)))
    assert function_changes(some, day(90)) == ()
    assert interference_change(some, day(90)) is None


def test_a_score_of_the_future_or_without_a_day_or_number_is_left_out() -> None:
    observations = (
        seen("peg_mean", 7, 100),
        seen("peg_mean", 5, -5),
        seen("peg_mean", 4, None),
        seen("peg_mean", None, 5),
    )
    assert function_changes(case(DRAFT, observations=observations), day(90)) == ()


def test_a_recorded_mean_outweighs_that_of_the_items() -> None:
    items = (seen("peg_item", 8, 100, code="91145-3"), seen("peg_item", 8.0, 100, code="91146-1"))
    observations = (*items, seen("pain_score", 8, 100), seen("peg_mean", 6, 100), seen("peg_mean", 6, 5))
    (change,) = function_changes(case(DRAFT, observations=observations), day(90))
    assert (change.baseline, change.last) == (Fraction(6), Fraction(6))


def test_a_baseline_of_zero_has_no_percent() -> None:
    assert Change("PEG", Fraction(0), date(2026, 1, 1), Fraction(2), date(2026, 2, 1)).percent is None
