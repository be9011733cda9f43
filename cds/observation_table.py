"""Loads and checks what observations mean, their units and what is plausible (observations.csv and its companions)."""

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

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
        return value * self.multiply / self.divide + self.add


class Scale(Struct, frozen=True, eq=False):
    """How the values of one meaning are told: the unit where none is given, the conversion of each unit (None: none is
    needed), and what is plausible."""

    unit: str
    conversions: Mapping[str, Conversion | None]
    low: Decimal
    high: Decimal

    def value(self, value: Decimal, unit: str | None) -> Decimal | None:
        """The value in the unit of its meaning; None where the unit is not understood or the value is not plausible."""
        unit = unit if unit and unit.strip() else self.unit
        if unit not in self.conversions:
            unit = folded_unit(unit)
        if not value.is_finite() or unit not in self.conversions:
            return None
        conversion = self.conversions[unit]
        converted = value if conversion is None else conversion.of(value)
        return converted if self.low <= converted <= self.high else None


class ObservationTable(Struct, frozen=True):
    """Meanings and units by LOINC code, meanings by phrase, and the scale of each meaning that is measured."""

    by_code: Mapping[str, tuple[str, str]]
    texts: Phrases[str]
    scales: Mapping[str, Scale]

    def scale(self, meaning: str, code: str | None) -> Scale | None:
        """None: values of this meaning are not read. Without a unit, that of the code's row counts."""
        scale = self.scales.get(meaning)
        if scale is None or code is None or code not in self.by_code:
            return scale
        return replace(scale, unit=self.by_code[code][1])


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
        if not row["unit"]:
            continue
        known = conversions.get(row["meaning"], {})
        if folded_unit(row["unit"]) not in known:
            raise row.wrong(f"give the unit {row['unit']!r} of {row['meaning']} in {UNITS}")
        if row["meaning"] not in bounds:
            raise row.wrong(f"say in {PLAUSIBLE} which values of {row['meaning']} are plausible")
        known[row["unit"]] = known[folded_unit(row["unit"])]  # most arrive in this spelling
    scales = {
        meaning: Scale(units[meaning], conversions.get(meaning, {}), low, high)
        for meaning, (low, high) in bounds.items()
    }
    return ObservationTable(by_code, _load_texts(folder, units), scales)


def _load_conversions(folder: Path, units: Mapping[str, str]) -> dict[str, dict[str, Conversion | None]]:
    """By meaning and folded unit."""
    conversions: dict[str, dict[str, Conversion | None]] = {}
    for row in read_table(folder, UNITS, ("meaning", "unit", "multiply", "divide", "add", "note")):
        own, unit = conversions.setdefault(row["meaning"], {}), folded_unit(row.required("unit"))
        if row["meaning"] not in units or unit in own or not row.decimal("divide"):
            raise row.wrong("give each unit of a meaning of observations.csv once, and divide by more than zero")
        multiply, divide, add = row.decimal("multiply"), row.decimal("divide"), row.decimal("add")
        own[unit] = None if multiply == divide and not add else Conversion(multiply, divide, add)
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
