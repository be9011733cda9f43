"""What slows breathing beside the opioid: the small questions that no scenario can put."""

from decimal import Decimal

import pytest

from cds.breathing import days_running, listing, one_off, sedative_name, tapers_off
from cds.chart import Dosage, MedicationOrder
from cds.course import ESTABLISHED_DAYS, GAP_DAYS
from cds.days import months_before
from cds.drugs import Drug, Ingredient
from cds.rules import sedative_exposure
from tests.builders import TODAY, a_day, case, day, draft, drug, mg, order, tablet

MIDAZOLAM = drug("diazepam", route="injection")
ONE_DAY = a_day(2, bounds_days=Decimal(1))


@pytest.mark.parametrize(
    "listed",
    [
        order("m", MIDAZOLAM, ONE_DAY),
        order("m", MIDAZOLAM, Dosage(dose_low=mg(2), dose_high=mg(2), timing_code="ONCE")),
        order("m", MIDAZOLAM, a_day(2), supply_days=1),
        order("m", MIDAZOLAM, a_day(2), start=TODAY, end=TODAY),
        order("m", MIDAZOLAM, a_day(2, bounds_start=TODAY, bounds_end=TODAY)),
        order("m", tablet("diazepam 5"), a_day(5, text="1 tablet once before the procedure"), supply_days=1),
    ],
)
def test_a_single_dose_around_a_procedure(listed: MedicationOrder) -> None:
    assert one_off(listed)


@pytest.mark.parametrize(
    "listed",
    [
        order("m", MIDAZOLAM),
        order("m", MIDAZOLAM, a_day(2)),
        order("m", MIDAZOLAM, a_day(2, times=2, bounds_days=Decimal(1))),
        order("m", MIDAZOLAM, Dosage(dose_low=mg(2), dose_high=mg(2), period=Decimal("0.25")), supply_days=1),
        order("m", MIDAZOLAM, ONE_DAY, repeats=1),
        order("m", MIDAZOLAM, ONE_DAY, a_day(2)),
        order("m", tablet("diazepam 5"), a_day(5), supply_days=1),
        order("m", None, ONE_DAY),
    ],
)
def test_what_may_be_taken_again_is_no_single_dose(listed: MedicationOrder) -> None:
    assert not one_off(listed)


def test_a_product_is_named_by_what_sedates() -> None:
    fields = {"roles": frozenset({"barbiturate", "cns_depressant"}), "name": "butalbital / caffeine-like"}
    compound = Drug((Ingredient("butalbital"), Ingredient("no such ingredient")), **fields)  # type: ignore[arg-type]
    assert sedative_name(order("m", compound)) == "butalbital"
    assert sedative_name(order("m", tablet("sertraline 50"))) == "sertraline"
    assert sedative_name(order("m", None)) == "m"


def test_names_are_listed_once() -> None:
    assert [listing(names) for names in ([], ["a"], ["a", "b", "a"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_days_running_need_a_drug() -> None:
    taken = order("m", tablet("oxycodone 5"), a_day(5), authored=day(9))
    seen = case(draft("d", tablet("oxycodone 5"), a_day(5)), taken)
    assert days_running(seen, taken, GAP_DAYS) == 10
    assert days_running(seen, order("x", None), GAP_DAYS) == 0


def test_a_taper_needs_known_falling_doses_and_an_end() -> None:
    steps = (a_day(2, sequence=1, bounds_days=Decimal(5)), a_day(1, sequence=2, bounds_days=Decimal(5)))
    unknown = Dosage(sequence=2, bounds_days=Decimal(5))

    def tapers(*dosages: Dosage) -> bool:
        tapering = draft("d", tablet("diazepam 5"), *dosages)
        return tapers_off(case(tapering), tapering, 14)

    assert tapers(*steps)
    assert not tapers(steps[0])
    assert not tapers(steps[0], unknown)
    assert not tapers(a_day(2, sequence=1), a_day(1, sequence=2))


def test_the_numbers_agree_with_those_of_the_course() -> None:
    assert (sedative_exposure.ESTABLISHED_DAYS, sedative_exposure.GAP_DAYS) == (ESTABLISHED_DAYS, GAP_DAYS)


@pytest.mark.parametrize(
    ("months", "expected"), [(0, "2026-06-15"), (6, "2025-12-15"), (24, "2024-06-15"), (12 * 3 + 4, "2023-02-15")]
)
def test_months_before(months: int, expected: str) -> None:
    assert months_before(TODAY, months).isoformat() == expected


def test_a_month_without_that_day_ends_earlier() -> None:
    assert months_before(TODAY.replace(month=5, day=31), 3).isoformat() == "2026-02-28"
