"""Organs that make an opioid dangerous: kidney, lungs, gut, and the history of use (DD-15, DD-16, DD-18 to DD-21)."""

from decimal import Decimal

from cds.breathing import NEUROMUSCULAR, SLEEP_APNOEA, disease, opioid_name
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.course import dose_change, established
from cds.days import months_before
from cds.dose import daily_dose
from cds.findings import RuleFunction
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.rules.liver import opioid_in_hepatic_impairment
from cds.scope import is_opioid, opioids_of, stops
from cds.substances import dated, overdoses, use_disorders

KNOWLEDGE = load_group("organ")

SEVERE = KNOWLEDGE["DD-15"].number("severe_below_ml_per_min")
MODERATE = KNOWLEDGE["DD-15"].number("moderate_below_ml_per_min")
RENAL_AGE = KNOWLEDGE["DD-15"].days("risk_age_years")
TRAMADOL_SEVERE = KNOWLEDGE["DD-16"].number("severe_below_ml_per_min")
TRAMADOL_MG = KNOWLEDGE["DD-16"].number("maximum_mg_per_day")
TRAMADOL_HOURS = KNOWLEDGE["DD-16"].number("shortest_interval_hours")
SPO2 = KNOWLEDGE["DD-18"].number("spo2_below_percent")
PACO2 = KNOWLEDGE["DD-18"].number("paco2_above_mmhg")
ASTHMA_DAYS = KNOWLEDGE["DD-18"].days("recent_asthma_days")
GAS_DAYS = KNOWLEDGE["DD-18"].days("gas_days")
BMI = KNOWLEDGE["DD-19"].number("bmi_kg_per_m2")
BMI_DAYS = KNOWLEDGE["DD-19"].days("bmi_days")
RECENT_OVERDOSE_DAYS = KNOWLEDGE["DD-21"].days("recent_overdose_days")
REMISSION_MONTHS = KNOWLEDGE["DD-21"].days("remission_months")

ACCUMULATES = frozenset({"morphine", "codeine", "meperidine", "dihydrocodeine"})
CAREFUL_FROM_MODERATE = frozenset({"meperidine", "codeine"})
LOWER_START = frozenset({"oxycodone", "hydrocodone", "hydromorphone", "oxymorphone"})
ASKS_RENAL = ACCUMULATES | {"tramadol", "tapentadol"}
MONITORED = frozenset({"IMP", "ACUTE"})
ACUTE_BREATHING = ("respiratory_failure_hypercapnic", "respiratory_failure_acute")
ACUTE_ASTHMA = ("asthma_exacerbation", "status_asthmaticus")
LUNGS = ("copd", "interstitial_lung_disease", "chronic_lung_disease", "asthma_severe", "respiratory_failure")
GUT = ("gi_obstruction", "paralytic_ileus", "toxic_megacolon")

TENTH = Decimal("0.1")
NO_OPIOID = DoesNotApply("no opioid is started")


def _starts_opioid(case: Case, draft: MedicationOrder) -> bool:
    return not case.reverse and not stops(draft) and is_opioid(draft)


def opioid_in_renal_impairment(case: Case, draft: MedicationOrder) -> Outcome:
    """Below a clearance of 30 avoid opioids whose active products the kidney clears."""
    if not _starts_opioid(case, draft) or draft.drug is None:
        return NO_OPIOID
    drug = opioids_of(draft)[0]
    patch = drug == "fentanyl" and draft.drug.release == "TD"
    if drug not in ACCUMULATES | LOWER_START | {"tapentadol"} and not patch:
        return _renal_unknown(case, drug) if drug in ASKS_RENAL else DoesNotApply("the kidney hardly matters to it")
    if case.renal.value is None:
        return _renal_unknown(case, drug)
    facts = {"drug": drug} | renal_facts(case)
    if case.renal.value >= SEVERE:
        if drug in CAREFUL_FROM_MODERATE and case.renal.value < MODERATE:
            return Fires("info", facts, "moderate")
        return DoesNotApply("renal function is not below the limit")
    if drug in LOWER_START:
        return Fires("info", facts, "lower_start")
    if established(case, draft):
        return DoesNotApply("stable for long at this dose")
    why = (
        "Its label does not recommend it there." if drug in ("tapentadol", "fentanyl") else "Active products build up."
    )
    return Fires("warning", facts | {"why": why}, asks=("delete",))


def _renal_unknown(case: Case, drug: str) -> Outcome:
    if case.renal.value is not None:
        return DoesNotApply("renal function is known")
    at_risk = case.aged(RENAL_AGE) or case.has("diabetes", "diabetic_neuropathy", *CKD) or case.renal.stale is None
    said = drug in ASKS_RENAL and bool(at_risk)
    missing = case.renal.unknown
    why = ", ".join(dict.fromkeys(entry.partition(": ")[2] for entry in missing))
    return CannotTell(missing, said, "not_known", {"drug": drug, "renal_missing": why})


