"""Allergy or intolerance to the ordered opioid (DD-27)."""

from cds.case import Case
from cds.chart import Allergy, MedicationOrder
from cds.drugs import ingredient_drug
from cds.outcome import INDICATORS, CannotTell, DoesNotApply, Fires, Indicator, Outcome
from cds.scope import is_opioid, opioids_of, stops
from cds.terminology import Concept, condition_meaning

CLASSES = {
    "opioid_phenanthrene": "phenanthrene (morphine-like)",
    "opioid_phenylpiperidine": "phenylpiperidine (fentanyl-like)",
    "opioid_diphenylheptane": "diphenylheptane (methadone-like)",
    "opioid_phenylpropylamine": "phenylpropylamine (tramadol-like)",
    "opioid_benzomorphan": "benzomorphan (pentazocine-like)",
}
NAMES_NO_DRUG = ("opioid_allergy", "opioid_adverse_effect")
MARKS = frozenset({*CLASSES, *NAMES_NO_DRUG})
"""What an entry must mean, where it does not name the ordered drug."""
SIDE_EFFECTS = frozenset({"itch", "nausea_vomiting"})
ALLERGIC = ("hives", "urticaria", "rash", "angioedema", "swelling", "wheez", "bronchospasm", "breath", "hypotension")
"""Signs of a true allergy, even where the record calls it an intolerance."""


def allergy_to_the_opioid(case: Case, draft: MedicationOrder) -> Outcome:
    """Do not give an opioid that the patient is allergic to; after a severe reaction, none of its structural class."""
    if case.reverse or stops(draft) or not is_opioid(draft) or draft.drug is None:
        return DoesNotApply("no opioid is started")
    unknown = case.not_answered("allergies", "conditions")
    known = case.allergy_marks
    if known.isdisjoint(draft.drug.names) and known.isdisjoint(MARKS) and case.by_meaning.keys().isdisjoint(MARKS):
        return CannotTell(unknown) if unknown else DoesNotApply("no allergy to it")
    found = [
        (gravity, allergy, relation)
        for allergy in (*case.chart.allergies, *_listed_as_conditions(case))
        if (relation := _relation(draft, allergy)) and (gravity := _gravity(allergy, relation))
    ]
    if not found:
        return CannotTell(unknown) if unknown else DoesNotApply("no allergy to it")
    (indicator, words), allergy, relation = min(
        found, key=lambda entry: (INDICATORS.index(entry[0][0]), entry[1].ref, entry[2])
    )
    # Meanings of the tables stand beside the words of the record: only the words are for a card.
    reactions = ", ".join(sorted(word for word in allergy.reactions if "_" not in word))
    if words == "default" and allergy.ingredients.isdisjoint(opioids_of(draft)):
        words = "other_ingredient"
    facts = {
        "drug": opioids_of(draft)[0],
        "allergen": allergy.name,
        "reaction": f" ({reactions or 'reaction not recorded'})",
        "relation": "the same drug" if relation == "same" else f"of the same class: {CLASSES.get(relation, 'opioid')}",
    }
    asks = {"other_ingredient": ("opioid_only", "delete"), "default": ("delete",), "class_allergy": ("delete",)}
    return Fires(indicator, facts, words, asks.get(words, ()) if indicator == "critical" else (), unknown)


def _listed_as_conditions(case: Case) -> tuple[Allergy, ...]:
    """What the problem list says of it: allergy to an opioid, or an adverse effect of one, that it does not name."""
    allergy, effect = case.condition("opioid_allergy"), case.condition("opioid_adverse_effect")
    found = []
    if allergy is not None:
        found.append(Allergy(allergy.ref, frozenset(), "an opioid", meanings=allergy.meanings))
    if effect is not None:
        found.append(Allergy(effect.ref, frozenset(), "an opioid", intolerance=True, meanings=effect.meanings))
    return tuple(found)


def _relation(draft: MedicationOrder, allergy: Allergy) -> str | None:
    """ "same" for the ingredient itself, else the structural class or "opioid" that both share."""
    ordered = draft.drug.names if draft.drug is not None else frozenset[str]()
    if not ordered.isdisjoint(allergy.ingredients):
        return "same"
    classes = CLASSES.keys() & allergy.roles
    for name in opioids_of(draft) if classes else ():
        shared = sorted(classes & ingredient_drug(name).roles)
        if shared:
            return shared[0]
    for meaning in NAMES_NO_DRUG:
        if meaning in allergy.meanings:
            return meaning
    return None


def _gravity(allergy: Allergy, relation: str) -> tuple[Indicator, str] | None:
    """Indicator and wording; None where a reaction on record makes the allergy no matter for this opioid."""
    side_effect = bool(allergy.reactions) and all(_is_side_effect(word) for word in allergy.reactions)
    allergic = any(sign in word for sign in ALLERGIC for word in allergy.reactions)
    mild = not allergy.severe and not allergic and (side_effect or bool(allergy.intolerance))
    if relation == "opioid_adverse_effect":
        return "info", "intolerance"
    if relation == "same":
        return ("info", "intolerance") if mild else ("critical", "default")
    if allergy.severe:
        return "critical", "class_allergy"
    # A reaction that was recorded and was not severe does not carry over to the class; an unrecorded one may.
    return None if mild or allergy.reactions else ("warning", "class_allergy")


def _is_side_effect(word: str) -> bool:
    """A meaning of the tables, or a word of the record, that tells of a side effect and of nothing else."""
    if word in SIDE_EFFECTS:
        return True
    meanings = condition_meaning(Concept(text=word)).meanings
    return bool(meanings) and meanings <= SIDE_EFFECTS
