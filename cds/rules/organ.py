"""Organs that make an opioid dangerous: the lungs and the gut (DD-18 to DD-20), and all rules of the group."""

from collections.abc import Iterable
from datetime import date
from decimal import ROUND_FLOOR, Decimal

from msgspec import Struct

from cds.breathing import DISEASE_NAMES, opioid_name, starts_opioid
from cds.case import Case, number
from cds.chart import Condition, MedicationOrder
from cds.course import dose_change
from cds.findings import RuleFunction
from cds.knowledge import load_group
from cds.once import once_a_chart
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.purpose import monitored, palliative
from cds.rules.addiction import use_disorder_or_overdose
from cds.rules.kidney import opioid_in_renal_impairment, tramadol_in_severe_renal_impairment
from cds.rules.liver import opioid_in_hepatic_impairment
from cds.substances import dated

KNOWLEDGE = load_group("organ")

SPO2 = KNOWLEDGE["DD-18"].number("spo2_below_percent")
PACO2 = KNOWLEDGE["DD-18"].number("paco2_above_mmhg")
ASTHMA_DAYS = KNOWLEDGE["DD-18"].days("recent_asthma_days")
GAS_DAYS = KNOWLEDGE["DD-18"].days("gas_days")
BMI = KNOWLEDGE["DD-19"].number("bmi_kg_per_m2")
BMI_DAYS = KNOWLEDGE["DD-19"].days("bmi_days")

RESPIRATORY_FAILURE = ("respiratory_failure_hypercapnic", "respiratory_failure_acute")
ACUTE_ASTHMA = ("status_asthmaticus", "asthma_exacerbation")
LUNGS = ("copd", "interstitial_lung_disease", "chronic_lung_disease", "asthma_severe", "respiratory_failure")
NEUROMUSCULAR = ("myasthenia", "neuromuscular_respiratory")
SLEEP_APNOEA = (
    "central_sleep_apnea",
    "obesity_hypoventilation",
    "sleep_hypoventilation",
    "obstructive_sleep_apnea",
    "sleep_apnea",
)
"""From the most specific to the least: a condition goes by the first that it has."""
CHRONIC = (*NEUROMUSCULAR, *LUNGS, *SLEEP_APNOEA, "asthma_unspecified")
OBSTRUCTED = ("toxic_megacolon", "paralytic_ileus", "gi_obstruction")
GUT = frozenset({*OBSTRUCTED, "fecal_impaction"})
NAMES = DISEASE_NAMES | {
    "respiratory_failure_hypercapnic": "hypercapnic respiratory failure",
    "respiratory_failure_acute": "acute respiratory failure",
    "respiratory_failure": "respiratory failure",
    "status_asthmaticus": "status asthmaticus",
    "asthma_exacerbation": "acute asthma",
    "asthma_unspecified": "asthma",
    "asthma_mild_moderate": "mild or moderate asthma",
    "obesity_severe": "severe obesity",
    "toxic_megacolon": "toxic megacolon",
    "paralytic_ileus": "paralytic ileus",
    "gi_obstruction": "bowel obstruction",
    "fecal_impaction": "faecal impaction",
}
AT_HOME = frozenset({"discharge", "outpatient", "community"})
CPAP = frozenset({"cpap", "cpap_mentioned"})
"""What a procedure that was done may be called."""

TENTH = Decimal("0.1")
NO_OPIOID = DoesNotApply("no opioid is started")


class Sign(Struct, frozen=True):
    """A disease or a value: ``name`` for a summary, ``said`` with its date."""

    name: str
    said: str


def _sign(condition: Condition, name: str) -> Sign:
    name = f"possible {name}" if condition.provisional else name
    return Sign(name, dated(name, condition.since))


def _listed(case: Case, meanings: Iterable[str]) -> list[tuple[str, Condition]]:
    """The present conditions with these meanings, in the order of the meanings, each once by the first it has."""
    listed: dict[int, tuple[str, Condition]] = {}
    by_meaning = case.by_meaning
    if by_meaning.keys().isdisjoint(meanings):
        return []
    for meaning in meanings:
        if meaning not in by_meaning:
            continue
        for found in by_meaning[meaning]:
            if found.status == "present":
                listed.setdefault(id(found), (meaning, found))
    return list(listed.values())


