"""What is put forward, from the request to the labels that a prescriber reads."""

from typing import Any

import pytest

from tests.calling import SIGN, an_app, call
from tests.sentences import request_of

APP = an_app()
OXYCODONE = "orders oxycodone 5 mg oral tablet, 1 tablet every 6 hours"


def answer(*chart: str, **changed: Any) -> dict[str, Any]:
    told = request_of(list(chart))
    told["prefetch"].update(changed)
    return call(APP, "POST", SIGN, json=told).json()  # type: ignore[no-any-return]


def rules(told: dict[str, Any]) -> list[str]:
    return [finding["rule"] for finding in told["extension"]["firstline.review"].get("findings", ())]


def suggestions(*chart: str) -> list[dict[str, Any]]:
    return [one for card in answer(*chart)["cards"] for one in card.get("suggestions", ())]


def labels(*chart: str) -> str:
    return " | ".join(one["label"] for one in suggestions(*chart))


def test_a_tricyclic_is_begun_and_raised_above_forty_only_after_an_ecg() -> None:
    low = "takes nortriptyline 10 mg oral capsule, 1 capsule at night, since 2026-01-01"
    [raised] = [
        one
        for one in suggestions("age 50", "eGFR 90 on 2026-02-01", "has diabetic neuropathy (E11.42)", low, OXYCODONE)
        if one["label"].startswith("Raise nortriptyline")
    ]
    assert "after an ECG" in raised["label"]
    assert [action["resource"]["resourceType"] for action in raised["actions"] if action["type"] == "create"] == [
        "MedicationRequest",
        "ServiceRequest",
    ]
    notes = raised["actions"][0]["resource"]["note"]
    assert "Start only after the ECG has been seen." in notes[0]["text"]
    young = labels("age 38", "eGFR 90 on 2026-02-01", "has diabetic neuropathy (E11.42)", low, OXYCODONE)
    assert "Raise nortriptyline" in young and "ECG" not in young


@pytest.mark.parametrize("allergen", ["lidocaine", "bupivacaine", "Marcaine", "ropivacaine", "local anesthetics"])
def test_no_lidocaine_with_an_allergy_to_an_anaesthetic_of_its_kind(allergen: str) -> None:
    chart = ("age 72", "eGFR 80 on 2026-02-01", "has postherpetic neuralgia of the chest wall (B02.29)")
    assert "Lidocaine" in labels(*chart, OXYCODONE)
    assert "Lidocaine" not in labels(*chart, f"allergic to {allergen}, anaphylaxis", OXYCODONE)


@pytest.mark.parametrize(
    "pain",
    ["PHN V1 distribution", "PHN ophthalmic division", "PHN periorbital", "postherpetic neuralgia left eyebrow"],
)
def test_no_patch_on_the_face(pain: str) -> None:
    assert "patch" not in labels("age 72", "eGFR 80 on 2026-02-01", f"{OXYCODONE}, because {pain}")


def test_no_antidepressant_beside_an_antibiotic_that_inhibits_mao() -> None:
    chart = ("age 50", "eGFR 90 on 2026-02-01", "has diabetic neuropathy (E11.42)")
    assert "Duloxetine" in labels(*chart, OXYCODONE)
    beside = labels(*chart, "takes tedizolid 200 mg oral tablet, 1 tablet once a day, since 2026-02-27", OXYCODONE)
    assert "Duloxetine" not in beside and "Nortriptyline" not in beside


def test_a_list_with_a_nameless_drug_is_not_known() -> None:
    nameless = {
        "resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order",
        "authoredOn": "2026-02-01", "medicationReference": {"reference": "Medication/gone"},
    }  # fmt: skip
    sent = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": nameless}]}
    told = answer(f"{OXYCODONE}, because osteoarthritis (M17.11)", medications=sent)
    review = told["extension"]["firstline.review"]
    assert "medications: partial" in review["notAssessed"]
    assert "MedicationRequest/m1: unreadable" in review["notAssessed"]
    [card] = told["cards"]
    assert card["summary"].startswith("Not checked: medications")
    assert "Not recognised, so not checked: ." not in card["detail"]


def test_hospice_is_seen_from_the_kind_of_the_encounter() -> None:
    encounter = {
        "resourceType": "Encounter", "id": "e1", "status": "in-progress", "class": {"code": "AMB"},
        "type": [{"text": "Admission to hospice"}],
    }  # fmt: skip
    chart = ("has diabetic neuropathy (E11.42)", OXYCODONE)
    assert "NP-01" in rules(answer(*chart))
    assert "NP-01" not in rules(answer(*chart, encounter=encounter))


