"""Orders as hospitals and clinics write them, and the exact daily dose of each (tests/recognition/sigs.csv)."""

import csv
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from cds.chart import Dosage, MedicationOrder
from cds.dose import DailyDose, daily_dose
from cds.drugs import recognise
from cds.terminology import Concept
from cds.units import decimal as exactly

with (Path(__file__).parent / "recognition" / "sigs.csv").open(encoding="utf-8", newline="") as table:
    ROWS = list(csv.DictReader(table))
with (Path(__file__).parent / "recognition" / "written_sigs.csv").open(encoding="utf-8", newline="") as table:
    WRITTEN = list(csv.DictReader(table))
"""Written, with their answers, before the program was asked."""
with (Path(__file__).parent / "recognition" / "further_sigs.csv").open(encoding="utf-8", newline="") as table:
    FURTHER = list(csv.DictReader(table))
"""A second such set, after the first had been mended against: records, pharmacies, nursing homes, other countries."""


def decimal(text: str) -> Decimal | None:
    return exactly(Fraction(text)) if text else None


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['drug']}: {row['sig']}" for row in ROWS])
def test_the_daily_dose_of_a_written_order(row: dict[str, str]) -> None:
    drug = recognise(Concept(text=row["drug"]), row["form"] or None, row["route"] or None)
    dosage = Dosage(text=row["sig"], as_needed=row["as_needed"] == "yes" or None, route=row["route"] or None)
    dose = daily_dose(MedicationOrder("m", "request", drug, row["drug"], dosages=(dosage,)), row["ingredient"])
    answer = (dose.mean, dose.maximum, dose.minimum, dose.reason or "")
    assert answer == (decimal(row["best"]), decimal(row["maximum"]), decimal(row["minimum"]), row["reason"])
    assert dose.unit == row["unit"] or dose.mean is None


def test_the_table_tells_doses_and_refusals() -> None:
    assert len(ROWS) >= 150
    assert sum(bool(row["reason"]) for row in ROWS) >= 40
    assert all(bool(row["best"]) != bool(row["reason"]) for row in ROWS)
    for row in ROWS:
        if row["best"]:
            assert Fraction(row["minimum"]) <= Fraction(row["best"]) <= Fraction(row["maximum"])


def told(drug: str, sig: str, ingredient: str) -> DailyDose:
    dosage = Dosage(text=sig)
    order = MedicationOrder("m", "request", recognise(Concept(text=drug)), drug, dosages=(dosage,))
    return daily_dose(order, ingredient)


def answered(drug: str, sig: str, ingredient: str, unit: str) -> Fraction | None:
    dose = told(drug, sig, ingredient).mean
    return None if dose is None else Fraction(dose) * (1000 if unit == "mcg/h" else 1)


def test_of_a_second_set_none_is_misread_and_nearly_all_are_read() -> None:
    right = 0
    for row in FURTHER:
        dose = told(row["drug"], row["sig"], row["ingredient"])
        factor = 1000 if row["unit"] == "mcg/h" else 1
        found = [None if part is None else float(part) * factor for part in (dose.mean, dose.minimum, dose.maximum)]
        if found[0] is None:
            right += row["best"] == "cannot tell"
            continue
        allowed = [float(figure) for figure in row["also_allowed"].split(";") if figure]
        expected = [float(row[column] or 0) for column in ("best", "minimum", "maximum") if row["minimum"]]
        also = any(found[0] == pytest.approx(figure, rel=0.001) for figure in allowed)
        assert also or found == pytest.approx(expected, rel=0.001), (row["sig"], found)
        right += 1
    assert len(FURTHER) >= 230
    assert right / len(FURTHER) > 0.96


def test_of_sigs_written_elsewhere_none_is_misread_and_most_are_read() -> None:
    right = 0
    for row in WRITTEN:
        found = answered(row["drug"], row["sig"], row["ingredient"], row["unit"])
        allowed = [row["best"], *filter(None, row["also_allowed"].split(";"))]
        figures = [Fraction(one.strip()) for one in allowed if one.strip() != "cannot tell"]
        agrees = any(abs(figure - (found or 0)) <= max(figure, 1) / 100 for figure in figures)
        assert found is None or agrees, (row["drug"], row["sig"], found)
        right += agrees if found is not None else "cannot tell" in allowed
    assert len(WRITTEN) == 412
    assert right / len(WRITTEN) > 0.8


