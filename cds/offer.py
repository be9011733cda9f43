"""What is not offered to this patient, and what must be known before it can be offered (CLINICAL.md section 4).

A caution here is not UNSUITABLE: it withholds an agent from the suggestions and satisfies no class of the ladder.
"""

from collections.abc import Iterator
from datetime import date, timedelta

from cds.case import Case
from cds.chart import MedicationOrder
from cds.schedules import SCHEDULES
from cds.scope import is_opioid, is_systemic
from cds.withheld import REASONS, Setting

AGENT_CLASSES = {
    "gabapentin": "gabapentinoid",
    "pregabalin": "gabapentinoid",
    "duloxetine": "snri",
    "nortriptyline": "tca",
    "desipramine": "tca",
    "lidocaine_patch": "topical",
    "capsaicin_patch": "topical",
    "tramadol": "tramadol",
}
"""The agents of section 4 and the class of the ladder that each belongs to."""

INGREDIENTS = {"lidocaine_patch": "lidocaine", "capsaicin_patch": "capsaicin"}
"""The ingredient of an agent that is not called by it."""

ALREADY_TAKEN = "already taken"
PREGNANT = ("pregnant", "77386006")
POSITIVE = ("positive", "detected", "10828004")
NOT_ON_SKIN = frozenset({"injection", "ophthalmic", "otic"})
CKD = (
    "ckd_stage_1", "ckd_stage_2", "ckd_stage_3", "ckd_stage_3a", "ckd_stage_3b", "ckd_stage_4", "ckd_stage_5",
    "ckd_stage_5d", "ckd_stage_unknown", "kidney_transplant",
)  # fmt: skip
DAYS = SCHEDULES.whole


def not_offered(
    case: Case,
    agent: str,
    draft: MedicationOrder | None = None,
    stays: bool = False,
    running: MedicationOrder | None = None,
) -> tuple[str, ...]:
    """Why this agent is not offered to this patient, in short printable phrases; empty: it can be offered.

    ``draft`` is the opioid draft that it would replace (None: nothing is replaced); with ``stays`` that draft is
    signed all the same. ``running`` is the order of the same agent that a titration step takes the place of.
    """
    taken = tuple(order for order in regimen_without(case, None if stays else draft) if order is not running)
    judged = draft or next((order for order in case.judged if is_opioid(order)), None)
    setting = Setting(case, taken, None if judged is None else case.indication(judged))
    return tuple(dict.fromkeys((*_shared(setting, agent), *REASONS[agent](setting))))


def unknown_for(case: Case, agent: str) -> tuple[str, ...]:
    """``notAssessed`` entries of what must be known before this agent is ordered; empty: enough is known.

    Section 4 asks for medications, conditions and allergies, and for renal function where the dose hangs on it; the
    age decides whether a tricyclic or tramadol may be offered.
    """
    unknown = [] if case.medications_known else [case.missing("medications")]
    unknown.extend(case.not_answered("conditions", "allergies"))
    kind, older = AGENT_CLASSES[agent], case.aged(DAYS("older_years"))
    by_kidney = kind in ("gabapentinoid", "snri")
    if kind == "tramadol":
        by_kidney = older is not False or case.condition(*CKD) is not None
    if by_kidney and case.renal.value is None:
        unknown.extend(case.renal.unknown or (case.missing("egfr"),))
    if kind in ("tca", "tramadol") and older is None:
        unknown.append("patient: no birth date" if case.chart.answers("patient") else case.missing("patient"))
    return tuple(unknown)


def needs_ecg(case: Case, agent: str) -> bool:
    """A tricyclic above 40 years, or at an age that is not known, without an ECG in 365 days."""
    if AGENT_CLASSES[agent] != "tca" or case.aged(DAYS("tca_ecg_years") + 1) is False:
        return False
    return case.latest("ecg_study", "qtc", within_days=DAYS("ecg_days")) is None


def regimen_without(case: Case, draft: MedicationOrder | None) -> tuple[MedicationOrder, ...]:
    """What is taken after this signing if this draft is deleted: an order that it alone replaces then goes on."""
    if draft is None:
        return case.regimen
    held = {id(replacement.old) for new, replacement in case.replacements if new is not draft}
    freed = tuple(replacement.old for replacement in case.replaced_by(draft) if id(replacement.old) not in held)
    return case.kept + freed + tuple(order for order in case.starting if order is not draft)


def _shared(setting: Setting, agent: str) -> Iterator[str]:
    """What withholds any agent: the allergy list, a duplicate of the drug or of its class, pregnancy."""
    ingredient, kind = INGREDIENTS.get(agent, agent), AGENT_CLASSES[agent]
    for allergy in setting.case.chart.allergies:
        if ingredient in allergy.ingredients:
            yield "on the allergy list"
        elif kind in allergy.roles and not (allergy.intolerance and allergy.ingredients):
            yield "allergy to a drug of the same class"
    for order in setting.taken:
        drug = order.drug
        if drug is None or (drug.route in NOT_ON_SKIN if kind == "topical" else not is_systemic(order)):
            continue
        if drug.has(ingredient):
            yield ALREADY_TAKEN
        elif kind in drug.roles:
            yield f"takes {drug.name}"
    if kind != "topical" and _pregnant(setting.case):
        yield "pregnancy"


def _pregnant(case: Case) -> bool:
    if case.condition("pregnancy") is not None:
        return True
    status = case.latest("pregnancy_status", within_days=DAYS("pregnancy_status_days"))
    if status is not None and status.text is not None:
        return status.text.startswith(PREGNANT)
    test = case.latest("pregnancy_test", within_days=DAYS("pregnancy_test_days"))
    if test is not None and (test.text or "").startswith(POSITIVE):
        return True
    due = case.latest("estimated_delivery")
    return due is not None and _due_soon(due.text or "", case.today)


def _due_soon(text: str, today: date) -> bool:
    try:
        due = date.fromisoformat(text[:10])
    except ValueError:
        return True  # a due date that cannot be read never means "not pregnant"
    return today <= due <= today + timedelta(days=DAYS("pregnancy_days"))
