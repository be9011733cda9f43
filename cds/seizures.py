"""What makes a seizure likelier in this patient: epilepsy, recent seizures, withdrawal, other drugs (DD-09)."""

from decimal import Decimal

from msgspec import Struct

from cds.case import Case, number
from cds.chart import Condition, MedicationOrder
from cds.dose import daily_dose
from cds.partners import holds, partners, with_role
from cds.substances import dated

THRESHOLD_NAMES = with_role("antipsychotic")
THRESHOLD_DRUGS = holds("bupropion", "theophylline")
TRICYCLIC = with_role("tca")
ANTIDEPRESSANT = with_role("ssri", "snri")
WITHDRAWAL = {"alcohol_withdrawal": "alcohol withdrawal", "drug_withdrawal": "drug withdrawal"}


class SeizureLimits(Struct, frozen=True):
    """Windows in days and doses in mg a day from which a seizure or a drug counts."""

    seizure_days: int
    recent_days: int
    tramadol_mg: Decimal
    tca_mg: Decimal


class SeizureRisks(Struct, frozen=True):
    """Risks as a card names them; ``recent``: status epilepticus or a seizure within the short window; ``missing``
    holds ``notAssessed`` entries."""

    named: tuple[str, ...]
    missing: tuple[str, ...]
    recent: bool


def seizure_risks(case: Case, draft: MedicationOrder, limits: SeizureLimits) -> SeizureRisks:
    """Everything on record that lowers this patient's seizure threshold, besides the ordered opioid."""
    named: list[str] = []
    recent = False
    for event in case.events("seizure_disorder", "status_epilepticus"):
        if "febrile_seizure" in event.meanings:
            continue
        days = None if event.since is None else (case.today - event.since).days
        # Without a date a seizure is taken to be within the window: it is a danger.
        if event.status == "present" or days is None or days <= limits.seizure_days:
            named.append(dated(event.name, event.since))
        if days is not None and days <= limits.recent_days:
            recent = True
    for meaning, name in WITHDRAWAL.items():
        condition = case.condition(meaning)
        if condition is not None and _lately(case, condition, limits.recent_days):
            named.append(dated(name, condition.since))
    named += [partner.name for partner in partners(case, draft, THRESHOLD_NAMES) if partner.taken]
    named += [partner.name for partner in partners(case, draft, THRESHOLD_DRUGS) if partner.taken]
    for partner in partners(case, draft, TRICYCLIC):
        dose = daily_dose(partner.order, partner.name).maximum if partner.taken else None
        if dose is not None and dose > limits.tca_mg:
            named.append(f"{partner.name} {number(dose)} mg a day")
    named += _with_much_tramadol(case, draft, limits)
    missing = [] if case.chart.answers("conditions") else [case.missing("conditions")]
    if not case.medications_known:
        missing.append(case.missing("medications"))
    return SeizureRisks(tuple(dict.fromkeys(named)), tuple(missing), recent)


def _with_much_tramadol(case: Case, draft: MedicationOrder, limits: SeizureLimits) -> list[str]:
    if draft.drug is None or not draft.drug.has("tramadol"):
        return []
    dose = daily_dose(draft, "tramadol").maximum
    if dose is None or dose <= limits.tramadol_mg:
        return []
    beside = [partner.name for partner in partners(case, draft, ANTIDEPRESSANT) if partner.taken]
    return [f"{name} beside tramadol {number(dose)} mg a day" for name in beside]


def _lately(case: Case, condition: Condition, days: int) -> bool:
    return condition.since is None or (case.today - condition.since).days <= days