@pytest.mark.parametrize(
    "trailer",
    [
        ", Starting Mon 3/2/26, Until Discontinued, Normal, Disp-30 tablet, R-0",
        ". Fill date 3/1/26. Must last 30 days (1 of 3)",
        " 03/03/26 10:15:00 EST",
        " Dx: G89.4, #30, 0 refills. Do not drive.",
    ],
)
def test_what_records_write_behind_a_sig_changes_no_dose(trailer: str) -> None:
    lost = 0
    for row in [*WRITTEN, *FURTHER]:
        before = told(row["drug"], row["sig"], row["ingredient"]).mean
        after = told(row["drug"], row["sig"].rstrip(". ") + trailer, row["ingredient"]).mean
        assert after in (before, None) or before is None, row["sig"]
        lost += before is not None and after is None
    assert lost < len([*WRITTEN, *FURTHER]) / 20


@pytest.mark.parametrize(
    ("drug", "sig", "best"),
    [
        ("MORPHINE SULFATE ER 30 MG PO TBCR", "1 tab q8h. Take with senna 8.6 mg", None),
        ("morphine ER 30 mg tablet", "Take 1 tablet every 12 hours. Use oxycodone 5 mg for breakthrough pain", None),
        ("oxycodone 5 mg tablet", "1 tab q6h prn for pain not relieved by Tylenol 650 mg", None),
        ("gabapentin 300 mg capsule", "1 cap tid with 100 mg cap", None),
        ("oxycodone 5 mg tablet", "5 mg, 2 tabs q6h", None),
        ("oxycodone 5 mg tablet", "5 mg (2 tabs) q6h", "40"),
        ("oxycodone 5 mg tablet", "1 tab (5 mg) q6h", "20"),
        ("morphine 20 mg/mL oral solution", "5 mL (10 mg) q4h", "600"),
        ("morphine 10 mg/5 mL oral solution", "5 mL (10 mg) q4h", "60"),
        ("oxycodone 5 mg tablet", "1 tab q6h Mon-Fri", "100/7"),
        ("oxycodone 5 mg tablet", "1 tab a day", "5"),
        ("oxycodone 5 mg tablet", "1 tab/day", "5"),
        ("oxycodone 5 mg tablet", "4 tablets a day", "20"),
        ("oxycodone 5 mg tablet", "1 tab bid Mon-Sun", "10"),
        ("oxycodone 5 mg tablet", "1 tab bid Mon to now", None),
        ("oxycodone 5 mg tablet", "Patient not taking: 1 tab q6h", None),
        ("oxycodone 5 mg tablet", "stop taking: 1 tab q6h", None),
        ("oxycodone 5 mg tablet", "previously 2 tabs q6h, now 1 tab q6h", None),
        ("oxycodone 5 mg tablet", "3 tabs daily x 3 days, 2 tabs daily x 3 days, 1 tab daily", "15"),
        ("oxycodone 5 mg tablet", "1 tab q4h prn pain (1-5/10); 2 tabs q4h prn pain (6-10/10)", "60"),
        ("oxycodone 5 mg tablet", "1 tab q4h prn mod pain, 2 tabs q4h prn severe pain", "60"),
        ("oxycodone 20 mg tablet", "1 tablet every night after meal", "20"),
        ("gabapentin 600 mg tablet", "1 tablet with evening meal", "600"),
        ("gabapentin 300 mg capsule", "1 capsule with meals", "900"),
        ("gabapentin 300 mg capsule", "1 capsule with each meal", "900"),
        ("gabapentin 300 mg capsule", "1 capsule after the main meal", None),
        ("gabapentin 300 mg capsule", "1 capsule before meals and at bedtime", "1200"),
    ],
)
def test_what_could_be_misread(drug: str, sig: str, best: str | None) -> None:
    ingredient = drug.split()[0].lower()
    assert answered(drug, sig, ingredient, "mg/d") == (
        None if best is None else pytest.approx(Fraction(best), rel=0.001)
    )


def test_a_total_rate_is_not_multiplied() -> None:
    for sig in ("Place 2 patches (50 mcg/hr total) q72h", "two patches for a total of 50 mcg/hr every 72 hours"):
        assert answered("fentanyl 25 mcg/hr patch", sig, "fentanyl", "mcg/h") == 50
