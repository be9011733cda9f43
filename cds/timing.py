"""How often a dosage instruction is taken: times a day on the highest day and on average, and the interval."""

from fractions import Fraction
from functools import lru_cache

from msgspec import Struct

from cds.chart import Dosage
from cds.sig import read_sig
from cds.units import exact, exact_days

WEEK = 7
HOURS = 24
HIGHEST_RATE = 24
"""Times a day. A dose every few minutes is not a day's schedule: nobody continues it for a day."""

_CODES = {
    "QD": Fraction(1), "DAILY": Fraction(1), "AM": Fraction(1), "PM": Fraction(1), "HS": Fraction(1),
    "BED": Fraction(1), "QAM": Fraction(1), "QPM": Fraction(1), "QHS": Fraction(1), "BID": Fraction(2),
    "TID": Fraction(3), "QID": Fraction(4), "QOD": Fraction(1, 2), "WK": Fraction(1, 7), "MO": Fraction(1, 30),
}  # fmt: skip


class Timing(Struct, frozen=True):
    """``highest``: times on the highest day; ``mean``: a day on average; ``up_to``: the most of a range."""

    highest: Fraction
    mean: Fraction
    interval_hours: Fraction
    up_to: bool = False


def read_timing(dosage: Dosage) -> Timing | None:
    """How often, at the highest frequency and the shortest interval; None where the structured fields do not say."""
    repeat, up_to = _repeat_rate(dosage)
    coded = _code_rate(dosage.timing_code) if dosage.timing_code else None
    rate = max((found for found in (repeat, coded) if found is not None), default=None)
    days = min(dosage.days_of_week, WEEK)
    if rate is None and days > 0:
        rate = Fraction(1)
    if rate is None or rate > HIGHEST_RATE:
        return None
    mean = rate
    if days > 0:
        # "Three times a week on Monday, Wednesday and Friday" already says the mean; "daily on Monday" does not.
        mean = max(rate, Fraction(days, WEEK)) if rate < 1 else rate * days / WEEK
    return Timing(highest=max(rate, Fraction(1)), mean=mean, interval_hours=HOURS / rate, up_to=up_to)


def _repeat_rate(dosage: Dosage) -> tuple[Fraction | None, bool]:
    periods = [
        days
        for value in (dosage.period, dosage.period_max)
        if value is not None and (days := exact_days(value)) is not None
    ]
    times = [count for value in (dosage.frequency, dosage.frequency_max) if (count := exact(value)) is not None]
    occasions = Fraction(max(dosage.times_of_day, dosage.when, 0))
    rate = None
    if periods:
        # FHIR: a period without a frequency is one time in it.
        frequency = max(times, default=Fraction(1))
        period = min(periods)
        rate = (
            max(frequency, Fraction(occasions)) / period
            if period >= 1
            else max(frequency / period, Fraction(occasions))
        )
    elif occasions:
        rate = occasions
    # "Up to four times a day" has only the upper end.
    up_to = len(set(times)) > 1 or len(set(periods)) > 1 or (dosage.frequency is None and bool(times))
    return rate, up_to


@lru_cache(maxsize=256)
def _code_rate(code: str) -> Fraction | None:
    """The rate of a timing code: those of FHIR, else a text such as ``Q4H PRN``."""
    known = _CODES.get(code.strip().upper())
    if known is not None:
        return known
    readings = read_sig(code)
    return _repeat_rate(readings[0])[0] if len(readings) == 1 else None
