"""Arithmetic of the days on which a drug was taken."""

from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from math import ceil
from operator import attrgetter

from msgspec import Struct

LAST_DAY = date.max.toordinal()
CALENDAR_DAYS = Decimal(LAST_DAY)


class Span(Struct, frozen=True, order=True):
    """Days on which a drug was or will be taken, both ends included.

    ``end`` None: it runs on where ``end_known``, else nobody knows how long it ran, and only its first day is sure.
    """

    start: date
    end: date | None
    end_known: bool = True

    @property
    def last(self) -> date:
        """The last day that is sure: the far future for a span that runs on, the first day where the end is unknown."""
        if self.end is not None:
            return self.end
        return date.max if self.end_known else self.start


def end_of(start: date, days: Decimal) -> date:
    """The last of so many days, the start included; a part of a day is a day. Never beyond the calendar."""
    if days > CALENDAR_DAYS:
        return date.max
    whole = ceil(days)
    last = start.toordinal() + whole - 1 if whole > 1 else start.toordinal()
    return date.fromordinal(last) if last < LAST_DAY else date.max


def joined(spans: Iterable[Span], gap_days: int) -> tuple[Span, ...]:
    """Sorted spans, those with a gap of at most ``gap_days`` joined."""
    spans = tuple(spans)
    if len(spans) < 2:
        return spans
    runs: list[Span] = []
    for span in sorted(spans, key=_start_and_last):
        if runs and span.start.toordinal() - runs[-1].last.toordinal() - 1 <= gap_days:
            if span.last >= runs[-1].last:
                # Of a joined run whose last end nobody knows, the days up to that last start are sure.
                end = span.end if span.end_known else span.last
                runs[-1] = Span(runs[-1].start, end, span.end_known)
        else:
            runs.append(span)
    return tuple(runs)


_start_and_last = attrgetter("start", "last")


def days_taken(spans: Iterable[Span], first: date, last: date) -> int:
    """Days between first and last (both included) on which at least one span ran; gaps do not count."""
    days = 0
    for run in joined(spans, 0):
        start, end = max(run.start, first), min(run.last, last)
        days += max((end - start).days + 1, 0)
    return days


def continuous_days(spans: Iterable[Span], today: date, gap_days: int) -> int:
    """Days taken of the joined run that reaches to today (or ended at most ``gap_days`` ago); 0: none."""
    begun = [span for span in spans if span.start <= today]
    for run in joined(begun, gap_days):
        if (today - min(run.last, today)).days <= gap_days:
            return days_taken(begun, run.start, today)
    return 0


def shared(some: Iterable[Span], others: Iterable[Span]) -> tuple[Span, ...]:
    """The days on which both drugs were taken."""
    others = tuple(others)
    found = []
    for one in some:
        for other in others:
            start, last = max(one.start, other.start), min(one.last, other.last)
            if start <= last:
                found.append(Span(start, None if last == date.max else last))
    return joined(found, 0)


def before(day: date) -> date:
    """The day before, and never before the calendar."""
    return day if day == date.min else day - timedelta(days=1)
