"""Whether two records are of the same drug, at the same dosage, and which of them holds the higher dose."""

from decimal import Decimal

from msgspec.structs import replace

from cds.chart import Dosage, MedicationOrder
from cds.dose import daily_dose
from cds.drugs import Drug

NO_SCHEDULE = Dosage()

Names = frozenset[str]


def drug_names(drug: Drug) -> Names:
    """The ingredients, in no order."""
    return drug.names


def same_drug(some: Drug, other: Drug) -> bool:
    """Same ingredients, and release and route agree as far as both say them."""
    return drug_names(some) == drug_names(other) and alike(some, other)


def alike(some: Drug, other: Drug) -> bool:
    """Release and route agree as far as both say them."""
    if some is other:
        return True
    releases, routes = (_release(some), _release(other)), (some.route, other.route)
    return (None in releases or releases[0] == releases[1]) and (None in routes or routes[0] == routes[1])


def same_product_and_dosage(some: MedicationOrder, other: MedicationOrder) -> bool:
    """Identical product and identical dosage: as structured, else by the text after folding case and spaces.

    Two orders that say no dosage at all are not identical: nothing is known of either.
    """
    if not _same_product(some, other) or not some.dosages or len(some.dosages) != len(other.dosages):
        return False
    return all(_same_dosage(*pair) for pair in zip(some.dosages, other.dosages, strict=True))


def dosage_keys(order: MedicationOrder) -> tuple[Dosage | None, str]:
    """What the first dosage says, as structured (None: nothing) and as text. Two orders of identical dosage have one of
    these in common: the text only where one of the two has nothing structured."""
    if not order.dosages:
        return None, ""
    schedule, text = _schedule(order.dosages[0]), _folded(order.dosages[0].text or "")
    return None if schedule == NO_SCHEDULE else schedule, text


def at_higher_dose(kept: MedicationOrder, other: MedicationOrder) -> MedicationOrder:
    """``kept``, with the dosage (and strength) of ``other`` where that is the higher or the only known daily dose."""
    if kept.drug is None or other.drug is None or not other.dosages:
        return kept
    if kept.dosages == other.dosages and kept.drug.ingredients == other.drug.ingredients:
        return kept
    if not any(_exceeds(daily(other, part.name), daily(kept, part.name)) for part in kept.drug.ingredients):
        return kept
    drug = replace(
        other.drug,
        form=other.drug.form or kept.drug.form,
        route=other.drug.route or kept.drug.route,
        release=other.drug.release or kept.drug.release,
    )
    return replace(kept, drug=drug, dosages=other.dosages)


Amount = tuple[Decimal, str]


def daily(order: MedicationOrder, ingredient: str) -> Amount | None:
    """The highest daily dose with its unit ("mg", or "mg/h" for a patch); None where it cannot be told."""
    dose = daily_dose(order, ingredient)
    return None if dose.maximum is None else (dose.maximum, dose.unit)


def _exceeds(dose: Amount | None, other: Amount | None) -> bool:
    if dose is None:
        return False
    return other is None or (dose[1] == other[1] and dose[0] > other[0])


def _release(drug: Drug) -> str | None:
    """A product whose name gives a form and no release is an immediate one; a bare ingredient may be either."""
    if drug.route == "transdermal":
        return "TD"
    return drug.release or (None if drug.form is None else "IR")


def _same_product(some: MedicationOrder, other: MedicationOrder) -> bool:
    if some.drug is None or other.drug is None:
        return some.drug is other.drug and _folded(some.name) == _folded(other.name)
    return some.drug.ingredients == other.drug.ingredients and same_drug(some.drug, other.drug)


def _same_dosage(some: Dosage, other: Dosage) -> bool:
    schedule, other_schedule = _schedule(some), _schedule(other)
    if NO_SCHEDULE not in (schedule, other_schedule):
        return schedule == other_schedule
    text = _folded(some.text or "")
    return bool(text) and text == _folded(other.text or "")


def _schedule(dosage: Dosage) -> Dosage:
    """The dosage without its words and without the days on which it runs."""
    return replace(
        dosage, sequence=None, text=None, route=None, site=None, bounds_days=None, bounds_start=None, bounds_end=None
    )


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
