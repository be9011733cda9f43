"""What slows breathing beside the opioid: partner drugs and their standing, diseases, and the antidote at hand."""

import re
from collections.abc import Callable, Iterable
from datetime import date

from msgspec.structs import replace

from cds.case import Case
from cds.chart import MedicationOrder
from cds.course import established
from cds.days import months_before
from cds.dose import daily_dose
from cds.drugs import ingredient_roles
from cds.exposure import continuous_days, span, supply_days
from cds.once import once_a_case, once_for
from cds.scope import STOPPING_STATUSES, depressant_class, is_rescue, stops
from cds.spans import end_of
from cds.substances import dated
from cds.supply import ON_HOLD

SLEEP_APNOEA = (
    "sleep_apnea",
    "obstructive_sleep_apnea",
    "central_sleep_apnea",
    "obesity_hypoventilation",
    "sleep_hypoventilation",
)
CHRONIC_LUNG_DISEASE = ("copd", "chronic_lung_disease", "interstitial_lung_disease", "asthma_severe")
NEUROMUSCULAR = ("neuromuscular_respiratory", "myasthenia")
DISEASE_NAMES = {
    "copd": "COPD",
    "chronic_lung_disease": "chronic lung disease",
    "interstitial_lung_disease": "interstitial lung disease",
    "asthma_severe": "severe asthma",
    "asthma_unspecified": "severe asthma",
    "sleep_apnea": "sleep apnoea",
    "obstructive_sleep_apnea": "sleep apnoea",
    "central_sleep_apnea": "central sleep apnoea",
    "obesity_hypoventilation": "obesity hypoventilation",
    "sleep_hypoventilation": "sleep hypoventilation",
    "neuromuscular_respiratory": "neuromuscular disease",
    "myasthenia": "myasthenia",
}
CLASS_NAMES = {
    "benzodiazepine": "benzodiazepine",
    "z_drug": "Z-drug",
    "barbiturate": "barbiturate",
    "muscle_relaxant": "muscle relaxant",
    "sedating_antihistamine": "sedating antihistamine",
    "sedating_antipsychotic": "sedating antipsychotic",
    "sodium_oxybate": "sodium oxybate",
    "sedative_other": "sedative",
    "gabapentinoid": "gabapentinoid",
}
"""Depressant classes of ``cds.scope``, and the gabapentinoids, as a card names them."""

PROCEDURE_WORDS = ("procedure", "surgery", "operation", "preop", "pre-op", "premedication", "mri", "sedation")
ONCE_CODES = frozenset({"once", "stat"})
SAYS_ONCE = re.compile(r"\b(?:once|one time|single dose)\b(?! (?:a|an|daily|each|every|in|per|nightly|weekly)\b)")

RESCUE_DRUGS = frozenset({"naloxone", "nalmefene"})

Wanted = Callable[[MedicationOrder], bool]


# Which drug


def is_benzodiazepine(order: MedicationOrder) -> bool:
    return depressant_class(order) == "benzodiazepine"


def is_other_depressant(order: MedicationOrder) -> bool:
    """A CNS depressant of DD-04: a depressant that is no benzodiazepine."""
    return depressant_class(order) not in (None, "benzodiazepine")


def is_gabapentinoid(order: MedicationOrder) -> bool:
    return order.drug is not None and "gabapentinoid" in order.drug.roles and order.drug.systemic


def starts_opioid(draft: MedicationOrder) -> bool:
    """The draft orders a systemic opioid, new or again."""
    drug = draft.drug
    return drug is not None and drug.is_opioid and draft.status not in STOPPING_STATUSES


def opioid_name(order: MedicationOrder) -> str:
    """The opioid of this order by its ingredient, without what else the product holds."""
    return order.name if order.drug is None else " / ".join(order.drug.opioids) or order.name


def sedative_name(order: MedicationOrder) -> str:
    """The sedating part of this order by its ingredient."""
    parts = order.drug.ingredients if order.drug is not None else ()
    if len(parts) == 1:
        return parts[0].name
    names = [part.name for part in parts if _sedates(part.name)] or [part.name for part in parts]
    return " / ".join(names) or order.name


