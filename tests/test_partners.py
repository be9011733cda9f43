"""Partner drugs where the sentences of tests/rules do not reach: undated records, phenotypes and recorded reactions."""

from datetime import date

import pytest

from cds.chart import Allergy
from cds.drugs import recognise
from cds.outcome import DoesNotApply, Fires
from cds.partners import partners, with_role
from cds.rules.allergy import allergy_to_the_opioid
from cds.rules.interaction import cyp2d6_inhibitor
from cds.terminology import Concept
from cds.tramadol import suitability
from tests.builders import a_day, case, day, dispense, draft, order, seen, tablet

TRAMADOL = draft("d1", recognise(Concept(text="tramadol 50 mg oral tablet")), a_day(50, 4))
PHENELZINE = tablet("phenelzine 15")
MAOI = with_role("maoi")


def last_of(*records: object, within_days: int = 14) -> tuple[date | None, ...]:
    found = partners(case(TRAMADOL, *records), TRAMADOL, MAOI, lambda name: within_days)  # type: ignore[arg-type]
    assert all(not partner.taken for partner in found)
    return tuple(partner.last for partner in found)


def test_a_record_without_any_date_has_no_known_end() -> None:
    assert last_of(order("m1", PHENELZINE, status="stopped", authored=None)) == (None,)


def test_the_latest_known_end_counts_whatever_the_order_of_the_records() -> None:
    records = [
        order("m1", PHENELZINE, status="stopped", start=day(90), end=day(10)),
        order("m2", PHENELZINE, status="stopped", start=day(60), end=day(5)),
        order("m3", PHENELZINE, status="stopped", authored=day(200)),
    ]
    assert last_of(*records) == last_of(*reversed(records)) == (day(5),)


def test_the_end_of_a_dispense_stands_for_that_of_its_order() -> None:
    stopped = order("m1", PHENELZINE, a_day(15, 3), status="stopped", authored=day(60))
    assert last_of(stopped) == (None,)
    filled = dispense("x1", PHENELZINE, 60, 30, follows=frozenset({stopped.ref}))
    assert last_of(stopped, filled) == ()
    assert last_of(stopped, filled, within_days=40) == (day(31),)


def test_what_begins_later_is_no_partner() -> None:
    assert last_of(order("m1", PHENELZINE, start=day(-3), end=day(-30), authored=day(1))) == ()


def test_tramadol_is_not_ruled_out_by_a_drug_whose_end_is_not_known() -> None:
    paroxetine = recognise(Concept(text="paroxetine 20 mg oral tablet"))
    stopped = order("m1", paroxetine, status="stopped", authored=day(60))
    assert suitability(case(TRAMADOL, stopped), TRAMADOL).reasons == ()
    ended = order("m1", paroxetine, status="stopped", authored=day(60), end=day(14))
    assert suitability(case(TRAMADOL, ended), TRAMADOL).reasons == ("paroxetine (serotonergic)",)


@pytest.mark.parametrize(("earlier", "later", "fires"), [("poor", "normal", False), ("normal", "poor", True)])
def test_the_latest_phenotype_counts(earlier: str, later: str, fires: bool) -> None:
    seen_both = (
        seen("cyp2d6_phenotype", None, None, text=f"{earlier} metabolizer"),
        seen("cyp2d6_phenotype", None, 100, text=f"{later} metabolizer"),
    )
    found = cyp2d6_inhibitor(case(TRAMADOL, observations=seen_both), TRAMADOL)
    assert isinstance(found, Fires) is fires


def test_a_phenotype_without_a_date_counts() -> None:
    undated = seen("cyp2d6_phenotype", None, None, text="ultrarapid metabolizer")
    assert isinstance(cyp2d6_inhibitor(case(TRAMADOL, observations=(undated,)), TRAMADOL), Fires)


@pytest.mark.parametrize(
    ("reactions", "indicator"),
    [
        (("itch", "itching"), "info"),
        (("hives and itching",), "critical"),
        (("angioedema",), "critical"),
        (("drowsiness",), "info"),
        ((), "info"),
    ],
)
def test_an_intolerance_with_the_signs_of_an_allergy_is_one(reactions: tuple[str, ...], indicator: str) -> None:
    entry = Allergy(
        "AllergyIntolerance/1", frozenset({"tramadol"}), "tramadol", intolerance=True, reactions=frozenset(reactions)
    )
    found = allergy_to_the_opioid(case(TRAMADOL, allergies=(entry,)), TRAMADOL)
    assert isinstance(found, Fires)
    assert found.indicator == indicator


def test_an_allergy_to_something_else_is_no_matter() -> None:
    entry = Allergy("AllergyIntolerance/1", frozenset({"amoxicillin"}), "amoxicillin", severe=True)
    assert isinstance(allergy_to_the_opioid(case(TRAMADOL, allergies=(entry,)), TRAMADOL), DoesNotApply)