def respiratory_failure(case: Case, draft: MedicationOrder) -> Outcome:
    """In respiratory failure or acute or severe asthma give no opioid outside a monitored setting."""
    if not starts_opioid(draft):
        return NO_OPIOID
    if _is_watched(case, draft):
        return DoesNotApply("monitored setting")
    found = acute_breathing(case)
    if not found:
        missing = [*case.not_answered("conditions", "labs", "vitals"), *_not_known(case)]
        return CannotTell(tuple(missing)) if missing else DoesNotApply("no respiratory failure on record")
    facts = {
        "drug": opioid_name(draft),
        "breathing": found[0].name,
        "breathings": "; ".join(dict.fromkeys(sign.said for sign in found)),
    }
    unknown = () if "encounter" in case.answered else (case.missing("encounter"),)
    if palliative(case, draft):
        return Fires("warning", facts, "palliative", ("naloxone",), unknown)
    return Fires("critical", facts, asks=("delete",), unknown=unknown)


def _is_watched(case: Case, draft: MedicationOrder) -> bool:
    """Given in a monitored setting, and not to take home."""
    return monitored(case) and AT_HOME.isdisjoint(draft.category)


@once_a_chart
def acute_breathing(case: Case) -> list[Sign]:
    """Respiratory failure, hypercapnia, low saturation, acute or severe asthma."""
    found = [_sign(condition, NAMES[meaning]) for meaning, condition in _listed(case, RESPIRATORY_FAILURE)]
    gas = case.latest("paco2", within_days=GAS_DAYS)
    if gas is not None and gas.value is not None and gas.value > PACO2:
        name = f"PaCO2 {number(gas.value)} mmHg"
        found.append(Sign(name, f"{name} on {gas.taken}"))
    days = _days_of_encounter(case)
    saturation = case.latest("spo2", within_days=days)
    if saturation is not None and saturation.value is not None and saturation.value < SPO2 and not _on_oxygen(case):
        name = f"SpO2 {number(saturation.value)} %"
        found.append(Sign(name, f"{name} on {saturation.taken}"))
    for meaning, condition in _listed(case, ACUTE_ASTHMA):
        if condition.since is None or (case.today - condition.since).days <= ASTHMA_DAYS:
            found.append(_sign(condition, NAMES[meaning]))
    for meaning, condition in _listed(case, ("asthma_severe", "asthma_unspecified")):
        if (meaning == "asthma_severe" or condition.severe) and not _well_controlled(condition):
            found.append(_sign(condition, NAMES["asthma_severe"]))
    return found


def _well_controlled(asthma: Condition) -> bool:
    return "well controlled" in asthma.name.lower().replace("-", " ")


def _on_oxygen(case: Case) -> bool:
    oxygen = case.latest("inhaled_oxygen", within_days=_days_of_encounter(case))
    # Room air is an inhaled oxygen of zero above that of air.
    given = oxygen is not None and oxygen.value != 0
    return given or bool(case.has("supplemental_oxygen"))


def _days_of_encounter(case: Case) -> int:
    """Days since the encounter began; today alone where that is not known."""
    encounter = case.chart.encounter
    if encounter is None or encounter.start is None:
        return 0
    return max((case.today - encounter.start).days, 0)


def _not_known(case: Case) -> list[str]:
    """Values that could have told and do not: unreadable, or high and too old."""
    missing = []
    gas = case.latest("paco2")
    if gas is not None and gas.value is None:
        missing.append("labs: unreadable")
    elif gas is not None and gas.value is not None and gas.value > PACO2:
        missing.append(f"labs: older than {GAS_DAYS} days")
    saturation = case.latest("spo2", within_days=_days_of_encounter(case))
    if saturation is not None and saturation.value is None:
        missing.append("vitals: unreadable")
    return missing