CKD = (
    "ckd_stage_1", "ckd_stage_2", "ckd_stage_3", "ckd_stage_3a", "ckd_stage_3b", "ckd_stage_4", "ckd_stage_5",
    "ckd_stage_5d", "ckd_stage_unknown", "kidney_transplant",
)  # fmt: skip


def renal_facts(case: Case) -> dict[str, str]:
    """Renal function as facts: its kind, value, and the day it was measured."""
    renal = case.renal
    return {
        "renal_kind": renal.kind or "renal function",
        "renal_ml_per_min": "" if renal.value is None else number(renal.value),
        "renal_on": "" if renal.taken is None else f" on {renal.taken.isoformat()}",
        "renal": renal.said,
    }


def tramadol_in_severe_renal_impairment(case: Case, draft: MedicationOrder) -> Outcome:
    """Below a clearance of 30 give tramadol every 12 hours, at most 200 mg a day, and no extended release."""
    if case.reverse or stops(draft) or draft.drug is None or not draft.drug.has("tramadol"):
        return DoesNotApply("no tramadol is ordered")
    severe = case.renal.below(TRAMADOL_SEVERE)
    if severe is None:
        return _renal_unknown(case, "tramadol")
    if not severe:
        return DoesNotApply("renal function is not below the limit")
    facts = {"drug": "tramadol"} | renal_facts(case)
    if draft.drug.release == "ER":
        return Fires("warning", facts, "extended_release", ("delete",))
    dose = daily_dose(draft, "tramadol")
    if dose.maximum is None:
        return CannotTell((f"dose of {draft.ref}: {dose.reason}",), True, "dose_not_known", facts)
    problems = []
    if dose.maximum > TRAMADOL_MG:
        problems.append(f"{number(dose.maximum)} mg a day")
    if dose.interval_hours is not None and dose.interval_hours < TRAMADOL_HOURS:
        problems.append(f"every {number(dose.interval_hours)} hours")
    if not problems:
        return DoesNotApply("within the label's limit")
    return Fires("warning", facts | {"problem": " ".join(problems)}, asks=("to_limit", "delete"))


def respiratory_failure(case: Case, draft: MedicationOrder) -> Outcome:
    """In respiratory failure or acute or severe asthma give no opioid outside a monitored setting."""
    if not _starts_opioid(case, draft):
        return NO_OPIOID
    if case.chart.encounter is not None and case.chart.encounter.encounter_class in MONITORED:
        return DoesNotApply("monitored setting")
    found = acute_breathing(case)
    if found:
        facts = {"drug": opioid_name(draft), "breathing": found[0], "breathings": "; ".join(found)}
        if case.has("palliative"):
            return Fires("warning", facts, "palliative", ("naloxone",))
        return Fires("critical", facts, asks=("delete",))
    missing = tuple(case.missing(key) for key in ("conditions", "labs", "vitals") if not case.chart.answers(key))
    return CannotTell(missing) if missing else DoesNotApply("no respiratory failure on record")


def acute_breathing(case: Case) -> list[str]:
    """Respiratory failure, acute or severe asthma, hypercapnia and low saturation, as a card names them."""
    found = []
    for meaning in ACUTE_BREATHING:
        condition = case.condition(meaning)
        if condition is not None:
            found.append(dated(condition.name, condition.since))
    for meaning in ACUTE_ASTHMA:
        condition = case.condition(meaning)
        if condition is not None and (condition.since is None or (case.today - condition.since).days <= ASTHMA_DAYS):
            found.append(dated(condition.name, condition.since))
    severe = case.condition("asthma_severe", "asthma_unspecified")
    if severe is not None and ("asthma_severe" in severe.meanings or severe.severe):
        found.append(dated(severe.name, severe.since))
    gas = case.latest("paco2", within_days=GAS_DAYS)
    if gas is not None and gas.value is not None and gas.value > PACO2:
        found.append(f"PaCO2 {number(gas.value)} mmHg on {gas.taken}")
    saturation = case.latest("spo2", within_days=_this_encounter(case))
    oxygen = case.latest("inhaled_oxygen", within_days=_this_encounter(case))
    if saturation is not None and saturation.value is not None and saturation.value < SPO2 and oxygen is None:
        found.append(f"SpO2 {number(saturation.value)} % on {saturation.taken}")
    return list(dict.fromkeys(found))


def _this_encounter(case: Case) -> int:
    """Days since the encounter began; today alone where there is none."""
    encounter = case.chart.encounter
    if encounter is None or encounter.start is None:
        return 0
    return max((case.today - encounter.start).days, 0)


