"""Allergy or intolerance to the ordered opioid (DD-27)."""

from cds.case import Case
from cds.chart import Allergy, MedicationOrder
from cds.drugs import ingredient_drug
from cds.outcome import INDICATORS, CannotTell, DoesNotApply, Fires, Indicator, Outcome
from cds.scope import is_opioid, opioids_of, stops

CLASSES = {
    "opioid_phenanthrene": "phenanthrene (morphine-like)",
    "opioid_phenylpiperidine": "phenylpiperidine (fentanyl-like)",
    "opioid_diphenylheptane": "diphenylheptane (methadone-like)",
    "opioid_phenylpropylamine": "phenylpropylamine (tramadol-like)",
    "opioid_benzomorphan": "benzomorphan (pentazocine-like)",
}
SIDE_EFFECTS = frozenset({"itch", "nausea_vomiting"})


def allergy_to_the_opioid(case: Case, draft: MedicationOrder) -> Outcome:
    """Do not give an opioid that the patient is allergic to; after a severe reaction, none of its structural class."""
    if case.reverse or stops(draft) or not is_opioid(draft) or draft.drug is None:
        return DoesNotApply("no opioid is started")
    found = [
        (gravity, allergy, relation)
        for allergy in case.chart.allergies
        if (relation := _relation(draft, allergy)) and (gravity := _gravity(allergy, relation))
    ]
    if not found:
        if case.chart.answers("allergies"):
            return DoesNotApply("no allergy to it")
        return CannotTell((case.missing("allergies"),))
    (indicator, words), allergy, relation = min(
        found, key=lambda entry: (INDICATORS.index(entry[0][0]), entry[1].ref, entry[2])
    )
    facts = {
        "drug": opioids_of(draft)[0],
        "allergen": allergy.name,
        "reaction": f" ({', '.join(sorted(allergy.reactions))})" if allergy.reactions else "",
        "relation": "the same drug" if relation == "same" else f"of the same class: {CLASSES.get(relation, 'opioid')}",
    }
    return Fires(indicator, facts, words, ("delete",) if indicator == "critical" else ())


def _relation(draft: MedicationOrder, allergy: Allergy) -> str | None:
    """ "same" for the ingredient itself, else the structural class or "opioid" that both share."""
    ordered = draft.drug.ingredients if draft.drug is not None else ()
    if any(part.name in allergy.ingredients for part in ordered):
        return "same"
    for name in opioids_of(draft):
        shared = sorted(CLASSES.keys() & allergy.roles & ingredient_drug(name).roles)
        if shared:
            return shared[0]
    return "opioid" if "opioid_allergy" in allergy.meanings else None


def _gravity(allergy: Allergy, relation: str) -> tuple[Indicator, str] | None:
    """Indicator and wording; None where a reaction on record makes the allergy no matter for this opioid."""
    side_effect = bool(allergy.reactions) and allergy.reactions <= SIDE_EFFECTS
    mild = not allergy.severe and bool(allergy.intolerance or side_effect)
    if relation == "same":
        return ("info", "intolerance") if mild else ("critical", "default")
    if allergy.severe:
        return "critical", "class_allergy"
    # A reaction that was recorded and was not severe does not carry over to the class; an unrecorded one may.
    return None if mild or allergy.reactions else ("warning", "class_allergy")
