"""What an opioid is ordered for: chronic or acute pain, palliative care, a use disorder; and where it is given."""

from cds.case import Case
from cds.chart import MedicationOrder
from cds.exclusion import ACUTE
from cds.once import once_a_draft

LASTING_PAIN = frozenset({"other_painful_condition", "fibromyalgia", "headache", "neuropathic_possible"})
"""Pain that lasts, beside the surely neuropathic (meanings of conditions.csv)."""
NEUROPATHIC = frozenset({"neuropathic_definite", "neuropathic_probable"})
NOT_ACUTE = ("cancer_pain", "cancer_active", "sickle_cell", "palliative")
MONITORED = frozenset({"IMP", "ACUTE"})
"""Encounter classes of a monitored setting (CLINICAL.md section 13, "Words")."""


@once_a_draft
def palliative(case: Case, draft: MedicationOrder) -> bool:
    """Palliative care or hospice: by the order, the encounter or the problem list."""
    return case.exclusion(draft).because == "palliative care" or bool(case.has("palliative"))


@once_a_draft
def treats_use_disorder(case: Case, draft: MedicationOrder) -> bool:
    """The order treats an opioid use disorder, by its reason or its product."""
    if case.exclusion(draft).because == "treatment of opioid use disorder":
        return True
    return bool(draft.reasons) and any("opioid_use_disorder" in reason.meanings for reason in draft.reasons)


@once_a_draft
def acute_pain(case: Case, draft: MedicationOrder) -> bool:
    """Acute, traumatic, surgical or post-operative pain (G02), at any age."""
    because = case.exclusion(draft).because
    if because != "under 18":
        return because == "acute pain"
    meanings = frozenset().union(*(reason.meanings for reason in draft.reasons))
    acute = not ACUTE.isdisjoint(meanings) and NEUROPATHIC.isdisjoint(meanings)
    return acute and not case.has(*NOT_ACUTE)


@once_a_draft
def chronic_pain(case: Case, draft: MedicationOrder) -> bool | None:
    """Whether the order is for pain that lasts: neuropathic, by its own reason, else by the problem list. None where
    the problem list is not known and the order gives no reason."""
    if acute_pain(case, draft):
        return False
    if case.indication(draft).grade in ("definite", "probable"):
        return True
    if any(_lasting(reason.meanings, reason.name) for reason in draft.reasons):
        return True
    if any(reason.usable and "nonspecific_pain" not in reason.meanings for reason in draft.reasons):
        return False
    if case.condition(*LASTING_PAIN) is not None:
        return True
    if any(_called_chronic(entry.name) for entry in case.chart.conditions if entry.status == "present"):
        return True
    return False if case.chart.answers("conditions") else None


def _lasting(meanings: frozenset[str], name: str) -> bool:
    """A condition of pain that lasts, or pain that is called chronic."""
    return not LASTING_PAIN.isdisjoint(meanings) or _called_chronic(name)


def _called_chronic(name: str) -> bool:
    words = name.casefold()
    return "chronic" in words and "pain" in words


def monitored(case: Case) -> bool:
    """The order is given where the patient is watched."""
    return case.chart.encounter is not None and case.chart.encounter.encounter_class in MONITORED
