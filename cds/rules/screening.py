"""Risk of misuse: whether it was screened for, a high score, and urine drug tests (SAF-02, SAF-03, SAF-06)."""

from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct

from cds.breathing import opioid_name, rescue_at_hand, starts_opioid
from cds.case import Case, number
from cds.chart import MedicationOrder, Observation
from cds.course import naive
from cds.exposure import supply_days
from cds.knowledge import load_group
from cds.long_use import taken_for
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome, any_of
from cds.purpose import acute_pain, chronic_pain, palliative, treats_use_disorder
from cds.substances import overdoses, use_disorders
from cds.urine import Margins, is_tested, unexpected_results

KNOWLEDGE = load_group("safety")

RESCUE_MONTHS = KNOWLEDGE["SAF-01"].days("rescue_dispensed_within_months")
SHORT_DAYS = KNOWLEDGE["SAF-02"].number("short_supply_days")
SCORE_DAYS = KNOWLEDGE["SAF-03"].days("score_days")
MODERATE = KNOWLEDGE["SAF-03"].number("ort_moderate_points")
UNEXPECTED_DAYS = KNOWLEDGE["SAF-06"].days("unexpected_days")
LONG_DAYS = KNOWLEDGE["SAF-06"].days("long_term_days")
MARGINS = Margins(KNOWLEDGE["SAF-06"].days("explained_days"), KNOWLEDGE["SAF-06"].days("missed_days"))

HIGH = {
    "ort_total": KNOWLEDGE["SAF-03"].number("ort_high_points"),
    "soappr_total": KNOWLEDGE["SAF-03"].number("soappr_points"),
    "ort_oud_total": KNOWLEDGE["SAF-03"].number("ort_oud_points"),
}
"""From which score on the risk is high."""
NAMES = {"ort_total": "ORT", "soappr_total": "SOAPP-R", "ort_oud_total": "ORT-OUD"}
NOT_AN_OPIOID = DoesNotApply("no opioid is started")


class Scores(Struct, frozen=True):
    """The latest screening scores in their window: the high ones and a moderate ORT as a card names them with the day,
    and whether one was found that has no number."""

    high: tuple[tuple[str, Decimal, date], ...] = ()
    moderate: tuple[str, Decimal, date] | None = None
    low: bool = False
    no_number: bool = False


NO_SCORES = Scores()


def screening(case: Case, within_days: int) -> Scores:
    """What the screening questionnaires say."""
    if case.observed.keys().isdisjoint(HIGH):
        return NO_SCORES
    high, moderate, low, no_number = [], None, False, False
    for meaning, limit in HIGH.items():
        latest = _latest(case, meaning, within_days)
        if latest is None or latest.taken is None:
            continue
        if latest.value is None:
            no_number = True
        elif latest.value >= limit:
            high.append((NAMES[meaning], latest.value, latest.taken))
        elif meaning == "ort_total" and latest.value >= MODERATE:
            moderate = (NAMES[meaning], latest.value, latest.taken)
        else:
            low = True
    return Scores(tuple(high), moderate, low, no_number)


def _latest(case: Case, meaning: str, within_days: int) -> Observation | None:
    """The latest of this meaning; of one day, one with a number (a panel has none of its own)."""
    found = [
        one
        for one in case.observed.get(meaning, ())
        if one.taken is not None and (case.today - one.taken).days <= within_days
    ]
    return max(found, key=lambda one: (str(one.taken), one.value is not None, one.taken_at, one.ref), default=None)


