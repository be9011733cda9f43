"""What the scenarios of the organ rules cannot say: oxygen given, unreadable values, possible and graver diseases."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.case import Case
from cds.chart import Condition, Encounter, MedicationOrder, Reason
from cds.knowledge import SUMMARY_LIMIT, load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.rules.kidney import opioid_in_renal_impairment, tramadol_in_severe_renal_impairment
from cds.rules.liver import Liver, hepatic_impairment
from cds.rules.organ import NAMES, RULES, chronic_respiratory_risk, respiratory_failure
from tests.builders import ALL_ANSWERED, a_day, case, chart, day, draft, drug, patient, present, seen, tablet

RULE = dict(RULES)
KNOWLEDGE = load_group("organ")


def opioid(**fields) -> MedicationOrder:
    return draft("d1", tablet("oxycodone 5"), a_day(5, 4), **fields)


def asked(rule: str, order: MedicationOrder | None = None, **fields) -> Outcome:
    order = order or opioid()
    return RULE[rule](case(order, **fields), order)


def test_low_saturation_counts_while_no_oxygen_is_given() -> None:
    low = seen("spo2", 80)
    assert isinstance(asked("DD-18", observations=(low,)), Fires)
    assert isinstance(asked("DD-18", observations=(low, seen("inhaled_oxygen", 2))), DoesNotApply)
    assert isinstance(asked("DD-18", observations=(low, seen("inhaled_oxygen", None))), DoesNotApply)
    # Room air: nothing above the oxygen of air.
    assert isinstance(asked("DD-18", observations=(low, seen("inhaled_oxygen", 0))), Fires)
    # Oxygen of an earlier stay says nothing of this one.
    assert isinstance(asked("DD-18", observations=(low, seen("inhaled_oxygen", 2, 30))), Fires)


@pytest.mark.parametrize(("began", "ago", "fires"), [(3, 3, True), (3, 4, False), (None, 0, True), (None, 1, False)])
def test_saturation_is_that_of_this_encounter(began: int | None, ago: int, fires: bool) -> None:
    encounter = Encounter("AMB", None if began is None else day(began))
    found = asked("DD-18", encounter=encounter, observations=(seen("spo2", 80, ago),))
    assert isinstance(found, Fires) is fires


def test_an_encounter_that_begins_tomorrow_asks_for_today() -> None:
    encounter = Encounter("AMB", day(-1))
    assert isinstance(asked("DD-18", encounter=encounter, observations=(seen("spo2", 80, 0),)), Fires)


def test_unreadable_values_of_breathing_are_not_healthy_ones() -> None:
    found = asked("DD-18", observations=(seen("spo2", None), seen("paco2", None)))
    assert isinstance(found, CannotTell)
    assert found.missing == ("labs: unreadable", "vitals: unreadable")


def test_several_signs_are_all_told_and_the_gravest_names_the_card() -> None:
    found = asked(
        "DD-18",
        conditions=(present("asthma_severe", since=date(2020, 1, 1)), present("respiratory_failure_hypercapnic")),
        observations=(seen("paco2", "55.5"),),
    )
    assert isinstance(found, Fires)
    assert found.facts["breathing"] == "hypercapnic respiratory failure"
    assert found.facts["breathings"] == (
        "hypercapnic respiratory failure; PaCO2 55.5 mmHg on 2026-06-15; severe asthma since 2020-01-01"
    )


def test_hospice_as_the_reason_of_the_order_counts() -> None:
    order = opioid(reasons=(Reason(frozenset({"palliative"}), "hospice care"),))
    found = asked("DD-18", order, conditions=(present("respiratory_failure_acute"),))
    assert isinstance(found, Fires)
    assert (found.indicator, found.words) == ("warning", "palliative")


def test_an_index_a_little_below_the_limit_is_not_rounded_up() -> None:
    # 159.99 kg at 2 m: 39.9975
    values = (seen("weight", "159.99"), seen("height", 200))
    assert isinstance(asked("DD-19", observations=values), DoesNotApply)


def test_an_old_index_gives_way_to_weight_and_height_and_then_to_the_list() -> None:
    old = seen("bmi", 45, 366)
    listed = (present("obesity_severe"),)
    found = asked("DD-19", observations=(old, seen("weight", 70), seen("height", 170)), conditions=listed)
    assert isinstance(found, DoesNotApply)
    found = asked("DD-19", observations=(old,), conditions=listed)
    assert isinstance(found, Fires)
    assert found.facts["breathing"] == "severe obesity"
    assert isinstance(asked("DD-19", observations=(seen("weight", 170), seen("height", 0))), DoesNotApply)


def test_conditions_unknown_and_a_managed_risk_leave_the_question_open() -> None:
    unlisted = {**ALL_ANSWERED, "conditions": "partial"}
    mild = (present("asthma_mild_moderate"),)
    found = asked("DD-19", conditions=mild, questions=unlisted)
    assert isinstance(found, CannotTell)
    assert found.missing == ("conditions: partial",)


def test_cpap_on_the_problem_list_is_treatment() -> None:
    treated = (present("obstructive_sleep_apnea"), present("cpap"))
    found = asked("DD-19", conditions=treated)
    assert isinstance(found, Fires)
    assert (found.indicator, found.words) == ("info", "managed")


def test_impaction_where_the_list_is_partial_warns_and_says_so() -> None:
    found = asked("DD-20", conditions=(present("fecal_impaction"),), questions={**ALL_ANSWERED, "conditions": "failed"})
    assert isinstance(found, Fires)
    assert (found.indicator, found.unknown) == ("warning", ("conditions: failed",))


def liver_of(*names: str, meaning: str = "cirrhosis", **fields) -> Liver | tuple[str, ...] | None:
    conditions = tuple(
        Condition(f"Condition/{n}", frozenset({meaning}), name, **fields) for n, name in enumerate(names)
    )
    return hepatic_impairment(case(opioid(), conditions=conditions))


@pytest.mark.parametrize(
    ("meaning", "name", "said", "letter"),
    [
        ("cirrhosis", "Cirrhosis of liver", "cirrhosis", "B"),
        ("cirrhosis", "Decompensated cirrhosis", "decompensated cirrhosis", "C"),
        ("cirrhosis", "Cirrhosis, Child-Pugh class C", "cirrhosis, Child-Pugh C", "C"),
        ("cirrhosis", "Cirrhosis (Child Pugh A)", "cirrhosis, Child-Pugh A", "B"),
        ("hepatic_disease_severe", "Hepatic failure", "hepatic failure", "C"),
        ("hepatic_disease_severe", "Alcoholic hepatitis", "liver disease", "B"),
        ("hepatic_disease", "Chronic hepatitis, CHILD-PUGH b", "liver disease, Child-Pugh B", "B"),
    ],
)
def test_the_class_of_a_liver_disease(meaning: str, name: str, said: str, letter: str) -> None:
    assert liver_of(name, meaning=meaning) == Liver(said, said, letter)


def test_a_possible_liver_disease_is_called_so() -> None:
    assert liver_of("Cirrhosis", provisional=True, since=date(2026, 1, 2)) == Liver(
        "possible cirrhosis", "possible cirrhosis since 2026-01-02", "B"
    )


def test_the_gravest_liver_disease_counts_in_any_order() -> None:
    for names in (("Cirrhosis", "Decompensated cirrhosis"), ("Decompensated cirrhosis", "Cirrhosis")):
        found = liver_of(*names)
        assert isinstance(found, Liver)
        assert found.child_pugh == "C"


def test_a_laboratory_limit_of_its_own_wins_over_the_usual_one() -> None:
    def found(alt: str, limit: str) -> Liver | tuple[str, ...] | None:
        values = (seen("alt", alt, upper_limit=Decimal(limit)), seen("bilirubin", 3))
        return hepatic_impairment(case(opioid(), observations=values))

    assert found("165", "55") is None
    assert isinstance(found("166", "55"), Liver)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"observations": (seen("egfr", 22, 400),)}, False),
        ({"observations": (seen("egfr", 22, 400),), "patient": patient(65)}, True),
        ({"observations": (seen("egfr", 22, 400),), "patient": patient(64)}, False),
        ({"observations": (seen("egfr", 22, 400),), "conditions": (present("diabetes"),)}, True),
        ({"observations": (seen("egfr", 22, 400),), "conditions": (present("ckd_stage_unknown"),)}, True),
        ({"observations": (seen("egfr", 22, 400),), "questions": {**ALL_ANSWERED, "conditions": "failed"}}, True),
        ({}, True),
    ],
)
def test_when_a_line_says_that_the_renal_function_is_not_known(fields: dict, said: bool) -> None:
    for name in ("morphine 15", "codeine 30", "tramadol 50"):
        order = draft("d1", tablet(name), a_day(30, 2))
        found = opioid_in_renal_impairment(case(order, **fields), order)
        assert isinstance(found, CannotTell)
        assert found.said is said
        line = KNOWLEDGE["DD-15"].words[found.words].line.format_map(found.facts)
        assert ("last on" in line) is bool(fields.get("observations"))


@pytest.mark.parametrize("name", ["dihydrocodeine 30", "oxycodone 5", "hydromorphone 2"])
def test_no_line_for_opioids_that_hang_less_on_the_kidney(name: str) -> None:
    order = draft("d1", tablet(name), a_day(30, 2))
    found = opioid_in_renal_impairment(case(order), order)
    assert isinstance(found, CannotTell)
    assert not found.said


def test_one_line_alone_for_tramadol_of_unknown_renal_function() -> None:
    order = draft("d1", tablet("tramadol 50"), a_day(100, 4))
    answers = [rule(case(order), order) for rule in (opioid_in_renal_impairment, tramadol_in_severe_renal_impairment)]
    assert [isinstance(answer, CannotTell) and answer.said for answer in answers] == [True, False]


@given(value=st.decimals(0, 150, places=1))
def test_less_renal_function_is_never_less_of_a_warning(value: Decimal) -> None:
    order = draft("d1", tablet("morphine 15"), a_day(15, 3))
    found = opioid_in_renal_impairment(case(order, observations=(seen("egfr", str(value)),)), order)
    assert isinstance(found, Fires) is (value < 30)


def test_an_unrecognised_draft_and_a_draft_of_another_drug_are_silent() -> None:
    for order in (draft("d1", None), draft("d1", drug("alprazolam"))):
        for rule in RULE.values():
            assert isinstance(rule(Case([order], chart(), day(0)), order), DoesNotApply)


BREATHING = max((f"possible {name}" for name in NAMES.values()), key=len)
RENAL = "CrCl (Cockcroft-Gault) 29.9 on 2026-02-10"


@pytest.mark.parametrize(
    ("rule", "facts"),
    [
        ("DD-15", {"drug": "dihydrocodeine", "renal": RENAL}),
        ("DD-16", {"renal": RENAL}),
        ("DD-17", {"liver": "ALT 1210 and AST 1000 and bilirubin 12.5"}),
        ("DD-17", {"liver": "possible decompensated liver disease"}),
        ("DD-18", {"breathing": BREATHING}),
        ("DD-19", {"breathing": BREATHING}),
        ("DD-20", {"gut": "possible bowel obstruction"}),
        ("DD-21", {"history": "possible sedative use disorder"}),
    ],
)
def test_the_longest_facts_leave_a_summary_whole(rule: str, facts: dict[str, str]) -> None:
    for words in KNOWLEDGE[rule].words.values():
        if words.summary != words.line:  # a line of another card may be longer
            assert len(words.summary.format_map({"drug": "hydromorphone"} | facts)) <= SUMMARY_LIMIT


def test_both_rules_of_breathing_speak_once() -> None:
    order = opioid()
    seen_case = case(order, conditions=(present("copd"), present("respiratory_failure_acute")))
    first, second = respiratory_failure(seen_case, order), chronic_respiratory_risk(seen_case, order)
    assert isinstance(first, Fires)
    assert isinstance(second, Fires)
    assert (first.indicator, second.indicator, second.asks) == ("critical", "info", ())
