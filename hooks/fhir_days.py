"""FHIR dates and instants, whole or partial -> days (CLINICAL.md section 13, "Today")."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

REMEMBERED = 8192


@lru_cache(REMEMBERED)
def first_day(text: str | None) -> date | None:
    """The day of a date or instant as written; a year or a month is its earliest day."""
    if not text:
        return None
    padded = text.strip()[:10]
    if len(padded) in {4, 7}:
        padded += "-01-01" if len(padded) == 4 else "-01"
    try:
        return date.fromisoformat(padded)
    except ValueError:
        return None


@lru_cache(REMEMBERED)
def last_day(text: str | None) -> date | None:
    """As ``first_day``, but a year or a month is its latest day."""
    day = first_day(text)
    if day is None or text is None or len(text.strip()) >= 8:
        return day
    if len(text.strip()) == 4:
        return day.replace(month=12, day=31)
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


@lru_cache(REMEMBERED)
def day_and_instant(text: str) -> tuple[date | None, str]:
    """``first_day`` and ``instant`` of the same moment."""
    return first_day(text), instant(text)


def instant(text: str) -> str:
    """An instant in UTC that sorts as text; a day stays a day, and what is no instant stays as it is."""
    if "T" not in text:
        return text.strip()
    try:
        moment = datetime.fromisoformat(text.strip())
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return text.strip()
    return moment.isoformat(timespec="milliseconds")
