"""Safety of opioids taken for long, and what goes with a first one: agreement, PDMP, laxative, review, benefit
(SAF-02 to SAF-09; screening and urine tests stand in ``screening``)."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

from cds.breathing import one_off, opioid_name, starts_opioid
from cds.case import Case, number
from cds.chart import MedicationOrder, Paper
from cds.course import naive
from cds.exposure import supply_days
from cds.findings import RuleFunction
from cds.function_scores import Change, function_changes, interference_change, pain_change
from cds.knowledge import load_group
from cds.long_use import last_rise, opioid_run, taken_for
from cds.outcome import CannotTell, DoesNotApply, Fires, Outcome, any_of
from cds.purpose import acute_pain, chronic_pain, monitored, palliative, treats_use_disorder
from cds.rules.screening import high_risk_screening, risk_not_screened, urine_drug_test
from cds.substances import dated

KNOWLEDGE = load_group("safety")

AGREEMENT_TAKEN_DAYS = KNOWLEDGE["SAF-04"].days("taken_over_days") + 1
PDMP_FIRST_DAYS = KNOWLEDGE["SAF-05"].days("first_order_days")
LAXATIVE_SUPPLY_DAYS = KNOWLEDGE["SAF-07"].number("supply_days")
CONTINUED_DAYS = KNOWLEDGE["SAF-08"].days("continued_days")
FIRST_REVIEW_DAYS = KNOWLEDGE["SAF-08"].days("first_review_days")
REVIEW_DAYS = KNOWLEDGE["SAF-08"].days("review_days")
LONG_DAYS = KNOWLEDGE["SAF-09"].days("long_term_days")
IMPROVED_PERCENT = Fraction(KNOWLEDGE["SAF-09"].number("improvement_percent"))
IMPROVED_POINTS = Fraction(KNOWLEDGE["SAF-09"].number("improvement_points"))

LAXATIVES = (
    "sennosides, usp",
    "bisacodyl",
    "polyethylene glycol 3350",
    "lactulose",
    "magnesium hydroxide",
    "magnesium citrate",
)
"""Stimulant and osmotic laxatives (CLINICAL.md section 13, "Words")."""
CONSTIPATION = ("opioid_constipation", "constipation")
NO_LAXATIVE = (
    "diarrhoea", "gi_obstruction", "paralytic_ileus", "toxic_megacolon", "fecal_impaction",
)  # fmt: skip
REVIEWS = ("pain_score", "peg_mean", "peg_item", "promis_pain_interference", "odi")
"""Observations that show a review of pain or function."""
NOT_AN_OPIOID = DoesNotApply("no opioid is started")


def no_treatment_agreement(case: Case, draft: MedicationOrder) -> Outcome:
    """Have a treatment agreement with goals before an opioid for chronic pain goes on."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if palliative(case, draft) or treats_use_disorder(case, draft) or acute_pain(case, draft):
        return DoesNotApply("acute pain, palliative care or treatment of a use disorder")
    signed = _papers(case, "agreement")
    last = _latest(signed)
    renewed = case.days_of(KNOWLEDGE["SAF-04"], "agreement_days")
    if _within(case, last, renewed):
        return DoesNotApply("agreement on record")
    chronic = chronic_pain(case, draft)
    due = any_of((naive(case), taken_for(case, AGREEMENT_TAKEN_DAYS)))
    if chronic is False or due is False:
        return DoesNotApply("not for chronic pain, or neither first nor long")
    if not signed and not _papers(case, "document"):
        return CannotTell(("treatment agreement: not checked",))
    if signed and last is None:
        return CannotTell(("treatment agreement: no date",))
    missing = (*(() if chronic else (case.missing("conditions"),)), *(() if due else _history_missing(case)))
    if missing:
        return CannotTell(missing)
    facts = {"drug": opioid_name(draft), "agreement_days": str(renewed)}
    if last is not None:
        return Fires("info", facts | {"agreement_date": last.isoformat()}, "old")
    return Fires("info", facts)


