"""Opioids in hepatic impairment (DD-17)."""

from decimal import Decimal

from msgspec import Struct

from cds.breathing import opioid_name
from cds.case import Case, number
from cds.chart import MedicationOrder, Observation
from cds.dose import daily_dose
from cds.drugs import Drug
from cds.knowledge import load_group
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.scope import is_opioid, opioids_of, stops
from cds.substances import dated
from cds.totals import daily_total

KNOWLEDGE = load_group("organ")["DD-17"]

ENZYME_TIMES = KNOWLEDGE.number("alt_ast_times")
BILIRUBIN_TIMES = KNOWLEDGE.number("bilirubin_times")
LAB_DAYS = KNOWLEDGE.days("lab_days")
ACETAMINOPHEN_MG = KNOWLEDGE.number("acetaminophen_mg_per_day")
TRAMADOL_MG = KNOWLEDGE.number("tramadol_mg_per_day")
TAPENTADOL_IR_MG = KNOWLEDGE.number("tapentadol_ir_mg_per_day")
TAPENTADOL_ER_MG = KNOWLEDGE.number("tapentadol_er_mg_per_day")

USUAL_LIMITS = {"alt": Decimal(40), "ast": Decimal(40), "bilirubin": Decimal("1.2")}
"""Upper limits of normal where the value brings none (observations.csv)."""
SLOWED = frozenset({"codeine", "oxycodone", "hydrocodone", "hydromorphone", "methadone", "morphine"})


class Liver(Struct, frozen=True):
    """Hepatic impairment as a card names it. ``severe``: decompensated or failing, read as Child-Pugh C."""

    name: str
    severe: bool


def hepatic_impairment(case: Case) -> Liver | None:
    """Cirrhosis or severe disease on the list (read as Child-Pugh B, decompensated as C), or the laboratory limits."""
    condition = case.condition("cirrhosis", "hepatic_disease_severe")
    if condition is not None:
        words = condition.name.lower()
        severe = "decompensated" in words or "failure" in words or "child-pugh c" in words
        return Liver(dated(condition.name, condition.since), severe)
    enzyme = next((found for found in (_raised(case, "alt"), _raised(case, "ast")) if found), None)
    bilirubin = _raised(case, "bilirubin")
    if enzyme and bilirubin:
        return Liver(f"{enzyme} and {bilirubin}", False)
    return None


def _raised(case: Case, meaning: str) -> str | None:
    found: Observation | None = case.latest(meaning, within_days=LAB_DAYS)
    if found is None or found.value is None:
        return None
    limit = found.upper_limit or USUAL_LIMITS[meaning]
    times = BILIRUBIN_TIMES if meaning == "bilirubin" else ENZYME_TIMES
    name = "bilirubin" if meaning == "bilirubin" else meaning.upper()
    return f"{name} {number(found.value)} on {found.taken}" if found.value > times * limit else None


def opioid_in_hepatic_impairment(case: Case, draft: MedicationOrder) -> Outcome:
    """In cirrhosis or hepatic failure lower the dose and lengthen the interval; no oxymorphone, no extended release."""
    if case.reverse or stops(draft) or not is_opioid(draft) or draft.drug is None:
        return DoesNotApply("no opioid is started")
    liver = hepatic_impairment(case)
    if liver is None:
        missing = tuple(case.missing(key) for key in ("conditions", "labs") if not case.chart.answers(key))
        return CannotTell(missing) if missing else DoesNotApply("no hepatic impairment on record")
    facts = {"drug": opioid_name(draft), "liver": liver.name}
    if draft.drug.has("oxymorphone"):
        return Fires("critical", facts | {"why": "Its label contraindicates it."}, "contraindicated", ("delete",))
    why = _why(case, draft, draft.drug, liver)
    if why is None:
        return DoesNotApply("within what the label allows there")
    return Fires("warning", facts | {"why": why}, asks=("half_dose", "delete"))


def _why(case: Case, draft: MedicationOrder, drug: Drug, liver: Liver) -> str | None:
    """What speaks against this order, as a sentence; None where the label allows it."""
    names, release = opioids_of(draft), drug.release
    if drug.has("acetaminophen"):
        total = daily_total(case.counted, "acetaminophen")
        if total.at_least > ACETAMINOPHEN_MG or total.unknown:
            return "Acetaminophen: at most 2 g a day."
    if "tramadol" in names:
        if release == "ER":
            return "No extended-release tramadol there."
        return _limited(draft, "tramadol", TRAMADOL_MG, "50 mg every 12 hours")
    if "tapentadol" in names:
        if liver.severe:
            return "Tapentadol is not recommended in severe impairment."
        limit = TAPENTADOL_ER_MG if release == "ER" else TAPENTADOL_IR_MG
        return _limited(draft, "tapentadol", limit, f"{number(limit)} mg a day")
    if "fentanyl" in names and release == "TD":
        return "Avoid the patch in severe impairment." if liver.severe else None
    if not SLOWED.isdisjoint(names) or drug.has("acetaminophen"):
        return "It is broken down more slowly."
    return None


def _limited(draft: MedicationOrder, name: str, limit: Decimal, words: str) -> str | None:
    dose = daily_dose(draft, name).maximum
    if dose is None:
        return f"{name.capitalize()}: at most {words}; the dose of this order cannot be told."
    return f"{name.capitalize()}: at most {words}; this order is {number(dose)} mg a day." if dose > limit else None
