"""Loads and checks what observations mean, their units and what is plausible (observations.csv and its companions)."""

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from msgspec import Struct

from cds.table_reading import TABLES_FOLDER, read_table
from cds.words import Phrases

FILE, TEXTS, UNITS, PLAUSIBLE = "observations.csv", "observation_texts.csv", "units.csv", "plausible.csv"
LOINC = "http://loinc.org"
_FOLDED_AWAY = str.maketrans("μ", "u", "{}[]_^(). \t\n")


class Conversion(Struct, frozen=True):
    """value * multiply / divide + add gives the value in the unit of the meaning."""

    multiply: Decimal
    divide: Decimal
    add: Decimal

    def of(self, value: Decimal) -> Decimal:
        if self.multiply == self.divide and not self.add:
            return value
        return value * self.multiply / self.divide + self.add


class ObservationTable(Struct, frozen=True):
    """Meanings and units by LOINC code, meanings by phrase, conversions by meaning and unit, bounds by meaning."""

    by_code: Mapping[str, tuple[str, str]]
    texts: Phrases[str]
    units: Mapping[str, str]
    """The unit in which each meaning is told."""
    conversions: Mapping[tuple[str, str], Conversion]
    bounds: Mapping[str, tuple[Decimal, Decimal]]

    def value(self, meaning: str, value: Decimal, unit: str | None, code: str | None) -> Decimal | None:
        """The value in the unit of its meaning; None where the unit is not understood or the value is not plausible.

        Without a unit, that of the code's row counts.
        """
        if not value.is_finite() or meaning not in self.bounds:
            return None
        own = self.by_code[code][1] if code and code in self.by_code else self.units[meaning]
        conversion = self.conversions.get((meaning, folded_unit(unit if unit and unit.strip() else own)))
        if conversion is None:
            return None
        low, high = self.bounds[meaning]
        return converted if low <= (converted := conversion.of(value)) <= high else None


def folded_unit(unit: str) -> str:
    """A unit without the differences that only spelling makes: case, spaces, brackets, the sign of micro."""
    return _remembered_unit(unit) if len(unit) <= LONGEST_UNIT else _folded_unit(unit)


def _folded_unit(unit: str) -> str:
    return unicodedata.normalize("NFKC", unit).lower().translate(_FOLDED_AWAY)


_remembered_unit = lru_cache(1024)(_folded_unit)
LONGEST_UNIT = 40
"""Longer texts are no unit that is met again."""


def load_observations(folder: Path = TABLES_FOLDER) -> ObservationTable:
    """Reads the four tables. Raises ``KnowledgeError`` for one that is wrong."""
    by_code: dict[str, tuple[str, str]] = {}
    units: dict[str, str] = {}
    columns = ("code", "system", "display", "meaning", "unit", "how_used", "verified", "source")
    for row in read_table(folder, FILE, columns):
        meaning = row.required("meaning")
        row.one_of("verified", ("yes", "no"))
        units.setdefault(meaning, row["unit"])
        if row["code"]:
            row.one_of("system", (LOINC,))
            if row["code"] in by_code:
                raise row.wrong("this code is listed already: delete one")
            by_code[row["code"]] = (meaning, row["unit"])
    conversions = _load_conversions(folder, units)
    bounds: dict[str, tuple[Decimal, Decimal]] = {}
    for row in read_table(folder, PLAUSIBLE, ("meaning", "low", "high", "note")):
        low, high = row.decimal("low"), row.decimal("high")
        if row["meaning"] not in units or low >= high or row["meaning"] in bounds:
            raise row.wrong("give each meaning of observations.csv once, with low under high")
        bounds[row["meaning"]] = low, high
    for row in read_table(folder, FILE, columns):
        if row["unit"] and (row["meaning"], folded_unit(row["unit"])) not in conversions:
            raise row.wrong(f"give the unit {row['unit']!r} of {row['meaning']} in {UNITS}")
        if row["unit"] and row["meaning"] not in bounds:
            raise row.wrong(f"say in {PLAUSIBLE} which values of {row['meaning']} are plausible")
    return ObservationTable(by_code, _load_texts(folder, units), units, conversions, bounds)


def _load_conversions(folder: Path, units: Mapping[str, str]) -> dict[tuple[str, str], Conversion]:
    conversions: dict[tuple[str, str], Conversion] = {}
    for row in read_table(folder, UNITS, ("meaning", "unit", "multiply", "divide", "add", "note")):
        key = row["meaning"], folded_unit(row.required("unit"))
        if row["meaning"] not in units or key in conversions or not row.decimal("divide"):
            raise row.wrong("give each unit of a meaning of observations.csv once, and divide by more than zero")
        conversions[key] = Conversion(row.decimal("multiply"), row.decimal("divide"), row.decimal("add"))
    return conversions


def _load_texts(folder: Path, units: Mapping[str, str]) -> Phrases[str]:
    texts: Phrases[str] = Phrases()
    for row in read_table(folder, TEXTS, ("phrase", "meaning", "note")):
        if row["meaning"] not in units:
            raise row.wrong(f"{row['meaning']!r} is no meaning of observations.csv")
        try:
            texts.add(row["phrase"], row["meaning"])
        except ValueError:
            raise row.wrong("the phrase holds no word or is listed already: delete it") from None
    return texts