def _sedates(ingredient: str) -> bool:
    return "cns_depressant" in ingredient_roles(ingredient)


def class_name(order: MedicationOrder) -> str:
    return CLASS_NAMES["gabapentinoid" if is_gabapentinoid(order) else depressant_class(order) or "sedative_other"]


def listing(names: Iterable[str]) -> str:
    """Names as a sentence lists them, each once: "a, b and c"; empty where there are none."""
    each = list(dict.fromkeys(names))
    if len(each) < 2:
        return "".join(each)
    return " and ".join(part for part in (", ".join(each[:-1]), *each[-1:]) if part)


# Pairs


def one_off(order: MedicationOrder) -> bool:
    """A single dose around a procedure: it does not interact (CLINICAL.md section 8)."""
    if order.drug is None or order.repeats or not order.dosages:
        return False
    for at in range(len(order.dosages)):
        if not _single(order, at):
            return False
    texts = [dosage.text.lower() for dosage in order.dosages if dosage.text]
    return (
        order.drug.route == "injection"
        or any("acute_or_surgical" in reason.meanings for reason in order.reasons)
        or any(word in text for text in texts for word in PROCEDURE_WORDS)
    )


def _single(order: MedicationOrder, at: int) -> bool:
    dosage = order.dosages[at]
    if (dosage.timing_code or "").lower() in ONCE_CODES or (dosage.frequency is None and _says_once(dosage.text)):
        return True
    if (dosage.frequency or 1) != 1 or dosage.times_of_day > 1 or dosage.when > 1:
        return False
    one_day = (
        order.supply_days == 1
        or dosage.bounds_days == 1
        or (dosage.bounds_start is not None and dosage.bounds_start == dosage.bounds_end)
        or (order.start is not None and order.start == order.end)
    )
    return one_day and (dosage.period is None or dosage.period >= 1)


def _says_once(text: str | None) -> bool:
    return text is not None and SAYS_ONCE.search(text.lower()) is not None


@once_a_case
def acting_on_breathing(case: Case) -> tuple[MedicationOrder, ...]:
    """The depressants and gabapentinoids of the regimen, without single doses around a procedure."""
    return tuple(
        [
            order
            for order in case.regimen
            if order.drug is not None
            and (order.drug.depressant_class is not None or "gabapentinoid" in order.drug.roles)
            and not one_off(order)
        ]
    )


def pairs(case: Case, draft: MedicationOrder, wanted: Wanted) -> tuple[tuple[MedicationOrder, MedicationOrder], ...]:
    """Opioid and partner drug, both taken after this signing, one of them this draft (a product may hold both).

    In the reverse scope the draft is the partner, and only new exposures count (G01).
    """
    if not case.reverse:
        acting = acting_on_breathing(case)
        if not acting or not starts_opioid(draft) or one_off(draft):
            return ()
        return tuple([(draft, order) for order in acting if wanted(order)])
    if stops(draft) or one_off(draft) or not wanted(draft):
        return ()
    opioids = [order for order in case.opioids if not one_off(order)]
    return tuple((opioid, draft) for opioid in opioids if not established(case, draft, opioid))


def partner_of(draft: MedicationOrder, pair: tuple[MedicationOrder, MedicationOrder]) -> MedicationOrder | None:
    """The drug of the pair that is not this draft; None where the draft holds both."""
    opioid, other = pair
    if opioid is other:
        return None
    return other if opioid is draft else opioid


def standing(case: Case, order: MedicationOrder) -> str:
    """Where the record has this drug, and since when, as a card says it."""
    if any(order is draft for draft in case.drafts):
        return "ordered in this signing"
    since = case.taken_since(order)
    place = "on the list, status not recorded" if order.status in (None, "unknown") else "on the list"
    return f"{place}, start not recorded" if since is None else f"{place} since {since.isoformat()}"


