"""Pregnancy and breastfeeding as far as the record tells: status, test, due date, conditions."""

from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from cds.answer_words import AnswerWords
from cds.case import Case

PREGNANT = AnswerWords(
    (
        ("yes", "pregnant;pregnancy confirmed;confirmed pregnancy"),
        ("no", "postpartum;post partum"),
        ("unclear", "unsure;not sure;uncertain;possible;possibly;maybe;may be;might be;could be;whether"),
        ("nothing", "become pregnant;becoming pregnant;get pregnant;getting pregnant;be pregnant;if pregnant"),
        ("nothing", "was pregnant;previously pregnant;recently pregnant;formerly pregnant;unknown if pregnant"),
    ),
    (("unclear", "unknown"),),
)
BREASTFEEDING = AnswerWords(
    (
        ("yes", "breastfeeding;breast feeding;breastfed;breast fed;breast milk;breastmilk;breast;nursing;lactating"),
        ("yes", "lactation;pumping;mixed feeding;not only breastfeeding"),
        ("no", "weaned;stopped breastfeeding;breastfeeding stopped;discontinued breastfeeding"),
        ("no", "breastfeeding discontinued;ceased breastfeeding;breastfeeding ceased"),
        ("no", "former breastfeeding;formerly breastfeeding;previously breastfeeding;breastfeeding former"),
        ("unclear", "unsure;not sure;status unknown;declined;declines;refused;refuses;plans;planning;planned;intends"),
        ("unclear", "stopped;discontinued;ceased;former;formerly;previously;history of;wants;desires;if;whether"),
        ("unclear", "counseling;counselling;education;consult"),
        ("nothing", "not exclusively;not fully;no longer exclusively;no longer fully"),
    ),
    (
        ("yes", "exclusive;exclusively;partial;partially;mixed;current;currently"),
        ("unclear", "unknown"),
        ("no", "weaned;stopped;former;formerly;never;discontinued;ceased"),
    ),
)

Answer = Literal["yes", "no", "stale", "unknown"]


class Windows(Struct, frozen=True):
    """Days for which a status, a positive and a negative test, and a due date (ahead) or a recorded pregnancy hold."""

    status_days: int
    positive_test_days: int
    negative_test_days: int
    due_days: int


class Status(Struct, frozen=True):
    """``answer`` "stale": said so once, but too long ago. ``evidence`` is what says so, as a card names it."""

    answer: Answer
    evidence: str = ""


UNKNOWN = Status("unknown")
ANSWERS = frozenset({"pregnancy_status", "pregnancy_test", "estimated_delivery"})
"""Observations that tell of a pregnancy."""


class _Said(Struct, frozen=True):
    day: date | None
    answer: Answer
    evidence: str


def pregnancy(case: Case, windows: Windows) -> Status:
    """Whether the patient is pregnant: what was recorded last, of what is still in its window."""
    if case.chart.encounter is None and case.observed.keys().isdisjoint(ANSWERS) and "pregnancy" not in case.by_meaning:
        return UNKNOWN
    said = [*_statuses(case, windows), *_tests(case, windows), *_due(case, windows), *_conditions(case, windows)]
    current = [one for one in said if one.answer in ("yes", "no")]
    latest = max(current, key=lambda one: (one.day or date.min, one.answer == "yes"), default=None)
    if latest is not None:
        return Status(latest.answer, latest.evidence)
    stale = max((one for one in said if one.answer == "stale"), key=lambda one: one.day or date.min, default=None)
    return UNKNOWN if stale is None else Status("stale", stale.evidence)


def breastfeeding(case: Case, windows: Windows) -> Status:
    """Whether the patient breastfeeds: the last record that says yes or no, and the problem list."""
    last: tuple[date, bool] | None = None
    if "breastfeeding" in case.observed:
        said = [(day, BREASTFEEDING.read(text)) for day, text in _all(case, "breastfeeding")]
        last = max(((day, answer == "yes") for day, answer in said if answer in ("yes", "no")), default=None)
    if last is not None and (case.today - last[0]).days <= windows.status_days:
        return Status("yes" if last[1] else "no", f"breastfeeding recorded {last[0]}")
    listed = case.condition("breastfeeding")
    if listed is not None:
        return Status("yes", _dated("breastfeeding", listed.since))
    return Status("stale", f"breastfeeding recorded {last[0]}") if last is not None and last[1] else UNKNOWN


def _statuses(case: Case, windows: Windows) -> list[_Said]:
    said = []
    for day, text in _all(case, "pregnancy_status"):
        answer, fresh = PREGNANT.read(text), (case.today - day).days <= windows.status_days
        if answer == "yes":
            said.append(_Said(day, "yes" if fresh else "stale", f"pregnancy recorded {day}"))
        elif answer == "no" and fresh:
            said.append(_Said(day, "no", f"no pregnancy, recorded {day}"))
    return said


def _tests(case: Case, windows: Windows) -> list[_Said]:
    said = []
    for day, text in _all(case, "pregnancy_test"):
        answer, age = PREGNANT.read(text), (case.today - day).days
        if answer == "yes" and age <= windows.positive_test_days:
            said.append(_Said(day, "yes", f"pregnancy test positive on {day}"))
        elif answer == "no" and age <= windows.negative_test_days:
            # A test alone does not undo a pregnancy that is on record.
            said.append(_Said(None, "no", f"pregnancy test negative on {day}"))
    return said


def _due(case: Case, windows: Windows) -> list[_Said]:
    said = []
    for day, text in _all(case, "estimated_delivery"):
        try:
            due = date.fromisoformat(text[:10])
        except ValueError:
            continue
        if case.today <= due <= case.today + timedelta(days=windows.due_days):
            said.append(_Said(day, "yes", f"due date {due}"))
    return said


def _conditions(case: Case, windows: Windows) -> list[_Said]:
    """Pregnancies on the problem list; one that began too long ago is over, and nobody took it off."""
    said = []
    for condition in case.events("pregnancy"):
        if condition.status != "present":
            continue
        over = condition.since is not None and (case.today - condition.since).days > windows.due_days
        said.append(_Said(condition.since, "stale" if over else "yes", _dated("pregnancy", condition.since)))
    encounter = case.chart.encounter
    if encounter is not None and any("pregnancy" in reason.meanings for reason in encounter.reasons):
        said.append(_Said(case.today, "yes", "this encounter is for a pregnancy"))
    return said


def _all(case: Case, meaning: str) -> list[tuple[date, str]]:
    """The answers in words up to today, each with its day."""
    if meaning not in case.observed:
        return []
    return [
        (one.taken, one.text)
        for one in case.chart.observations
        if one.meaning == meaning and one.text and one.taken is not None and one.taken <= case.today
    ]


def _dated(name: str, day: date | None) -> str:
    return f"{name} on the list" if day is None else f"{name} on the list since {day}"
