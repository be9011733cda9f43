"""The made-up patients that order entry offers: stories of ``fixtures/``, moved to the day of the reader."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

FOLDER = Path(__file__).parent.parent.parent / "fixtures"
"""Beside the program in a checkout; an installed package has none, and the page then says so."""
FILE = Path(__file__).with_suffix(".toml")
DAY = date(2026, 3, 1)
"""The day on which every story is told."""
DATE = re.compile(r"(?P<year>\d{4})(-(?P<month>\d{2})(-(?P<day>\d{2}))?)?(?P<time>T.*)?", re.ASCII)

NEVER_DATES = frozenset({"code", "id", "system", "reference"})
"""Keys whose text may look like a year."""


class Patient(Struct, frozen=True):
    """One story: whose it is, what hurts, and what makes it worth opening."""

    story: str
    who: str
    problem: str
    turn: str


class Coded(Struct, frozen=True):
    """A reason that can be given for an order (ICD-10-CM)."""

    code: str
    display: str


def _tables() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def patients(folder: Path = FOLDER) -> tuple[Patient, ...]:
    """The patients whose story is stored here."""
    told = msgspec.convert(_tables()["patient"], tuple[Patient, ...])
    return tuple(patient for patient in told if _file(patient.story, folder).is_file())


def reasons() -> tuple[Coded, ...]:
    """What an order can be for, beside the patient's own problems."""
    return msgspec.convert(_tables()["reason"], tuple[Coded, ...])


def request_of(story: str, today: date, folder: Path = FOLDER) -> bytes | None:
    """The hook request of this story as if it were told today; None where no patient has this story."""
    if story not in {patient.story for patient in patients(folder)}:
        return None
    told = msgspec.json.decode(_file(story, folder).read_bytes())
    return msgspec.json.encode(_moved(told, today - DAY))


def _file(story: str, folder: Path) -> Path:
    return folder / f"{story}.request.json"


def _moved(value: Any, by: timedelta) -> Any:
    """The same JSON with every date moved. A year or a month becomes that of its own middle, moved."""
    if isinstance(value, str):
        return _moved_date(value, by)
    if isinstance(value, Mapping):
        return {name: entry if name in NEVER_DATES else _moved(entry, by) for name, entry in value.items()}
    return [_moved(entry, by) for entry in value] if isinstance(value, list) else value


def _moved_date(text: str, by: timedelta) -> str:
    found = DATE.fullmatch(text)
    if found is None or not by:
        return text
    try:
        day = date(int(found["year"]), int(found["month"] or 7), int(found["day"] or 15)) + by
    except (ValueError, OverflowError):
        return text
    return "-".join(_parts(day, found)) + (found["time"] or "")


def _parts(day: date, found: re.Match[str]) -> Iterator[str]:
    yield f"{day.year:04}"
    if found["month"]:
        yield f"{day.month:02}"
    if found["day"]:
        yield f"{day.day:02}"
