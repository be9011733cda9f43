"""Changes to a draft: a lower dose, a shorter supply. Each is tried on the chart before it is proposed."""

from collections.abc import Collection, Iterable
from decimal import Decimal
from functools import lru_cache
from math import ceil

from cds.case import number
from cds.chart import Dosage, MedicationOrder, Quantity
from cds.dose import daily_dose
from cds.findings import Finding
from cds.knowledge import load_group
from cds.orders import Update, plural
from cds.outcome import INDICATORS
from cds.scope import opioids_of
from cds.second_review import MILDEST, SecondReview, at_interval

HALF = Decimal("0.5")
QUARTER = Decimal("0.25")
FACTORS = {"half_dose": (HALF,), "start_dose": (HALF, QUARTER)}
"""Shares of a dose that are tried, the highest first, where not all of ``ALL_FACTORS`` are."""
ALL_FACTORS = (Decimal("0.75"), HALF, QUARTER)
WHOLE_FORMS = ("capsule", "patch", "film", "system", "lozenge", "troche", "spray")
WHOLE_RELEASES = frozenset({"ER", "DR", "TD"})
LIQUID_UNITS = frozenset({"ml", "mg/ml"})
MASS = {"mg": Decimal(1), "g": Decimal(1000), "mcg": Decimal("0.001"), "ug": Decimal("0.001")}
DOSE_LIMITS = frozenset({"DD-16", "DD-22", "DD-23", "DD-24", "DD-25", "DD-26"})
"""Rules with a limit on the dose: after a change none of them may still warn of the draft."""
LIMITED = DOSE_LIMITS | {"DD-17"}
TRAMADOL_HOURS = int(load_group("organ")["DD-16"].number("shortest_interval_hours"))
TO_LIMIT = "to_limit"
"""What a finding of another rule asks that has a limit for this drug: DD-17."""


def lower_dose(
    finding: Finding, draft: MedicationOrder, ask: str, second: SecondReview
) -> tuple[Update, Decimal] | None:
    """The highest share of the drafted dose that settles the finding and brings nothing new, with that share.

    ``half_dose`` is the half or nothing; it need not settle the finding, but every limit on the dose. None: no share
    that can be taken does.
    """
    for factor in FACTORS.get(ask, ALL_FACTORS):
        if can_be_taken(draft, factor) and _passes(finding, draft, ask, factor, second):
            note = f"Dose lowered to {percent(factor)} of the draft."
            return Update(draft.ref, dose_factor=factor, note=note), factor
    return None


def _passes(finding: Finding, draft: MedicationOrder, ask: str, factor: Decimal, second: SecondReview) -> bool:
    """Whether this share of the dose brings nothing new, and settles what has to be settled."""
    if ask == "half_dose" and not _limited(second) and second.is_milder_at(draft, factor):
        return True
    found = second.findings_at(draft, factor)
    if second.new_among(found):
        return False
    return _settled(draft, found, DOSE_LIMITS if ask == "half_dose" else DOSE_LIMITS | {finding.rule})


def _limited(second: SecondReview) -> bool:
    """Whether a limit on the dose is exceeded as drafted."""
    return min([second.known[rule] for rule in LIMITED & second.known.keys()], default=MILDEST) < MILDEST


def _settled(draft: MedicationOrder, found: Iterable[Finding], rules: Collection[str]) -> bool:
    """Whether none of these rules, nor another with a limit for this drug, still warns of the draft."""
    left = [f for f in found if INDICATORS.index(f.indicator) < MILDEST and draft.ref in (f.order, *f.others)]
    return not any(f.rule in rules or TO_LIMIT in f.asks for f in left)


def longer_interval(finding: Finding, draft: MedicationOrder, second: SecondReview) -> Update | None:
    """Each dose of tramadol every 12 hours, where that settles the finding and brings nothing new."""
    if len(draft.dosages) != 1 or "tramadol" not in opioids_of(draft) or not _timed(draft.dosages[0]):
        return None
    changed = at_interval(draft, TRAMADOL_HOURS)
    before, after = daily_dose(draft, "tramadol"), daily_dose(changed, "tramadol")
    if before.maximum is None or after.maximum is None or after.maximum >= before.maximum:
        return None
    found = second.findings_of(draft, changed)
    if second.new_among(found) or not _settled(draft, found, DOSE_LIMITS | {finding.rule}):
        return None
    quantity = None
    if draft.quantity is not None:
        quantity = Decimal(ceil(draft.quantity.value * after.maximum / before.maximum))
    note = f"Interval lengthened to {TRAMADOL_HOURS} hours."
    return Update(draft.ref, every_hours=TRAMADOL_HOURS, note=note, quantity=quantity)


def lowered_to(draft: MedicationOrder, factor: Decimal) -> str:
    """The new dose for a label: "2.5 mg a dose", or its share where the draft has several instructions."""
    dose = draft.dosages[0].dose_high if len(draft.dosages) == 1 else None
    if dose is None or dose.unit is None or not dose.unit.isalpha():
        return f"{percent(factor)} of the dose as drafted"
    amount = dose.value * factor
    return f"{number(amount)} {plural(dose.unit, amount)} a dose"


def percent(factor: Decimal) -> str:
    return f"{number(factor * 100)} %"


def can_be_taken(draft: MedicationOrder, factor: Decimal) -> bool:
    """Whether this share of every dose can be measured: whole units of what must not be cut, halves of other tablets.

    False where a dose is not structured, so that it could not be changed either.
    """
    for dosage in draft.dosages:
        if not _timed(dosage):
            return False
        low, high = dosage.dose_low, dosage.dose_high
        for dose in (low,) if low is high else (low, high):
            if dose is None or not _measurable(draft, dose, factor):
                return False
    return bool(draft.dosages)


def _timed(dosage: Dosage) -> bool:
    """The times of day do not stand in the sig alone, which a change of dose takes away."""
    timing = (dosage.frequency, dosage.period, dosage.times_of_day, dosage.when, dosage.timing_code, dosage.max_dose)
    return any(timing)


def _measurable(draft: MedicationOrder, dose: Quantity, factor: Decimal) -> bool:
    drug, amount = draft.drug, dose.value * factor
    if drug is None:
        return False
    unit = (dose.unit or "").strip("{}[] ").lower()
    if unit in LIQUID_UNITS:
        return True
    if unit in MASS:
        strength = drug.ingredients[0]
        if not strength.amount or strength.unit != "MG" or len(drug.ingredients) > 1:
            return False
        amount = amount * MASS[unit] / strength.amount
    form = (drug.form or unit).lower()
    whole = drug.release in WHOLE_RELEASES or _must_not_be_cut(form, unit)
    return amount % (1 if whole else HALF) == 0


@lru_cache(maxsize=256)
def _must_not_be_cut(form: str, unit: str) -> bool:
    return any(word in form or word in unit for word in WHOLE_FORMS)


def shorter_supply(draft: MedicationOrder, days: int, note: str) -> Update | None:
    """The draft for so many days without repeats; None: it is that short already."""
    if draft.supply_days is not None and draft.supply_days <= days and not draft.repeats:
        return None
    review = f"Supply limited to {days} days without repeats; {note}"
    return Update(draft.ref, supply_days=days, repeats=0, note=review, quantity=_quantity(draft, days))


def _quantity(draft: MedicationOrder, days: int) -> Decimal | None:
    """Units for so many days at the highest daily count; None where the draft has no quantity or no such count."""
    names = opioids_of(draft)
    if draft.quantity is None or not names:
        return None
    counted = daily_dose(draft, names[0]).units_per_day
    return None if counted is None else Decimal(ceil(counted * days))
