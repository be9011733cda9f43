"""Trials and the state of the ladder on charts built by hand."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from cds.case import Case
from cds.chart import Allergy, Condition, Dosage, MedicationOrder, Observation, Reason
from cds.drugs import Drug, recognise
from cds.exposures import first_counted_day
from cds.terminology import Concept
from cds.trials import Ladder, Trial, ladder_of
from tests.builders import ALL_ANSWERED, TODAY, chart, day, dispense, draft, order, statement

CAPSULE = "300 mg oral capsule"
DPN = Reason(frozenset({"neuropathic_definite", "diabetic_neuropathy"}), "diabetic neuropathy", False)
PHN = Reason(frozenset({"neuropathic_definite", "postherpetic_neuralgia"}), "postherpetic neuralgia", True)
NEURALGIA = Reason(frozenset({"neuropathic_definite", "trigeminal_neuralgia"}), "trigeminal neuralgia", False)


def known(text: str) -> Drug:
    found = recognise(Concept(text=text))
    assert found is not None
    return found


def a_day(amount: str, times: int = 1, **fields: Any) -> Dosage:
    from cds.chart import Quantity

    quantity = Quantity(Decimal(amount), "mg")
    return Dosage(dose_low=quantity, dose_high=quantity, frequency=Decimal(times), period=Decimal(1), **fields)


def took(text: str, mg: str, first: int, last: int, ref: str = "m1", **fields: Any) -> MedicationOrder:
    """A stopped order that ran from so many days ago to so many days ago."""
    return order(ref, known(text), a_day(mg), **{"status": "stopped", "start": day(first), "end": day(last)} | fields)


def gabapentin(first: int, last: int, mg: str = "900", ref: str = "gaba", **fields: Any) -> MedicationOrder:
    return took("gabapentin 300 mg oral capsule", mg, first, last, ref, **fields)


def nortriptyline(first: int, last: int, mg: str = "25", ref: str = "nort", **fields: Any) -> MedicationOrder:
    return took("nortriptyline 25 mg oral capsule", mg, first, last, ref, **fields)


def duloxetine(first: int, last: int, mg: str = "60", ref: str = "dulo", **fields: Any) -> MedicationOrder:
    return took("duloxetine 60 mg delayed release oral capsule", mg, first, last, ref, **fields)


def ladder(*records: MedicationOrder, reason: Reason = DPN, **fields: Any) -> Ladder:
    opioid = draft("d1", known("oxycodone 5 mg oral tablet"), reasons=(reason,))
    case = Case([opioid], chart(*records, **fields), TODAY)
    return ladder_of(case, case.drafts[0])


def trial(name: str, *records: MedicationOrder, **fields: Any) -> Trial:
    return ladder(*records, **fields).classes[name]


def allergy(*ingredients: str, roles: Iterable[str] = (), intolerance: bool | None = None) -> Allergy:
    return Allergy("AllergyIntolerance/1", frozenset(ingredients), "x", intolerance, roles=frozenset(roles))


def test_the_best_agent_of_a_class_counts() -> None:
    pregabalin = took("pregabalin 150 mg oral capsule", "300", 300, 290, "pre", stopped_for="intolerance")
    found = trial("gabapentinoid", gabapentin(200, 100), pregabalin)
    assert (found.grade, found.agent, found.outcome) == ("ADEQUATE", "gabapentin", None)
    assert trial("gabapentinoid", gabapentin(200, 190), pregabalin).agent == "pregabalin"


def test_the_longer_of_two_courses_counts() -> None:
    found = trial("gabapentinoid", gabapentin(400, 391, ref="a"), gabapentin(200, 181, ref="b"))
    assert (found.grade, found.days, found.start, found.end) == ("PARTIAL", 20, day(200), day(181))


def test_an_earlier_intolerance_does_not_taint_what_is_taken_again() -> None:
    early = gabapentin(900, 895, ref="a", stopped_for="intolerance")
    now = order("b", known("gabapentin 300 mg oral capsule"), a_day("900"), authored=day(40))
    found = trial("gabapentinoid", early, now)
    assert (found.grade, found.outcome, found.active) == ("ADEQUATE", None, True)


def test_a_failure_counts_for_its_own_course_only() -> None:
    failed = gabapentin(400, 391, ref="a", stopped_for="failure")
    assert trial("gabapentinoid", failed, gabapentin(200, 181, ref="b")).grade == "PARTIAL"


@pytest.mark.parametrize(
    ("why", "grade", "outcome"),
    [
        ("failure", "PARTIAL", "failure"),
        ("intolerance", "UNSUITABLE", "intolerance"),
        (None, "PARTIAL", None),
    ],
)
def test_a_drug_without_any_date_is_begun_for_an_unknown_time(why: str | None, grade: str, outcome: str | None) -> None:
    undated = order("m1", known("gabapentin 300 mg oral capsule"), authored=None, status="stopped", stopped_for=why)
    found = trial("gabapentinoid", undated)
    assert (found.grade, found.outcome) == (grade, outcome)
    assert found.shortfall == ("duration not known" if grade == "PARTIAL" else None)


def test_a_stop_without_a_date_leaves_the_duration_open() -> None:
    stopped = order("m1", known("gabapentin 300 mg oral capsule"), a_day("900"), authored=day(200), status="stopped")
    found = trial("gabapentinoid", stopped)
    assert (found.grade, found.shortfall, found.at_least) == ("PARTIAL", "duration not known", True)


def test_a_whole_class_may_be_recorded_as_an_allergy() -> None:
    assert trial("tca", allergies=(allergy(roles=("tca",)),)).grade == "UNSUITABLE"
    assert trial("tca", allergies=(allergy("penicillin", roles=("tca",)),)).grade == "NONE"
    assert trial("snri", allergies=(allergy("duloxetine"),)).outcome == "allergy"


def test_an_allergy_outweighs_nothing_that_was_adequate() -> None:
    found = trial("gabapentinoid", gabapentin(200, 100), allergies=(allergy("gabapentin", intolerance=True),))
    assert (found.grade, found.outcome) == ("ADEQUATE", "intolerance")


@pytest.mark.parametrize(
    ("name", "status", "grade"),
    [
        ("acute angle-closure glaucoma", "present", "UNSUITABLE"),
        ("uncontrolled narrow-angle glaucoma", "present", "UNSUITABLE"),
        ("narrow-angle glaucoma", "present", "NONE"),
        ("acute angle-closure glaucoma", "history", "NONE"),
    ],
)
def test_only_uncontrolled_glaucoma_rules_an_snri_out(name: str, status: str, grade: str) -> None:
    glaucoma = Condition("Condition/1", frozenset({"glaucoma_narrow"}), name, status)
    assert trial("snri", conditions=(glaucoma,)).grade == grade
    assert trial("tca", conditions=(glaucoma,)).grade == "NONE"


def test_two_orders_side_by_side_add_up() -> None:
    morning = order("a", known("gabapentin 300 mg oral capsule"), a_day("300"), authored=day(60))
    night = order("b", known("gabapentin 600 mg oral tablet"), a_day("600"), authored=day(60))
    assert trial("gabapentinoid", morning, night).grade == "ADEQUATE"
    assert trial("gabapentinoid", morning).shortfall == "dose"


def test_the_same_drug_reported_and_ordered_counts_once() -> None:
    ordered = order("a", known("gabapentin 300 mg oral capsule"), a_day("600"), authored=day(60))
    reported = statement("b", known("gabapentin 300 mg oral capsule"), a_day("600"), start=day(60))
    assert trial("gabapentinoid", ordered, reported).highest_mg == 600


def test_steps_of_a_titration_follow_each_other() -> None:
    steps = (
        a_day("300", sequence=1, bounds_days=Decimal(10)),
        a_day("600", sequence=2, bounds_end=day(40)),
        a_day("900", sequence=3),
    )
    taken = order("a", known("gabapentin 300 mg oral capsule"), *steps, authored=day(60))
    found = trial("gabapentinoid", taken)
    assert (found.days, found.taken_days, found.grade, found.highest_mg) == (40, 61, "ADEQUATE", 900)


def test_a_step_of_unknown_length_fills_the_rest() -> None:
    steps = (a_day("300", sequence=1), a_day("900", sequence=2))
    taken = order("a", known("gabapentin 300 mg oral capsule"), *steps, authored=day(60))
    found = trial("gabapentinoid", taken)
    assert (found.grade, found.shortfall, found.highest_mg) == ("PARTIAL", "dose", 300)


def test_a_step_that_ended_before_it_began_is_passed_over() -> None:
    steps = (
        a_day("300", sequence=1, bounds_days=Decimal(30)),
        a_day("600", sequence=2, bounds_end=day(59)),
        a_day("900", sequence=3),
    )
    taken = order("a", known("gabapentin 300 mg oral capsule"), *steps, authored=day(60))
    assert trial("gabapentinoid", taken).days == 61 - 30


def test_a_titration_that_is_not_yet_at_its_last_step() -> None:
    steps = (a_day("300", sequence=1, bounds_days=Decimal(30)), a_day("900", sequence=2))
    taken = order("a", known("gabapentin 300 mg oral capsule"), *steps, authored=day(9))
    assert trial("gabapentinoid", taken).days == 0


def test_a_cream_is_no_trial_of_the_swallowed_drug() -> None:
    assert trial("tca", took("doxepin 5 % topical cream", "30", 200, 100)).grade == "NONE"


def test_one_application_of_capsaicin_is_judged_after_28_days() -> None:
    def applied(ago: int) -> Trial:
        return trial("topical", took("capsaicin 8 % patch", "179", ago, ago), reason=PHN)

    assert applied(27).grade == "ADEQUATE"
    assert applied(26).grade == "PARTIAL"


def test_the_history_reaches_five_years_back() -> None:
    assert first_counted_day(date(2026, 3, 1)) == date(2021, 3, 1)
    assert first_counted_day(date(2024, 2, 29)) == date(2019, 2, 28)


def test_days_before_the_history_are_cut_off() -> None:
    found = trial("gabapentinoid", gabapentin(2000, 1816))
    assert found.start == first_counted_day(TODAY)
    assert found.taken_days == (day(1816) - first_counted_day(TODAY)).days + 1


def test_what_begins_tomorrow_is_not_taken() -> None:
    assert trial("gabapentinoid", gabapentin(-1, -90)).grade == "NONE"


def test_a_drug_stopped_in_this_signing_is_not_active() -> None:
    taken = order("a", known("gabapentin 300 mg oral capsule"), a_day("900"), authored=day(60))
    opioid = draft("d1", known("oxycodone 5 mg oral tablet"), reasons=(DPN,))
    stop = order("a", known("gabapentin 300 mg oral capsule"), a_day("900"), status="stopped")
    case = Case([opioid, stop], chart(taken), TODAY)
    assert not ladder_of(case, opioid).classes["gabapentinoid"].active


def test_unknown_history_is_no_history() -> None:
    questions = {**ALL_ANSWERED} | dict.fromkeys(("medications", "statements", "dispenses"), "failed")
    found = ladder(questions=questions)
    assert found.state == "unknown"
    assert found.not_seen == ("medications: failed", "statements: failed", "dispenses: failed")


def test_a_source_that_is_missing_makes_it_at_least() -> None:
    found = ladder(gabapentin(200, 181), questions={**ALL_ANSWERED, "dispenses": "failed"})
    assert found.state == "S0"
    assert found.classes["gabapentinoid"].at_least
    assert found.unknown == ("dispenses: failed",)


def test_the_sodium_channel_blocker_counts_in_trigeminal_neuralgia_only() -> None:
    taken = took("carbamazepine 200 mg oral tablet", "400", 200, 100)
    assert ladder(taken, reason=NEURALGIA).state == "S1"
    assert ladder(taken).state == "S0"


def test_carbamazepine_left_to_try_keeps_the_step() -> None:
    others = (gabapentin(300, 250, stopped_for="intolerance"), duloxetine(200, 150, stopped_for="intolerance"))
    found = ladder(*others, reason=NEURALGIA, allergies=(allergy("nortriptyline"),))
    assert (found.state, found.untried) == ("S2", ("sodium_channel_blocker",))
    all_out = (allergy("nortriptyline"), allergy("carbamazepine"))
    assert ladder(*others, reason=NEURALGIA, allergies=all_out).state == "S3"


def test_the_kidneys_decide_whether_a_low_dose_was_enough() -> None:
    low = gabapentin(200, 100, mg="400")
    egfr = Observation("Observation/1", "egfr", Decimal(45), day(10))
    assert ladder(low, observations=(egfr,)).state == "S1"
    hidden = ladder(low, questions={**ALL_ANSWERED, "egfr": "not provided"})
    assert hidden.state == "S0"
    assert "egfr: not provided" in hidden.unknown
    assert (
        "egfr: not provided"
        not in ladder(duloxetine(200, 100, mg="30"), questions={**ALL_ANSWERED, "egfr": "not provided"}).unknown
    )


def test_an_adequate_tramadol_trial_leads_to_the_last_step() -> None:
    pair = (gabapentin(300, 200), nortriptyline(300, 200))
    assert ladder(*pair).state == "S3"
    assert ladder(*pair).pair == ("gabapentinoid", "tca")
    assert ladder(*pair, took("tramadol 50 mg oral tablet", "200", 150, 100, "t")).state == "S4"
    assert ladder(*pair, took("tramadol 50 mg oral tablet", "150", 150, 100, "t")).state == "S3"
    assert ladder(*pair, allergies=(allergy("tramadol"),)).state == "S3"
    assert ladder(*pair, allergies=(allergy("tramadol", intolerance=True),)).state == "S4"


RECORDS = st.lists(
    st.builds(
        lambda make, first, length, mg, why, at: make(
            first, max(first - length, 0), mg=mg, ref=f"r{at}", stopped_for=why
        ),
        st.sampled_from((gabapentin, nortriptyline, duloxetine)),
        st.integers(0, 900),
        st.integers(0, 60),
        st.sampled_from(("10", "25", "60", "300", "900")),
        st.sampled_from((None, "failure", "intolerance")),
        st.integers(0, 10_000),
    ),
    max_size=5,
    unique_by=lambda record: record.ref,
)


@given(RECORDS, st.randoms(use_true_random=False))
def test_the_order_of_records_changes_nothing(records: list[MedicationOrder], chance: Any) -> None:
    shuffled = list(records)
    chance.shuffle(shuffled)
    one, other = ladder(*records), ladder(*shuffled)
    assert one.state == other.state
    assert {name: found.grade for name, found in one.classes.items()} == {
        name: found.grade for name, found in other.classes.items()
    }


@given(RECORDS, st.sampled_from((gabapentin, nortriptyline, duloxetine)), st.integers(28, 60))
def test_one_more_adequate_trial_never_lowers_the_state(records: list[MedicationOrder], make: Any, length: int) -> None:
    before = ladder(*records).state
    after = ladder(*records, make(2 * length + 1000, length + 1000, mg="900", ref="more")).state
    assert after >= before


@given(RECORDS)
def test_hiding_allergies_never_raises_the_state(records: list[MedicationOrder]) -> None:
    known_all = ladder(*records, allergies=(allergy("gabapentin"), allergy("duloxetine", intolerance=True)))
    hidden = ladder(*records, questions={**ALL_ANSWERED, "allergies": "not provided"})
    assert hidden.state <= known_all.state
    assert "allergies: not provided" in hidden.unknown


@given(st.integers(1, 60), st.booleans())
def test_a_trial_is_adequate_from_its_day_on(length: int, failed: bool) -> None:
    found = trial("gabapentinoid", gabapentin(99 + length, 100, stopped_for="failure" if failed else None))
    assert found.days == length
    assert (found.grade == "ADEQUATE") == (length >= (14 if failed else 28))
    assert found.end is not None and found.start is not None
    assert found.end - found.start == timedelta(days=length - 1)


# Titrations without numbers


def titrated(*dosages: Dosage, first: int = 60, supply: int | None = 30, **fields: Any) -> Trial:
    drug = known("gabapentin 300 mg oral capsule")
    said = {"status": "completed", "authored": day(first), "supply_days": supply} | fields
    return trial("gabapentinoid", order("a", drug, *dosages, **said))


def weeks(mg: str, count: int, **fields: Any) -> Dosage:
    return a_day(mg, bounds_days=Decimal(7 * count), **fields)


def period(mg: str, first: int | None, last: int | None, **fields: Any) -> Dosage:
    start, end = None if first is None else day(first), None if last is None else day(last)
    return a_day(mg, bounds_start=start, bounds_end=end, **fields)


@pytest.mark.parametrize(
    ("dosages", "days", "highest"),
    [
        # by length: the last goes on to the end of the supply
        ([weeks("300", 2), weeks("600", 2), a_day("900")], 2, 600),
        ([weeks("300", 1), weeks("600", 1), a_day("900")], 16, 900),
        ([weeks("300", 1), weeks("900", 2)], 23, 900),
        ([weeks("300", 2), weeks("900", 2)], 16, 900),
        ([weeks("300", 6), a_day("900")], 0, 300),
        ([weeks("300", 2, sequence=1), weeks("600", 2, sequence=1), a_day("900", sequence=1)], 2, 600),
        # by dates
        ([period("300", 60, 47), period("600", 46, 33), period("900", 32, None)], 2, 600),
        ([period("300", 60, 46), period("600", 46, 32), period("900", 32, 31)], 2, 600),
        ([period("300", 60, 46, sequence=1), period("900", 46, None, sequence=2)], 16, 900),
        ([period("300", None, 47), period("600", None, 33), a_day("900")], 2, 600),
        ([weeks("300", 2), period("900", 46, None)], 16, 900),
        ([period("300", 60, 51), period("900", 45, None)], 15, 900),
        # side by side
        ([a_day("300"), a_day("600")], 30, 900),
        ([period("300", 60, 31), period("600", 60, 31)], 30, 900),
        ([period("300", None, 31), period("600", None, 31)], 30, 900),
        ([period("600", 60, None), period("300", 60, 41)], 20, 900),
        ([weeks("300", 5), weeks("600", 5)], 30, 900),
        # one of a moment beside numbered steps
        ([a_day("300"), weeks("300", 2, sequence=1), a_day("600", sequence=2)], 16, 900),
    ],
)
def test_instructions_without_numbers_follow_by_length_or_by_date(
    dosages: list[Dosage], days: int, highest: int
) -> None:
    found = titrated(*dosages)
    assert (found.days, found.highest_mg, found.shortfall == "dose not known") == (days, highest, False)


@pytest.mark.parametrize(
    "dosages",
    [
        [a_day("300"), weeks("600", 2)],  # a dose on top, or the dose that came before?
        [weeks("300", 1), a_day("600"), weeks("900", 2)],
    ],
)
def test_steps_that_cannot_be_told_leave_the_dose_open(dosages: list[Dosage]) -> None:
    found = titrated(*dosages)
    assert (found.grade, found.shortfall, found.highest_mg) == ("ADEQUATE", "dose not known", None)


def test_no_dose_is_held_where_that_of_most_days_is_not_known() -> None:
    found = trial("gabapentinoid", gabapentin(60, 51, ref="a"), replace(gabapentin(50, 31, ref="b"), dosages=()))
    assert (found.days, found.highest_mg, found.shortfall) == (30, None, "dose not known")


def test_instructions_for_other_days_than_those_of_the_fill_tell_no_dose() -> None:
    drug = known("gabapentin 300 mg oral capsule")
    filled = dispense("a", drug, 60, 30, period("300", 30, 20), period("900", 20, 10))
    assert trial("gabapentinoid", filled).shortfall == "dose not known"


@pytest.mark.parametrize(("moments", "highest"), [(1, 900), (0, 300)])
def test_equal_lengths_without_a_supply_are_of_one_day_where_each_has_its_moment(moments: int, highest: int) -> None:
    found = titrated(weeks("300", 2, when=moments), weeks("600", 2, when=moments), supply=None)
    assert (found.taken_days, found.highest_mg) == (14, highest)


@pytest.mark.parametrize(
    ("text", "days", "highest"),
    [
        ("Take 1 capsule at bedtime for 14 days, then 1 capsule twice a day for 7 days, then 1 capsule tid", 9, 600),
        ("1 cap daily for 14 days 1 cap tid", 16, 900),
        ("1 cap daily then 1 cap tid", 0, 300),
        ("1 capsule in the morning and 2 capsules at bedtime", 30, 900),
        ("1 capsule in the morning then 2 capsules at bedtime", 30, 900),
        ("1 capsule three times a day", 30, 900),
        ("1 cap q8h prn mod pain, 2 caps q8h prn severe pain", 30, 1800),
    ],
)
def test_the_steps_of_one_text_follow_each_other(text: str, days: int, highest: int) -> None:
    found = titrated(Dosage(text=text))
    assert (found.days, found.highest_mg) == (days, highest)


def test_the_length_of_a_step_may_stand_in_its_text() -> None:
    steps = ("1 capsule at bedtime for 14 days", "1 capsule twice a day for 14 days", "1 capsule three times a day")
    assert titrated(*[Dosage(text=text) for text in steps]).days == 2
    assert titrated(*[Dosage(text=text, sequence=at) for at, text in enumerate(steps, start=1)]).days == 2


def test_a_step_without_an_end_in_the_calendar_fills_the_rest() -> None:
    steps = (a_day("300", sequence=1, bounds_days=Decimal(10**9)), a_day("900", sequence=2))
    assert titrated(*steps).highest_mg == 300


def test_the_fills_of_a_titration_go_on_where_the_last_one_ended() -> None:
    drug = known("gabapentin 300 mg oral capsule")
    steps = (weeks("300", 2), weeks("600", 2), a_day("900"))
    first = dispense("a", drug, 100, 30, *steps)
    assert trial("gabapentinoid", first, dispense("b", drug, 70, 30, *steps)).days == 32
    assert trial("gabapentinoid", first, dispense("b", drug, 56, 30, *steps)).days == 32
    assert trial("gabapentinoid", first, dispense("b", drug, 55, 30, *steps)).days == 2
    assert trial("gabapentinoid", first, dispense("b", drug, 70, 30, a_day("900"))).days == 32


# Failures and intolerance at another dose


def low_then(
    now: MedicationOrder | None, *, low: str = "300", last: int = 14, dosages: tuple[Dosage, ...] | None = None
) -> Trial:
    """So much a day until so many days ago, failed; then what is given."""
    failed = gabapentin(27, last, mg=low, ref="low", stopped_for="failure")
    failed = failed if dosages is None else replace(failed, dosages=dosages)
    return trial("gabapentinoid", failed) if now is None else trial("gabapentinoid", failed, now)


def test_a_failure_below_the_minimum_does_not_judge_the_working_dose() -> None:
    ended = gabapentin(13, 0, ref="now")
    assert (low_then(ended).grade, low_then(ended).outcome) == ("PARTIAL", None)
    assert low_then(gabapentin(14, 0, ref="now")).outcome is None, "the last day of one is the first of the other"
    assert low_then(ended, low="900").outcome == "failure"
    assert low_then(ended, dosages=()).outcome == "failure", "a dose that is not known may have been enough"
    assert (low_then(None).grade, low_then(None).outcome) == ("PARTIAL", "failure"), "nothing else was taken: said"
    assert low_then(None, low="900").grade == "ADEQUATE"
    assert low_then(None, low="900", last=27).outcome == "failure", "one day"


def test_a_failure_does_not_judge_what_is_taken_today() -> None:
    now = order("b", known("gabapentin 300 mg oral capsule"), a_day("1800"), authored=day(5))
    found = low_then(now, low="900", last=12)
    assert (found.grade, found.outcome, found.active, found.days) == ("PARTIAL", None, True, 22)


def test_an_intolerance_in_the_course_that_runs_counts() -> None:
    now = order("b", known("gabapentin 300 mg oral capsule"), a_day("900"), authored=day(5))
    early = gabapentin(15, 12, ref="a", stopped_for="intolerance")
    assert trial("gabapentinoid", early, now).grade == "UNSUITABLE"


def test_a_failure_below_the_minimum_does_not_judge_a_pair() -> None:
    pair = (gabapentin(60, 45, ref="g"), nortriptyline(60, 45))
    low = gabapentin(62, 60, mg="300", ref="low", stopped_for="failure")
    assert ladder(*pair, low).pair is None
    assert ladder(*pair, replace(low, dosages=(a_day("900"),))).pair is not None