def risk_not_screened(case: Case, draft: MedicationOrder) -> Outcome:
    """Screen for the risk of misuse (ORT or SOAPP-R) before a first opioid for chronic pain."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if palliative(case, draft) or treats_use_disorder(case, draft):
        return DoesNotApply("palliative care or treatment of a use disorder")
    days = supply_days(draft)
    longer = any_of((chronic_pain(case, draft), None if days is None else days > SHORT_DAYS))
    if longer is False:
        return DoesNotApply("neither for chronic pain nor for more than a week")
    first = naive(case)
    if first is False:
        return DoesNotApply("an opioid is taken already")
    within = case.days_of(KNOWLEDGE["SAF-02"], "screened_within_days")
    scores = screening(case, within)
    if scores.high or scores.moderate or scores.low or scores.no_number or _screening_paper(case, within):
        return DoesNotApply("screened")
    facts = {"drug": opioid_name(draft), "screened_within_days": str(within)}
    if "scores" not in case.answered:
        return CannotTell((case.missing("scores"),), said=bool(first and longer), words="not_checked", facts=facts)
    missing = () if longer else _purpose_missing(case, draft)
    if first is None:
        missing += (case.missing("medications") if not case.history_known else "opioid tolerance: not recorded",)
    return CannotTell(missing) if missing else Fires("info", facts)


def _screening_paper(case: Case, within: int) -> bool:
    return any(
        paper.kind == "screening" and paper.day is not None and 0 <= (case.today - paper.day).days <= within
        for paper in case.chart.papers
    )


def _purpose_missing(case: Case, draft: MedicationOrder) -> tuple[str, ...]:
    """What keeps from telling whether the order is for chronic pain, or for how long."""
    unknown = () if "conditions" in case.answered else (case.missing("conditions"),)
    return (*unknown, *((f"supply of {draft.ref}: not recorded",) if supply_days(draft) is None else ()))


def high_risk_screening(case: Case, draft: MedicationOrder) -> Outcome:
    """Where screening shows a high risk of misuse, give less at a time, with naloxone, a urine test and a referral."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if palliative(case, draft):
        return DoesNotApply("palliative care")
    scores = screening(case, SCORE_DAYS)
    for found, indicator in ((scores.high[:1], "warning"), ((scores.moderate,), "info")):
        for score in found:
            if score is None:
                continue
            name, value, day = score
            facts = {
                "drug": opioid_name(draft), "score": name, "score_points": number(value), "score_date": str(day),
            }  # fmt: skip
            if indicator == "info":
                return Fires("info", facts, "moderate")
            rescue = () if rescue_at_hand(case, RESCUE_MONTHS) else ("naloxone",)
            return Fires("warning", facts, asks=("limit_supply", *rescue, "urine_test", "referral"))
    if scores.no_number:
        missing = ("scores: screening without a number",)
        return CannotTell(missing, said=True, words="no_number", facts={"drug": opioid_name(draft)})
    if "scores" not in case.answered:
        return CannotTell((case.missing("scores"),))
    return DoesNotApply("low score" if scores.low else "not screened")


def urine_drug_test(case: Case, draft: MedicationOrder) -> Outcome:
    """Test urine once a year in long-term opioid treatment and before a start at high risk; confirm what surprises."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if palliative(case, draft) or acute_pain(case, draft):
        return DoesNotApply("palliative care or acute pain")
    drug = opioid_name(draft)
    unexpected = unexpected_results(case, UNEXPECTED_DAYS, MARGINS)
    if unexpected.named:
        facts = {"drug": drug, "urine_finding": unexpected.named[0], "urine_findings": "; ".join(unexpected.named)}
        return Fires("warning", facts, "unexpected", ("urine_test",), unexpected.missing)
    within = case.days_of(KNOWLEDGE["SAF-06"], "test_days")
    if _urine_tested(case, within):
        return CannotTell(unexpected.missing) if unexpected.missing else DoesNotApply("tested, as expected")
    due = any_of((taken_for(case, LONG_DAYS), case.condition("opioid_long_term_use") is not None, _at_risk(case)))
    facts = {"drug": drug, "test_days": str(within)}
    if "labs" not in case.answered:
        return CannotTell((case.missing("labs"),), said=bool(due), words="not_checked", facts=facts)
    if due:
        return Fires("info", facts, asks=("urine_test",))
    if due is None:
        return CannotTell(tuple(dict.fromkeys(_history_missing(case))))
    return DoesNotApply("neither long-term nor at high risk")


def _urine_tested(case: Case, within_days: int) -> bool:
    first = case.today - timedelta(days=within_days)
    return any(
        result.taken is not None and first <= result.taken and is_tested(result)
        for result in case.observed.get("uds", ())
    )


def _at_risk(case: Case) -> bool | None:
    """A high screening score, a use disorder or an overdose on record."""
    disorders = use_disorders(case, 0)
    known = "scores" in case.answered
    scored = True if screening(case, SCORE_DAYS).high else False if known else None
    listed = bool(disorders.named or overdoses(case).named)
    return any_of((scored, listed or (None if disorders.missing else False)))


def _history_missing(case: Case) -> list[str]:
    missing = [*case.not_answered("conditions", "scores")]
    if taken_for(case, LONG_DAYS) is None:
        missing.append("opioid history: not recorded" if case.history_known else case.missing("medications"))
    return missing
