"""Identical product and dosage, and the higher of two doses."""

import pytest

from cds.chart import Dosage, MedicationOrder
from cds.likeness import at_higher_dose, same_product_and_dosage
from tests.builders import a_day, day, drug, order, tablet

OXYCODONE = tablet("oxycodone 5")


def of(*dosages: Dosage, what: object = OXYCODONE, **fields: object) -> MedicationOrder:
    return order("a", what, *dosages, **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("some", "other", "same"),
    [
        (a_day(5, 2), a_day(5, 2), True),
        (a_day(5, 2), a_day(5, 3), False),
        (a_day(5, 2, text="twice"), a_day(5, 2, text="bid"), True),
        (a_day(5, 2, bounds_end=day(-30)), a_day(5, 2, bounds_end=day(5), sequence=2), True),
        (Dosage(text="1  Tab twice a day"), Dosage(text="1 tab twice a day "), True),
        (Dosage(text="1 tab"), Dosage(text="2 tabs"), False),
        (Dosage(text="1 tab"), a_day(5, 2, text="1 TAB"), True),
        (Dosage(text="1 tab"), a_day(5, 2), False),
        (Dosage(), Dosage(), False),
        (Dosage(text=" "), Dosage(text=""), False),
    ],
)
def test_identical_dosage(some: Dosage, other: Dosage, same: bool) -> None:
    assert same_product_and_dosage(of(some), of(other)) is same
    assert same_product_and_dosage(of(other), of(some)) is same


def test_orders_without_a_dosage_or_with_another_number_of_them_are_not_identical() -> None:
    assert not same_product_and_dosage(of(), of())
    assert not same_product_and_dosage(of(a_day(5)), of(a_day(5), a_day(5)))


@pytest.mark.parametrize(
    ("what", "same"),
    [
        (tablet("oxycodone 5"), True),
        (tablet("oxycodone 10"), False),
        (tablet("oxycodone 5", release="ER"), False),
        (drug("oxycodone 5"), True),
        (tablet("morphine 5"), False),
        (None, False),
    ],
)
def test_identical_product(what: object, same: bool) -> None:
    assert same_product_and_dosage(of(a_day(5)), of(a_day(5), what=what)) is same


def test_unrecognised_products_are_told_apart_by_name() -> None:
    assert same_product_and_dosage(of(a_day(5), what=None, name="A  b"), of(a_day(5), what=None, name="a B"))
    assert not same_product_and_dosage(of(a_day(5), what=None, name="a"), of(a_day(5), what=None, name="b"))


def test_the_higher_dose() -> None:
    five, ten, unknown = of(a_day(5)), of(a_day(10)), of(Dosage(text="as directed"))
    assert at_higher_dose(five, ten).dosages == ten.dosages
    assert at_higher_dose(ten, five) is ten
    assert at_higher_dose(five, unknown) is five
    assert at_higher_dose(unknown, five).dosages == five.dosages
    assert at_higher_dose(five, of(a_day(5))) is five


def test_what_is_not_recognised_or_has_no_dosage_changes_nothing() -> None:
    five = of(a_day(5))
    assert at_higher_dose(five, of()) is five
    assert at_higher_dose(five, of(a_day(10), what=None)) is five
    nameless = of(a_day(5), what=None)
    assert at_higher_dose(nameless, five) is nameless


def test_a_stronger_tablet_is_a_higher_dose() -> None:
    one = of(a_day(1, unit="tablet"))
    stronger = of(a_day(1, unit="tablet"), what=tablet("oxycodone 10"))
    assert at_higher_dose(one, stronger).drug == stronger.drug


def test_doses_of_other_units_are_not_compared() -> None:
    patch = drug("fentanyl 0.025", unit="MG/HR", form="patch", route="transdermal")
    worn = of(a_day(1, unit="patch"), what=patch)
    assert at_higher_dose(worn, of(a_day(5), what=tablet("fentanyl"))) is worn
