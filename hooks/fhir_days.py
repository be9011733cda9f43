"""FHIR dates and instants, whole or partial -> days (CLINICAL.md section 13, "Today")."""

from datetime import UTC, date, datetime, timedelta

from hooks.remembered import Remembered


def first_day(text: str | None) -> date | None:
    """The day of a date or instant as written; a year or a month is its earliest day."""
    return FIRST_DAYS[text] if text else None


def _first_day(text: str) -> date | None:
    padded = text.strip()[:10]
    if len(padded) in {4, 7}:
        padded += "-01-01" if len(padded) == 4 else "-01"
    try:
        return date.fromisoformat(padded)
    except ValueError:
        return None


FIRST_DAYS = Remembered(_first_day)
"""``first_day`` of what was sent."""


def last_day(text: str | None) -> date | None:
    """As ``first_day``, but a year or a month is its latest day."""
    return LAST_DAYS[text] if text else None


def _last_day(text: str) -> date | None:
    day = FIRST_DAYS[text]
    if day is None or len(text.strip()) >= 8:
        return day
    if len(text.strip()) == 4:
        return day.replace(month=12, day=31)
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


LAST_DAYS = Remembered(_last_day)


def _moment(text: str) -> tuple[date | None, str]:
    return first_day(text), instant(text)


MOMENTS = Remembered(_moment)
"""``first_day`` and ``instant`` of the same moment."""


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