def chronic_respiratory_risk(case: Case, draft: MedicationOrder) -> Outcome:
    """With lung, sleep or neuromuscular disease start with the lowest immediate-release dose and give naloxone."""
    if not _starts_opioid(case, draft):
        return NO_OPIOID
    if dose_change(case, draft) in ("unchanged", "falls"):
        return DoesNotApply("not new, and not rising")
    named = [name for name in (disease(case, *NEUROMUSCULAR),) if name]
    managed: list[str] = []
    for meaning in (*LUNGS, "asthma_unspecified"):
        condition = case.condition(meaning)
        if condition is not None and not (meaning == "asthma_unspecified" and condition.severe is False):
            named.append(dated(condition.name, condition.since))
    apnoea = case.condition(*SLEEP_APNOEA)
    if apnoea is not None:
        treated = "obstructive_sleep_apnea" in apnoea.meanings and case.has("cpap")
        (managed if treated else named).append(dated(apnoea.name, apnoea.since))
    mild = case.condition("asthma_mild_moderate")
    if mild is not None:
        managed.append(dated(mild.name, mild.since))
    heavy = _heavy(case)
    if heavy:
        named.append(heavy)
    facts = {"drug": opioid_name(draft)}
    if named:
        facts |= {"breathing": named[0], "breathings": "; ".join(dict.fromkeys(named))}
        acute = bool(acute_breathing(case))
        return Fires("info" if acute else "warning", facts, asks=() if acute else ("half_dose", "naloxone"))
    if managed:
        return Fires("info", facts | {"breathing": managed[0]}, "managed")
    if not case.chart.answers("conditions"):
        return CannotTell((case.missing("conditions"),))
    return DoesNotApply("no respiratory risk on record")


def _heavy(case: Case) -> str | None:
    bmi = case.latest("bmi", within_days=BMI_DAYS)
    if bmi is not None and bmi.value is not None:
        return f"BMI {number(bmi.value)}" if bmi.value >= BMI else None
    weight = case.latest("weight", within_days=BMI_DAYS)
    height = case.latest("height")
    if weight is not None and weight.value is not None and height is not None and height.value:
        index = (weight.value / (height.value / 100) ** 2).quantize(TENTH)
        return f"BMI {number(index)}" if index >= BMI else None
    obesity = case.condition("obesity_severe")
    return None if obesity is None else dated(obesity.name, obesity.since)


def obstructed_bowel(case: Case, draft: MedicationOrder) -> Outcome:
    """Give no opioid with an obstructed or paralysed bowel."""
    if not _starts_opioid(case, draft):
        return NO_OPIOID
    for meanings, indicator, words in ((GUT, "critical", "default"), (("fecal_impaction",), "warning", "impaction")):
        condition = case.condition(*meanings)
        if condition is not None:
            since = "" if condition.since is None else f" since {condition.since.isoformat()}"
            facts = {"drug": opioid_name(draft), "gut": condition.name, "gut_since": since}
            return Fires("critical" if indicator == "critical" else "warning", facts, words, ("delete",))
    if not case.chart.answers("conditions"):
        return CannotTell((case.missing("conditions"),))
    return DoesNotApply("no obstruction on record")


def use_disorder_or_overdose(case: Case, draft: MedicationOrder) -> Outcome:
    """After an overdose or with a use disorder, weigh whether any opioid is needed, and give naloxone."""
    if not _starts_opioid(case, draft):
        return NO_OPIOID
    if any("opioid_use_disorder" in reason.meanings for reason in draft.reasons):
        return DoesNotApply("the order treats the use disorder")
    if case.has("palliative"):
        return DoesNotApply("palliative care")
    active = use_disorders(case, 0)
    past = overdoses(case)
    named = past.named + active.named
    facts = {"drug": opioid_name(draft), "history": named[0] if named else "", "histories": "; ".join(named)}
    recent = [event.since for event in case.events("overdose_history", "sedative_overdose_history") if event.since]
    if recent:
        facts["overdose_date"] = max(recent).isoformat()
    if named:
        fresh = bool(recent) and (case.today - max(recent)).days <= RECENT_OVERDOSE_DAYS
        new = dose_change(case, draft) == "rises" and not established(case, draft)
        if fresh and new:
            return Fires("critical", facts, "recent_overdose", ("delete", "naloxone", "referral"))
        return Fires("warning", facts, asks=("naloxone", "delete", "referral"))
    if not case.chart.answers("conditions"):
        return CannotTell((case.missing("conditions"),))
    return _in_remission(case, facts)


def _in_remission(case: Case, facts: dict[str, str]) -> Outcome:
    limit = months_before(case.today, REMISSION_MONTHS)
    for event in case.events("opioid_use_disorder", "opioid_use_disorder_remission"):
        ended = event.ended or event.since or event.recorded
        if ended is not None and ended > limit:
            return Fires("warning", facts | {"history": "opioid use disorder", "histories": "in early remission"})
        return Fires("info", facts | {"history": "opioid use disorder"}, "remission")
    return DoesNotApply("no use disorder and no overdose on record")


RULES: tuple[tuple[str, RuleFunction], ...] = (
    ("DD-15", opioid_in_renal_impairment),
    ("DD-16", tramadol_in_severe_renal_impairment),
    ("DD-17", opioid_in_hepatic_impairment),
    ("DD-18", respiratory_failure),
    ("DD-19", chronic_respiratory_risk),
    ("DD-20", obstructed_bowel),
    ("DD-21", use_disorder_or_overdose),
)
