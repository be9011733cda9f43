"""Orders beside the opioid: a laxative, a urine test, a referral; shorter supply in acute pain; their codes."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from cds.alternatives import propose
from cds.chart import Allergy, Quantity
from cds.knowledge import KnowledgeError
from cds.orders import as_medication
from cds.schedules import SCHEDULES
from cds.service_codes import COLUMNS, SERVICE_CODES, load_service_codes
from cds.supporting_orders import ecg_order, laxative_order, service_order
from tests.builders import ALL_ANSWERED, TODAY, a_day, draft, order, present, tablet
from tests.test_alternatives import DRAFT, finding, silent
from tests.test_offer import healthy, named, opioid

SENNA, GLYCOL = (laxative.ingredient for laxative in SCHEDULES.laxatives)


def laxatives(*taken: Any, **fields: Any) -> tuple[list[str], str]:
    told = propose(healthy(*taken, **fields), [finding("SAF-07", "laxative", group="safety")], silent)
    return [p.label for p in told.by_group.get("safety", ())], " ".join(told.notes.get("safety", ()))


def test_senna_is_added_and_polyethylene_glycol_where_senna_may_not_be() -> None:
    assert laxatives() == (["Add senna 8.6 mg, 2 tablets at night"], "")
    allergic = (Allergy("AllergyIntolerance/1", frozenset({SENNA}), "senna"),)
    assert laxatives(allergies=allergic)[0] == ["Add polyethylene glycol 17 g a day"]
    both = (*allergic, Allergy("AllergyIntolerance/2", frozenset({GLYCOL}), "macrogol"))
    assert laxatives(allergies=both) == ([], "")


@pytest.mark.parametrize("against", ["gi_obstruction", "paralytic_ileus", "toxic_megacolon", "diarrhoea"])
def test_no_laxative_with_an_obstructed_bowel_or_diarrhoea(against: str) -> None:
    assert laxatives(conditions=(present(against),)) == ([], f"A laxative is not proposed: {against}.")


def test_no_laxative_without_the_problem_list_or_beside_the_same() -> None:
    made, said = laxatives(questions={**ALL_ANSWERED, "conditions": "failed"})
    assert made == [] and "the problem list is not known" in said
    assert laxatives(order("s", named(SENNA), a_day(2), authored=TODAY)) == ([], "")


@pytest.mark.parametrize("laxative", SCHEDULES.laxatives)
def test_a_laxative_is_a_complete_order(laxative: Any) -> None:
    made = laxative_order(laxative)
    assert made.code and made.days == 30 and made.quantity == laxative.units * 30 and made.note
    read = as_medication(made, TODAY)
    assert read is not None and read.drug is not None and "laxative" in read.drug.roles


def test_the_rule_decides_to_whom_the_patient_is_referred() -> None:
    findings = (
        finding("DD-21", "naloxone", "delete", "referral", group="organ"),
        finding("DD-24", "referral", group="dose"),
        finding("NP-09", "limit_supply", "referral"),
    )
    told = propose(healthy(), findings, silent)
    assert [p.label for p in told.by_group["organ"]][-1] == "Refer to an addiction service"
    assert [p.label for p in told.by_group["dose"]] == ["Refer to a pain specialist"]
    assert [p.ask for p in told.by_group["ladder"]] == ["limit_supply"]


def test_what_does_not_change_the_danger_comes_last() -> None:
    findings = (finding("SAF-07", "laxative", group="safety"), finding("SAF-13", "delete", group="safety"))
    told = propose(healthy(), findings, silent)
    assert [p.ask for p in told.by_group["safety"]] == ["delete", "laxative"]


def test_a_urine_test_is_asked_for_once() -> None:
    findings = (finding("SAF-03", "urine_test", group="safety"), finding("SAF-06", "urine_test", group="safety"))
    (made,) = propose(healthy(), findings, silent).by_group["safety"]
    assert made.label == "Order a urine drug test" and made.create == service_order("urine_test")


def test_acute_pain_gets_three_or_seven_days() -> None:
    supply = {"supply_days": Decimal(14), "repeats": 1, "quantity": Quantity(Decimal(56), "tablet")}
    long = draft("draft", tablet("oxycodone 5"), a_day(1, 4, "tablet"), **supply)
    asked = finding("SAF-15", "limit_acute", group="safety")
    made = propose(healthy(drafts=[long]), [asked], silent).by_group["safety"]
    assert [p.label for p in made] == ["Limit oxycodone to 3 days, no repeats", "Limit oxycodone to 7 days, no repeats"]
    changes = [p.update for p in made if p.update]
    assert [(c.ref, c.supply_days, c.repeats, c.quantity) for c in changes] == [(DRAFT, 3, 0, 12), (DRAFT, 7, 0, 28)]
    assert propose(healthy(drafts=[opioid(status="stopped")]), [asked], silent).by_group == {}


# Codes


def test_an_ecg_has_its_code_and_what_has_none_is_ordered_by_text() -> None:
    ecg = ecg_order("First.")
    assert (ecg.system, ecg.code, ecg.display) == ("http://loinc.org", "11524-6", "EKG study")
    assert set(SERVICE_CODES) == {"ecg"}
    for kind in ("urine_test", "referral_pain", "referral_addiction"):
        made = service_order(kind)
        assert made.code is None and made.text and made.note


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("s,1,x,visit,yes,y", "column meaning must be one of"),
        ("s,1,x,ecg,maybe,y", "column verified must be one of"),
        ("s,,x,ecg,yes,y", "fill column code"),
        ("s,1,,ecg,no,y", "fill column display"),
        ("s,1,x,ecg,no,", "fill column source"),
        ("s,1,x,ecg,yes,y\ns,2,x,ecg,yes,y", "give each kind of order one code"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, words: str) -> None:
    (tmp_path / "service_codes.csv").write_text(f"{','.join(COLUMNS)}\n{row}\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match=words):
        load_service_codes(tmp_path)
