"""Risks of the patient that several groups of rules ask for, by the numbers of DD-02 and DD-06."""

from cds.breathing import (
    NEUROMUSCULAR,
    SLEEP_APNOEA,
    acting_on_breathing,
    age_missing,
    chronic_lung_disease,
    class_name,
    disease,
    is_gabapentinoid,
    pairs,
    sedative_name,
)
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.knowledge import load_group
from cds.once import once_a_chart, once_an_order
from cds.scope import depressant_class
from cds.substances import NOTHING, Alcohol, AlcoholLimits, Risks, hazardous_alcohol
from cds.totals import daily_total

KNOWLEDGE = load_group("sedation")

RISK_AGE = KNOWLEDGE["DD-02"].days("age_years")
RISK_EGFR = KNOWLEDGE["DD-02"].number("egfr_below_ml_per_min")
HIGH_DOSES = {
    "gabapentin": KNOWLEDGE["DD-02"].number("gabapentin_above_mg_per_day"),
    "pregabalin": KNOWLEDGE["DD-02"].number("pregabalin_above_mg_per_day"),
}
ALCOHOL_LIMITS = AlcoholLimits(
    audit_c_men=KNOWLEDGE["DD-06"].number("audit_c_men_points"),
    audit_c_women=KNOWLEDGE["DD-06"].number("audit_c_women_points"),
    audit=KNOWLEDGE["DD-06"].number("audit_points"),
    drinks_men=KNOWLEDGE["DD-06"].number("drinks_men_above_per_week"),
    drinks_women=KNOWLEDGE["DD-06"].number("drinks_women_above_per_week"),
    answer_days=KNOWLEDGE["DD-06"].days("answer_within_days"),
    remission_months=KNOWLEDGE["DD-06"].days("remission_months"),
)


@once_an_order
def gabapentinoid_pairs(case: Case, draft: MedicationOrder) -> tuple[tuple[MedicationOrder, MedicationOrder], ...]:
    """The pairs of an opioid and a gabapentinoid that this draft makes."""
    return pairs(case, draft, is_gabapentinoid)


@once_an_order
def gabapentinoid_risks(case: Case, draft: MedicationOrder) -> Risks:
    """What makes a gabapentinoid beside an opioid a danger to this patient; nothing where there is no such pair."""
    if not gabapentinoid_pairs(case, draft):
        return NOTHING
    named, missing = [], []
    old = case.aged(RISK_AGE)
    if old:
        named.append(f"age {case.age}" if case.age is not None else f"age {RISK_AGE} or more")
    elif old is None:
        missing.append(age_missing(case))
    diseases = (chronic_lung_disease(case), disease(case, *SLEEP_APNOEA), disease(case, *NEUROMUSCULAR))
    named += [name for name in diseases if name is not None]
    if "conditions" not in case.answered:
        missing.append(case.missing("conditions"))
    weak_kidneys = case.renal.below(RISK_EGFR)
    if weak_kidneys and case.renal.value is not None:
        named.append(case.renal.said)
    elif weak_kidneys is None:
        missing += case.renal.unknown
    sedatives = [order for order in acting_on_breathing(case) if depressant_class(order) is not None]
    named += [f"{sedative_name(order)} ({class_name(order)})" for order in sedatives]
    for ingredient, limit in HIGH_DOSES.items():
        if ingredient not in case.names_on_record:
            continue
        total = daily_total(case.counted, ingredient)
        if total.at_least > limit:
            named.append(f"{ingredient} {number(total.at_least)} mg a day")
        else:
            missing += total.unknown
    if not case.medications_known:
        missing.append(case.missing("medications"))
    return Risks(tuple(dict.fromkeys(named)), tuple(dict.fromkeys(missing)))


def risk_facts(case: Case, risks: Risks) -> dict[str, str]:
    """The risks as facts: the first for a summary, all for the text, and the numbers among them."""
    facts = {"risk_factor": risks.named[0], "risk_factors": "; ".join(risks.named)}
    if case.aged(RISK_AGE) and case.age is not None:
        facts["age_years"] = str(case.age)
    if case.renal.below(RISK_EGFR) and case.renal.value is not None:
        facts["renal_function_ml_per_min"] = number(case.renal.value)
    return facts


@once_a_chart
def alcohol_use(case: Case) -> Alcohol:
    """Hazardous alcohol use by the numbers of DD-06."""
    return hazardous_alcohol(case, ALCOHOL_LIMITS)
