"""How long opioids have been taken up to today: the run of CLINICAL.md section 13, gaps <= 14 d joined."""

from datetime import date, timedelta
from decimal import Decimal
from itertools import pairwise

from msgspec import Struct

from cds.case import Case
from cds.chart import MedicationOrder
from cds.course import GAP_DAYS, Records, opioid_records, undated
from cds.dose import daily_dose, mme_sum
from cds.exposure import taken_on
from cds.once import once_a_chart
from cds.scope import opioids_of
from cds.spans import before, days_taken, joined


class Run(Struct, frozen=True):
    """Days taken of the run that reaches to today, and its first day; 0 and None: there is none."""

    days: int = 0
    start: date | None = None


def run_of(records: Records, today: date) -> Run:
    """The run of these records."""
    begun = [days for _, days in records if days.start <= today]
    for run in joined(begun, GAP_DAYS):
        if (today - min(run.last, today)).days <= GAP_DAYS:
            return Run(days_taken(begun, run.start, today), run.start)
    return Run()


@once_a_chart
def opioid_run(case: Case) -> Run:
    """The run of any opioid."""
    return run_of(opioid_records(case), case.today)


@once_a_chart
def by_the_clock(case: Case) -> Records:
    """The opioid records that are taken on schedule, in whole or in part."""
    return [(record, days) for record, days in opioid_records(case) if scheduled(record)]


def scheduled(order: MedicationOrder) -> bool:
    """Whether part of the dose is not as needed; a dose that cannot be told counts unless all of it is as needed."""
    if order.dosages and all(dosage.as_needed for dosage in order.dosages):
        return False
    return any(daily_dose(order, name).scheduled != 0 for name in opioids_of(order))


def taken_for(case: Case, days: int) -> bool | None:
    """Whether an opioid was taken on so many days up to today; None where the record does not settle it."""
    if opioid_run(case).days >= days:
        return True
    return None if undated(case) or not case.history_known else False


def days_at(records: Records, start: date, today: date, mme_per_day: Decimal) -> int:
    """Days from ``start`` on on which what was taken by the clock came to so many MME a day, or more."""
    begun = [days.start for _, days in records]
    over = [days.last + timedelta(days=1) for _, days in records if days.last < today]
    edges = {start, today + timedelta(days=1), *(day for day in begun + over if start < day <= today)}
    return sum(
        (following - first).days
        for first, following in pairwise(sorted(edges))
        if mme_sum(taken_on(records, first)).scheduled_at_least >= mme_per_day
    )


def last_rise(case: Case) -> date | None:
    """The last day of the run on which the known daily dose rose (MME); its first day where it never did."""
    records, run = opioid_records(case), opioid_run(case)
    if run.start is None:
        return None
    starts = {days.start for _, days in records if run.start < days.start <= case.today}
    for day in sorted(starts, reverse=True):
        if mme_sum(taken_on(records, day)).at_least > mme_sum(_taken_before(records, day)).at_least:
            return day
    return run.start


def _taken_before(records: Records, day: date) -> tuple[MedicationOrder, ...]:
    """What was taken on the last day before this one on which anything was."""
    last = max((min(days.last, before(day)) for _, days in records if days.start < day), default=before(day))
    return taken_on(records, last)