def pdmp_not_checked(case: Case, draft: MedicationOrder) -> Outcome:
    """Look into the prescription monitoring programme before a first opioid and every three months."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if palliative(case, draft) and monitored(case):
        return DoesNotApply("palliative care in hospital")
    first = naive(case)
    continuing = case.days_of(KNOWLEDGE["SAF-05"], "continuing_days")
    within = continuing if first is False else PDMP_FIRST_DAYS
    reviews = _papers(case, "pdmp")
    last = _latest(reviews)
    if _within(case, last, within):
        return DoesNotApply("reviewed")
    if last is None:
        return CannotTell(("PDMP review: not checked",))
    if first is None and _within(case, last, continuing):
        return CannotTell(_history_missing(case))
    facts = {"drug": opioid_name(draft), "pdmp_date": last.isoformat(), "pdmp_days": str(within)}
    return Fires("info", facts, unknown=() if first is not None else _history_missing(case))


def no_laxative(case: Case, draft: MedicationOrder) -> Outcome:
    """Give a laxative with an opioid for more than a week."""
    if not starts_opioid(draft) or one_off(draft):
        return NOT_AN_OPIOID
    if case.has(*NO_LAXATIVE):
        return DoesNotApply("diarrhoea or obstruction")
    if any(order.drug is not None and order.drug.systemic for order in case.taking_ingredient(*LAXATIVES)):
        return DoesNotApply("a laxative is taken")
    days = supply_days(draft)
    continuing = bool(case.replaced_by(draft)) or naive(case) is False
    longer = any_of((continuing, None if days is None else days > LAXATIVE_SUPPLY_DAYS))
    if longer is False:
        return DoesNotApply("a week or less")
    facts = {"drug": opioid_name(draft)}
    if longer is None:
        return CannotTell((f"supply of {draft.ref}: not recorded",))
    constipation = case.condition(*CONSTIPATION)
    if not case.medications_known:
        return CannotTell((case.missing("medications"),), said=True, words="not_checked", facts=facts)
    unknown = () if "conditions" in case.answered else (case.missing("conditions"),)
    recognised = "as far as recognised" if case.unrecognised else "on the list"
    facts |= {"listed": recognised}
    if constipation is not None:
        facts["constipation"] = dated("constipation", constipation.since)
        return Fires("warning", facts, "constipation", ("laxative",), unknown)
    return Fires("info", facts, asks=("laxative",), unknown=unknown)


def review_overdue(case: Case, draft: MedicationOrder) -> Outcome:
    """Review pain and function within four weeks of a start or a dose rise, then every three months."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if palliative(case, draft):
        return DoesNotApply("palliative care")
    continued = taken_for(case, CONTINUED_DAYS)
    if continued is False:
        return DoesNotApply("new, or taken for less than 30 days")
    due_since = case.today - timedelta(days=REVIEW_DAYS)
    rise = last_rise(case) if continued else None
    if rise is not None and (case.today - rise).days > FIRST_REVIEW_DAYS:
        due_since = max(due_since, rise)
    last = max(_review_days(case), default=None)
    if last is not None and last >= due_since:
        return DoesNotApply("reviewed")
    missing = [] if "scores" in case.answered else [case.missing("scores")]
    if not _papers(case, "visit"):
        missing.append("monitoring visit: not checked")
    if continued is None:
        missing += _history_missing(case)
    if missing:
        return CannotTell(tuple(missing))
    facts = {"drug": opioid_name(draft), "review_days": str(REVIEW_DAYS)}
    if rise is not None and due_since == rise:
        facts |= {"first_review_days": str(FIRST_REVIEW_DAYS), "since": rise.isoformat()}
        return Fires("info", facts, "first")
    # A past visit was sent, so that there is a last review.
    return Fires("info", facts | {"last_review": str(last)})


