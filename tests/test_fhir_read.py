"""FHIR of every version -> the chart: what each resource about the patient becomes."""

import json
from copy import deepcopy
from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds.chart import Allergy, Condition, Encounter, Observation, Procedure
from hooks.fhir_read import read_chart
from tests.fhir_examples import (
    GABAPENTIN,
    ICD10,
    LOINC,
    NEUROPATHY,
    OXYCODONE,
    SNOMED,
    TODAY,
    bundle,
    chart,
    concept,
    condition,
    drafts,
    observation,
    prefetched,
    request,
)

CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


def patient(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Patient", "id": "p", **elements}


def one_condition(*others: Any, **elements: Any) -> Condition:
    return chart(condition(**elements), *others).conditions[0]


def one_observation(*args: Any, **elements: Any) -> Observation:
    (found,) = chart(observation(*args, **elements)).observations
    return found


def allergy(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "AllergyIntolerance", "id": "a", "code": OXYCODONE, **elements}


def one_allergy(**elements: Any) -> Allergy:
    (found,) = chart(allergy(**elements)).allergies
    return found


# Patient


@pytest.mark.parametrize(
    ("born", "first", "last"),
    [
        ("1960-02-29", date(1960, 2, 29), date(1960, 2, 29)),
        ("1960-02", date(1960, 2, 1), date(1960, 2, 29)),
        ("1960-12", date(1960, 12, 1), date(1960, 12, 31)),
        ("1960", date(1960, 1, 1), date(1960, 12, 31)),
        ("1960-13-01", None, None),
        ("yesterday", None, None),
        ("", None, None),
        (None, None, None),
    ],
)
def test_a_birth_date_may_be_partial(born: str | None, first: date | None, last: date | None) -> None:
    found = chart(patient(birthDate=born)).patient
    assert (found.born_from, found.born_to) == (first, last)


@pytest.mark.parametrize(
    ("gender", "sex"), [("female", "female"), ("Male", "male"), ("F", "female"), ("other", None), (None, None)]
)
def test_sex(gender: str | None, sex: str | None) -> None:
    assert chart(patient(gender=gender)).patient.sex == sex


def test_the_patient_of_the_request_is_chosen() -> None:
    other = patient(id="q", gender="male")
    assert chart(other, patient(gender="female")).patient.sex == "female"
    assert chart(other).patient.sex == "male"
    two = chart(other, patient(id="r", gender="male"))
    assert two.patient.sex is None
    assert two.questions["patient"] == "not provided"


# Conditions


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ({}, "present"),
        ({"clinicalStatus": concept(CLINICAL, "active")}, "present"),
        ({"clinicalStatus": concept(CLINICAL, "recurrence")}, "present"),
        ({"clinicalStatus": "relapse"}, "present"),
        ({"clinicalStatus": {"text": "Active"}}, "present"),
        ({"clinicalStatus": "active", "verificationStatus": "confirmed"}, "present"),
        ({"clinicalStatus": concept(CLINICAL, "unknown")}, "present"),
        ({"clinicalStatus": concept(CLINICAL, "remission")}, "history"),
        ({"clinicalStatus": concept(CLINICAL, "resolved")}, "history"),
        ({"clinicalStatus": "inactive"}, "history"),
        ({"abatementDateTime": "2026-05-19"}, "history"),
        ({"abatementDateTime": "2026-05-20"}, "present"),
        ({"abatementDateTime": "2026-05"}, "present"),
        ({"abatementDateTime": "2026-04"}, "history"),
        ({"abatementDateTime": "2026"}, "present"),
        ({"abatementDateTime": "long ago"}, "history"),
        ({"abatementPeriod": {"start": "2020-01-01", "end": "2021-01-01"}}, "history"),
        ({"abatementPeriod": {"start": "2020-01-01"}}, "present"),
        ({"abatementAge": {"value": 50}}, "history"),
        ({"abatementRange": {"low": {"value": 50}}}, "history"),
        ({"abatementString": "as a child"}, "history"),
        ({"abatementBoolean": True}, "history"),
        ({"abatementBoolean": False}, "present"),
        ({"verificationStatus": concept(VERIFICATION, "refuted")}, "refuted"),
        ({"verificationStatus": "entered-in-error"}, "refuted"),
        ({"verificationStatus": "refuted", "clinicalStatus": "resolved"}, "refuted"),
    ],
)
def test_present_condition(elements: Any, status: str) -> None:
    assert one_condition(**elements).status == status