def chronic_respiratory_risk(case: Case, draft: MedicationOrder) -> Outcome:
    """With lung, sleep or neuromuscular disease start with the lowest immediate-release dose and give naloxone."""
    if not starts_opioid(draft):
        return NO_OPIOID
    found, managed, missing = _respiratory_risks(case)
    if not (found or managed or missing):
        return DoesNotApply("no respiratory risk on record")
    if dose_change(case, draft) in ("unchanged", "falls"):
        return DoesNotApply("not new, and not rising")
    facts = {"drug": opioid_name(draft)}
    if found:
        facts |= {
            "breathing": found[0].name,
            "breathings": "; ".join(dict.fromkeys(sign.said for sign in found + managed)),
        }
        if acute_breathing(case) and not _is_watched(case, draft):  # DD-18 has fired
            return Fires("info", facts)
        return Fires("warning", facts, asks=("half_dose", "naloxone"))
    if missing:
        return CannotTell(tuple(missing))
    return Fires("info", facts | {"breathing": managed[0].name, "breathings": managed[0].said}, "managed")


@once_a_chart
def _respiratory_risks(case: Case) -> tuple[list[Sign], list[Sign], list[str]]:
    """Risks, those that are mild or treated, and the ``notAssessed`` entries where there may be more."""
    found: list[Sign] = []
    managed: list[Sign] = []
    for meaning, condition in _listed(case, CHRONIC):
        treated = meaning == "obstructive_sleep_apnea" and _has_cpap(case)
        mild = meaning == "asthma_unspecified" and condition.severe is False
        (managed if treated or mild else found).append(_sign(condition, NAMES[meaning]))
    managed += [_sign(condition, NAMES[meaning]) for meaning, condition in _listed(case, ("asthma_mild_moderate",))]
    heavy = _body_mass_index(case)
    if heavy is None:
        found += [_sign(condition, NAMES[meaning]) for meaning, condition in _listed(case, ("obesity_severe",))]
    elif heavy[0] >= BMI:
        name = f"BMI {number(heavy[0].quantize(TENTH, ROUND_FLOOR))}"
        found.append(Sign(name, f"{name} on {heavy[1]}"))
    asked = ("conditions",) if heavy else ("conditions", "vitals", "weight")
    return found, managed, [*case.not_answered(*asked)]


def _has_cpap(case: Case) -> bool:
    """Treated with CPAP: a procedure, or words that say so. A text that only speaks of it ("refuses CPAP") does not."""
    return bool(case.has("cpap")) or any(not CPAP.isdisjoint(procedure.meanings) for procedure in case.chart.procedures)


def _body_mass_index(case: Case) -> tuple[Decimal, date | None] | None:
    """The body mass index in kg/m2 and its day: measured, else from weight and height; None where not known."""
    bmi = case.latest("bmi", within_days=BMI_DAYS)
    if bmi is not None and bmi.value is not None:
        return bmi.value, bmi.taken
    weight, height = case.latest("weight", within_days=BMI_DAYS), case.latest("height")
    if weight is None or height is None or weight.value is None or not height.value:
        return None
    metres = height.value / 100
    return weight.value / (metres * metres), weight.taken


def obstructed_bowel(case: Case, draft: MedicationOrder) -> Outcome:
    """Give no opioid with an obstructed or paralysed bowel."""
    if not starts_opioid(draft):
        return NO_OPIOID
    missing = case.not_answered("conditions")
    if not case.lists_any(GUT):
        return CannotTell(missing) if missing else DoesNotApply("no obstruction on record")
    obstructed = [_sign(condition, NAMES[meaning]) for meaning, condition in _listed(case, OBSTRUCTED)]
    impacted = [_sign(condition, NAMES[meaning]) for meaning, condition in _listed(case, ("fecal_impaction",))]
    if obstructed:
        return Fires("critical", _gut_facts(draft, obstructed + impacted), asks=("delete",))
    if impacted:
        return Fires("warning", _gut_facts(draft, impacted), "impaction", ("delete",), missing)
    return CannotTell(missing) if missing else DoesNotApply("no obstruction on record")


def _gut_facts(draft: MedicationOrder, found: list[Sign]) -> dict[str, str]:
    said = "; ".join(dict.fromkeys(sign.said for sign in found))
    return {"drug": opioid_name(draft), "gut": found[0].name, "guts": said}


RULES: tuple[tuple[str, RuleFunction], ...] = (
    ("DD-15", opioid_in_renal_impairment),
    ("DD-16", tramadol_in_severe_renal_impairment),
    ("DD-17", opioid_in_hepatic_impairment),
    ("DD-18", respiratory_failure),
    ("DD-19", chronic_respiratory_risk),
    ("DD-20", obstructed_bowel),
    ("DD-21", use_disorder_or_overdose),
)