def _review_days(case: Case) -> list[date]:
    """The days of past visits, scores and questionnaires."""
    papers = _papers(case, "visit", "review")
    days = [paper.day for paper in papers] + [one.taken for one in case.chart.observations if one.meaning in REVIEWS]
    return [day for day in days if day is not None and day <= case.today]


def no_functional_improvement(case: Case, draft: MedicationOrder) -> Outcome:
    """Go on with an opioid for neuropathic pain only where function improves; else offer a slow taper."""
    if not starts_opioid(draft):
        return NOT_AN_OPIOID
    if palliative(case, draft) or treats_use_disorder(case, draft):
        return DoesNotApply("palliative care or treatment of a use disorder")
    indication = case.indication(draft)
    if indication.grade not in ("definite", "probable", "unknown"):
        return DoesNotApply("not for neuropathic pain")
    long = taken_for(case, LONG_DAYS)
    if long is False:
        return DoesNotApply("taken for less than 90 days")
    run = opioid_run(case)
    missing = () if long else _history_missing(case)
    missing += indication.unknown if indication.grade == "unknown" else ()
    if missing or run.start is None:
        return CannotTell(missing)
    facts = {"drug": opioid_name(draft), "since": run.start.isoformat(), "taken_days": str(run.days)}
    changes = function_changes(case, run.start)
    pain, interference = pain_change(case, run.start), interference_change(case, run.start)
    if pain is not None and interference is not None and _improved(pain) and not _improved(interference):
        told = _told(interference) | {"pain_score": _number(pain.last), "pain_baseline": _number(pain.baseline)}
        return Fires("warning", facts | told, "pain_only", ("taper", "referral"))
    if any(_improved(change) for change in changes):
        return DoesNotApply("function improved")
    known = [change for change in changes if change.percent is not None]
    if not known and interference is not None:
        if interference.baseline - interference.last >= IMPROVED_POINTS:
            return DoesNotApply("function improved")
        known = [interference]
    if known:
        return Fires("warning", facts | _told(known[0]), asks=("taper", "referral"))
    missing = ("function scores: no baseline and follow-up",)
    if "scores" not in case.answered:
        missing = (case.missing("scores"),)
    return CannotTell(missing, said=True, words="not_on_record", facts=facts)


def _improved(change: Change) -> bool:
    return change.percent is not None and change.percent >= IMPROVED_PERCENT


def _told(change: Change) -> dict[str, str]:
    percent = change.percent or Fraction(0)
    return {
        "score": change.name,
        "baseline_points": _number(change.baseline),
        "baseline_date": change.baseline_day.isoformat(),
        "last_points": _number(change.last),
        "last_date": change.last_day.isoformat(),
        "improvement_percent": _number(percent),
        "improvement": f"{_number(percent)} % better" if percent > 0 else "no better",
    }


def _number(value: Fraction) -> str:
    """At most one decimal, and never rounded up to what was not reached."""
    return number(Decimal(value.numerator * 10 // value.denominator) / 10)


# Papers


def _papers(case: Case, *kinds: str) -> list[Paper]:
    return [paper for paper in case.chart.papers if paper.kind in kinds]


def _latest(papers: list[Paper]) -> date | None:
    return max((paper.day for paper in papers if paper.day is not None), default=None)


def _within(case: Case, day: date | None, days: int) -> bool:
    return day is not None and (case.today - day).days <= days


def _history_missing(case: Case) -> tuple[str, ...]:
    return ("opioid history: not recorded",) if case.history_known else (case.missing("medications"),)


RULES: tuple[tuple[str, RuleFunction], ...] = (
    ("SAF-02", risk_not_screened),
    ("SAF-03", high_risk_screening),
    ("SAF-04", no_treatment_agreement),
    ("SAF-05", pdmp_not_checked),
    ("SAF-06", urine_drug_test),
    ("SAF-07", no_laxative),
    ("SAF-08", review_overdue),
    ("SAF-09", no_functional_improvement),
)
