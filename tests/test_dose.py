"""Daily doses of orders, and their MME."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.chart import Dosage, MedicationOrder, Quantity, Reason
from cds.dose import DailyDose, MmePart, daily_dose, mme_sum
from cds.drugs import Drug, Ingredient

EVERY = {hours: Decimal(hours) / 24 for hours in (1, 2, 3, 4, 5, 6, 8, 12, 24, 36, 48, 72, 168)}


def drug(*parts: str, form: str | None = "Oral Tablet", route: str | None = "oral", **fields: Any) -> Drug:
    """A drug of parts such as "oxycodone 5 MG"; without a strength just the name."""
    ingredients = []
    for part in parts:
        name, _, strength = part.partition(" ")
        amount, _, unit = strength.partition(" ")
        ingredients.append(Ingredient(name, Decimal(amount) if amount else None, unit or None))
    names = " / ".join(ingredient.name for ingredient in ingredients)
    return Drug(tuple(ingredients), frozenset({"opioid"}), names, form, route, **fields)


def amount(text: str | None) -> Quantity | None:
    """ "2 tablet", or "2" without a unit."""
    if text is None:
        return None
    value, _, unit = text.partition(" ")
    return Quantity(Decimal(value), unit or None)


def dosage(dose: str | None = None, every: int | None = None, **fields: Any) -> Dosage:
    """A dose, or a range "1-2 tablet", every so many hours."""
    value, _, unit = (dose or "").partition(" ")
    ends = [amount(f"{end} {unit}".strip()) for end in value.split("-")] if dose else [None]
    for name in ("max_dose", "max_single", "rate"):
        if name in fields:
            fields[name] = amount(fields[name])
    for name in ("frequency", "frequency_max", "period", "period_max", "max_dose_days"):
        if isinstance(fields.get(name), int | str):
            fields[name] = Decimal(fields[name])
    if every is not None:
        fields.setdefault("frequency", Decimal(1))
        fields["period"] = EVERY[every]
    return Dosage(dose_low=ends[0], dose_high=ends[-1], **fields)


def order(of: Drug | None, *dosages: Dosage, ref: str = "MedicationRequest/1", **fields: Any) -> MedicationOrder:
    return MedicationOrder(ref, "request", of, "as written", dosages=dosages, **fields)


OXYCODONE = drug("oxycodone 5 MG")
PERCOCET = drug("oxycodone 5 MG", "acetaminophen 325 MG")
TYLENOL_3 = drug("acetaminophen 300 MG", "codeine 30 MG")
MORPHINE = drug("morphine 15 MG")
MORPHINE_SOLUTION = drug("morphine 2 MG/ML", form="Oral Solution")
PATCH = drug("fentanyl 0.025 MG/HR", form="Transdermal System", route="transdermal", release="TD")
FENTANYL = drug("fentanyl", form=None, route=None)
INJECTION = drug("hydromorphone 1 MG/ML", form="Injectable Solution", route="injection")
TEN = drug("morphine 10 MG")


def day(of: Drug, *dosages: Dosage, ingredient: str | None = None) -> DailyDose:
    return daily_dose(order(of, *dosages), ingredient or of.ingredients[0].name)


# One instruction

TOLD = {
    "mg": (OXYCODONE, dosage("10 mg", 6), "40"),
    "g": (MORPHINE, dosage("0.01 g", 12), "20"),
    "mcg": (MORPHINE, dosage("500 mcg", 24), "0.5"),
    "ug": (MORPHINE, dosage("500 ug", 24), "0.5"),
    "microgram": (MORPHINE, dosage("500 micrograms", 24), "0.5"),
    "MG in capitals": (MORPHINE, dosage("10 MG", 24), "10"),
    "tablet": (OXYCODONE, dosage("1 tablet", 6), "20"),
    "tab(s)": (OXYCODONE, dosage("2 tab(s)", 4), "60"),
    "TAB": (OXYCODONE, dosage("1 TAB", 4), "30"),
    "{pill}": (OXYCODONE, dosage("1 {pill}", 4), "30"),
    "{tbl}": (OXYCODONE, dosage("1 {tbl}", 4), "30"),
    "UCUM unity": (OXYCODONE, dosage("2 1", 4), "60"),
    "no unit": (OXYCODONE, dosage("2", 4), "60"),
    "four without a unit": (OXYCODONE, dosage("4", 24), "20"),
    "half a tablet": (OXYCODONE, dosage("0.5 tablet", 12), "5"),
    "capsule": (drug("morphine 30 MG", form="Extended Release Oral Capsule"), dosage("1 capsule", 24), "30"),
    "range of tablets": (OXYCODONE, dosage("1-2 tablet", 6), "40"),
    "range upside down": (OXYCODONE, dosage("2-1 tablet", 6), "40"),
    "mL": (MORPHINE_SOLUTION, dosage("7.5 mL", 4), "90"),
    "mass of a solution": (MORPHINE_SOLUTION, dosage("15 mg", 4), "90"),
    "teaspoon": (MORPHINE_SOLUTION, dosage("1 [tsp_us]", 24), "10"),
    "mass without strength": (drug("oxycodone"), dosage("10 mg", 6), "40"),
    "first of two": (PERCOCET, dosage("2 tablet", 6), "40"),
    "mass of a combination": (PERCOCET, dosage("10 mg", 6), "40"),
    "spray": (drug("fentanyl 0.1 MG/ACTUAT", form="Nasal Spray", route="nasal"), dosage("2 sprays", 6), "0.8"),
    "every 8 hours": (TEN, dosage("10 mg", 8), "30"),
    "every 5 hours": (TEN, dosage("10 mg", 5), "48"),
    "range of intervals": (TEN, dosage("10 mg", 4, period_max=Decimal("0.25")), "60"),
    "intervals upside down": (TEN, dosage("10 mg", 6, period_max=Decimal(4) / 24), "60"),
    "range of frequencies": (TEN, dosage("10 mg", 24, frequency=2, frequency_max=3), "30"),
    "only a highest frequency": (TEN, dosage("10 mg", frequency_max=3, period=1), "30"),
    "period alone": (TEN, dosage("10 mg", period=1), "10"),
    "times of day": (TEN, dosage("10 mg", times_of_day=3), "30"),
    "moments": (TEN, dosage("10 mg", when=2), "20"),
    "moments each day": (TEN, dosage("10 mg", 24, when=3), "30"),
    "moments and an interval": (TEN, dosage("10 mg", 6, when=1), "40"),
    "BID": (TEN, dosage("10 mg", timing_code="BID"), "20"),
    "tid": (TEN, dosage("10 mg", timing_code=" tid "), "30"),
    "Q4H": (TEN, dosage("10 mg", timing_code="Q4H"), "60"),
    "Q6H PRN as a code": (TEN, dosage("10 mg", timing_code="Q6H PRN"), "40"),
    "code and repeat disagree": (TEN, dosage("10 mg", 12, timing_code="QID"), "40"),
    "prn with frequency": (TEN, dosage("10 mg", 6, as_needed=True), "40"),
    "limit below frequency": (TEN, dosage("10 mg", 4, max_dose="40 mg", max_dose_days=1), "40"),
    "limit above frequency": (TEN, dosage("10 mg", 12, max_dose="40 mg", max_dose_days=1), "20"),
    "limit without its period": (TEN, dosage("10 mg", 4, max_dose="30 mg"), "30"),
    "limit per 12 hours": (TEN, dosage("10 mg", 4, max_dose="20 mg", max_dose_days="0.5"), "40"),
    "limit in tablets": (OXYCODONE, dosage("10 mg", 4, max_dose="8 tablet"), "40"),
    "limit in doses": (OXYCODONE, dosage("10 mg", 4, max_dose="3 {dose}"), "30"),
    "limit alone": (OXYCODONE, dosage(None, max_dose="8 tablet", as_needed=True), "40"),
    "limit with a dose": (OXYCODONE, dosage("2 tablet", max_dose="8 tablet", as_needed=True), "40"),
    "limit of no sense": (TEN, dosage("10 mg", 4, max_dose="0 mg"), "60"),
    "limit in no doses": (TEN, dosage("10 mg", 4, max_dose="0 doses"), "60"),
    "limit in no time": (TEN, dosage("10 mg", 4, max_dose="10 mg", max_dose_days=0), "60"),
    "limit in an unknown unit": (TEN, dosage("10 mg", 4, max_dose="2 5002"), "60"),
    "limit where the dose is not known": (TEN, dosage("2 5002", 4, max_dose="40 mg"), "40"),
    "limit of a dose": (TEN, dosage("10-20 mg", 6, max_single="10 mg"), "40"),
    "limit of a dose above it": (TEN, dosage("10 mg", 6, max_single="20 mg"), "40"),
    "limit of a dose alone": (TEN, dosage(None, 6, max_single="10 mg"), "40"),
}


@pytest.mark.parametrize("case", TOLD)
def test_daily_dose(case: str) -> None:
    of, instruction, expected = TOLD[case]
    dose = day(of, instruction)
    assert (dose.maximum, dose.mean, dose.unit, dose.reason) == (Decimal(expected), Decimal(expected), "mg", None)
    assert dose.scheduled == (0 if instruction.as_needed else Decimal(expected))
    assert dose.at_least is None


NOT_TOLD = {
    "no dosage": (OXYCODONE, (), "no dose"),
    "empty dosage": (OXYCODONE, (Dosage(),), "no dose"),
    "no dose": (OXYCODONE, (dosage(None, 6),), "no dose"),
    "zero": (OXYCODONE, (dosage("0 mg", 6),), "no dose"),
    "below zero": (OXYCODONE, (Dosage(dose_high=Quantity(Decimal(-5), "mg")),), "no dose"),
    "not a number": (OXYCODONE, (Dosage(dose_high=Quantity(Decimal("NaN"), "mg")),), "no dose"),
    "a signalling NaN": (OXYCODONE, (Dosage(dose_low=Quantity(Decimal("sNaN"), "mg")),), "no dose"),
    "endless": (OXYCODONE, (Dosage(dose_high=Quantity(Decimal("Infinity"), "mg")),), "no dose"),
    "beyond all sense": (OXYCODONE, (dosage("1e999999 mg", 6),), "no dose"),
    "a site's code for the unit": (OXYCODONE, (dosage("1-2 5002", 4),), "no unit"),
    "unit code 3": (OXYCODONE, (dosage("0.2 3", 4),), "no unit"),
    "as mixed": (OXYCODONE, (dosage("1 ZZ", 4),), "no unit"),
    "per something": (OXYCODONE, (dosage("1 mmol/h", 4),), "no unit"),
    "doses of a dose": (OXYCODONE, (dosage("1 {dose}", 4),), "no unit"),
    "as many as the milligrams of one, without a unit": (OXYCODONE, (dosage("5", 4),), "no unit"),
    "eleven without a unit": (OXYCODONE, (dosage("11", 4),), "no unit"),
    "liquid without a unit": (MORPHINE_SOLUTION, (dosage("5", 4),), "no unit"),
    "no form and no unit": (drug("oxycodone 5 MG", form=None), (dosage("1", 4),), "no unit"),
    "empty unit of a liquid": (MORPHINE_SOLUTION, (Dosage(dose_high=Quantity(Decimal(5), " ")),), "no unit"),
    "cup of a liquid": (MORPHINE_SOLUTION, (dosage("1 packet", 4),), "no unit"),
    "tablet without strength": (drug("hydrocodone"), (dosage("1 tablet", 4),), "no strength"),
    "strength that is none": (drug("oxycodone 0 MG"), (dosage("1 tablet", 4),), "no strength"),
    "strength by weight": (drug("lidocaine 0.05 MG/MG", route="topical"), (dosage("1 patch", 24),), "no strength"),
    "mL without concentration": (drug("oxycodone 5 MG"), (dosage("5 mL", 4),), "no concentration"),
    "mL without strength": (drug("oxycodone"), (dosage("5 mL", 4),), "no concentration"),
    "no frequency": (OXYCODONE, (dosage("5 mg"),), "no frequency"),
    "frequency without a period": (OXYCODONE, (dosage("5 mg", frequency=3),), "no frequency"),
    "frequency of nothing": (OXYCODONE, (dosage("5 mg", period=0, frequency=1),), "no frequency"),
    "period without end": (OXYCODONE, (dosage("5 mg", period="Infinity"),), "no frequency"),
    "every five minutes": (OXYCODONE, (dosage("5 mg", period=Decimal(5) / 1440),), "no frequency"),
    "a code that says no frequency": (OXYCODONE, (dosage("5 mg", timing_code="ONCALL"),), "no frequency"),
    "a code that is not understood": (OXYCODONE, (dosage("5 mg", timing_code="1 2 3"),), "no frequency"),
    "prn": (OXYCODONE, (dosage("5 mg", as_needed=True),), "as needed without a limit"),
    "prn, limit not readable": (OXYCODONE, (dosage("5 mg", as_needed=True, max_dose="2 5002"),), "no unit"),
    "prn without strength": (drug("hydrocodone"), (dosage("1 tablet", as_needed=True),), "no strength"),
    "IV": (MORPHINE, (dosage("2 mg", 2, route="IV Push"),), "infusion or injection"),
    "PCA of nothing": (OXYCODONE, (dosage("0 mg", route="IVPCA"),), "infusion or injection"),
    "intravenous route": (MORPHINE, (dosage("2 mg", 2, route="Intravenous route"),), "infusion or injection"),
    "epidural": (MORPHINE, (dosage("2 mg", 24, route="EPIDURAL"),), "infusion or injection"),
    "an injection": (INJECTION, (dosage("1 mg", 4),), "infusion or injection"),
    "an injection by no known route": (INJECTION, (dosage("1 mg", 4, route="MISC"),), "infusion or injection"),
    "a rate": (OXYCODONE, (dosage(None, 4, rate="2 mg/h"),), "infusion or injection"),
    "a dose by the hour": (FENTANYL, (dosage("50 mcg/hr"),), "infusion or injection"),
}


@pytest.mark.parametrize("case", NOT_TOLD)
def test_daily_dose_that_cannot_be_told(case: str) -> None:
    of, instructions, reason = NOT_TOLD[case]
    dose = day(of, *instructions)
    assert dose.reason == reason
    assert (dose.maximum, dose.mean, dose.scheduled, dose.at_least) == (None, None, None, None)


def test_an_injection_that_is_swallowed() -> None:
    assert day(INJECTION, dosage("2 mL", 6, route="PO/NG")).maximum == 8


def test_a_drug_that_is_not_recognised_has_no_dose() -> None:
    assert daily_dose(order(None, dosage("5 mg", 6)), "oxycodone") == DailyDose(reason="no dose")


def test_the_single_dose_is_known_without_a_frequency() -> None:
    dose = day(OXYCODONE, dosage("2 tablet", as_needed=True))
    assert (dose.single, dose.maximum) == (10, None)


# Days of the week, long periods, intervals, units

SPREAD = {
    "every other day": (dosage("10 mg", 48), "10", "5", "48", "0.5"),
    "QOD": (dosage("10 mg", timing_code="QOD"), "10", "5", "48", "0.5"),
    "every 36 hours": (dosage("15 mg", 36), "15", "10", "36", "1"),
    "once a week": (dosage("70 mg", 168), "70", "10", "168", "1"),
    "three days of the week": (dosage("14 mg", 24, days_of_week=3), "14", "6", "24", "0.6"),
    "twice on three days": (dosage("14 mg", 12, days_of_week=3), "28", "12", "12", "1.2"),
    "only days": (dosage("14 mg", days_of_week=2), "14", "4", "24", "0.4"),
    "three a week, on three days": (dosage("14 mg", 168, frequency=3, days_of_week=3), "14", "6", "56", "0.6"),
    "one a week, but three days": (dosage("14 mg", 168, days_of_week=3), "14", "6", "168", "0.6"),
    "more days than a week has": (dosage("14 mg", 24, days_of_week=9), "14", "14", "24", "1.4"),
    "fourteen a week": (dosage("10 mg", 168, frequency=14), "20", "20", "12", "2"),
    "twice every other day": (dosage("10 mg", 48, times_of_day=2), "10", "10", "24", "1"),
}


@pytest.mark.parametrize("case", SPREAD)
def test_doses_that_are_not_the_same_each_day(case: str) -> None:
    instruction, maximum, mean, interval, pieces = SPREAD[case]
    dose = day(TEN, instruction)
    found = (dose.maximum, dose.mean, dose.interval_hours, dose.units_per_day)
    assert found == tuple(map(Decimal, (maximum, mean, interval, pieces)))


def test_a_mean_that_does_not_end_is_not_rounded_before_the_sum() -> None:
    every_36_hours = order(drug("oxycodone 5 MG"), dosage("25 mg", 36))
    mean = daily_dose(every_36_hours, "oxycodone").mean
    assert mean is not None
    assert abs(mean * 3 - 50) < Decimal("1e-25")
    assert mme_sum([every_36_hours, every_36_hours]).total == 50


UNITS = {
    "tablets of a mass": (OXYCODONE, dosage("10 mg", 6), "8"),
    "tablets without strength": (drug("hydrocodone"), dosage("1-2 tablet", 6), "8"),
    "mL without concentration": (drug("oxycodone"), dosage("5 mL", 6), "20"),
    "mL of a mass": (MORPHINE_SOLUTION, dosage("10 mg", 6), "20"),
    "limited tablets": (OXYCODONE, dosage("2 tablet", 4, max_dose="8 tablet"), "8"),
    "limited by mass": (OXYCODONE, dosage("2 tablet", 4, max_dose="40 mg"), "8"),
    "mass without strength": (drug("oxycodone"), dosage("10 mg", 6), None),
    "patches": (drug("lidocaine 0.05 MG/MG", form="Patch", route="topical"), dosage("3 patch", 24), "3"),
}


@pytest.mark.parametrize("case", UNITS)
def test_units_per_day(case: str) -> None:
    of, instruction, expected = UNITS[case]
    assert day(of, instruction).units_per_day == (None if expected is None else Decimal(expected))


UP_TO = {
    "a dose": (dosage("5 mg", 6), False),
    "two ends alike": (dosage("5-5 mg", 6), False),
    "a range": (dosage("5-10 mg", 6), True),
    "prn": (dosage("5 mg", 6, as_needed=True), True),
    "a range of intervals": (dosage("5 mg", 4, period_max=Decimal("0.25")), True),
    "a range of frequencies": (dosage("5 mg", 24, frequency=1, frequency_max=2), True),
    "a highest frequency": (dosage("5 mg", period=1, frequency_max=2), True),
    "only an upper end": (Dosage(dose_high=Quantity(Decimal(5), "mg"), period=Decimal(1)), True),
    "only a lower end": (Dosage(dose_low=Quantity(Decimal(5), "mg"), period=Decimal(1)), False),
    "a limit alone": (dosage("5 mg", max_dose="40 mg"), True),
}


@pytest.mark.parametrize("case", UP_TO)
def test_up_to(case: str) -> None:
    instruction, expected = UP_TO[case]
    assert day(OXYCODONE, instruction).up_to is expected


def test_a_range_in_two_units_takes_the_upper_end() -> None:
    ends = Dosage(
        dose_low=Quantity(Decimal(1), "tab"),
        dose_high=Quantity(Decimal(10), "mg"),
        frequency=Decimal(1),
        period=Decimal(1),
    )
    assert (day(OXYCODONE, ends).maximum, day(OXYCODONE, ends).up_to) == (10, True)


# Combinations


def test_each_ingredient_by_its_own_strength() -> None:
    assert day(PERCOCET, dosage("2 tablet", 6), ingredient="acetaminophen").maximum == 2600
    assert day(TYLENOL_3, dosage("2 tablet", 6), ingredient="codeine").maximum == 240
    assert day(TYLENOL_3, dosage("2 tablet", 6), ingredient="acetaminophen").maximum == 2400


def test_the_mass_of_a_combination_is_that_of_its_opioid() -> None:
    assert day(TYLENOL_3, dosage("60 mg", 6), ingredient="codeine").maximum == 240
    assert day(TYLENOL_3, dosage("60 mg", 6), ingredient="acetaminophen").maximum == 2400
    assert day(TYLENOL_3, dosage("60 mg", 6), ingredient="codeine").units_per_day == 8


def test_a_mass_of_many_tablets_is_that_of_the_partner() -> None:
    most = dosage("1 tablet", 4, as_needed=True, max_dose="1300 mg")
    assert day(PERCOCET, most, ingredient="oxycodone").maximum == 20
    assert day(PERCOCET, most, ingredient="acetaminophen").maximum == 1300
    syrup = drug("acetaminophen 33.3 MG/ML", "hydrocodone 0.5 MG/ML", form="Oral Solution")
    assert day(syrup, dosage("333 mg", 6), ingredient="hydrocodone").maximum == 20
    assert day(syrup, dosage("10 mg", 6), ingredient="hydrocodone").maximum == 40


def test_a_large_mass_below_one_tablet_of_the_partner_stays_the_opioid() -> None:
    assert day(PERCOCET, dosage("100 mg", 24), ingredient="oxycodone").maximum == 100


@pytest.mark.parametrize(
    ("of", "ingredient"),
    [
        (drug("oxycodone", "acetaminophen 325 MG"), "acetaminophen"),
        (drug("oxycodone 5 MG", "acetaminophen"), "acetaminophen"),
        (drug("oxycodone 5 MG/ML", "acetaminophen 325 MG"), "acetaminophen"),
        (drug("oxycodone 5 MG"), "acetaminophen"),
    ],
)
def test_a_proportion_needs_both_strengths(of: Drug, ingredient: str) -> None:
    assert day(of, dosage("10 mg", 6), ingredient=ingredient).reason == "no strength"


# Patches

WORN = {
    "one patch": (PATCH, dosage("1 patch", 72), "0.025", "72"),
    "two patches": (PATCH, dosage("2 patch", 72), "0.05", "72"),
    "every 48 hours": (PATCH, dosage("1 patch", 48), "0.025", "48"),
    "two without a unit": (PATCH, dosage("2", 72), "0.05", "72"),
    "by the hour": (PATCH, dosage("50 mcg/hr", 72), "0.05", "72"),
    "by the hour, in UCUM": (PATCH, dosage("50 ug/h"), "0.05", None),
    "mass is by the hour": (PATCH, dosage("25 mcg", 72), "0.025", "72"),
    "topical, never called a patch": (FENTANYL, dosage("25 mcg", 72, route="Topical"), "0.025", "72"),
    "TP": (FENTANYL, dosage("75 mcg/hr", route="TP"), "0.075", None),
    "cut off": (FENTANYL, dosage("25 mcg", route="TRANSDERMA"), "0.025", None),
    "the name of an injection": (
        drug("fentanyl 0.05 MG/ML", route="injection"),
        dosage("25 mcg", 72, route="TD"),
        "0.025",
        "72",
    ),
    "text only": (PATCH, Dosage(text="apply 2 patches every 72 hours"), "0.05", "72"),
    "rate in the text": (FENTANYL, Dosage(text="25 mcg/hr patch q72h"), "0.025", "72"),
}


@pytest.mark.parametrize("case", WORN)
def test_patches_count_by_what_is_worn_at_once(case: str) -> None:
    of, instruction, rate, interval = WORN[case]
    dose = day(of, instruction)
    assert (dose.maximum, dose.mean, dose.scheduled, dose.unit) == (*3 * (Decimal(rate),), "mg/h")
    assert dose.interval_hours == (None if interval is None else Decimal(interval))
    assert mme_sum([order(of, instruction)]).total == Decimal(rate) * 2400


def test_patches_used_in_a_day() -> None:
    used = day(PATCH, dosage("50 mcg/hr", 72)).units_per_day
    assert used is not None
    assert round(used * 3, 20) == 2


@pytest.mark.parametrize(
    ("of", "dose", "reason"),
    [
        (PATCH, None, "no dose"),
        (PATCH, "25", "no unit"),
        (FENTANYL, "1 patch", "no strength"),
        (drug("fentanyl 0.04 MG/ACTUAT", route="transdermal", release="TD"), "1 patch", "no strength"),
    ],
)
def test_patches_that_cannot_be_told(of: Drug, dose: str | None, reason: str) -> None:
    found = day(of, dosage(dose, 72, route="transdermal"))
    assert (found.maximum, found.reason, found.unit) == (None, reason, "mg/h")


# Several instructions


def bounded(dose: str, start: str | None, end: str | None, **fields: Any) -> Dosage:
    days = (None if value is None else date.fromisoformat(value) for value in (start, end))
    first, last = days
    return dosage(dose, 24, bounds_start=first, bounds_end=last, **fields)


JANUARY, FEBRUARY = ("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28")
SEVERAL = {
    "side by side": ((dosage("10 mg", 24), dosage("20 mg", 24)), 30),
    "the same number": ((dosage("10 mg", 24, sequence=1), dosage("20 mg", 24, sequence=1)), 30),
    "one after the other": ((dosage("10 mg", 24, sequence=1), dosage("20 mg", 24, sequence=2)), 20),
    "three steps": (tuple(dosage(f"{mg} mg", 24, sequence=n) for n, mg in enumerate((30, 20, 10))), 30),
    "two in one step": (
        (dosage("10 mg", 24, sequence=1), dosage("15 mg", 24, sequence=1), dosage("20 mg", 24, sequence=2)),
        25,
    ),
    "steps beside one without a number": (
        (dosage("10 mg", 24, sequence=1), dosage("20 mg", 24, sequence=2), dosage("5 mg", 24)),
        25,
    ),
    "by date": ((bounded("10 mg", *JANUARY), bounded("20 mg", *FEBRUARY)), 20),
    "by overlapping dates": ((bounded("10 mg", *JANUARY), bounded("20 mg", "2026-01-15", "2026-02-28")), 30),
    "one ends as the next begins": ((bounded("10 mg", *JANUARY), bounded("20 mg", "2026-01-31", None)), 20),
    "numbered, but on the same days": (
        (bounded("10 mg", *JANUARY, sequence=1), bounded("20 mg", *JANUARY, sequence=2)),
        30,
    ),
    "numbered, one with dates": ((bounded("10 mg", *JANUARY, sequence=1), dosage("20 mg", 24, sequence=2)), 20),
    "dates of one only": ((bounded("10 mg", *JANUARY), dosage("20 mg", 24)), 30),
    "a single day": ((bounded("10 mg", "2026-01-05", "2026-01-05"), bounded("20 mg", *JANUARY)), 30),
    "numbered lines of one day": (
        (dosage("10 mg", None, when=1, sequence=1), dosage("20 mg", None, when=1, sequence=2)),
        30,
    ),
    "numbered lines of one day, as text": (
        (Dosage(text="10 mg in the morning", sequence=1), Dosage(text="20 mg in the evening", sequence=2)),
        30,
    ),
    "a night for three days, then a morning": (
        (dosage("10 mg", None, when=1, sequence=1, bounds_days=Decimal(3)), dosage("20 mg", None, when=1, sequence=2)),
        20,
    ),
    "a night for three days by the text, then a morning": (
        (Dosage(text="10 mg at night for 3 days", sequence=1), Dosage(text="20 mg in the morning", sequence=2)),
        20,
    ),
    "never at all three": (
        (bounded("10 mg", *JANUARY), bounded("20 mg", *FEBRUARY), bounded("5 mg", "2026-01-20", "2026-02-10")),
        25,
    ),
}


@pytest.mark.parametrize("case", SEVERAL)
def test_several_instructions(case: str) -> None:
    instructions, expected = SEVERAL[case]
    for found in (day(TEN, *instructions), day(TEN, *reversed(instructions))):
        assert (found.maximum, found.mean, found.scheduled) == (expected, expected, expected)


def test_what_is_numbered_as_needed_comes_on_top_of_what_is_scheduled() -> None:
    lines = (dosage("10 mg", 6, sequence=1), dosage("10 mg", 12, as_needed=True, sequence=2))
    for found in (day(TEN, *lines), day(TEN, *reversed(lines))):
        assert (found.maximum, found.scheduled) == (60, 40)
    ended = day(TEN, dosage("10 mg", 6, sequence=1, bounds_days=Decimal(3)), lines[1])
    assert (ended.maximum, ended.scheduled) == (40, 40)


def test_a_part_that_cannot_be_told_leaves_a_lower_bound() -> None:
    dose = day(OXYCODONE, dosage("40 mg", 12), dosage("5 mg", as_needed=True))
    assert (dose.maximum, dose.at_least, dose.reason) == (None, 80, "as needed without a limit")
    assert (dose.single, dose.interval_hours, dose.units_per_day) == (40, 12, None)
    total = mme_sum([order(OXYCODONE, dosage("40 mg", 12), dosage("5 mg", as_needed=True))])
    assert (total.at_least, total.total, total.scheduled_at_least) == (120, None, 120)


def test_the_scheduled_part() -> None:
    dose = day(OXYCODONE, dosage("20 mg", 12), dosage("5 mg", 6, as_needed=True))
    assert (dose.maximum, dose.scheduled, dose.up_to) == (60, 40, True)


# Fields and text

BOTH = {
    "text alone": (Dosage(text="1-2 tabs PO q6h prn, max 6/day"), "30", True),
    "dose in the text": (dosage(None, 6, text="take 2 tablets"), "40", False),
    "frequency in the text": (dosage("2 tablet", text="q6h prn"), "40", True),
    "limit in the text": (dosage("2 tablet", 4, text="max 40 mg/day"), "40", False),
    "as needed in the text": (dosage("2 tablet", 6, text="prn"), "40", True),
    "as needed, says the flag": (dosage("1 tablet", as_needed=True, text="Q4H"), "30", True),
    "not as needed, say the fields": (dosage("2 tablet", 6, as_needed=False, text="q6h prn"), "40", False),
    "the text says more": (dosage("1 tablet", 6, text="2 tablets q6h"), "40", False),
    "the text says less": (dosage("2 tablet", 6, text="1 tablet q6h"), "40", False),
    "the same day in other doses": (dosage("1 tablet", 4, text="2 tablets q8h"), "30", False),
    "text not understood beside full fields": (dosage("1 tablet", 6, text="1 tab q6h, 7 on holidays"), "20", False),
    "unit in the text": (dosage("1-2 5002", 4, text="1-2 tabs q4h"), "60", False),
    "empty text": (dosage("1 tablet", 6, text="  "), "20", False),
    "a text without doses": (dosage("1 tablet", 6, text="with food"), "20", False),
    "two doses in the text": (Dosage(text="2 tabs in the morning and 1 tab at bedtime"), "15", False),
    "two doses in the text, more than the fields": (
        dosage("1 tablet", 24, text="2 tabs qam and 1 tab qhs"),
        "15",
        False,
    ),
    "two doses in the text, less than the fields": (
        dosage("4 tablet", 24, text="2 tabs qam and 1 tab qhs"),
        "20",
        False,
    ),
    "a taper in the text": (Dosage(text="2 tabs tid x 7 days then 1 tab tid x 7 days"), "30", False),
}


@pytest.mark.parametrize("case", BOTH)
def test_fields_and_text(case: str) -> None:
    instruction, expected, as_needed = BOTH[case]
    dose = day(OXYCODONE, instruction)
    assert dose.maximum == Decimal(expected)
    assert dose.scheduled == (0 if as_needed else Decimal(expected))


def test_a_text_in_each_of_several_instructions_does_not_count_twice() -> None:
    text = "1 tab in the morning and 2 tabs at bedtime"
    dose = day(OXYCODONE, dosage("1 tablet", 24, text=text), dosage("2 tablet", 24, text=text))
    assert dose.maximum == 15


@pytest.mark.parametrize(
    ("instruction", "reason"),
    [
        (Dosage(text="titrate to effect"), "text not understood"),
        (Dosage(text="as directed"), "no dose"),
        (Dosage(text="1 tablet as directed"), "no frequency"),
        (Dosage(text="1 tablet prn"), "as needed without a limit"),
        (Dosage(text="5 mL q4h"), "no concentration"),
        (Dosage(text="2 mg IV q4h"), "infusion or injection"),
        (dosage("1 tablet", text="every 4 hours 17"), "text not understood"),
        (dosage("1 5002", 4, text="1 5002 q4h"), "no unit"),
        (Dosage(text="5 mL qam and 10 mL qhs"), "no concentration"),
        (dosage("1 tablet", text="5 mL as directed"), "no frequency"),
    ],
)
def test_texts_that_do_not_tell(instruction: Dosage, reason: str) -> None:
    assert day(OXYCODONE, instruction).reason == reason


def test_a_text_with_pieces_does_not_replace_the_pieces_of_the_fields() -> None:
    dose = day(drug("hydrocodone"), dosage("2 tablet", 6, text="5 mL q6h"))
    assert (dose.reason, dose.units_per_day) == ("no strength", 8)


# MME


def part(of: Drug, *dosages: Dosage, **fields: Any) -> MmePart:
    (found,) = mme_sum([order(of, *dosages, **fields)]).parts
    return found


@pytest.mark.parametrize(
    ("mg", "at_least_fifty", "at_least_ninety"),
    [("49.9", False, False), ("50", True, False), ("89.9", True, False), ("90", True, True), ("90.1", True, True)],
)
def test_sums_at_the_boundaries(mg: str, at_least_fifty: bool, at_least_ninety: bool) -> None:
    total = mme_sum([order(MORPHINE, dosage(f"{mg} mg", 24))]).total
    assert total == Decimal(mg)
    assert ((total >= 50), (total >= 90)) == (at_least_fifty, at_least_ninety)


def test_fifty_with_an_unknown_part_is_a_lower_bound() -> None:
    total = mme_sum([order(MORPHINE, dosage("50 mg", 24)), order(OXYCODONE, dosage("5 mg"), ref="MedicationRequest/2")])
    assert (total.at_least, total.total) == (50, None)
    assert [(unknown.ref, unknown.reason) for unknown in total.unknown] == [("MedicationRequest/2", "no frequency")]
    assert total.not_counted == ()


def test_the_sum_of_nothing_is_zero() -> None:
    total = mme_sum([])
    assert (total.at_least, total.total, total.scheduled_at_least, total.parts) == (0, 0, 0, ())


def test_no_part_for_what_is_no_opioid_or_not_recognised() -> None:
    others = [
        drug("naloxone 4 MG"),
        drug("methylnaltrexone 150 MG"),
        drug("loperamide 2 MG"),
        drug("gabapentin 300 MG"),
    ]
    assert mme_sum([order(of, dosage("1 tablet", 24)) for of in [*others, None]]).parts == ()


def test_an_antagonist_inside_a_product_is_no_part() -> None:
    found = part(drug("pentazocine 50 MG", "naloxone 0.5 MG"), dosage("1 tablet", 4))
    assert (found.ingredient, found.mme) == ("pentazocine", 111)


def test_the_part_names_its_order_factor_and_source() -> None:
    found = part(drug("levorphanol 2 MG"), dosage("1 tablet", 8, as_needed=True), ref="MedicationStatement/9")
    assert found == MmePart(
        "MedicationStatement/9", "levorphanol", Decimal(66), Decimal(0), True, True, None, Decimal(11), True
    )


def test_days_of_the_week_count_by_their_mean() -> None:
    assert part(MORPHINE, dosage("70 mg", 24, days_of_week=5)).mme == 50


OUD = Reason(frozenset({"opioid_use_disorder"}), "opioid use disorder")
METHADONE = drug("methadone 10 MG")


def test_methadone_counts_unless_it_is_for_opioid_use_disorder() -> None:
    assert part(METHADONE, dosage("1 tablet", 8)).mme == 141
    for_oud = mme_sum([order(METHADONE, dosage("1 tablet", 8), reasons=(OUD,)), order(MORPHINE, dosage("15 mg", 6))])
    assert for_oud.total == 60
    assert [(found.ingredient, found.reason) for found in for_oud.not_counted] == [
        ("methadone", "for opioid use disorder")
    ]


def test_an_injection_is_unknown_not_zero() -> None:
    total = mme_sum([order(INJECTION, dosage("1 mg", 3)), order(MORPHINE, dosage("15 mg", 6))])
    assert (total.at_least, total.total) == (60, None)
    assert [unknown.reason for unknown in total.unknown] == ["infusion or injection"]


@pytest.mark.parametrize(
    ("of", "instructions"),
    [
        (FENTANYL, (dosage("50 mcg", 1, route="IV"),)),
        (FENTANYL, (Dosage(text="50 mcg IV q1h"),)),
        (INJECTION, ()),
        (MORPHINE, (dosage("2 mg", 4, route="SubQ"), dosage("4 mg", 4, route="IM"))),
    ],
)
def test_injections_are_named_as_such(of: Drug, instructions: tuple[Dosage, ...]) -> None:
    found = part(of, *instructions)
    assert (found.mme, found.counted, found.reason) == (None, True, "infusion or injection")


def test_what_is_swallowed_beside_an_injection_is_a_lower_bound() -> None:
    total = mme_sum([order(MORPHINE, dosage("2 mg", 4, route="IV"), dosage("15 mg", 6, route="PO"))])
    assert (total.at_least, total.total) == (60, None)


def test_a_fentanyl_of_unknown_form_is_unknown() -> None:
    found = part(FENTANYL, dosage("200 mcg", 6))
    assert (found.mme, found.counted, found.reason) == (None, True, "no form")


def test_an_order_that_cannot_be_remembered_is_still_summed() -> None:
    odd = Dosage(dose_low=Quantity(Decimal("sNaN"), "mg"), dose_high=Quantity(Decimal(10), "mg"), period=Decimal(1))
    assert mme_sum([order(MORPHINE, odd)]).total == 10


AMOUNTS = st.decimals(min_value="0.1", max_value="200", places=1)
HOURS = st.sampled_from([4, 6, 8, 12, 24, 36, 48, 72])
ORDERS = st.builds(
    lambda of, value, hours, as_needed, ref: order(
        of, dosage(f"{value} mg", hours, as_needed=as_needed), ref=f"MedicationRequest/{ref}"
    ),
    st.sampled_from(
        [OXYCODONE, PERCOCET, MORPHINE, METHADONE, TYLENOL_3, PATCH, INJECTION, drug("buprenorphine 2 MG")]
    ),
    AMOUNTS,
    HOURS,
    st.booleans(),
    st.integers(1, 99),
)


@given(st.lists(ORDERS, max_size=6), st.randoms(use_true_random=False))
def test_sums_do_not_depend_on_the_order(orders: list[MedicationOrder], random: Any) -> None:
    shuffled = list(orders)
    random.shuffle(shuffled)
    assert mme_sum(shuffled) == mme_sum(orders)


@given(st.lists(ORDERS, max_size=4), st.lists(ORDERS, max_size=4))
def test_sums_add_up(some: list[MedicationOrder], others: list[MedicationOrder]) -> None:
    together, first, second = mme_sum(some + others), mme_sum(some), mme_sum(others)
    assert abs(together.at_least - (first.at_least + second.at_least)) < Decimal("1e-20")
    assert (together.total is None) is (first.total is None or second.total is None)
    assert len(together.parts) == len(first.parts) + len(second.parts)


@given(AMOUNTS, AMOUNTS, HOURS)
def test_a_higher_dose_is_never_a_lower_sum(one: Decimal, more: Decimal, hours: int) -> None:
    low = mme_sum([order(OXYCODONE, dosage(f"{one} mg", hours))]).total
    high = mme_sum([order(OXYCODONE, dosage(f"{one + more} mg", hours))]).total
    assert low is not None
    assert high is not None
    assert low < high


@given(st.integers(1, 10), HOURS)
def test_tablets_and_their_mass_are_the_same(count: int, hours: int) -> None:
    assert day(OXYCODONE, dosage(f"{count} tablet", hours)) == day(OXYCODONE, dosage(f"{count * 5} mg", hours))
