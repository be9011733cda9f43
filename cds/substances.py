"""Alcohol and other substances on the record: disorders, remission, hazardous drinking, overdose."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from operator import attrgetter

from msgspec import Struct

from cds.case import Case, number
from cds.chart import Condition, Observation
from cds.days import months_before
from cds.once import once_a_chart, once_for
from cds.outcome import any_of

USE_DISORDERS = {
    "opioid_use_disorder": "opioid use disorder",
    "alcohol_use_disorder": "alcohol use disorder",
    "sedative_use_disorder": "sedative use disorder",
    "stimulant_use_disorder": "stimulant use disorder",
    "cannabis_use_disorder": "cannabis use disorder",
    "substance_use_disorder_other": "substance use disorder",
}
USE_MEANINGS = frozenset({*USE_DISORDERS, *[f"{meaning}_remission" for meaning in USE_DISORDERS]})
OVERDOSES = {"overdose_history": "overdose", "sedative_overdose_history": "overdose of a sedative"}
DRUNK = ("alcohol_in_blood", "alcohol_intoxication")
DAYS_A_WEEK = 7


class Risks(Struct, frozen=True):
    """Risks as a card names them, and what was not known when they were looked for (``notAssessed`` entries)."""

    named: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


class AlcoholLimits(Struct, frozen=True):
    """From which score, count of drinks or age of an answer on alcohol use is hazardous, for men and women."""

    audit_c_men: Decimal
    audit_c_women: Decimal
    audit: Decimal
    drinks_men: Decimal
    drinks_women: Decimal
    answer_days: int
    remission_months: int


class Alcohol(Struct, frozen=True):
    """Hazardous alcohol use. ``disorder`` names an active use disorder; ``risks`` is all evidence; ``facts`` its
    numbers; ``unspecified`` tells of alcohol use on the list that is no disorder by itself."""

    disorder: str | None
    risks: Risks
    facts: Mapping[str, str] = {}
    unspecified: str | None = None


def dated(name: str, since: date | None) -> str:
    """A name with the day since when it holds, where that is on record."""
    return name if since is None else f"{name} since {since.isoformat()}"


NOTHING = Risks()


def use_disorders(case: Case, remission_months: int, *wanted: str) -> Risks:
    """Use disorders that are active or in remission for less than so many months; all of them, or those wanted."""
    if case.lists_any(USE_MEANINGS):
        return _use_disorders(case, remission_months, *wanted)
    return NOTHING if "conditions" in case.answered else Risks((), (case.missing("conditions"),))


@once_for
def _use_disorders(case: Case, remission_months: int, *wanted: str) -> Risks:
    named, missing = [], []
    for meaning, name in USE_DISORDERS.items():
        if wanted and meaning not in wanted:
            continue
        active = case.condition(meaning)
        if active is not None:
            named.append(dated(name, active.since))
            continue
        remission = _recent_remission(case, meaning, remission_months)
        if remission is True:
            named.append(f"{name}, remission under {remission_months} months")
        elif isinstance(remission, str):
            missing.append(remission)
    if "conditions" not in case.answered:
        missing.append(case.missing("conditions"))
    return Risks(tuple(named), tuple(missing))


def _recent_remission(case: Case, disorder: str, months: int) -> bool | str:
    """Whether this disorder went into remission less than so many months ago; a text: its day is not recorded."""
    undated = None
    for condition in case.events(disorder, f"{disorder}_remission"):
        day = _remission_day(condition, f"{disorder}_remission")
        if day is None:
            undated = f"date of {condition.ref}: not recorded"
        elif months_before(case.today, months) <= day:
            return True
    return undated or False


def _remission_day(condition: Condition, remission: str) -> date | None:
    if remission in condition.meanings:
        return condition.ended or condition.since or condition.recorded
    return condition.ended


@once_a_chart
def overdoses(case: Case) -> Risks:
    """Overdoses of an opioid or a sedative at any time."""
    if case.by_meaning.keys().isdisjoint(OVERDOSES) and "conditions" in case.answered:
        return NOTHING
    named = [
        name if event.since is None else f"{name} on {event.since.isoformat()}"
        for meaning, name in OVERDOSES.items()
        for event in case.by_meaning.get(meaning, ())
    ]
    return Risks(tuple(dict.fromkeys(named)), () if "conditions" in case.answered else (case.missing("conditions"),))


def hazardous_alcohol(case: Case, limits: AlcoholLimits) -> Alcohol:
    """Active use disorder, AUDIT-C or AUDIT, drinks a week, alcohol in the blood today."""
    named: list[str] = []
    missing: list[str] = []
    facts: dict[str, str] = {}
    disorder = case.condition("alcohol_use_disorder")
    listed = use_disorders(case, limits.remission_months, "alcohol_use_disorder")
    named += listed.named
    missing += listed.missing
    named += _drunk_today(case, facts)
    scores = _scores(case, limits, named, facts)
    if scores is None:
        missing.append("patient: no sex" if "patient" in case.answered else case.missing("patient"))
    elif not scores and ANSWERS.isdisjoint(map(_meaning, case.chart.observations)):
        known = "scores" in case.answered
        missing.append("alcohol use: not recorded" if known else case.missing("scores"))
    unspecified = case.condition("alcohol_use_unspecified")
    return Alcohol(
        disorder=None if disorder is None else dated("alcohol use disorder", disorder.since),
        risks=Risks(tuple(named), tuple(missing)),
        facts=facts,
        unspecified=None if unspecified is None else dated("alcohol use", unspecified.since),
    )


SCORES = frozenset({"audit_c", "audit", "alcohol_drinks"})
ANSWERS = SCORES | {"blood_alcohol"}
"""Observations that say something of alcohol use."""
_meaning = attrgetter("meaning")


def _drunk_today(case: Case, facts: dict[str, str]) -> list[str]:
    named = []
    measured = case.latest("blood_alcohol", within_days=0)
    if measured is not None and measured.value:
        facts["blood_alcohol_mg_per_dl"] = number(measured.value)
        named.append(f"blood alcohol {number(measured.value)} mg/dL today")
    drunk = case.condition(*DRUNK)
    # An episode without a date may be this one.
    if drunk is not None and drunk.since in (case.today, None):
        named.append("alcohol intoxication today" if drunk.since else "alcohol intoxication, date not recorded")
    return named


def _scores(case: Case, limits: AlcoholLimits, named: list[str], facts: dict[str, str]) -> bool | None:
    """Whether a score or a count of drinks is at or over its limit; None where that hangs on a sex not known."""
    if case.observed.keys().isdisjoint(SCORES):
        return False
    sex = case.chart.patient.sex
    reached: list[bool | None] = []

    def judge(answer: Observation | None, value: Decimal, men: Decimal, women: Decimal, fact: str, said: str) -> None:
        over = _reaches(value, sex, men, women)
        reached.append(over)
        if over and answer is not None and answer.taken is not None:
            facts[fact] = number(value)
            named.append(f"{said} on {answer.taken.isoformat()}")

    audit_c = case.latest("audit_c", within_days=limits.answer_days)
    if audit_c is not None and audit_c.value is not None:
        points = audit_c.value
        judge(audit_c, points, limits.audit_c_men, limits.audit_c_women, "audit_c_points", f"AUDIT-C {number(points)}")
    audit = case.latest("audit", within_days=limits.answer_days)
    if audit is not None and audit.value is not None:
        judge(audit, audit.value, limits.audit, limits.audit, "audit_points", f"AUDIT {number(audit.value)}")
    drinks = case.latest("alcohol_drinks", within_days=limits.answer_days)
    if drinks is not None and drinks.value is not None:
        week = drinks.value * DAYS_A_WEEK
        over = Decimal("0.01")  # above the limit, not at it
        judge(
            drinks, week, limits.drinks_men + over, limits.drinks_women + over,
            "drinks_per_week", f"{number(week)} drinks a week",
        )  # fmt: skip
    return any_of(reached)


def _reaches(value: Decimal, sex: str | None, men: Decimal, women: Decimal) -> bool | None:
    if sex == "male":
        return value >= men
    if sex == "female" or value >= men or value < women:
        return value >= women
    return None
