"""What makes a seizure likelier in this patient: epilepsy, recent seizures, withdrawal, other drugs (DD-09)."""

from collections.abc import Iterable
from decimal import Decimal

from msgspec import Struct

from cds.case import Case
from cds.chart import Condition, MedicationOrder
from cds.partners import holds, partners, with_role
from cds.substances import dated
from cds.totals import daily_total, shown

THRESHOLD_NAMES = with_role("antipsychotic")
THRESHOLD_DRUGS = holds("bupropion", "theophylline")
TRICYCLIC = with_role("tca")
ANTIDEPRESSANT = with_role("ssri", "snri")
WITHDRAWAL = {"alcohol_withdrawal": "alcohol withdrawal", "drug_withdrawal": "drug withdrawal"}


SEIZURES = ("seizure_disorder", "status_epilepticus")
DISORDER_WORDS = ("epilep", "disorder", "seizures", "recurrent")
"""Words of a seizure's name that tell of more than one."""


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
    seizures = [one for one in case.events(*SEIZURES) if "febrile_seizure" not in one.meanings]
    for event in seizures:
        status_epilepticus = "status_epilepticus" in event.meanings
        days = None if event.since is None else (case.today - event.since).days
        # Without a date a seizure is taken to be recent: it is a danger.
        within = days is None or days <= limits.seizure_days
        if within or _lasts(case, event):
            named.append(dated(_seizure_name(event), event.since))
        if days is None:
            recent = recent or status_epilepticus or _single(event)
        else:
            recent = recent or days <= limits.recent_days or (within and status_epilepticus)
    injury = next(iter(case.events("head_injury")), None)
    if seizures and injury is not None:
        named.append(dated("head injury with a seizure", injury.since))
    for meaning, name in WITHDRAWAL.items():
        condition = case.condition(meaning)
        if condition is not None and _lately(case, condition, limits.recent_days):
            named.append(dated(name, condition.since))
    named += [partner.name for partner in partners(case, draft, THRESHOLD_NAMES)]
    named += [partner.name for partner in partners(case, draft, THRESHOLD_DRUGS)]
    missing = [] if "conditions" in case.answered else [case.missing("conditions")]
    if not case.medications_known:
        missing.append(case.missing("medications"))
    for partner in partners(case, draft, TRICYCLIC):
        _add_by_dose((partner.order,), partner.name, limits.tca_mg, "{drug} {dose} mg a day", named, missing)
    if draft.drug is not None and draft.drug.has("tramadol"):
        for partner in partners(case, draft, ANTIDEPRESSANT):
            words = f"{partner.name} beside tramadol {{dose}} mg a day"
            _add_by_dose(case.regimen, "tramadol", limits.tramadol_mg, words, named, missing)
    return SeizureRisks(tuple(dict.fromkeys(named)), tuple(dict.fromkeys(missing)), recent)


def _add_by_dose(
    orders: Iterable[MedicationOrder], drug: str, limit: Decimal, words: str, named: list[str], missing: list[str]
) -> None:
    """Names the drug where its daily dose is above the limit, else what of its dose is not known."""
    total = daily_total(orders, drug)
    if total.at_least > limit:
        named.append(words.format(drug=drug, dose=shown(total.at_least)))
    else:
        missing += total.unknown


def _seizure_name(event: Condition) -> str:
    if "status_epilepticus" in event.meanings:
        return "status epilepticus"
    if "epilep" in event.name.casefold():
        return "epilepsy"
    return "seizure" if _single(event) else "seizure disorder"


def _single(event: Condition) -> bool:
    """One seizure, by its name, rather than a disorder."""
    name = event.name.casefold()
    if any(word in name for word in DISORDER_WORDS):
        return False
    return "seizure" in name or "convulsion" in name


def _lasts(case: Case, event: Condition) -> bool:
    """Treated, or still present however long ago it began; a single seizure only where it is treated, or that is not
    known."""
    if treated(case):
        return True
    return event.status == "present" and (not _single(event) or not case.medications_known)


def treated(case: Case) -> bool:
    """Whether a drug against seizures is taken: what it treats is not over, whatever the list says."""
    return any("gabapentinoid" not in order.drug.roles for order in case.taking("anticonvulsant") if order.drug)


def _lately(case: Case, condition: Condition, days: int) -> bool:
    return condition.since is None or (case.today - condition.since).days <= days