@pytest.mark.parametrize(
    ("verification", "provisional"),
    [("provisional", True), ("differential", True), ("unconfirmed", True), ("confirmed", False), (None, False)],
)
def test_provisional(verification: str | None, provisional: bool) -> None:
    assert one_condition(verificationStatus=verification).provisional is provisional


def test_meanings_and_name_of_a_condition() -> None:
    found = one_condition()
    assert "diabetic_neuropathy" in found.meanings
    assert found.name == "Diabetic polyneuropathy"


@pytest.mark.parametrize(
    "code",
    [
        NEUROPATHY,
        {"coding": {"system": ICD10, "code": "E11.42"}},
        {"system": ICD10, "code": "E11.42"},
        [NEUROPATHY],
        {"coding": [None, {"system": ICD10, "code": "E11.42"}]},
        {"text": "Diabetic polyneuropathy"},
        "Diabetic polyneuropathy",
    ],
)
def test_lenient_shapes_of_a_code(code: Any) -> None:
    assert "diabetic_neuropathy" in one_condition(code=code).meanings


@pytest.mark.parametrize(
    ("elements", "since"),
    [
        ({"onsetDateTime": "2020-03"}, date(2020, 3, 1)),
        ({"onsetPeriod": {"start": "2019"}, "recordedDate": "2020-01-01"}, date(2019, 1, 1)),
        ({"recordedDate": "2020-05-02T10:00:00Z"}, date(2020, 5, 2)),
        ({"assertedDate": "2020-05-02"}, date(2020, 5, 2)),
        ({"dateRecorded": "2020-05-02"}, date(2020, 5, 2)),
        ({"encounter": {"reference": "Encounter/e"}}, date(2018, 7, 1)),
        ({"context": {"reference": "https://ehr.example.org/Encounter/e"}}, date(2018, 7, 1)),
        ({"encounter": {"reference": "Encounter/gone"}}, None),
        ({"encounter": {"reference": "Patient/p"}}, None),
        ({}, None),
    ],
)
def test_since(elements: Any, since: date | None) -> None:
    encounter = {"resourceType": "Encounter", "id": "e", "period": {"start": "2018-07-01T08:00:00+02:00"}}
    assert one_condition(encounter, patient(), **elements).since == since


def test_site_severity_and_category() -> None:
    found = one_condition(
        bodySite=[{"text": "left foot"}, concept(SNOMED, "1", "hand")],
        severity=concept(SNOMED, "24484000"),
        category=[concept("x", "encounter-diagnosis")],
    )
    assert (found.site, found.severe, found.encounter_diagnosis) == ("hand; left foot", True, True)
    other = one_condition(severity={"text": "Mild"}, category=concept("x", "problem-list-item"))
    assert (other.site, other.severe, other.encounter_diagnosis) == (None, False, False)
    assert one_condition(category="diagnosis").encounter_diagnosis
    assert one_condition().severe is None


@pytest.mark.parametrize(
    ("elements", "encounter_id", "of_it"),
    [
        ({}, "now", True),
        ({"encounter": {"reference": "Encounter/now"}}, "now", True),
        ({"encounter": {"reference": "https://ehr.invalid/fhir/Encounter/now"}}, "now", True),
        ({"encounter": {"reference": "Encounter/then"}}, "now", False),
        ({"context": {"reference": "Encounter/then"}}, "now", False),
        ({"context": {"reference": "EpisodeOfCare/then"}}, "now", True),
        ({"encounter": {"reference": "Encounter/then"}}, None, True),
    ],
)
def test_a_diagnosis_of_another_encounter_is_one_of_the_list(
    elements: dict[str, Any], encounter_id: str | None, of_it: bool
) -> None:
    sent = condition(category=[concept("x", "encounter-diagnosis")], **elements)
    (found,) = read_chart(prefetched(conditions=bundle(sent)), TODAY, "p", encounter_id).conditions
    assert found.encounter_diagnosis is of_it


