"""Scores of pain and function over time: PEG, PROMIS pain interference, ODI; how far they fell from the baseline."""

from collections.abc import Mapping
from datetime import date
from fractions import Fraction

from msgspec import Struct

from cds.case import Case
from cds.chart import Observation

INSTRUMENTS = {"peg_mean": "PEG", "promis_pain_interference": "PROMIS pain interference", "odi": "ODI"}
"""Function scores by meaning, the first preferred; lower is better in all of them."""
PAIN, INTERFERENCE = "pain_score", "peg_item"
PEG_ITEMS = 2
"""Items of the PEG beside the one on pain."""

Days = Mapping[date, Fraction]


class Change(Struct, frozen=True):
    """A score at its baseline and last. ``percent`` is how far it fell; None where the baseline is zero."""

    name: str
    baseline: Fraction
    baseline_day: date
    last: Fraction
    last_day: date

    @property
    def percent(self) -> Fraction | None:
        return None if not self.baseline else (self.baseline - self.last) * 100 / self.baseline


def function_changes(case: Case, start: date) -> tuple[Change, ...]:
    """Of each function score with a baseline, up to the start of the opioid, and a value since: its change."""
    return tuple(
        change
        for meaning, name in INSTRUMENTS.items()
        if (change := _change(name, _days_of(case, meaning), start)) is not None
    )


def pain_change(case: Case, start: date) -> Change | None:
    """The change of the pain score."""
    return _change("pain score", _values(case, PAIN), start)


def interference_change(case: Case, start: date) -> Change | None:
    """The change of what pain keeps the patient from: the mean of the PEG's items on enjoyment and activity."""
    return _change("interference", _interference(case), start)


def _change(name: str, days: Days, start: date) -> Change | None:
    before = max((day for day in days if day <= start), default=None)
    since = max((day for day in days if day > start), default=None)
    if before is None or since is None:
        return None
    return Change(name, days[before], before, days[since], since)


def _days_of(case: Case, meaning: str) -> Days:
    days = _values(case, meaning)
    if meaning != "peg_mean":
        return days
    pain, interference = _values(case, PAIN), _interference(case)
    return {
        day: (pain[day] + PEG_ITEMS * interference[day]) / (PEG_ITEMS + 1) for day in interference if day in pain
    } | dict(days)


def _interference(case: Case) -> Days:
    """The mean of both items, on days that have both."""
    items: dict[date, dict[str, Fraction]] = {}
    for day, one in _observed(case, INTERFERENCE):
        items.setdefault(day, {})[one.code or one.name or one.ref] = Fraction(one.value or 0)
    return {day: sum(both.values(), Fraction(0)) / PEG_ITEMS for day, both in items.items() if len(both) == PEG_ITEMS}


def _values(case: Case, meaning: str) -> Days:
    """The last value of each day."""
    return {day: Fraction(one.value or 0) for day, one in _observed(case, meaning)}


def _observed(case: Case, meaning: str) -> list[tuple[date, Observation]]:
    """Those with a number, up to today, the latest last."""
    if meaning not in case.observed:
        return []
    found = [
        (one.taken, one)
        for one in case.chart.observations
        if one.meaning == meaning and one.value is not None and one.taken is not None and one.taken <= case.today
    ]
    return sorted(found, key=lambda pair: (pair[0], pair[1].taken_at, pair[1].ref))