def test_an_operation_is_told_by_its_category() -> None:
    procedure = {
        "resourceType": "Procedure", "id": "p1", "status": "completed", "performedDateTime": "2026-02-20",
        "category": {"coding": [{"system": "http://snomed.info/sct", "code": "387713003"}]},
        "code": {"text": "Procedure on the left foot"},
    }  # fmt: skip
    sent = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": procedure}]}
    told = answer("has diabetic neuropathy (E11.42)", OXYCODONE, procedures=sent)
    assert "NP-01" not in rules(told)


def test_what_is_tapered_is_what_was_taken() -> None:
    chart = ("age 50", "eGFR 90 on 2026-02-01", "has diabetic neuropathy (E11.42)")
    taken = "was dispensed morphine 15 mg oral tablet, 1 tablet four times a day, on {}, for 30 days"
    history = [taken.format(day) for day in ("2025-12-31", "2026-01-30")]
    told = answer(*chart, *history, "orders fentanyl 25 mcg/hr patch, 1 patch every 72 hours, for 15 days")
    written = str(told["cards"])
    assert "taper morphine" in written or "Morphine has been taken" in written
    assert "taper fentanyl" not in written and "Fentanyl has been taken" not in written
    again = answer(*chart, *history, "orders morphine 15 mg oral tablet, 1 tablet four times a day, for 15 days")
    assert "aper fentanyl" not in str(again["cards"])


def test_of_undated_records_the_first_is_named() -> None:
    chart = ("age 50", "eGFR 90 on 2026-02-01", "has diabetic neuropathy (E11.42)")
    old = "takes codeine 30 mg oral tablet, 1 tablet four times a day, authored not sent"
    told = answer(*chart, old, "orders tramadol 50 mg oral tablet, 1 tablet four times a day, for 15 days")
    assert "taper tramadol" not in str(told["cards"])


@pytest.mark.parametrize(
    "skin",
    [
        "has pressure ulcer of left heel (L89.629)",
        "has type 2 diabetes with foot ulcer (E11.621)",
        "has open wound on the back",
        "has burn of second degree of trunk (T21.20XA)",
    ],
)
def test_no_patch_on_broken_skin(skin: str) -> None:
    chart = ("age 72", "eGFR 80 on 2026-02-01", f"{OXYCODONE}, because postherpetic neuralgia (B02.29)")
    assert "patch" in labels(*chart)
    assert "patch" not in labels(*chart, skin)
    assert "patch" in labels(*chart, f"{skin}, resolved")


def test_only_an_order_is_stopped_when_a_dose_is_raised() -> None:
    chart = ("age 50", "eGFR 90 on 2026-02-01", "has diabetic neuropathy (E11.42)")
    low = "gabapentin 300 mg oral capsule, 1 capsule at night"
    told = {
        listed: next(one for one in suggestions(*chart, listed, OXYCODONE) if one["label"].startswith("Raise"))
        for listed in (
            f"takes {low}, since 2026-01-01",
            f"reports {low}, from 2026-01-01",
            f"was dispensed {low}, on 2026-02-01, for 60 days",
        )
    }
    ordered, *others = told.values()
    assert "stop its old order" in ordered["label"]
    assert ordered["actions"][0]["resource"]["priorPrescription"]["reference"].startswith("MedicationRequest/")
    for one in others:
        assert "in place of the present dose" in one["label"] and "old order" not in one["label"]
        assert "priorPrescription" not in one["actions"][0]["resource"]
        assert "order that is running" not in one["actions"][0]["resource"]["note"][0]["text"]


@pytest.mark.parametrize("reason", ["non-neuropathic pain", "nociceptive pain"])
def test_a_reason_that_is_another_pain_outweighs_the_problem_list(reason: str) -> None:
    chart = ("has diabetic neuropathy (E11.42)", f"{OXYCODONE}, because {reason}")
    assert not [rule for rule in rules(answer(*chart)) if rule.startswith("NP")]


def test_a_lower_dose_is_offered_only_where_it_keeps_every_limit() -> None:
    tramadol = "orders tramadol 100 mg oral tablet, 1 tablet four times a day"
    assert "Lower tramadol" not in labels("age 50", "has cirrhosis (K74.60)", tramadol)
    assert "Lower tramadol" not in labels("age 50", "eGFR 25 on 2026-02-20", tramadol)
    assert "Do not start tramadol" in labels("age 50", "has cirrhosis (K74.60)", tramadol)
    acetaminophen = "takes acetaminophen 500 mg oral tablet, 2 tablets four times a day, since 2026-02-01"
    percocet = "orders oxycodone 5 mg / acetaminophen 325 mg oral tablet, 4 tablets every 6 hours"
    assert "Lower oxycodone" not in labels("age 50", acetaminophen, percocet)


