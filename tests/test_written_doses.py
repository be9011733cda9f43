"""Doses as electronic records write them: trailing dates, supply, shorthand, warnings, and fields that disagree."""

import json
from fractions import Fraction
from typing import Any

import pytest
from msgspec import Raw

from cds.chart import MedicationOrder
from cds.dose import DailyDose, daily_dose
from cds.sig_asides import is_admonition
from hooks.fhir_read import read_drafts

OXYCODONE = "oxycodone 5 mg tablet"
GTS = "http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation"
UCUM = "http://unitsofmeasure.org"


def order(drug: str, *dosages: dict[str, Any]) -> MedicationOrder:
    draft = {
        "resourceType": "MedicationRequest",
        "id": "d",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        "medicationCodeableConcept": {"text": drug},
        "dosageInstruction": list(dosages),
    }
    return read_drafts([(Raw(json.dumps(draft).encode()), None)], "R4").orders[0]


def dose(drug: str, *dosages: dict[str, Any]) -> DailyDose:
    found = order(drug, *dosages)
    assert found.drug is not None
    return daily_dose(found, found.drug.ingredients[0].name)


def written(sig: str, drug: str = OXYCODONE) -> DailyDose:
    return dose(drug, {"text": sig})


@pytest.mark.parametrize(
    ("sig", "best"),
    [
        ("5 mg, Oral, Every 4 hours PRN, moderate pain, Starting Mon 1/15/26 at 0900", 30),
        ("5 mg, 1 tab, Oral, q6hr, PRN pain, Start: 01/15/26 9:00:00 CST", 20),
        ("5 mg, Oral, 4 times daily, First dose on Mon 1/15/26 at 0800, Until Discontinued", 20),
        ("5 mg, Oral, 4 times daily, First dose (after last modification) on Mon 1/15/26 at 0800", 20),
        ("1 tablet, Oral, Every 6 hours PRN, Starting today at 1800, Normal, Disp-30 tablet, R-0", 20),
        ("1 tablet every 6 hours, Starting Mon 1/15/2026, Until Sat 1/20/2026, Normal, Disp-20 tablet, R-0", 20),
        ("1 tab tid, Starting Jan 15, 2026", 15),
        ("2 TAB PO Q4H PRN pain; Start 01/15/26; 7 day(s)", 60),
        ("1 tab(s) Oral every 8 hr PRN severe pain x 5 days, 15 tab(s), 0 Refill(s)", 15),
        ("1 tab tid for chronic pain; fill date 3/1/26; must last 30 days", 15),
        ("DNF until 3/15/26. 1 tab tid", 15),
        ("1 tab q6h prn, G89.4", 20),
        ("1 tab q6h prn pain Dx: M54.16, G89.29; Max 4/day", 20),
        ("1 tab q6h ICD-10: R52", 20),
        ("1 tab q6h prn. May fill 2 days early (1 of 3)", 20),
        ("1 tab q6h #120/30 days", 20),
        ("4 tablets a day", 20),
        ("2 tabs/day", 10),
        ("3 to 4 tabs per day prn", 20),
        ("20 mg/day divided q6h", 20),
        ("20 mg daily in 4 divided doses", 20),
        ("6 tabs per day in divided doses", 30),
        ("Take 1 tablet by mouth at 0800 and 2000", 10),
        ("1 tab at 0800, 1400, and 2000", 15),
        ("1 tab 0600 1400 2200", 15),
        ("1 tab at 8 am and 8 pm", 10),
        ("1 tab at 08:00, 14:00 and 20:00", 15),
        ("1 tab four times daily - 0800, 1200, 1600, 2000", 20),
        ("TK 1 T PO BID", 10),
        ("TK 1 TO 2 TS PO Q 4 TO 6 H PRN P", 60),
        ("T1T PO TID", 15),
        ("T 1 T PO QID", 20),
        ("i tab po bid", 10),
        ("i-ii tabs po q4-6h prn pain", 60),
        ("iii tabs po qhs", 15),
        ("1 (5 mg) tab q4h", 30),
        ("1 tab x4 daily", 20),
        ("1 tab x 4 a day", 20),
        ("1 tab q4h prn NMT 5/d", 25),
        ("1 tablet 6 hrly prn", 20),
        ("1 tab PO Q8°", 15),
        ("1 tab every 4 hours (6 times per day)", 30),
        ("1 tab MWF", Fraction(15, 7)),
        ("1 tab M, W, F", Fraction(15, 7)),
        ("1 tab every third day", Fraction(5, 3)),
        ("1 tab once to 3 times a day", 15),
        ("2 tabs a day for 3 days, 1 tab a day for 3 days", 10),
        ("1 tab q6h dx G8929", 20),
        ("1 tab po TID (8a, 2p, 8p)", 15),
        ("10 mg q8h (30 mg/day)", 30),
        ("10 mg at 8 am and 8 pm = 20 mg/day", 20),
        ("1 tab weekdays", Fraction(25, 7)),
        ("1 tab daily Monday through Friday and 2 tabs daily on weekends", Fraction(45, 7)),
        ("1 tab in the morning and 2 tabs at bedtime, starting 3/1/26", 15),
        ("Mon, 1/15/26 1 tab q6h", 20),
        ("1 tab MWF, Starting Mon 3/2/26", Fraction(15, 7)),
        ("1 tab once - see label", 5),
    ],
)  # fmt: skip
def test_what_any_pharmacist_reads(sig: str, best: int | Fraction) -> None:
    assert float(written(sig).mean or 0) == pytest.approx(float(best), rel=1e-6)


