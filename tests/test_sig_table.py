"""Orders as hospitals and clinics write them, and the exact daily dose of each (tests/recognition/sigs.csv)."""

import csv
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from cds.chart import Dosage, MedicationOrder
from cds.dose import daily_dose
from cds.drugs import recognise
from cds.terminology import Concept
from cds.units import decimal as exactly

with (Path(__file__).parent / "recognition" / "sigs.csv").open(encoding="utf-8", newline="") as table:
    ROWS = list(csv.DictReader(table))


def decimal(text: str) -> Decimal | None:
    return exactly(Fraction(text)) if text else None


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['drug']}: {row['sig']}" for row in ROWS])
def test_the_daily_dose_of_a_written_order(row: dict[str, str]) -> None:
    drug = recognise(Concept(text=row["drug"]), row["form"] or None, row["route"] or None)
    dosage = Dosage(text=row["sig"], as_needed=row["as_needed"] == "yes" or None, route=row["route"] or None)
    dose = daily_dose(MedicationOrder("m", "request", drug, row["drug"], dosages=(dosage,)), row["ingredient"])
    told = (dose.mean, dose.maximum, dose.minimum, dose.reason or "")
    assert told == (decimal(row["best"]), decimal(row["maximum"]), decimal(row["minimum"]), row["reason"])
    assert dose.unit == row["unit"] or dose.mean is None


def test_the_table_tells_doses_and_refusals() -> None:
    assert len(ROWS) >= 150
    assert sum(bool(row["reason"]) for row in ROWS) >= 40
    assert all(bool(row["best"]) != bool(row["reason"]) for row in ROWS)
    for row in ROWS:
        if row["best"]:
            assert Fraction(row["minimum"]) <= Fraction(row["best"]) <= Fraction(row["maximum"])