def test_tramadol_is_given_less_often_where_the_kidneys_or_the_liver_ask_for_it() -> None:
    often = "orders tramadol 50 mg oral tablet, 1 tablet every 6 hours, for 5 days, 20 pieces"
    for disease in ("eGFR 25 on 2026-02-20", "has cirrhosis (K74.60)"):
        told = answer("age 50", disease, often)
        [made] = [one for card in told["cards"] for one in card["suggestions"] if one["label"].startswith("Lengthen")]
        assert made["label"] == "Lengthen tramadol to every 12 hours, 1 tablet a dose"
        resource = made["actions"][0]["resource"]
        assert resource["dosageInstruction"][0]["timing"]["repeat"]["period"] == 12
        assert resource["dispenseRequest"]["quantity"]["value"] == 10
    for kept in ("1 tablet twice a day", "2 tablets every 12 hours", "5 tablets every 6 hours"):
        told = labels("age 50", "eGFR 25 on 2026-02-20", f"orders tramadol 50 mg oral tablet, {kept}, for 5 days")
        assert "Lengthen" not in told


@pytest.mark.parametrize(
    ("code", "value", "said"),
    [
        ({"text": "eGFR"}, {"value": 22, "unit": "mL/min/1.73m2"}, "DD-15"),
        ({"coding": [{"system": "urn:lab", "code": "77"}], "text": "GFR"}, {"value": 22, "unit": "mL/min"}, "DD-15"),
        ({"text": "EGFR"}, {"value": 22}, "egfr: unreadable"),
        ({"text": "EGFR"}, {"value": 80, "unit": "%"}, "egfr: unreadable"),
        ({"text": "Filtration of the kidneys"}, {"value": 22, "unit": "mL/min"}, "egfr: unreadable"),
        ({"coding": [{"system": "http://loinc.org", "code": "2345-7"}]}, {"value": 90}, "egfr: none on record"),
    ],
)
def test_an_egfr_by_name_is_told_by_its_unit(code: dict[str, Any], value: dict[str, Any], said: str) -> None:
    sent = {
        "resourceType": "Observation", "id": "e", "status": "final", "code": code,
        "effectiveDateTime": "2026-02-20", "valueQuantity": value,
    }  # fmt: skip
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": sent}]}
    told = answer("age 70", "orders morphine 15 mg oral tablet, 1 tablet every 6 hours", egfr=bundle)
    assert said in (*rules(told), *told["extension"]["firstline.review"]["notAssessed"])


def test_creatinine_in_si_units_is_read() -> None:
    sent = {
        "resourceType": "Observation", "id": "cr", "status": "final", "effectiveDateTime": "2026-02-20",
        "code": {"coding": [{"system": "http://loinc.org", "code": "14682-9"}]},
        "valueQuantity": {"value": 265, "unit": "umol/L", "system": "http://unitsofmeasure.org", "code": "umol/L"},
    }  # fmt: skip
    local = {**sent, "code": {"coding": [{"system": "urn:lab", "code": "CREA"}], "text": "Creatinine, Serum"}}
    for observation in (sent, local):
        bundle = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": observation}]}
        told = answer("age 70", "orders tramadol 50 mg oral tablet, 1 tablet every 6 hours", creatinine=bundle)
        assert "DD-16" in rules(told), told["extension"]["firstline.review"]


def test_where_no_lower_dose_keeps_the_limits_a_critical_new_order_is_not_started() -> None:
    high = "orders tramadol 50 mg oral tablet, 3 tablets three times a day, for 5 days"
    assert "Do not start tramadol" in labels("age 50", high)
    taken = "takes tramadol 50 mg oral tablet, 3 tablets three times a day, since 2025-10-01, id t1"
    assert "Do not start" not in labels("age 50", taken, f"{high}, renewing t1")
    lower = labels("age 50", "orders oxycodone 5 mg oral tablet, 4 tablets every 4 hours, for 5 days")
    assert "Lower oxycodone" in lower


def test_a_trial_by_numbered_lines_of_one_day_is_their_sum() -> None:
    lines = [
        {"sequence": 1, "text": "1 capsule in the morning"},
        {"sequence": 2, "text": "2 capsules at night"},
    ]
    gabapentin = {
        "resourceType": "MedicationRequest", "id": "m1", "status": "active", "intent": "order",
        "authoredOn": "2026-01-01", "medicationCodeableConcept": {"text": "gabapentin 300 mg oral capsule"},
        "dosageInstruction": lines,
    }  # fmt: skip
    sent = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": gabapentin}]}
    told = answer(f"{OXYCODONE}, because diabetic neuropathy (E11.42)", medications=sent)
    [found] = [one for one in told["extension"]["firstline.review"]["findings"] if one["rule"] == "NP-02"]
    assert found["facts"]["gabapentinoid_history"].startswith("gabapentin 900 mg a day")
