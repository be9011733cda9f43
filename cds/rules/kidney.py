"""Opioids in renal impairment (DD-15, DD-16)."""

from cds.breathing import starts_opioid
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.course import established
from cds.dose import daily_dose
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome, any_of
from cds.renal import DIALYSIS_KIND, KIDNEY_DISEASE, STAGE_KIND
from cds.scope import opioids_of
from cds.totals import daily_total, shown

KNOWLEDGE = load_group("organ")

SEVERE = KNOWLEDGE["DD-15"].number("severe_below_ml_per_min")
MODERATE = KNOWLEDGE["DD-15"].number("moderate_below_ml_per_min")
RISK_AGE = KNOWLEDGE["DD-15"].days("risk_age_years")
TRAMADOL_SEVERE = KNOWLEDGE["DD-16"].number("severe_below_ml_per_min")
TRAMADOL_MG = KNOWLEDGE["DD-16"].number("maximum_mg_per_day")
TRAMADOL_HOURS = KNOWLEDGE["DD-16"].number("shortest_interval_hours")

ACCUMULATES = frozenset({"morphine", "codeine", "meperidine", "dihydrocodeine"})
NOT_RECOMMENDED = frozenset({"tapentadol", "fentanyl"})
"""Of fentanyl the patch alone."""
CAREFUL_FROM_MODERATE = frozenset({"meperidine", "codeine"})
LOWER_START = frozenset({"oxycodone", "hydrocodone", "hydromorphone", "oxymorphone"})
ASKED_FOR = frozenset({"morphine", "codeine", "meperidine", "tramadol", "tapentadol"})
"""Opioids of which a line says that the renal function is not known."""
AT_RISK = ("diabetes", "diabetic_neuropathy", "autonomic_neuropathy", *sorted(KIDNEY_DISEASE))


def opioid_in_renal_impairment(case: Case, draft: MedicationOrder) -> Outcome:
    """Below a clearance of 30 avoid opioids that the kidney clears, or whose active products it clears."""
    if not starts_opioid(draft):
        return DoesNotApply("no opioid is started")
    drug = next((name for name in opioids_of(draft) if _concerned(draft, name)), None)
    if drug is None:
        return DoesNotApply("the kidney hardly matters to it")
    value = case.renal.value
    if value is not None:
        if drug == "tramadol":
            return DoesNotApply("tramadol has a rule of its own")
        if value >= (MODERATE if drug in CAREFUL_FROM_MODERATE else SEVERE):
            return DoesNotApply("renal function is not below the limit")
    if drug != "tramadol" and established(case, draft):
        return DoesNotApply("stable for long at this dose")
    if value is None:
        return _not_known(case, drug)
    facts = {"drug": drug} | renal_facts(case)
    if value >= SEVERE:
        return Fires("info", facts, "moderate")
    if drug in LOWER_START:
        return Fires("info", facts, "lower_start")
    return Fires("warning", facts, "not_recommended" if drug in NOT_RECOMMENDED else "default", ("delete",))


def _concerned(draft: MedicationOrder, name: str) -> bool:
    if name == "fentanyl":
        return draft.drug is not None and draft.drug.release == "TD"
    return name in ACCUMULATES or name in LOWER_START or name in ASKED_FOR


def _not_known(case: Case, drug: str) -> CannotTell:
    """A line for those whose kidneys may be failing: who does not say is not known to be healthy."""
    renal = case.renal
    at_risk = any_of((case.aged(RISK_AGE), renal.stale is None, case.has(*AT_RISK)))
    why = ", ".join(dict.fromkeys(entry.partition(": ")[2] for entry in renal.unknown))
    if renal.stale is not None:
        why = f"{why}, last on {renal.stale.isoformat()}"
    words = "tramadol_not_known" if drug == "tramadol" else "not_known"
    return CannotTell(
        renal.unknown, drug in ASKED_FOR and at_risk is not False, words, {"drug": drug, "renal_missing": why}
    )


def renal_facts(case: Case) -> dict[str, str]:
    """Renal function that is known, as facts: as a card says it, its kind, its value and its day."""
    renal = case.renal
    said = f"{renal.said} (race-based)" if renal.race_based else renal.said
    facts = {"renal": said, "renal_kind": renal.kind or "renal function"}
    if renal.value is not None and renal.kind not in (DIALYSIS_KIND, STAGE_KIND):
        facts["renal_ml_per_min"] = number(renal.value)
    if renal.taken is not None:
        facts["renal_date"] = renal.taken.isoformat()
    return facts


def tramadol_in_severe_renal_impairment(case: Case, draft: MedicationOrder) -> Outcome:
    """Below a clearance of 30 give tramadol every 12 hours, at most 200 mg a day, and no extended release."""
    drug = draft.drug
    if not starts_opioid(draft) or drug is None or not drug.has("tramadol"):
        return DoesNotApply("no tramadol is ordered")
    severe = case.renal.below(TRAMADOL_SEVERE)
    if severe is False:
        return DoesNotApply("renal function is not below the limit")
    if severe is None:
        return CannotTell(case.renal.unknown)  # the line is that of DD-15
    facts = {"drug": "tramadol"} | renal_facts(case)
    total = daily_total(case.regimen, "tramadol")
    interval = daily_dose(draft, "tramadol").interval_hours
    problems = []
    if total.at_least > TRAMADOL_MG:
        problems.append(f"{shown(total.at_least)} mg a day")
        facts["mg_per_day"] = number(total.at_least)
    if interval is not None and interval < TRAMADOL_HOURS:
        problems.append(f"every {shown(interval)} hours")
        facts["interval_hours"] = number(interval)
    if drug.release != "ER" and not problems:
        if total.unknown:
            return CannotTell(total.unknown, True, "dose_not_known", facts)
        return DoesNotApply("within the label's limit")
    if drug.release == "ER":
        return Fires("warning", facts, "extended_release", ("delete",), total.unknown)
    return Fires("warning", facts | {"problem": " ".join(problems)}, asks=("to_limit", "delete"), unknown=total.unknown)
