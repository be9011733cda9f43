"""What switches the ladder off for an order (G02): cancer or acute pain, palliative care, treatment of a use disorder,
sickle cell disease, an age under 18."""

import re
from collections.abc import Iterable
from datetime import date

from msgspec import Struct

from cds.chart import Chart, Condition, MedicationOrder, Patient
from cds.indication import NEUROPATHIC, NOT_PROVIDED
from cds.knowledge import load_group

KNOWLEDGE = load_group("ladder")
ADULT_YEARS = KNOWLEDGE["G02"].days("adult_years")
SURGERY_DAYS = KNOWLEDGE["G02"].days("surgery_days")
PALLIATIVE_DAYS = KNOWLEDGE["G02"].days("palliative_procedure_days")

CANCER = frozenset({"cancer_pain", "cancer_active"})
ACUTE = frozenset({"acute_or_surgical", "trauma_recent", "surgery_aftercare", "tonsillectomy"})
ACUTE_EVENTS = ACUTE | {"head_injury"}
EXCLUDING = CANCER | ACUTE_EVENTS | {"palliative", "sickle_cell"}
"""What a condition must mean to exclude anything."""
USE_DISORDER = frozenset({"opioid_use_disorder", "opioid_use_disorder_remission"})

OPERATION_WORDS = re.compile(r"\b(?:post ?-?op(?:erative)?|release|discectomy|laminectomy|decompression)\b")
NERVE_PAIN_WORDS = re.compile(r"neuralgia|neuropath")

USE_DISORDER_TREATED = "treatment of opioid use disorder"
TREATS_USE_DISORDER = frozenset({"methadone", "buprenorphine"})


class Exclusion(Struct, frozen=True):
    """The result of G02. ``because`` is one of "cancer pain", "acute pain", "sickle cell disease", "palliative care",
    "treatment of opioid use disorder", "under 18"; None: not excluded. ``unknown`` holds ``notAssessed`` entries
    where the age is not known."""

    because: str | None = None
    unknown: tuple[str, ...] = ()


def exclusion(draft: MedicationOrder, chart: Chart, today: date) -> Exclusion:
    """G02 (CLINICAL.md section 1): what switches the ladder off for this draft."""
    adult = _adult(chart.patient, today)
    if adult is False:
        return Exclusion("under 18")
    because = _because(draft, chart, today)
    if because is None and adult is None:
        why = "no birth date" if chart.answers("patient") else chart.questions.get("patient", NOT_PROVIDED)
        return Exclusion(unknown=(f"patient: {why}",))
    return Exclusion(because)


def _because(draft: MedicationOrder, chart: Chart, today: date) -> str | None:
    given = frozenset().union(*[reason.meanings for reason in draft.reasons])
    visit = frozenset[str]()
    if chart.encounter is not None:
        visit = visit.union(*[reason.meanings for reason in chart.encounter.reasons])
    listed = [entry for entry in chart.conditions if not EXCLUDING.isdisjoint(entry.meanings)]
    present = frozenset().union(*[entry.meanings for entry in listed if entry.status == "present"])
    if "palliative" in given | visit | present or _palliative_procedure(chart, today):
        return "palliative care"
    own = _by_its_reason(draft, given) if given else None
    if own is None and _only_for_use_disorder(draft):
        own = USE_DISORDER_TREATED
    if own is not None:
        return own
    if not NEUROPATHIC.isdisjoint(given):
        return None
    if not CANCER.isdisjoint(given | present | visit):
        return "cancer pain"
    if "sickle_cell" in present | visit:
        return "sickle cell disease"
    return "acute pain" if _recent_event(listed, chart, today) else None


def _by_its_reason(draft: MedicationOrder, given: frozenset[str]) -> str | None:
    """What one of the order's reasons excludes, whatever the others are.

    A reason that is neuropathic itself ("post-traumatic neuralgia") is not acute pain, and neuropathy of chemotherapy
    is not cancer pain. A use disorder beside a neuropathic reason excludes only the drugs that treat it.
    """
    reasons = [reason.meanings for reason in draft.reasons]
    others = [
        reason.meanings
        for reason in draft.reasons
        if NEUROPATHIC.isdisjoint(reason.meanings) or _of_an_operation(reason.name)
    ]
    if any("cancer_pain" in meanings and "chemotherapy_or_drug_neuropathy" not in meanings for meanings in reasons):
        return "cancer pain"
    if any(not ACUTE.isdisjoint(meanings) for meanings in others):
        return "acute pain"
    if any("sickle_cell" in meanings for meanings in others):
        return "sickle cell disease"
    treats = draft.drug is not None and not TREATS_USE_DISORDER.isdisjoint(draft.drug.names)
    if not USE_DISORDER.isdisjoint(given) and (treats or NEUROPATHIC.isdisjoint(given)):
        return USE_DISORDER_TREATED
    return None


def _of_an_operation(name: str) -> bool:
    """Whether a reason that names a nerve is the pain of its operation ("post-op carpal tunnel release")."""
    said = name.casefold()
    return OPERATION_WORDS.search(said) is not None and NERVE_PAIN_WORDS.search(said) is None


def _palliative_procedure(chart: Chart, today: date) -> bool:
    """Hospice or palliative care among the procedures of the last year."""
    return any(
        "palliative" in entry.meanings and entry.done is not None and 0 <= (today - entry.done).days <= PALLIATIVE_DAYS
        for entry in chart.procedures
    )


def _recent_event(listed: Iterable[Condition], chart: Chart, today: date) -> bool:
    """Surgery or trauma in the last 30 days. An event without a date lies outside."""
    days: list[date | None] = [
        entry.since for entry in listed if entry.status != "refuted" and not ACUTE_EVENTS.isdisjoint(entry.meanings)
    ]
    days += [entry.done for entry in chart.procedures if not ACUTE_EVENTS.isdisjoint(entry.meanings)]
    if chart.encounter is not None and any(not ACUTE.isdisjoint(reason.meanings) for reason in chart.encounter.reasons):
        days.append(chart.encounter.start)
    return any(day is not None and 0 <= (today - day).days <= SURGERY_DAYS for day in days)


def _only_for_use_disorder(draft: MedicationOrder) -> bool:
    """Products that have no use in pain: buprenorphine with naloxone, under the tongue, as implant or depot; methadone
    tablets for a solution."""
    drug = draft.drug
    if drug is None or TREATS_USE_DISORDER.isdisjoint(drug.names):
        return False
    form = (drug.form or "").casefold()
    if drug.has("buprenorphine"):
        depot = "implant" in form or (drug.route == "injection" and drug.release == "ER")
        return drug.has("naloxone") or drug.route == "sublingual" or "sublingual" in form or depot
    return drug.has("methadone") and "tablet" in form and ("suspension" in form or "solution" in form)


def _adult(patient: Patient, today: date) -> bool | None:
    """Whether the patient has reached the age of the ladder; None where the birth date does not settle it."""
    born_from, born_to = patient.born_from, patient.born_to
    if born_from is None or born_to is None:
        return None
    if _birthday(born_to) <= today:
        return True
    return None if _birthday(born_from) <= today else False


def _birthday(born: date) -> date:
    """The day on which the patient comes of age; who was born on 29 February does so on 1 March."""
    year = min(born.year + ADULT_YEARS, date.max.year)
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 3, 1)