def test_the_only_encounter_is_that_of_the_request() -> None:
    of_then = condition(category=[concept("x", "encounter-diagnosis")], encounter={"reference": "Encounter/then"})
    for sent, of_it in (("then", True), ("now", False)):
        encounter = {"resourceType": "Encounter", "id": sent, "status": "in-progress"}
        (found,) = read_chart(prefetched(conditions=bundle(of_then), encounter=encounter), TODAY, "p").conditions
        assert found.encounter_diagnosis is of_it


def test_one_body_site_makes_it_localized_where_the_table_says_nothing() -> None:
    scar = {"text": "neuralgia"}
    unsaid = one_condition(code=scar).localized
    assert unsaid is None
    assert one_condition(code=scar, bodySite={"text": "scar"}).localized is True
    assert one_condition(code=scar, bodySite=[{"text": "arm"}, {"text": "leg"}]).localized is None
    assert one_condition(bodySite={"text": "feet"}).localized == one_condition().localized


def test_a_condition_without_code_or_with_an_odd_one_is_kept_and_named() -> None:
    found = chart(condition(code=None), condition(id="d", code={"coding": "E11.42"}))
    assert [one.meanings for one in found.conditions] == [frozenset(), frozenset()]
    assert found.unreadable == ("Condition/c", "Condition/d")


@pytest.mark.parametrize("name", ["clinicalStatus", "verificationStatus"])
def test_a_status_that_cannot_be_read_is_named(name: str) -> None:
    found = chart(condition(**{name: {"coding": "odd"}}))
    assert (found.conditions[0].status, found.unreadable) == ("present", ("Condition/c",))


# Allergies


def test_an_allergy() -> None:
    found = one_allergy(type="allergy", criticality="high")
    assert found.ingredients == {"oxycodone"}
    assert "opioid" in found.roles
    assert (found.intolerance, found.severe, found.reactions) == (False, None, frozenset())


@pytest.mark.parametrize(("kind", "read_as"), [("intolerance", True), (concept("x", "allergy"), False), (None, None)])
def test_allergy_or_intolerance(kind: Any, read_as: bool | None) -> None:
    assert one_allergy(type=kind).intolerance is read_as


@pytest.mark.parametrize(
    "elements",
    [
        {"clinicalStatus": concept("x", "inactive")},
        {"clinicalStatus": concept("x", "resolved")},
        {"verificationStatus": concept("x", "refuted")},
        {"verificationStatus": "entered-in-error"},
        {"status": "resolved"},
        {"status": "refuted"},
        {"code": concept(SNOMED, "716186003")},
        {"code": concept(SNOMED, "409137002")},
        {"code": {"text": "No known allergies"}},
        {"code": {"text": "NKDA"}},
    ],
)
def test_what_is_no_allergy(elements: Any) -> None:
    found = chart(allergy(**elements))
    assert found.allergies == ()
    assert found.answers("allergies")


def test_an_allergy_of_dstu2() -> None:
    found = one_allergy(code=None, substance=OXYCODONE, status="confirmed", type="intolerance")
    assert found.ingredients == {"oxycodone"}


def test_an_allergy_may_name_its_substance_in_the_reaction_only() -> None:
    assert one_allergy(code=None, reaction=[{"substance": OXYCODONE}]).ingredients == {"oxycodone"}


@pytest.mark.parametrize(
    ("reaction", "severe"),
    [
        ({"severity": "severe"}, True),
        ({"severity": "mild"}, False),
        ({"manifestation": [{"text": "Anaphylaxis"}], "severity": "mild"}, True),
        ({"manifestation": {"text": "anaphylactic shock"}}, True),
        ({"description": "Anaphylaxis in 2020"}, True),
        ({"manifestation": [{"concept": {"text": "itch"}}]}, None),
        ({}, None),
        ("junk", None),
        (None, None),
    ],
)
def test_severe_reactions(reaction: Any, severe: bool | None) -> None:
    assert one_allergy(reaction=[reaction] if isinstance(reaction, dict) else reaction).severe is severe


def test_reactions_are_meanings_and_words() -> None:
    found = one_allergy(reaction={"manifestation": [{"text": "Pruritus"}], "description": "itchy"})
    assert {"pruritus", "itchy"} <= found.reactions


def test_an_allergy_to_something_unknown_is_kept_by_name() -> None:
    found = one_allergy(code={"text": "Peanut butter"})
    assert (found.ingredients, found.name) == (frozenset(), "Peanut butter")
    assert chart(allergy(code={"coding": "odd"})).unreadable == ("AllergyIntolerance/a",)


