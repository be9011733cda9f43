"""Opioids in hepatic impairment (DD-17)."""

import re
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from cds.breathing import opioid_name, starts_opioid
from cds.case import Case, number
from cds.chart import Condition, MedicationOrder
from cds.dose import daily_dose
from cds.drugs import Drug
from cds.knowledge import load_group
from cds.once import once_a_chart
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome
from cds.scope import opioids_of
from cds.substances import dated
from cds.totals import daily_total

KNOWLEDGE = load_group("organ")["DD-17"]

ENZYME_TIMES = KNOWLEDGE.number("alt_ast_times")
BILIRUBIN_TIMES = KNOWLEDGE.number("bilirubin_times")
LAB_DAYS = KNOWLEDGE.days("lab_days")
ACETAMINOPHEN_MG = KNOWLEDGE.number("acetaminophen_mg_per_day")
TRAMADOL_MG = KNOWLEDGE.number("tramadol_mg_per_day")
TRAMADOL_SINGLE_MG = KNOWLEDGE.number("tramadol_single_mg")
TRAMADOL_HOURS = KNOWLEDGE.number("tramadol_interval_hours")
TAPENTADOL_IR_MG = KNOWLEDGE.number("tapentadol_ir_mg_per_day")
TAPENTADOL_ER_MG = KNOWLEDGE.number("tapentadol_er_mg_per_day")

USUAL_LIMITS = {"alt": Decimal(40), "ast": Decimal(40), "bilirubin": Decimal("1.2")}
"""Upper limits of normal where the value brings none (observations.csv)."""
ENZYMES = ("alt", "ast")
LAB_NAMES = {"alt": "ALT", "ast": "AST", "bilirubin": "bilirubin"}
SLOWER = "It is broken down more slowly."
SLOWED = frozenset({"codeine", "oxycodone", "hydrocodone", "hydromorphone", "methadone", "morphine"})
CHILD_PUGH = re.compile(r"child[\s-]*pugh[\s-]*(?:class|stage|grade|score)?[\s-]*([abc])\b", re.IGNORECASE)

ChildPugh = Literal["B", "C"]


class Liver(Struct, frozen=True):
    """Hepatic impairment: ``name`` for a summary, ``said`` with its dates. ``child_pugh`` is None where only the
    laboratory tells of it."""

    name: str
    said: str
    child_pugh: ChildPugh | None


@once_a_chart
def hepatic_impairment(case: Case) -> Liver | tuple[str, ...] | None:
    """The gravest impairment of the list, else that of the laboratory (CLINICAL.md section 13, "Words").

    Where it cannot be told, the ``notAssessed`` entries; None where nothing speaks of it.
    """
    listed = [
        liver
        for condition in case.events("cirrhosis", "hepatic_disease_severe", "hepatic_disease")
        if condition.status == "present" and (liver := _listed(condition))
    ]
    if listed:
        return max(listed, key=lambda liver: liver.child_pugh or "")
    missing = [*case.not_answered("conditions", "labs")]
    raised = {enzyme: _raised(case, enzyme) for enzyme in ENZYMES}
    # One enzyme that is not raised settles it where the other was not measured.
    if True not in raised.values() and False in raised.values():
        return tuple(missing) or None
    raised["bilirubin"] = _raised(case, "bilirubin")
    if True in (raised["alt"], raised["ast"]) and raised["bilirubin"]:
        high = [meaning for meaning, over in raised.items() if over]
        return Liver(
            " and ".join(_shown(case, meaning, False) for meaning in high),
            " and ".join(_shown(case, meaning, True) for meaning in high),
            None,
        )
    # Nothing measured is no sign of disease; one half of the sign without the other leaves it open.
    if raised["bilirubin"] is not False and not case.observed.keys().isdisjoint(LAB_NAMES):
        missing.append(f"labs: no ALT, AST and bilirubin of the last {LAB_DAYS} days")
    return tuple(missing) or None


def _listed(condition: Condition) -> Liver | None:
    """What a condition on the list says; None for liver disease without a word of its severity."""
    words = condition.name.lower()
    written = CHILD_PUGH.search(words)
    letter = written[1].upper() if written else ""
    failing = "failure" in words
    name = "cirrhosis" if "cirrhosis" in condition.meanings else "hepatic failure" if failing else "liver disease"
    if "decompensated" in words:
        name = f"decompensated {name}"
    elif letter:
        name = f"{name}, Child-Pugh {letter}"
    if condition.meanings.isdisjoint(("cirrhosis", "hepatic_disease_severe")) and letter not in ("B", "C"):
        return None
    if condition.provisional:
        name = f"possible {name}"
    grave = letter == "C" or failing or "decompensated" in words
    return Liver(name, dated(name, condition.since), "C" if grave else "B")


def _raised(case: Case, meaning: str) -> bool | None:
    """Whether the latest value is above its limit; None: there is none that counts."""
    found = case.latest(meaning, within_days=LAB_DAYS)
    if found is None or found.value is None:
        return None
    times = BILIRUBIN_TIMES if meaning == "bilirubin" else ENZYME_TIMES
    return found.value > times * (found.upper_limit or USUAL_LIMITS[meaning])


