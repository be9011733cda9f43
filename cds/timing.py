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
    """``highest``: times on the highest day; ``mean``: a day on average, at the shortest interval; ``lowest``: at the
    longest; ``up_to``: the most of a range; ``disagrees``: the code tells another frequency, and the larger counts."""

    highest: Fraction
    mean: Fraction
    interval_hours: Fraction
    up_to: bool = False
    lowest: Fraction = Fraction(0)
    disagrees: bool = False


def read_timing(dosage: Dosage) -> Timing | None:
    """How often, at the highest frequency and the shortest interval; None where the structured fields do not say."""
    repeat, up_to = _repeat_rate(dosage)
    coded = _code_rate(dosage.timing_code) if dosage.timing_code else None
    found = max((each for each in (repeat, coded) if each is not None), default=None)
    rate, lowest = found if found is not None else (None, Fraction(0))
    days = min(dosage.days_of_week, WEEK)
    if rate is None and days > 0:
        rate = lowest = Fraction(1)
    if rate is None or rate > HIGHEST_RATE:
        return None
    mean = rate
    if days > 0:
        # "Three times a week on Monday, Wednesday and Friday" already says the mean; "daily on Monday" does not.
        mean = _on_weekdays(rate, days)
        lowest = _on_weekdays(lowest, days)
    differ = repeat is not None and coded is not None and repeat[0] != coded[0]
    return Timing(max(rate, Fraction(1)), mean, HOURS / rate, up_to, lowest, differ)


def _on_weekdays(rate: Fraction, days: int) -> Fraction:
    return max(rate, Fraction(days, WEEK)) if rate < 1 else rate * days / WEEK


Rates = tuple[Fraction, Fraction]
"""Times a day at the shortest interval, and at the longest."""


def _repeat_rate(dosage: Dosage) -> tuple[Rates | None, bool]:
    periods = [
        days
        for value in (dosage.period, dosage.period_max)
        if value is not None and (days := exact_days(value)) is not None
    ]
    times = [count for value in (dosage.frequency, dosage.frequency_max) if (count := exact(value)) is not None]
    occasions = Fraction(max(dosage.times_of_day, dosage.when, 0))
    rates = None
    if periods:
        # FHIR: a period without a frequency is one time in it.
        highest = _rate(max(times, default=Fraction(1)), min(periods), occasions)
        lowest = _rate(min(times, default=Fraction(1)), max(periods), occasions)
        rates = highest, min(lowest, highest)
    elif occasions:
        rates = occasions, occasions
    # "Up to four times a day" has only the upper end.
    up_to = len(set(times)) > 1 or len(set(periods)) > 1 or (dosage.frequency is None and bool(times))
    return rates, up_to


def _rate(frequency: Fraction, period: Fraction, occasions: Fraction) -> Fraction:
    return max(frequency, occasions) / period if period >= 1 else max(frequency / period, occasions)


@lru_cache(maxsize=256)
def _code_rate(code: str) -> Rates | None:
    """The rate of a timing code: those of FHIR, else a text such as ``Q4H PRN``."""
    known = _CODES.get(code.strip().upper())
    if known is not None:
        return known, known
    readings = read_sig(code)
    return _repeat_rate(readings[0])[0] if len(readings) == 1 else None
