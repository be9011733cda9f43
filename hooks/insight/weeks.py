"""Calendar weeks, from Monday on, in the site's time zone."""

from datetime import date, datetime, time, timedelta, tzinfo

from msgspec import Struct


class Week(Struct, frozen=True):
    """From the midnight at which ``monday`` begins up to the next one's. ``whole``: it has ended."""

    monday: date
    begins: datetime
    ends: datetime
    whole: bool


def weeks_until(now: datetime, zone: tzinfo, count: int) -> tuple[Week, ...]:
    """The running week and those before it, ``count`` in all, oldest first."""
    today = now.astimezone(zone).date()
    monday = today - timedelta(days=today.weekday())
    return tuple(_week(monday - timedelta(weeks=back), zone, back > 0) for back in range(count - 1, -1, -1))


def _week(monday: date, zone: tzinfo, whole: bool) -> Week:
    begins, ends = (datetime.combine(day, time.min, zone) for day in (monday, monday + timedelta(weeks=1)))
    return Week(monday, begins, ends, whole)