def supply_ended(case: Case, order: MedicationOrder) -> bool:
    """On the list still, though its supply ended before today without being stopped."""
    days = span(order, case.today)
    return days is not None and days.end is not None and days.end < case.today


def only_supply_runs(case: Case, order: MedicationOrder) -> bool:
    """Completed or on hold on the record; only a supply that still runs says that it is taken."""
    if any(order is draft for draft in case.drafts):
        return False
    same: Iterable[MedicationOrder] = (order,)
    if order.kind == "dispense" and order.drug is not None:
        same = case.records_of(order.drug.ingredients[0].name)
    statuses = {record.status for record in same if record.kind != "dispense"}
    return bool(statuses) and statuses <= {"completed", "on-hold", "stopped", "cancelled"}


def days_running(case: Case, order: MedicationOrder, gap_days: int) -> int:
    """Days up to today on which the first ingredient of this order was taken without a longer gap."""
    parts = order.drug.ingredients[:1] if order.drug is not None else ()
    spans = [span(record, case.today) for part in parts for record in case.records_of(part.name)]
    return continuous_days([days for days in spans if days is not None], case.today, gap_days)


def tapers_off(case: Case, order: MedicationOrder, within_days: int) -> bool:
    """Falling steps that end within so many days from today; the first may be that of the order which it replaces."""
    before = () if len(order.dosages) > 1 else case.replaced_by(order)[:1]
    if len(order.dosages) < 2 and not before:
        return False
    ended = _last_day(case, order)
    if order.drug is None or ended is None or (ended - case.today).days > within_days:
        return False
    ingredient = order.drug.ingredients[0].name
    steps = sorted(order.dosages, key=lambda dosage: dosage.sequence or 0)
    records = [*(change.old for change in before), *(replace(order, dosages=(step,)) for step in steps)]
    doses = [daily_dose(record, ingredient).maximum for record in records]
    known = [dose for dose in doses if dose is not None]
    return len(known) == len(doses) and known[-1] < known[0] and known == sorted(known, reverse=True)


def _last_day(case: Case, order: MedicationOrder) -> date | None:
    """The last day of this order; a draft begins today."""
    if not any(order is draft for draft in case.drafts):
        days = span(order, case.today)
        return None if days is None else days.end
    supply = supply_days(order)
    return None if supply is None else end_of(case.today, supply)


# The patient


def disease(case: Case, *meanings: str) -> str | None:
    """The first present disease of these, as a card names it, with its date."""
    by_meaning = case.by_meaning
    for meaning in meanings:
        condition = case.condition(meaning) if meaning in by_meaning else None
        if condition is not None:
            return dated(DISEASE_NAMES[meaning], condition.since)
    return None


def chronic_lung_disease(case: Case) -> str | None:
    """COPD or another chronic lung disease; asthma only where it is severe."""
    asthma = case.condition("asthma_unspecified")
    if asthma is not None and asthma.severe:
        return disease(case, *CHRONIC_LUNG_DISEASE, "asthma_unspecified")
    return disease(case, *CHRONIC_LUNG_DISEASE)


def rescue_at_hand(case: Case, within_months: int) -> bool | None:
    """A rescue product of naloxone or nalmefene on the list, in this signing, or dispensed within so many months."""
    if not RESCUE_DRUGS.isdisjoint(case.names_on_record) and _has_rescue(case, within_months):
        return True
    return False if case.medications_known else None


@once_for
def _has_rescue(case: Case, within_months: int) -> bool:
    if any(is_rescue(order) and order.status != ON_HOLD for order in case.regimen):
        return True
    first = months_before(case.today, within_months)
    for record in case.chart.medications:
        days = span(record, case.today) if record.kind == "dispense" and is_rescue(record) else None
        if days is not None and first <= days.start <= case.today:
            return True
    return False


def age_missing(case: Case) -> str:
    """The ``notAssessed`` entry of an age that the record does not settle."""
    return "patient: no birth date" if "patient" in case.answered else case.missing("patient")