@pytest.mark.parametrize(
    "sig",
    [
        "as directed",
        "1 tab bid until 3/1/26, 2 tabs bid starting 3/1/26",
        "1 tab q6h, 4 tabs a day",
        "2 tabs a day with breakfast and at bedtime",
        "6 tabs per day tid",
        "1 tab tid in 3 divided doses",
        "20 mg in 4 divided doses",
        "1 tab tid, 4 tabs a day",
        "1 tab bid, 2 tabs bid starting 3/8/26",
        "1 tab Mon, Wed and Fri 3/3/26",
        "1 tab bid (10 mg/day)",
        "10 mg q8h (90 mg/day)",
        "1 tab q6",
        "1 tab between 0800 and 2000",
        "1 tab at 9999",
        "take 1200 at bedtime",
        "5/325",
    ],
)
def test_what_stays_unknown(sig: str) -> None:
    assert written(sig).mean is None


@pytest.mark.parametrize(
    ("drug", "sig", "best"),
    [
        ("gabapentin 300 mg capsule", "TK 1 C PO TID", 900),
        ("gabapentin 300 mg capsule", "T1C PO TID", 900),
        ("OXYCODONE-ACETAMINOPHEN 5-325 MG PO TABS", "take one 5-325 tablet every 6 hours", 20),
        ("oxycodone 5 mg/5 mL oral solution", "2 teaspoonfuls every 6 hours", 40),
        ("morphine 10 mg/5 mL oral solution", "Take 5 mL every 4 hours", 60),
        ("MORPHINE SULFATE (CONCENTRATE) 100 MG/5ML PO SOLN", "10mg/0.5ml q2h prn", 120),
        ("MORPHINE SULFATE (CONCENTRATE) 100 MG/5ML PO SOLN", "Take 5 mg/0.25 mL q4h", 30),
        ("MORPHINE SULFATE (CONCENTRATE) 100 MG/5ML PO SOLN", "10 mg/5 mL q4h", 600),
        ("morphine oral solution", "morphine 20 mg/mL q4h", None),
        ("morphine oral solution", "Take 5 mL (10 mg/5 mL) every 4 hours", 60),
        ("morphine oral solution", "Take 5 mL of 10 mg/5 mL or 20 mg/mL every 4 hours", 600),
        ("morphine oral solution", "Take 5 mL of 10 mg/tsp every 4 hours", None),
        ("morphine oral solution", "Take 5 mL of 20 mg/mL or 10 mg/5 mL every 4 hours", 600),
        ("morphine 10 mg/5 mL oral solution", "5 mL (1 teaspoonful) every 4 hours", 60),
        ("morphine 10 mg/5 mL oral solution", "5 mL (1 tablespoonful) every 4 hours", None),
        ("morphine 10 mg/5 mL oral solution", "give 20 mg/mL 0.5 mL q4h", 60),
    ],
)
def test_liquids_capsules_and_combinations(drug: str, sig: str, best: int | None) -> None:
    found = daily_dose(order(drug, {"text": sig}), drug.lower().split()[0].split("-")[0]).mean
    assert found is None if best is None else float(found or 0) == pytest.approx(best)


