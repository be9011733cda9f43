"""The day of an order: what each instruction comes to in a day, and what all of them together come to.

Everything here is a fraction, so that sums stay exact; ``cds.dose`` turns them into decimals.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction

from msgspec import Struct
from msgspec.structs import replace

from cds.amount import Measure, Measured, is_range, larger, smaller
from cds.chart import Dosage
from cds.concurrent import concurrent_sets
from cds.sig import read_sig
from cds.sig_asides import is_admonition
from cds.timing import read_timing
from cds.units import exact, exact_days, read_unit

NOT_SAID = frozenset(("no dose", "no frequency", "as needed without a limit"))
"""Reasons that a text beside the fields, if it had been understood, might have removed."""


class Day(Struct, frozen=True):
    """What instructions come to in a day, in mg (mg/h for a patch). ``maximum``, ``mean`` and ``scheduled`` are None
    where this cannot be told; ``known`` is then the mean of what can, ``known_scheduled`` its part on schedule."""

    maximum: Fraction | None = None
    mean: Fraction | None = None
    scheduled: Fraction | None = None
    single: Fraction | None = None
    pieces: Fraction | None = None
    interval_hours: Fraction | None = None
    up_to: bool = False
    reason: str | None = None
    known: Fraction = Fraction(0)
    known_scheduled: Fraction = Fraction(0)
    worn: bool = False
    """The amounts are mg/h of patches worn at once."""
    minimum: Fraction | None = None
    """The least that is taken in a day: lowest dose, longest interval; nothing of what is as needed."""
    disagrees: bool = False
    """The text and the fields tell another dose; the larger is taken."""


ROUNDING = Fraction(1, 20)
"""Of a dose that is told twice."""


def order_day(dosages: tuple[Dosage, ...], measure: Measure) -> Day:
    """All instructions of an order together: parallel ones add up, of a sequence the highest day counts."""
    dosages = tuple(dosage for dosage in dosages if not _only_warns(dosage)) or dosages
    if not dosages:
        return Day(reason="no dose")
    return _together(dosages, [_read(dosage, measure, alone=len(dosages) == 1) for dosage in dosages])


def _only_warns(dosage: Dosage) -> bool:
    """Whether an instruction holds nothing but a text that warns or advises ("Do not drive")."""
    said = dosage.text
    if said is None or not is_admonition(said):
        return False
    bare = Dosage(sequence=dosage.sequence, text=said, as_needed=False, route=dosage.route, site=dosage.site)
    return replace(dosage, as_needed=False) == bare and not dosage.as_needed


def _read(dosage: Dosage, measure: Measure, alone: bool) -> Day:
    """One instruction: its timing by its code and by the words beside it; where they disagree, the larger."""
    day = _with_text(dosage, measure, alone)
    if dosage.timing_text is None:
        return day
    worded = replace(dosage, timing_code=dosage.timing_text)
    rates = [timing and timing.highest for timing in (read_timing(dosage), read_timing(worded))]
    if None in rates or rates[0] == rates[1]:
        return day
    return replace(max(day, _with_text(worded, measure, alone), key=_maximum), disagrees=True)


def _with_text(dosage: Dosage, measure: Measure, alone: bool) -> Day:
    """One instruction: its fields, filled up from its text; where the two disagree, the larger."""
    text = dosage.text
    if text is None or not text.strip():
        return _instruction(dosage, measure)
    readings = read_sig(text)
    if not readings:
        day = _instruction(dosage, measure)
        return replace(day, reason="text not understood") if day.reason in NOT_SAID else day
    if len(readings) == 1:
        day = _instruction(_filled(dosage, readings[0], measure), measure)
        written = _instruction(_filled(readings[0], dosage, measure), measure)
    else:
        day = _instruction(dosage, measure)
        if day.maximum is not None and not alone:
            # A text that describes several instructions stands beside each of them.
            return day
        parts = [_filled(reading, dosage, measure) for reading in readings]
        written = _together(parts, [_instruction(part, measure) for part in parts])
    if day.maximum is None:
        return written if written.maximum is not None or day.reason in NOT_SAID else day
    if written.maximum is None or written.maximum == day.maximum:
        return day
    return replace(max(day, written, key=_maximum), disagrees=True)


def _maximum(day: Day) -> Fraction:
    return day.maximum or Fraction(0)


def _filled(first: Dosage, second: Dosage, measure: Measure) -> Dosage:
    """The first, with what it lacks taken from the second. Only the fields say that a dose is not as needed."""
    fields, text = (first, second) if first.text is not None else (second, first)
    dosage = replace(
        first,
        as_needed=text.as_needed if fields.as_needed is None else fields.as_needed,
        route=fields.route or text.route,
        rate=fields.rate,
        max_single=fields.max_single,
    )
    if dosage.max_dose is None:
        dosage = replace(dosage, max_dose=second.max_dose, max_dose_days=second.max_dose_days)
    own = measure.measured(larger(first.dose_low, first.dose_high), dosage.route)
    other = measure.measured(larger(second.dose_low, second.dose_high), dosage.route)
    taken = own.mg is None and (other.mg is not None or own.reason == "no dose")
    if taken:
        dosage = replace(
            dosage,
            dose_low=second.dose_low,
            dose_high=second.dose_high,
            restated=second.restated,
            shared=second.shared,
        )
    if read_timing(first) is None or (taken and second.shared):
        dosage = replace(
            dosage,
            frequency=second.frequency,
            frequency_max=second.frequency_max,
            period=second.period,
            period_max=second.period_max,
            times_of_day=second.times_of_day,
            when=second.when,
            days_of_week=second.days_of_week,
            timing_code=second.timing_code,
        )
    return dosage


def _instruction(dosage: Dosage, measure: Measure) -> Day:
    """One instruction by its fields alone."""
    if measure.injected(dosage.route):
        return Day(reason="infusion or injection")
    dose = measure.measured(larger(dosage.dose_low, dosage.dose_high), dosage.route)
    if dose.reason == "no dose" and dosage.rate is not None:
        if not measure.hourly(dosage.route):
            return Day(reason="infusion or injection")
        dose = measure.measured(dosage.rate, dosage.route)
    again = measure.measured(dosage.restated, dosage.route)
    if dose.mg is None and again.mg is not None and dose.reason == "no concentration":
        dose = again
    disagrees = _differ(dose, again)
    if disagrees:  # "5 mL (10 mg)" of 20 mg/mL: the larger, as everywhere
        dose = max(dose, again, key=lambda told: told.mg or 0)
    most = measure.measured(dosage.max_single, dosage.route)
    if most.mg is not None and (dose.mg is None or most.mg < dose.mg):
        dose = most
    timing = read_timing(dosage)
    scheduled = 0 if dosage.as_needed else 1
    if measure.hourly(dosage.route):
        pieces = dose.pieces * timing.mean if dose.pieces is not None and timing is not None else None
        interval = timing.interval_hours if timing is not None else None
        day = _told(dose.mg, dose.mg, scheduled, dose, pieces, interval, is_range(dosage))
        return replace(day, worn=True, minimum=_least(dosage, day, Fraction(1), measure), disagrees=disagrees)
    limit, whole = _limit(dosage, dose, measure)
    up_to = bool(dosage.as_needed) or is_range(dosage) or (timing is not None and timing.up_to)
    if timing is None:
        if limit.mg is None:
            reason = dose.reason or limit.reason
            reason = reason or ("as needed without a limit" if dosage.as_needed else "no frequency")
            return Day(single=dose.mg, up_to=up_to, reason=reason)
        day = _told(whole, limit.mg, scheduled, dose, limit.pieces, None, True)
        return replace(day, minimum=None if day.maximum is None else Fraction(0))
    disagrees = disagrees or timing.disagrees
    maximum = _smaller(_product(dose.mg, timing.highest), whole)
    mean = _smaller(_product(dose.mg, timing.mean), limit.mg)
    pieces = _smaller(_product(dose.pieces, timing.mean), limit.pieces)
    day = _told(maximum, mean, scheduled, dose, pieces, timing.interval_hours, up_to)
    if dosage.shared:
        day = replace(day, single=None, interval_hours=None)
    return replace(day, minimum=_least(dosage, day, timing.lowest, measure), disagrees=disagrees)


def _differ(one: Measured, other: Measured) -> bool:
    """Whether two tellings of one dose differ by more than rounding."""
    if one.mg is None or other.mg is None:
        return False
    return abs(one.mg - other.mg) > ROUNDING * max(one.mg, other.mg)


def _least(dosage: Dosage, day: Day, times: Fraction, measure: Measure) -> Fraction | None:
    """The lowest dose so many times a day; nothing of what is as needed. "Up to" has no lower end."""
    if day.mean is None:
        return None
    up_to = (dosage.dose_low is None and dosage.dose_high) or (dosage.frequency is None and dosage.frequency_max)
    if dosage.as_needed or up_to:
        return Fraction(0)
    low = measure.measured(smaller(dosage.dose_low, dosage.dose_high), dosage.route).mg
    return day.mean if low is None else min(low * times, day.mean)


def _told(
    maximum: Fraction | None,
    mean: Fraction | None,
    scheduled: int,
    dose: Measured,
    pieces: Fraction | None,
    interval: Fraction | None,
    up_to: bool,
) -> Day:
    if maximum is None or mean is None:
        return Day(pieces=pieces, interval_hours=interval, up_to=up_to, reason=dose.reason)
    on_schedule = mean * scheduled
    return Day(maximum, mean, on_schedule, dose.mg, pieces, interval, up_to, None, mean, on_schedule)


def _limit(dosage: Dosage, dose: Measured, measure: Measure) -> tuple[Measured, Fraction | None]:
    """The most that may be taken by maxDosePerPeriod: a day on average, and on one day (all that a week allows). Empty
    where there is none, with the reason if unread."""
    if dosage.max_dose is None:
        return Measured(), None
    days = Fraction(1) if dosage.max_dose_days is None else exact_days(dosage.max_dose_days)
    if days is None:
        return Measured(), None
    unit = read_unit(dosage.max_dose.unit) if dosage.max_dose.unit else None
    if unit is not None and unit.kind == "doses":
        times = exact(dosage.max_dose.value)
        if times is None:
            return Measured(), None
        most = Measured(_product(dose.mg, times), _product(dose.pieces, times))
    else:
        counted = measure.pieces(exact(dosage.max_dose.value) or Fraction(0), dosage.route)
        # "1 or 2, maximum 8 in 24 hours": a bare limit beside bare pieces counts them.
        bare = dosage.max_dose.unit is None and dosage.dose_high is not None and dosage.dose_high.unit is None
        most = counted if bare and dose.pieces is not None else measure.measured(dosage.max_dose, dosage.route)
    average = Measured(_product(most.mg, 1 / days), _product(most.pieces, 1 / days), most.reason)
    return average, most.mg if days > 1 else average.mg


def _product(value: Fraction | None, times: Fraction) -> Fraction | None:
    return None if value is None else value * times


def _smaller(value: Fraction | None, limit: Fraction | None) -> Fraction | None:
    if value is None or limit is None:
        return limit if value is None else value
    return min(value, limit)


def _together(dosages: Sequence[Dosage], days: list[Day]) -> Day:
    """The highest day of several instructions."""
    if len(days) == 1:
        return days[0]
    concurrent = concurrent_sets(dosages)

    def highest(amount: Callable[[Day], Fraction | None]) -> Fraction:
        return max(sum((amount(days[at]) or Fraction(0) for at in together), Fraction(0)) for together in concurrent)

    reason = next((day.reason for day in days if day.reason is not None), None)
    told = reason is None
    return Day(
        maximum=highest(lambda day: day.maximum) if told else None,
        mean=highest(lambda day: day.mean) if told else None,
        scheduled=highest(lambda day: day.scheduled) if told else None,
        single=max((day.single for day in days if day.single is not None), default=None),
        pieces=None if any(day.pieces is None for day in days) else highest(lambda day: day.pieces),
        interval_hours=min((day.interval_hours for day in days if day.interval_hours is not None), default=None),
        up_to=any(day.up_to for day in days),
        reason=reason,
        known=highest(lambda day: day.known),
        known_scheduled=highest(lambda day: day.known_scheduled),
        worn=any(day.worn for day in days),
        minimum=_lowest(days, concurrent) if told else None,
        disagrees=any(day.disagrees for day in days),
    )


def _lowest(days: list[Day], concurrent: list[list[int]]) -> Fraction:
    taken = [together for together in concurrent if together]
    return min(sum((days[at].minimum or Fraction(0) for at in together), Fraction(0)) for together in taken)
