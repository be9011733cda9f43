"""Safety: what is in scope, what could not be assessed, naloxone (G01, G04, SAF-01)."""

from cds.breathing import (
    SLEEP_APNOEA,
    acting_on_breathing,
    age_missing,
    disease,
    listing,
    rescue_at_hand,
    sedative_name,
)
from cds.case import Case
from cds.chart import MedicationOrder
from cds.findings import RuleFunction
from cds.knowledge import load_group
from cds.once import once_a_case
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.purpose import treats_use_disorder
from cds.rules.interaction import cyp3a4_inhibitor, opioid_with_mao_inhibitor
from cds.rules.sedation_risks import gabapentinoid_pairs, gabapentinoid_risks
from cds.rules.sedative_exposure import benzodiazepine_exposures, depressant_exposures
from cds.scope import is_opioid, stops
from cds.substances import Risks, overdoses, use_disorders
from cds.totals import shown

KNOWLEDGE = load_group("safety")

RESCUE_MONTHS = KNOWLEDGE["SAF-01"].days("rescue_dispensed_within_months")
REMISSION_MONTHS = KNOWLEDGE["SAF-01"].days("remission_months")

LUNGS = frozenset({*SLEEP_APNOEA, "copd"})
RENAL_DRUGS = frozenset(
    {
        "morphine", "codeine", "meperidine", "dihydrocodeine", "tramadol", "tapentadol", "fentanyl", "oxycodone",
        "hydrocodone", "hydromorphone", "oxymorphone",
    }
)  # fmt: skip
"""Opioids whose rules read the renal function (DD-15, DD-16)."""


def not_assessed(case: Case, draft: MedicationOrder) -> Outcome:
    """What could not be read is said, so that a quiet answer is not taken for a clean chart."""
    if case.reverse:
        return DoesNotApply("the draft is the partner drug")
    unknown = {
        "medications": () if case.medications_known else (case.missing("medications"),),
        "conditions": _unanswered(case, "conditions"),
        "allergies": _unanswered(case, "allergies"),
        "age": () if case.chart.patient.born_from is not None else (age_missing(case),),
        "renal function": case.renal.unknown if _has_renal_rule(case, draft) and _renal_not_answered(case) else (),
        "some entries": tuple(f"{ref}: unreadable" for ref in case.chart.unreadable),
    }
    entries = sorted(entry for entries in unknown.values() for entry in entries)
    if not entries:
        return DoesNotApply("everything needed was answered")
    critical = any(unknown[group] for group in ("medications", "conditions", "allergies"))
    facts = {
        "unknown": "; ".join(entries),
        "unknown_groups": ", ".join(group for group, missing in unknown.items() if missing),
        "touches_critical": "yes" if critical else "no",
    }
    return Fires("info", facts, unknown=tuple(entries))


def _unanswered(case: Case, question: str) -> tuple[str, ...]:
    return () if question in case.answered else (case.missing(question),)


def _has_renal_rule(case: Case, draft: MedicationOrder) -> bool:
    drug = draft.drug
    if drug is None or stops(draft):
        return False
    return any(part.name in RENAL_DRUGS for part in drug.ingredients) or bool(case.taking("gabapentinoid"))


def _renal_not_answered(case: Case) -> bool:
    """No value, and not because the record has none: one is too old, or a question was not answered."""
    answered = "egfr" in case.answered and "creatinine" in case.answered
    return case.renal.value is None and (case.renal.stale is not None or not answered)


def naloxone_missing(case: Case, draft: MedicationOrder) -> Outcome:
    """Offer naloxone with an opioid where the dose, another sedative, substance use, an overdose or the lungs make
    an overdose likelier."""
    if stops(draft) or not (_beside_a_danger(case, draft) if case.reverse else is_opioid(draft)):
        return DoesNotApply("no opioid is started, and no danger is added to one")
    at_hand = rescue_at_hand(case, RESCUE_MONTHS)
    if at_hand:
        return DoesNotApply("a rescue product is at hand")
    if case.has("palliative"):
        return DoesNotApply("palliative care")
    risks = overdose_risks(case, draft)
    if not risks.named:
        return CannotTell(risks.missing) if risks.missing else DoesNotApply("no risk that calls for naloxone")
    facts = {"risk": risks.named[0], "risks": "; ".join(risks.named)}
    if case.mme_after.at_least:
        exact = case.mme_after.total is not None and case.medications_known
        facts["mme_per_day" if exact else "mme_at_least"] = shown(case.mme_after.at_least)
    if case.aged(KNOWLEDGE["SAF-01"].days("age_years")) and case.age is not None:
        facts["age_years"] = str(case.age)
    unknown = () if at_hand is False else (case.missing("medications"),)
    if at_hand is None:
        return Fires("warning", facts, "unchecked", ("naloxone",), unknown)
    if "dispenses" not in case.answered:
        unknown = (case.missing("dispenses"),)
    return Fires("warning", facts, "as_recognised" if case.unrecognised else "default", ("naloxone",), unknown)


def _beside_a_danger(case: Case, draft: MedicationOrder) -> bool:
    """A partner drug whose own card this is to be a line of (G01, reverse scope)."""
    exposures = (*benzodiazepine_exposures(case, draft), *depressant_exposures(case, draft))
    if any(exposure.indicator != "info" for exposure in exposures) or gabapentinoid_risks(case, draft).named:
        return True
    return any(isinstance(rule(case, draft), Fires) for rule in (opioid_with_mao_inhibitor, cyp3a4_inhibitor))


def overdose_risks(case: Case, draft: MedicationOrder) -> Risks:
    """What makes an overdose likelier after this signing (SAF-01)."""
    named: list[str] = []
    missing: list[str] = []
    mme = case.mme_after
    if mme.at_least >= case.number_of(KNOWLEDGE["SAF-01"], "naloxone_mme_per_day"):
        sure = mme.total is not None and case.medications_known
        named.append(f"{'' if sure else 'at least '}{shown(mme.at_least)} MME a day")
    else:
        missing += [f"dose of {part.ref}: {part.reason}" for part in mme.unknown]
    beside = Risks()
    if case.reverse or acting_on_breathing(case):
        named += [sedative_name(e.partner) for e in benzodiazepine_exposures(case, draft) if e.words != "taper"]
        named += [sedative_name(e.partner) for e in depressant_exposures(case, draft)]
        beside = gabapentinoid_risks(case, draft)
    if beside.named:
        gabapentinoids = listing(sedative_name(partner) for _, partner in gabapentinoid_pairs(case, draft))
        named.append(f"{gabapentinoids} ({beside.named[0]})")
    for risks in (use_disorders(case, REMISSION_MONTHS), overdoses(case)):
        named += risks.named
        missing += risks.missing
    if _treated(case) and case.condition("opioid_use_disorder") is None:
        named.append("treatment of opioid use disorder")
    missing += beside.missing
    lungs = []
    if case.lists_any(LUNGS):
        lungs = [name for name in (disease(case, *SLEEP_APNOEA), disease(case, "copd")) if name is not None]
    if not case.medications_known:
        missing.append(case.missing("medications"))
    return Risks(tuple(dict.fromkeys(named + lungs)), tuple(dict.fromkeys(missing)))


@once_a_case
def _treated(case: Case) -> bool:
    """An order of this signing, or an active one, treats opioid use disorder, whatever the problem list says."""
    return any(treats_use_disorder(case, order) for order in case.opioids)


RULES: tuple[tuple[str, RuleFunction], ...] = (
    ("G04", not_assessed),
    ("SAF-01", naloxone_missing),
)
