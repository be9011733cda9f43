"""Arithmetic of calendar days."""

from calendar import monthrange
from datetime import date


def months_before(day: date, months: int) -> date:
    """The same day of the month, so many months earlier; the last of the month where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