def test_a_patch_without_a_number_is_one() -> None:
    for sig in ("Apply patch every 72 hours", "apply a new patch q72h", "Change patch every third day"):
        assert float(written(sig, "fentanyl 25 mcg/hr patch").mean or 0) == 0.025
    assert written("remove patch after 12 hours", "fentanyl 25 mcg/hr patch").mean is None


def test_a_patch_beside_another_is_not_told() -> None:
    for sig in ("1 patch q72h with a 12 mcg/hr patch", "apply patch every 72 hours with a 12 mcg/hr patch"):
        assert written(sig, "fentanyl 25 mcg/hr patch").mean is None
    for drug in ("fentanyl 25 mcg/hr patch", "fentanyl 50 mcg/hr patch"):
        best = 0.05 if "25" in drug else 0.1
        assert float(written("50 mcg/hr q72h (2 patches)", drug).mean or 0) == best
    assert float(written("apply patch 25 mcg/hr q72h", "fentanyl 25 mcg/hr patch").mean or 0) == 0.025


def test_how_a_day_is_shared_out_is_not_said() -> None:
    shared = written("4 tablets a day")
    assert (shared.single, shared.interval_hours, shared.maximum) == (None, None, 20)
    filled = dose(
        OXYCODONE, {"text": "4 tablets a day", "timing": {"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}}}
    )
    assert (filled.mean, filled.disagrees) == (20, False)


def test_the_highest_day_of_a_limit_for_a_week() -> None:
    found = written("1 tab q6h prn max 10 per week")
    assert (float(found.mean or 0), found.maximum, found.minimum) == (pytest.approx(50 / 7), 20, 0)
    rare = written("2 tabs q4h prn max 6 per week")
    assert rare.maximum == 30


def test_once_to_twice_has_a_lowest() -> None:
    assert written("1 tab once to twice daily").minimum == 5


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        ("BID", "QID", (20, True)),
        ("QID", "BID", (20, True)),
        ("BID", "twice daily", (10, False)),
        ("BID", "see label 77", (10, False)),
        ("BID", None, (10, False)),
    ],
)
def test_a_code_and_the_words_beside_it(code: str, text: str | None, expected: tuple[int, bool]) -> None:
    timing = {"code": {"coding": [{"system": GTS, "code": code}]} | ({"text": text} if text else {})}
    found = dose(OXYCODONE, {"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}], "timing": timing})
    assert (found.mean, found.disagrees) == expected


def test_a_code_and_a_repeat_that_disagree() -> None:
    timing = {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}, "code": {"text": "Q4H"}}
    found = dose(OXYCODONE, {"doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}], "timing": timing})
    assert (found.mean, found.disagrees) == (30, True)


@pytest.mark.parametrize(("value", "unit", "code", "best"), [
    (5, "mg", "TAB", None),
    (1, "mg", "TAB", 20),
    (5, "mg", "mg", 20),
    (1, "tablet", "{tbl}", 20),
])  # fmt: skip
def test_a_unit_and_a_code_of_two_kinds(value: int, unit: str, code: str, best: int | None) -> None:
    quantity = {"value": value, "unit": unit, "code": code, "system": UCUM}
    timing = {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}}
    assert dose(OXYCODONE, {"doseAndRate": [{"doseQuantity": quantity}], "timing": timing}).mean == best


def test_a_second_instruction_that_only_warns() -> None:
    first = {"text": "1 tab q6h"}
    for warning in ("Do not drive.", "May cause drowsiness. Avoid alcohol.", "Take with food", "Don't crush or chew"):
        assert dose(OXYCODONE, first, {"text": warning, "sequence": 2}).mean == 20
    for telling in (
        "as directed",
        "Do not take more than prescribed",
        "Do not drive. Take as directed",
        "Take one extra",
    ):
        assert dose(OXYCODONE, first, {"text": telling}).mean is None
    assert dose(OXYCODONE, first, {"text": "Do not drive", "asNeededBoolean": True}).mean is None
    assert dose(OXYCODONE, {"text": "Do not drive"}).mean is None
    assert not is_admonition("")


def test_the_instruction_of_the_patient_stands_in_for_a_text_that_tells_nothing() -> None:
    assert dose(OXYCODONE, {"text": "see instructions", "patientInstruction": "Take 1 tablet every 6 hours"}).mean == 20
    assert dose(OXYCODONE, {"text": "1 tab bid", "patientInstruction": "Take 1 tablet every 6 hours"}).mean == 10