# Observations


def test_an_observation_in_the_unit_of_the_table() -> None:
    found = one_observation("2160-0", 88.4, "umol/L")
    assert (found.meaning, found.value, found.taken) == ("creatinine", Decimal(1), date(2026, 5, 1))


@pytest.mark.parametrize("value", [72.5, "72.5"])
def test_numbers_are_exact(value: Any) -> None:
    assert one_observation("29463-7", value, "kg").value == Decimal("72.5")


@pytest.mark.parametrize(
    ("elements", "value", "text"),
    [
        ({"valueInteger": 7}, 7, None),
        ({"valueDecimal": 7}, 7, None),
        ({"valueString": "7"}, 7, "7"),
        ({"valueString": "7/10"}, 7, "7/10"),
        ({"valueString": "severe"}, None, "severe"),
        ({"valueString": " "}, None, None),
        ({"valueString": ["7"]}, None, None),
        ({"valueCodeableConcept": {"text": "None at all"}}, None, "none at all"),
        ({"valueQuantity": {"value": "odd"}}, None, None),
        ({"valueQuantity": {}}, None, None),
        ({"valueQuantity": {"value": 1e300}}, None, None),
        ({"valueQuantity": 5}, 5, None),
        ({"valueQuantity": None, "valueInteger": 7}, 7, None),
        ({"dataAbsentReason": {"text": "unknown"}}, None, None),
    ],
)
def test_values(elements: Any, value: int | None, text: str | None) -> None:
    found = one_observation("72514-3", **elements)
    assert (found.value, found.text) == (None if value is None else Decimal(value), text)


@pytest.mark.parametrize(
    ("loinc", "interpretation", "text"),
    [
        ("3397-7", [concept("x", "NEG")], "negative"),
        ("3397-7", [concept("x", "N"), concept("x", "ND")], "n; not detected"),
        ("3397-7", [], None),
        ("33914-3", [concept("x", "L")], None),
    ],
)
def test_the_interpretation_of_a_urine_test_stands_beside_its_number(
    loinc: str, interpretation: list[Any], text: str | None
) -> None:
    found = one_observation(loinc, valueQuantity={"value": 12, "unit": "ng/mL"}, interpretation=interpretation)
    assert found.text == text


@pytest.mark.parametrize(
    ("elements", "text"),
    [
        ({"valueCodeableConcept": concept(SNOMED, "77386006")}, "pregnant"),
        ({"valueCodeableConcept": concept(SNOMED, "60001007", "Not pregnant")}, "not pregnant"),
        ({"valueCodeableConcept": {"coding": [{"code": "x", "display": "Pregnant"}]}}, "pregnant"),
        ({"interpretation": [concept("x", "POS")]}, "positive"),
        ({"valueBoolean": True}, "true"),
        ({"valueDateTime": "2026-09-01"}, "2026-09-01"),
        ({}, None),
    ],
)
def test_coded_and_plain_answers(elements: Any, text: str | None) -> None:
    assert one_observation("82810-3", **elements).text == text


@pytest.mark.parametrize(
    ("comparator", "value", "text"), [("<", None, "<15"), (">", None, ">15"), (">=", 15, ">=15"), (None, 15, None)]
)
def test_a_bound_of_the_renal_function(comparator: str | None, value: int | None, text: str | None) -> None:
    quantity = {"value": 15.0, "unit": "mL/min/{1.73_m2}", "comparator": comparator}
    found = one_observation("98979-8", valueQuantity=quantity)
    assert (found.value, found.text) == (value, text)


def test_a_bound_of_anything_else_keeps_its_number() -> None:
    quantity = {"value": 70, "unit": "%", "comparator": "<"}
    found = one_observation("59408-5", valueQuantity=quantity)
    assert (found.value, found.text) == (Decimal(70), "<70")


def test_components() -> None:
    parts = [
        {"code": concept(LOINC, "8480-6"), "valueQuantity": {"value": 165, "unit": "mm[Hg]"}},
        {"code": concept(LOINC, "8462-4"), "valueQuantity": {"value": 95, "unit": "mm[Hg]"}},
        {"code": concept(LOINC, "0-0")},
        {"valueInteger": 3},
        "junk",
    ]
    found = chart(observation("85354-9", component=parts)).observations
    assert [(one.meaning, one.value) for one in found] == [("diastolic_bp", 95), ("systolic_bp", 165)]
    assert {one.taken for one in found} == {date(2026, 5, 1)}


