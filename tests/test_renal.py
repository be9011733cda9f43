"""Renal function: what is believed, in which order, and why it is unknown."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.case import Case
from cds.chart import Chart, Patient
from cds.renal import RenalFunction, ckd_epi_2021, cockcroft_gault, renal_function
from tests.builders import ALL_ANSWERED, TODAY, chart, day, patient, present, seen


def read(*observations, conditions=(), **fields) -> RenalFunction:
    return function_of(chart(observations=observations, conditions=conditions, **fields))


def function_of(known: Chart) -> RenalFunction:
    return renal_function(Case((), known, TODAY))


def test_measured_clearance_comes_before_a_later_egfr() -> None:
    found = read(seen("crcl", 48, 200), seen("egfr", 70, 1))
    assert (found.value, found.kind, found.taken) == (Decimal(48), "CrCl", day(200))


def test_the_latest_egfr_counts() -> None:
    found = read(seen("egfr", 25, 30), seen("egfr", 61, 3), seen("egfr", 29, 300))
    assert (found.value, found.kind, found.taken, found.race_based) == (Decimal(61), "eGFR", day(3), False)


def test_of_two_values_of_one_day_the_worse_counts() -> None:
    assert read(seen("egfr", 61, 3), seen("egfr", 58, 3)).value == 58
    assert read(seen("egfr", 58, 3), seen("egfr", 61, 3)).value == 58
    worse = read(seen("creatinine", 1, 3), seen("creatinine", 2, 3))
    assert worse.value == ckd_epi_2021(Decimal(2), 50, "female")


def test_a_value_of_tomorrow_or_without_a_day_is_no_value() -> None:
    assert read(seen("egfr", 20, -1)).value is None
    assert read(seen("egfr", 20, None)).value is None


@pytest.mark.parametrize(
    ("ago", "conditions", "age", "known"),
    [
        (365, (), 50, True),
        (366, (), 50, False),
        (90, ("ckd_stage_unknown",), 50, True),
        (91, ("ckd_stage_unknown",), 50, False),
        (90, (), 75, True),
        (91, (), 75, False),
        (91, (), 74, True),
    ],
)
def test_the_window(ago: int, conditions: tuple[str, ...], age: int, known: bool) -> None:
    found = read(seen("egfr", 40, ago), conditions=tuple(map(present, conditions)), patient=patient(age))
    assert (found.value == 40) is known
    if not known:
        window = 365 if ago > 300 else 90
        assert found.unknown == (f"egfr: older than {window} days",)
        assert found.stale == day(ago)


def test_the_window_shortens_on_the_birthday() -> None:
    birthday = Patient(date(1951, 6, 15), date(1951, 6, 15), "male")
    day_before = Patient(date(1951, 6, 16), date(1951, 6, 16), "male")
    assert read(seen("egfr", 40, 91), patient=birthday).value is None
    assert read(seen("egfr", 40, 91), patient=day_before).value == 40


def test_race_based_values_count_only_when_nothing_else_is_there_and_are_named() -> None:
    old = seen("egfr_race_based", 35, 10)
    found = read(old)
    assert (found.value, found.race_based) == (Decimal(35), True)
    assert not read(old, seen("egfr", 50, 300)).race_based
    assert read(old, seen("creatinine", "1.0", 20)).kind == "eGFR (CKD-EPI 2021)"


def test_creatinine_with_weight_is_cockcroft_gault_without_it_ckd_epi() -> None:
    creatinine = seen("creatinine", "1.2", 5)
    found = read(creatinine, seen("weight", 60, 365))
    assert (found.kind, found.taken) == ("CrCl (Cockcroft-Gault)", day(5))
    assert found.value == Decimal("53.1")  # 90 * 60 / (72 * 1.2) * 0.85 = 53.125
    for weight in (seen("weight", 60, 366), seen("weight", 0), seen("weight", None)):
        assert read(creatinine, weight).kind == "eGFR (CKD-EPI 2021)"


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "expected"),
    [
        # Worked by hand from the published coefficients.
        ("1.0", 50, "male", "91.5"),
        ("1.0", 50, "female", "68.6"),
        ("0.6", 30, "female", "123.7"),
        ("2.5", 70, "male", "26.9"),
    ],
)
def test_ckd_epi_2021(creatinine: str, age: int, sex: str, expected: str) -> None:
    value = ckd_epi_2021(Decimal(creatinine), age, sex)
    female = sex == "female"
    kappa, alpha = (0.7, -0.241) if female else (0.9, -0.302)
    ratio = float(creatinine) / kappa
    exact = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age * (1.012 if female else 1)
    assert float(value) <= exact < float(value) + 0.1
    assert abs(value - Decimal(expected)) < Decimal("0.5")


@given(
    creatinine=st.decimals("0.2", "15", places=2),
    age=st.integers(18, 110),
    kg=st.decimals("35", "200", places=1),
)
def test_a_woman_has_the_lower_clearance_and_more_creatinine_never_a_higher_one(
    creatinine: Decimal, age: int, kg: Decimal
) -> None:
    man, woman = (cockcroft_gault(creatinine, age, kg, sex) for sex in ("male", "female"))
    assert 0 <= woman <= man
    more = creatinine + Decimal("0.1")
    assert cockcroft_gault(more, age, kg, "male") <= man
    assert ckd_epi_2021(more, age, "female") <= ckd_epi_2021(creatinine, age, "female")


def test_a_computed_value_just_below_a_limit_stays_below_it() -> None:
    # 75 * 28.799 / (72 * 1) = 29.9989...
    value = cockcroft_gault(Decimal(1), 65, Decimal("28.799"), "male")
    assert value == Decimal("29.9")


@pytest.mark.parametrize(
    ("stage", "bound"),
    [
        ("ckd_stage_1", 90), ("ckd_stage_2", 60), ("ckd_stage_3", 30), ("ckd_stage_3a", 45), ("ckd_stage_3b", 30),
        ("ckd_stage_4", 15), ("ckd_stage_5", 0),
    ],
)  # fmt: skip
def test_a_stage_gives_its_lower_bound(stage: str, bound: int) -> None:
    found = read(conditions=(present(stage),))
    assert (found.value, found.kind, found.unknown) == (Decimal(bound), "CKD stage", ())


def test_of_two_stages_the_worse_counts_and_a_value_comes_before_them() -> None:
    stages = (present("ckd_stage_3"), present("ckd_stage_4"))
    assert read(conditions=stages).value == 15
    assert read(seen("egfr", 38, 90), conditions=stages).value == 38


def test_a_stage_never_gives_more_than_a_value_that_is_too_old() -> None:
    stage = (present("ckd_stage_3a"),)
    lower = read(seen("egfr", 22, 400), conditions=stage)
    assert (lower.value, lower.kind, lower.stale) == (Decimal(22), "CKD stage", day(400))
    assert read(seen("egfr", 80, 400), conditions=stage).value == 45
    creatinine_only = read(seen("creatinine", 1, 400), conditions=stage)
    assert (creatinine_only.value, creatinine_only.stale) == (Decimal(45), day(400))


@pytest.mark.parametrize("status", ["history", "refuted"])
def test_a_stage_that_is_not_present_says_nothing(status: str) -> None:
    assert read(conditions=(present("ckd_stage_4", status=status),)).value is None


@pytest.mark.parametrize("meaning", ["dialysis", "ckd_stage_5d"])
def test_dialysis_is_below_15_unless_less_was_measured(meaning: str) -> None:
    dialysis = (present(meaning),)
    for observations in ((), (seen("egfr", 40, 3),), (seen("egfr", 14, 3),)):
        found = read(*observations, conditions=dialysis)
        assert (found.value, found.kind) == (Decimal(14), "dialysis")
        assert found.below(15)
    measured = read(seen("egfr", 6, 3), conditions=dialysis)
    assert (measured.value, measured.kind) == (Decimal(6), "eGFR")


@pytest.mark.parametrize(
    ("text", "value"),
    [(">60", 60), ("> 60 ml/min", 60), (">= 90", 90), ("<15", 14), ("<= 0", 0), ("<0.5", 0)],
)
def test_a_value_told_as_a_bound(text: str, value: int) -> None:
    assert read(seen("egfr", None, 3, text=text)).value == value


@pytest.mark.parametrize("text", ["normal", "", None, "60-90", ">1234567"])
def test_words_are_unreadable(text: str | None) -> None:
    found = read(seen("egfr", None, 3, text=text))
    assert found.value is None
    assert found.unknown == ("egfr: unreadable",)


def test_no_answer_is_named_and_an_empty_answer_too() -> None:
    assert read().unknown == ("egfr: none on record",)
    nothing = function_of(Chart())
    assert nothing.unknown == ("creatinine: not provided", "egfr: not provided")
    assert nothing.value is None
    failed = function_of(Chart(questions=ALL_ANSWERED | {"egfr": "failed"}))
    assert failed.unknown == ("egfr: failed",)
    half = function_of(Chart(questions=ALL_ANSWERED | {"creatinine": "partial"}))
    assert half.unknown == ("creatinine: partial", "egfr: none on record")


def test_a_creatinine_that_is_too_old_is_named() -> None:
    found = read(seen("creatinine", 1, 400))
    assert found.unknown == ("creatinine: older than 365 days", "egfr: none on record")
    assert found.stale == day(400)


def test_a_creatinine_below_nothing_is_unreadable() -> None:
    assert read(seen("creatinine", 0)).unknown == ("creatinine: unreadable", "egfr: none on record")


@pytest.mark.parametrize(
    ("who", "why"),
    [
        (Patient(), "patient: birth date not recorded"),
        (Patient(date(1800, 1, 1), date(1800, 1, 1), "male"), "patient: birth date not recorded"),
        (Patient(date(1976, 6, 1), date(1976, 6, 1), None), "patient: sex not recorded"),
        (Patient(date(1976, 6, 1), date(1976, 6, 1), "other"), "patient: sex not recorded"),
        (Patient(date(2008, 6, 16), date(2008, 6, 16), "male"), "patient: under 18"),
    ],
)
def test_why_a_creatinine_was_not_computed(who: Patient, why: str) -> None:
    found = read(seen("creatinine", 1, 3), patient=who)
    assert found.value is None
    assert found.unknown == tuple(sorted(("egfr: none on record", why)))


def test_a_patient_who_was_not_given() -> None:
    questions = {key: answer for key, answer in ALL_ANSWERED.items() if key != "patient"}
    found = read(seen("creatinine", 1, 3), patient=Patient(), questions=questions)
    assert found.unknown == ("egfr: none on record", "patient: not provided")


def test_an_age_known_to_the_year_is_taken_at_its_highest() -> None:
    somewhere_in_1976 = Patient(date(1976, 1, 1), date(1976, 12, 31), "male")
    found = read(seen("creatinine", 1, 3), seen("weight", 72), patient=somewhere_in_1976)
    assert found.value == 90


@pytest.mark.parametrize(("value", "below"), [(29, True), (30, False), (31, False)])
def test_below_a_limit(value: int, below: bool) -> None:
    assert RenalFunction(Decimal(value)).below(30) is below


def test_below_is_not_known_without_a_value() -> None:
    assert RenalFunction(None).below(30) is None