def _shown(case: Case, meaning: str, day: bool) -> str:
    found = case.latest(meaning)
    value = "" if found is None or found.value is None else number(found.value)
    return f"{LAB_NAMES[meaning]} {value}{f' on {found.taken}' if day and found is not None else ''}"


def opioid_in_hepatic_impairment(case: Case, draft: MedicationOrder) -> Outcome:
    """In cirrhosis or hepatic failure lower the dose and lengthen the interval; no oxymorphone, no extended release."""
    drug = draft.drug
    if drug is None or not starts_opioid(draft):
        return DoesNotApply("no opioid is started")
    if not _concerned(draft, drug):
        return DoesNotApply("the liver hardly matters to it")
    liver = hepatic_impairment(case)
    if liver is None:
        return DoesNotApply("no hepatic impairment on record")
    if not isinstance(liver, Liver):
        return CannotTell(liver)
    facts = {"drug": opioid_name(draft), "liver": liver.name, "livers": liver.said}
    if liver.child_pugh:
        facts["child_pugh"] = liver.child_pugh
    if drug.has("oxymorphone") and liver.child_pugh:
        return Fires("critical", facts | {"why": "Its label contraindicates it."}, "contraindicated", ("delete",))
    why, unknown = _against(case, draft, drug, liver)
    if why is not None:
        lower = "half_dose" if why == SLOWER else "to_limit"
        return Fires("warning", facts | {"why": why}, asks=(lower, "delete"), unknown=unknown)
    if unknown:
        return CannotTell(unknown, True, "dose_not_known", facts)
    return DoesNotApply("within what the label allows there")


def _concerned(draft: MedicationOrder, drug: Drug) -> bool:
    names = opioids_of(draft)
    if drug.has("acetaminophen") or not SLOWED.isdisjoint(names):
        return True
    return any(name in names for name in ("tramadol", "tapentadol", "oxymorphone")) or _is_patch(drug)


def _is_patch(drug: Drug) -> bool:
    return drug.has("fentanyl") and drug.release == "TD"


def _against(case: Case, draft: MedicationOrder, drug: Drug, liver: Liver) -> tuple[str | None, tuple[str, ...]]:
    """What speaks against this order, as a sentence, and the doses that cannot be told (``notAssessed`` entries)."""
    unknown: tuple[str, ...] = ()
    if drug.has("acetaminophen"):
        total = daily_total(case.counted, "acetaminophen")
        unknown = total.unknown
        if total.at_least > ACETAMINOPHEN_MG:
            return f"Acetaminophen {number(total.at_least)} mg a day: at most 2 g a day.", unknown
    if drug.has("tramadol"):
        if drug.release == "ER":
            return "No extended-release tramadol there.", unknown
        return _tramadol(case, draft, unknown)
    if drug.has("tapentadol"):
        if liver.child_pugh == "C":
            return "Tapentadol is not recommended in severe impairment.", unknown
        return _tapentadol(case, drug, unknown)
    if _is_patch(drug):
        return ("Avoid the patch in severe impairment." if liver.child_pugh == "C" else None), unknown
    if drug.has("oxymorphone"):
        return "Its label contraindicates it from Child-Pugh B on.", unknown
    return (SLOWER if not SLOWED.isdisjoint(opioids_of(draft)) else None), unknown


def _tramadol(case: Case, draft: MedicationOrder, unknown: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """By the day of all tramadol together, and by the single dose and the interval of this order."""
    total = daily_total(case.counted, "tramadol")
    dose = daily_dose(draft, "tramadol")
    most = f"Tramadol: at most {number(TRAMADOL_SINGLE_MG)} mg every {number(TRAMADOL_HOURS)} hours"
    if total.at_least > TRAMADOL_MG:
        return f"{most}; with this order it is {number(total.at_least)} mg a day.", unknown
    if dose.single is not None and dose.single > TRAMADOL_SINGLE_MG:
        return f"{most}; this order gives {number(dose.single)} mg at once.", unknown
    if dose.interval_hours is not None and dose.interval_hours < TRAMADOL_HOURS:
        return f"{most}; this order comes every {number(dose.interval_hours)} hours.", unknown
    return None, tuple(sorted({*unknown, *total.unknown}))


def _tapentadol(case: Case, drug: Drug, unknown: tuple[str, ...]) -> tuple[str | None, tuple[str, ...]]:
    """By the day of all tapentadol together, and of what is of extended release."""
    total = daily_total(case.counted, "tapentadol")
    if drug.release == "ER":
        slow = [order for order in case.counted if order.drug is not None and order.drug.release == "ER"]
        extended = daily_total(slow, "tapentadol").at_least
        if extended > TAPENTADOL_ER_MG:
            return _above("Extended-release tapentadol", TAPENTADOL_ER_MG, extended), unknown
    if total.at_least > TAPENTADOL_IR_MG:
        return _above("Tapentadol", TAPENTADOL_IR_MG, total.at_least), unknown
    return None, tuple(sorted({*unknown, *total.unknown}))


def _above(what: str, limit: Decimal, found: Decimal) -> str:
    return f"{what}: at most {number(limit)} mg a day; with this order it is {number(found)}."