@pytest.mark.parametrize(
    ("elements", "taken", "moment"),
    [
        ({"effectiveDateTime": "2026-05-01T23:30:00-05:00"}, date(2026, 5, 1), "2026-05-02T04:30:00.000+00:00"),
        ({"effectiveDateTime": "2026-05-01T10:00:00"}, date(2026, 5, 1), "2026-05-01T10:00:00.000+00:00"),
        ({"effectiveDateTime": None, "effectiveInstant": "2026-05-01T10:00:00Z"}, date(2026, 5, 1), None),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-04-01", "end": "2026-04-02"}}, date(2026, 4, 2),
         "2026-04-02"),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-04-01"}}, date(2026, 4, 1), "2026-04-01"),
        ({"effectiveDateTime": None, "effectivePeriod": "odd", "issued": "2026-05-03"}, date(2026, 5, 3), "2026-05-03"),
        ({"effectiveDateTime": "2026"}, date(2026, 1, 1), "2026"),
        ({"effectiveDateTime": "Tuesday"}, None, "Tuesday"),
        ({"effectiveDateTime": None}, None, ""),
    ],
)  # fmt: skip
def test_when_it_was_taken(elements: Any, taken: date | None, moment: str | None) -> None:
    found = one_observation("29463-7", 70, "kg", **elements)
    assert found.taken == taken
    assert moment is None or found.taken_at == moment


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered", "Cancelled"])
def test_what_was_withdrawn_does_not_count(status: str) -> None:
    assert chart(observation("29463-7", 70, "kg", status=status)).observations == ()


def test_observations_of_no_use_are_left_out() -> None:
    assert chart(observation("0-0", 1), {"resourceType": "Observation", "id": "n"}).observations == ()
    assert chart({**observation("1"), "code": {"coding": "odd"}}).unreadable == ("Observation/o",)


@pytest.mark.parametrize(
    ("ranges", "limit"),
    [
        ([{"low": {"value": 7}, "high": {"value": 56, "unit": "U/L"}}], 56),
        ({"high": {"value": 56}}, 56),
        ([{"low": {"value": 7}}], None),
        ([{"type": {"text": "critical"}, "high": {"value": 9}}, {"type": "normal", "high": {"value": 56}}], 56),
        ([{"high": {}}], None),
        ("odd", None),
        (None, None),
    ],
)  # fmt: skip
def test_upper_limit_of_the_normal_range(ranges: Any, limit: int | None) -> None:
    found = one_observation("1742-6", 150, "U/L", referenceRange=ranges)
    assert found.upper_limit == (None if limit is None else Decimal(limit))


def test_an_electrocardiogram_may_be_a_report() -> None:
    report = {"resourceType": "DiagnosticReport", "id": "r", "code": concept(LOINC, "11524-6"), "issued": "2026-01-02"}
    (found,) = chart(report).observations
    assert (found.meaning, found.taken) == ("ecg_study", date(2026, 1, 2))
    assert chart({**report, "status": "registered"}).observations == ()
    assert chart({**report, "code": concept(LOINC, "2160-0")}).observations == ()


# Procedures and encounters


def procedure(**elements: Any) -> tuple[Procedure, ...]:
    return chart({"resourceType": "Procedure", "id": "x", "code": concept(LOINC, "11524-6"), **elements}).procedures


@pytest.mark.parametrize(
    ("elements", "done"),
    [
        ({"performedDateTime": "2026-05-01"}, date(2026, 5, 1)),
        ({"performedPeriod": {"start": "2026-05-01", "end": "2026-05-02"}}, date(2026, 5, 2)),
        ({"occurrenceDateTime": "2026"}, date(2026, 1, 1)),
        ({"occurrencePeriod": {"start": "2026-05-01"}}, date(2026, 5, 1)),
        ({"performedString": "last year"}, None),
    ],
)
def test_procedures(elements: Any, done: date | None) -> None:
    (found,) = procedure(**elements)
    assert found.done == done
    assert "ecg_study" in found.meanings


