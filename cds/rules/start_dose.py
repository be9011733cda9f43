"""Dose, the start in an opioid-naive patient (DD-26)."""

from msgspec.structs import replace

from cds.breathing import (
    SLEEP_APNOEA,
    acting_on_breathing,
    age_missing,
    disease,
    one_off,
    opioid_name,
    sedative_name,
    starts_opioid,
)
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.course import naive
from cds.dose import daily_dose
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Indicator, Outcome
from cds.scope import depressant_class, opioids_of
from cds.substances import dated
from cds.totals import mme_missing, shown

KNOWLEDGE = load_group("dose")

START_SINGLE = {
    drug: KNOWLEDGE["DD-26"].number(f"{drug}_single_mg")
    for drug in ("tramadol", "hydromorphone", "oxycodone", "morphine")
}
START_DAILY = {drug: KNOWLEDGE["DD-26"].number(f"{drug}_mg_per_day") for drug in ("tramadol", "methadone")}
SEED_SINGLE = KNOWLEDGE["DD-26"].number("tramadol_start_single_mg")
SEED_DAILY = KNOWLEDGE["DD-26"].number("tramadol_start_mg_per_day")
HALVED_AGE = KNOWLEDGE["DD-26"].days("halved_from_years")
OLDER_AGE = KNOWLEDGE["DD-26"].days("older_from_years")

CKD = (
    "dialysis", "ckd_stage_5d", "ckd_stage_5", "ckd_stage_4", "ckd_stage_3b", "ckd_stage_3a", "ckd_stage_3",
    "ckd_stage_2", "ckd_stage_1", "ckd_stage_unknown", "kidney_transplant",
)  # fmt: skip
MONITORED = frozenset({"IMP", "ACUTE"})
NOT_AN_OPIOID = DoesNotApply("no opioid is started")


def dose_too_high_to_start(case: Case, draft: MedicationOrder) -> Outcome:
    """Start an opioid-naive patient on the lowest dose: single doses and the first day within the limits, halved from
    age 75 or with frailty, kidney disease, sleep apnoea or a sedative."""
    if not starts_opioid(draft) or one_off(draft):
        return NOT_AN_OPIOID
    encounter = case.chart.encounter
    if encounter is not None and encounter.encounter_class in MONITORED:
        return DoesNotApply("monitored setting")
    excess = _excess(case, draft)
    if isinstance(excess, DoesNotApply):
        return excess
    is_naive = naive(case)
    if is_naive is False:
        return DoesNotApply("not opioid-naive")
    if isinstance(excess, CannotTell):
        return excess
    if is_naive is None or case.exclusion(draft).because == "treatment of opioid use disorder":
        missing = () if case.history_known else (case.missing("medications"),)
        return CannotTell(missing or ("opioid tolerance: not recorded",), said=True, facts=excess.facts)
    return excess


def _excess(case: Case, draft: MedicationOrder) -> Fires | DoesNotApply | CannotTell:
    """What is too high for someone who takes no opioid, whether or not this patient does."""
    missing: list[str] = []
    milder: list[Fires] = []
    drug = opioid_name(draft)
    for ingredient in opioids_of(draft):
        dose = daily_dose(draft, ingredient)
        if dose.reason is not None and (ingredient in START_SINGLE or ingredient in START_DAILY):
            missing.append(f"dose of {draft.ref}: {dose.reason}")
        single = dose.single if dose.unit == "mg" else None
        daily = dose.maximum if dose.unit == "mg" else None
        limit = START_SINGLE.get(ingredient)
        if single is not None and limit is not None and single > limit / 2:
            facts = {"drug": ingredient, "single_dose_mg": number(single), "limit_mg": number(limit)}
            halved = _halving(case, facts | {"limit_mg": number(limit / 2)})
            if isinstance(halved, Fires) and halved.indicator == "warning":
                return halved
            if single > limit:
                return _start(facts, "warning", "default")
            milder += [halved] if isinstance(halved, Fires) else []
            missing += halved.missing if isinstance(halved, CannotTell) else ()
        per_day = START_DAILY.get(ingredient)
        if daily is not None and per_day is not None and daily > per_day:
            return _start(
                {"drug": ingredient, "mg_per_day": number(daily), "limit_mg_per_day": number(per_day)},
                "warning",
                "daily",
            )
        if ingredient == "tramadol" and ((single or 0) > SEED_SINGLE or (daily or 0) > SEED_DAILY):
            start = {"drug": ingredient, "limit_mg": number(SEED_SINGLE), "limit_mg_per_day": number(SEED_DAILY)}
            milder.append(_start(start, "info", "tramadol_start"))
    day_one = case.number_of(KNOWLEDGE["DD-26"], "day_one_mme_per_day")
    if case.mme_after.at_least > day_one:
        exact = "mme_per_day" if case.mme_after.total is not None and case.medications_known else "mme_at_least"
        facts = {"drug": drug, exact: shown(case.mme_after.at_least), "threshold_mme_per_day": number(day_one)}
        mme = f"{'' if exact == 'mme_per_day' else 'at least '}{shown(case.mme_after.at_least)} MME"
        return _start(facts | {"mme": mme}, "warning", "first_day")
    if milder:
        return replace(milder[0], unknown=tuple(dict.fromkeys((*milder[0].unknown, *missing))))
    missing += mme_missing(case)
    return CannotTell(tuple(dict.fromkeys(missing))) if missing else DoesNotApply("within the start doses")


def _start(facts: dict[str, str], indicator: Indicator, words: str) -> Fires:
    return Fires(indicator, facts, words, ("start_dose",) if indicator == "warning" else ())


def _halving(case: Case, facts: dict[str, str]) -> Fires | CannotTell | DoesNotApply:
    """A single dose above half the limit: too high where something halves it."""
    named, missing = [], []
    old = case.aged(HALVED_AGE)
    if old:
        named.append(f"age {case.age}" if case.age is not None else f"age {HALVED_AGE} or more")
    elif old is None:
        missing.append(age_missing(case))
    frailty, kidney = case.condition("frailty"), case.condition(*CKD)
    named += [
        dated(name, found.since) for name, found in (("frailty", frailty), ("chronic kidney disease", kidney)) if found
    ]
    apnoea = disease(case, *SLEEP_APNOEA)
    named += [apnoea] if apnoea else []
    named += [sedative_name(order) for order in acting_on_breathing(case) if depressant_class(order) is not None]
    if named:
        return _start(facts | {"halved_for": named[0], "halving": "; ".join(named)}, "warning", "halved")
    missing += [] if "conditions" in case.answered else [case.missing("conditions")]
    missing += [] if case.medications_known else [case.missing("medications")]
    if case.aged(OLDER_AGE):
        age = str(case.age) if case.age is not None else f"{OLDER_AGE} or more"
        return replace(_start(facts | {"age_years": age}, "info", "older"), unknown=tuple(missing))
    return CannotTell(tuple(missing)) if missing else DoesNotApply("nothing halves the limit")