@pytest.mark.parametrize("elements", [{"status": "not-done"}, {"status": "entered-in-error"}, {"notPerformed": True}])
def test_what_was_not_done(elements: Any) -> None:
    assert procedure(**elements) == ()


def encounter(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Encounter", "id": "e", **elements}


def read_one(*resources: Any, encounter_id: str | None = None) -> Encounter | None:
    return read_chart(prefetched(item1=bundle(*resources)), TODAY, "p", encounter_id).encounter


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "IMP"}, "IMP"),
        ([{"coding": [{"code": "AMB"}]}], "AMB"),
        ("inpatient", "IMP"),
        ("emergency", "EMER"),
        ("daytime", "daytime"),
        ({"display": "Ambulatory"}, "AMB"),
        ({}, None),
        (None, None),
    ],
)
def test_encounter_class(sent: Any, code: str | None) -> None:
    found = read_one(encounter(**{"class": sent}))
    assert found is not None and found.encounter_class == code


@pytest.mark.parametrize(
    "elements",
    [
        {"reasonCode": [NEUROPATHY]},
        {"reason": [NEUROPATHY]},
        {"reason": [{"value": [{"concept": NEUROPATHY}]}]},
        {"reason": [{"value": [{"reference": {"reference": "Condition/c"}}]}]},
        {"diagnosis": [{"condition": {"reference": "Condition/c"}}]},
        {"diagnosis": [{"condition": [{"reference": {"reference": "Condition/c"}}]}]},
        {"indication": [{"reference": "Condition/c"}]},
        {"reasonReference": [{"display": "Diabetic polyneuropathy"}]},
    ],
)
def test_reasons_of_an_encounter(elements: Any) -> None:
    found = read_one(encounter(**elements), condition())
    assert found is not None
    assert ["diabetic_neuropathy" in reason.meanings for reason in found.reasons] == [True]


def test_which_encounter() -> None:
    old = encounter(id="old", status="finished", period={"start": "2020-01-01"})
    now = encounter(id="now", status="in-progress", actualPeriod={"start": "2026-05-19"})
    undated = encounter(id="undated", status="arrived")
    assert read_one(old) == Encounter(start=date(2020, 1, 1))
    assert read_one(old, now, undated) == Encounter(start=date(2026, 5, 19))
    assert read_one(old, now, encounter_id="old") == Encounter(start=date(2020, 1, 1))
    assert read_one(old, now, encounter_id="other") is None
    missing = read_chart(prefetched(encounter=old), TODAY, "p", "other")
    assert missing.questions["encounter"] == "not provided"


# Everything together


def test_the_same_resource_under_two_keys_is_one() -> None:
    found = chart(a=bundle(condition()), b=condition(), c=bundle(condition(id="d")))
    assert [one.ref for one in found.conditions] == ["Condition/c", "Condition/d"]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_of_two_versions_the_later_counts(order: tuple[int, ...]) -> None:
    versions = [
        condition(meta={"lastUpdated": "2026-01-01T00:00:00Z"}, recordedDate="2020-01-01"),
        condition(meta={"lastUpdated": "2026-01-01T00:30:00+01:00"}, recordedDate="2021-01-01"),
        condition(meta={"lastUpdated": 5}, recordedDate="2022-01-01"),
    ]
    (found,) = chart(*(versions[place] for place in order)).conditions
    assert found.recorded == date(2020, 1, 1)


def test_of_two_versions_without_a_date_always_the_same_counts() -> None:
    versions = [condition(recordedDate="2020-01-01"), condition(recordedDate="2021-01-01")]
    assert chart(*versions).conditions == chart(*reversed(versions)).conditions


def test_resources_without_an_id_are_told_apart_by_content() -> None:
    nameless = [condition(id=None, recordedDate="2020"), condition(id=None), condition(id=None)]
    found = chart(*nameless).conditions
    assert [one.ref for one in found] == ["Condition/without-id-1", "Condition/without-id-2"]
    assert found == chart(*reversed(nameless)).conditions


def test_unreadable_parts_of_the_drafts_are_told_with_those_of_the_chart() -> None:
    found = read_chart(prefetched(a=condition(onsetDateTime=5)), TODAY, "p", None, ["MedicationRequest/x"])
    assert found.unreadable == ("Condition/c", "MedicationRequest/x")


EXAMPLES = (
    patient(birthDate="1960", gender="male"),
    encounter(reasonCode=[NEUROPATHY], period={"start": "2026-05-01"}),
    condition(clinicalStatus=concept(CLINICAL, "active"), onsetDateTime="2020-01-01", bodySite=[{"text": "foot"}]),
    allergy(reaction=[{"manifestation": [{"text": "rash"}], "severity": "mild"}]),
    observation("98979-8", 50, "mL/min/{1.73_m2}", referenceRange=[{"high": {"value": 90}}]),
    observation("85354-9", component=[{"code": concept(LOINC, "8480-6"), "valueQuantity": {"value": 165}}]),
    request(
        dosageInstruction=[{
            "text": "1 tablet", "timing": {"repeat": {"frequency": 1, "period": 4, "periodUnit": "h"}},
            "asNeededBoolean": True, "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
            "maxDosePerPeriod": {"numerator": {"value": 4}, "denominator": {"value": 1, "unit": "d"}},
        }],
        dispenseRequest={"quantity": {"value": 20}, "expectedSupplyDuration": {"value": 5, "unit": "d"}},
        reasonReference=[{"reference": "Condition/c"}], requester={"reference": "Practitioner/1"},
    ),
    {"resourceType": "MedicationStatement", "id": "s", "status": "active", "medicationCodeableConcept": GABAPENTIN,
     "effectivePeriod": {"start": "2026-01"}, "dosage": [{"text": "as directed"}]},
    {"resourceType": "MedicationDispense", "id": "d", "medicationReference": {"reference": "#m"},
     "contained": [{"resourceType": "Medication", "id": "m", "code": OXYCODONE}], "daysSupply": {"value": 30}},
    {"resourceType": "Procedure", "id": "x", "code": NEUROPATHY, "performedPeriod": {"start": "2026-05-01"}},
)  # fmt: skip
ODD: Any = st.sampled_from(
    [None, True, 0, -1, 1.5, 10**30, "", "odd", "2026", [], {}, [None], [[]], {"x": 1}, {"value": []}, {"coding": 5}]
)


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """One of the examples, with up to three places of it replaced by something odd."""
    sent = json.loads(json.dumps(draw(st.sampled_from(EXAMPLES))))
    for _ in range(draw(st.integers(1, 3))):
        here = sent
        while True:
            key = draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
            inner = here[key]
            if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
                here[key] = deepcopy(draw(ODD))
                break
            here = inner
        if not isinstance(sent, dict) or not sent:
            break
    return sent


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(mutated(), min_size=1, max_size=3))
def test_reading_never_raises_and_loses_nothing_else(odd: list[Any]) -> None:
    found = chart(*odd, conditions=bundle(condition(id="kept")), medications=bundle(request(id="kept")))
    assert "Condition/kept" in [one.ref for one in found.conditions]
    assert "MedicationRequest/kept" in [one.ref for one in found.medications]
    drafts(*odd, request(id="kept"))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(mutated(), min_size=2, max_size=4))
def test_nothing_depends_on_the_order_of_arrival(odd: list[Any]) -> None:
    assert chart(*odd) == chart(*reversed(odd))
    assert drafts(*odd) == drafts(*reversed(odd))


@pytest.mark.parametrize(
    ("elements", "named"),
    [
        ({"valueQuantity": {"value": 60, "unit": "mL/min/1.73m2"}}, False),
        ({"valueQuantity": {"value": 60, "unit": "furlongs"}}, True),
        ({"valueQuantity": {"value": 100000, "unit": "mL/min/1.73m2"}}, True),
        ({"valueQuantity": {"value": "many"}}, True),
        ({"valueQuantity": "odd"}, True),
        ({"valueQuantity": {"value": 60, "unit": "mL/min/1.73m2"}, "effectiveDateTime": "soon"}, True),
        ({"valueQuantity": {"value": 60, "unit": "mL/min/1.73m2"}, "effectiveDateTime": None}, False),
        ({"valueString": "hemolysed"}, False),
        ({}, False),
    ],
)
def test_a_value_or_a_day_that_is_not_understood_is_named(elements: Any, named: bool) -> None:
    sent = {key: value for key, value in observation("98979-8").items() if not key.startswith("value")}
    assert bool(chart({**sent, **elements}).unreadable) is named
