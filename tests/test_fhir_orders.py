"""Orders, statements and dispenses of every FHIR version -> facts; and the drafts of a signing."""

from datetime import date
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from msgspec import Raw

from cds.chart import Dosage, MedicationOrder, Quantity
from hooks.fhir_read import Drafts, read_drafts
from tests.fhir_examples import (
    GABAPENTIN,
    NEUROPATHY,
    OXYCODONE,
    SNOMED,
    UCUM,
    bundle,
    chart,
    concept,
    condition,
    drafts,
    encoded,
    request,
)

EVERY_4_HOURS = {"repeat": {"frequency": 1, "period": 4, "periodUnit": "h"}}
TABLET = {"value": 1, "unit": "tablet"}


def draft(*others: Any, **elements: Any) -> MedicationOrder:
    (found,) = drafts(request(**elements), *others).drafts
    return found.order


def dosage(**elements: Any) -> Dosage:
    (found,) = draft(dosageInstruction=[elements]).dosages
    return found


def listed(*resources: Any) -> MedicationOrder:
    (found,) = chart(*resources).medications
    return found


def statement(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "MedicationStatement", "id": "s", "medicationCodeableConcept": GABAPENTIN, **elements}


def dispense(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "MedicationDispense", "id": "d", "medicationCodeableConcept": OXYCODONE, **elements}


def order(**elements: Any) -> dict[str, Any]:
    """DSTU2."""
    return {"resourceType": "MedicationOrder", "id": "x", "medicationCodeableConcept": OXYCODONE, **elements}


def ingredients(found: MedicationOrder) -> list[str]:
    return [part.name for part in found.drug.ingredients] if found.drug else []


# One version after another


def test_an_order_of_r4() -> None:
    found = draft(
        status="active",
        intent="order",
        authoredOn="2026-05-02T09:00:00Z",
        requester={"reference": "https://ehr.example.org/fhir/Practitioner/1"},
        identifier=[{"system": "urn:a", "value": "7"}, {"value": 8}, {"system": "urn:b"}],
        category=[concept("x", "Outpatient")],
        priorPrescription={"reference": "MedicationRequest/old"},
        basedOn=[{"reference": "MedicationRequest/plan/_history/2"}, {"reference": "#inner"}],
        reasonCode=[NEUROPATHY],
        dosageInstruction=[
            {
                "sequence": 1,
                "text": " 1 tablet every 4 hours ",
                "timing": EVERY_4_HOURS,
                "asNeededBoolean": True,
                "route": concept(SNOMED, "26643006"),
                "doseAndRate": [{"doseQuantity": TABLET}],
                "maxDosePerPeriod": {
                    "numerator": {"value": 6, "unit": "tablet"},
                    "denominator": {"value": 24, "unit": "h"},
                },
                "maxDosePerAdministration": {"value": 2, "unit": "tablet"},
            }
        ],
        dispenseRequest={
            "validityPeriod": {"start": "2026-05", "end": "2026-06"},
            "numberOfRepeatsAllowed": 2,
            "quantity": {"value": 42, "unit": "tablet"},
            "expectedSupplyDuration": {"value": 1, "unit": "wk", "system": UCUM, "code": "wk"},
        },
    )  # fmt: skip
    tablet = Quantity(Decimal(1), "tablet")
    assert found.dosages == (
        Dosage(
            sequence=1,
            text="1 tablet every 4 hours",
            dose_low=tablet,
            dose_high=tablet,
            as_needed=True,
            frequency=Decimal(1),
            period=Decimal(4) / 24,
            route="oral",
            max_dose=Quantity(Decimal(6), "tablet"),
            max_dose_days=Decimal(1),
            max_single=Quantity(Decimal(2), "tablet"),
        ),
    )
    assert ingredients(found) == ["oxycodone"]
    assert (found.ref, found.kind, found.status, found.intent) == ("MedicationRequest/x", "request", "active", "order")
    assert (found.authored, found.start, found.end) == (date(2026, 5, 2), None, None)
    assert (found.valid_from, found.valid_to) == (date(2026, 5, 1), date(2026, 6, 30))
    assert (found.supply_days, found.quantity, found.repeats) == (7, Quantity(Decimal(42), "tablet"), 2)
    assert found.requester == "Practitioner/1"
    assert found.identifiers == {"urn:a|7", "|8"}
    assert found.follows == {"MedicationRequest/old", "MedicationRequest/plan"}
    assert found.category == {"outpatient"}
    assert ["diabetic_neuropathy" in reason.meanings for reason in found.reasons] == [True]


def test_an_order_of_r5() -> None:
    (found,) = drafts(
        {
            "resourceType": "MedicationRequest",
            "id": "x",
            "medication": {"concept": OXYCODONE},
            "reason": [{"concept": NEUROPATHY}, {"reference": {"reference": "Condition/c"}}],
            "status": "stopped",
            "statusChanged": "2026-05-03",
            "reported": True,
            "dosageInstruction": [
                {
                    "timing": EVERY_4_HOURS,
                    "asNeeded": True,
                    "asNeededFor": [{"text": "Diabetic polyneuropathy"}],
                    "doseAndRate": [{"doseQuantity": TABLET}],
                    "maxDosePerPeriod": [
                        {"numerator": {"value": 8}, "denominator": {"value": 1, "unit": "d"}},
                        {"numerator": {"value": 4}, "denominator": {"value": 12, "unit": "h"}},
                        {"numerator": {"value": 6}, "denominator": {"value": 1, "unit": "d"}},
                        {"numerator": {"value": 1, "unit": "g"}, "denominator": {"value": 9, "unit": "d"}},
                        {"numerator": {"value": 1}},
                    ],
                }
            ],
        },
        item1=bundle(condition()),
    ).drafts
    assert found.version == "R5"
    assert ingredients(found.order) == ["oxycodone"]
    assert (found.order.end, found.order.reported) == (date(2026, 5, 3), True)
    assert {reason.name for reason in found.order.reasons} == {"Diabetic polyneuropathy"}
    (taken,) = found.order.dosages
    assert (taken.as_needed, taken.max_dose, taken.max_dose_days) == (True, Quantity(Decimal(6), None), 1)


def test_an_order_of_stu3() -> None:
    (found,) = drafts(
        request(
            requester={"agent": {"reference": "Practitioner/1"}, "onBehalfOf": {"reference": "Organization/2"}},
            category=concept("x", "inpatient"),
            reasonReference=[{"reference": "Condition/c"}],
            dosageInstruction=[
                {
                    "timing": {
                        "repeat": {"frequency": 1, "frequencyMax": 2, "period": 1, "periodMax": 2, "periodUnit": "d"}
                    },
                    "asNeededCodeableConcept": {"text": "Diabetic polyneuropathy"},
                    "doseRange": {"low": {"value": 1}, "high": {"value": 2, "unit": "tablet"}},
                }
            ],
        ),
        version="STU3",
        conditions=bundle(condition(verificationStatus="provisional")),
    ).drafts  # fmt: skip
    (taken,) = found.order.dosages
    assert found.version == "STU3"
    assert (taken.dose_low, taken.dose_high) == (Quantity(Decimal(1), "tablet"), Quantity(Decimal(2), "tablet"))
    assert (taken.frequency, taken.frequency_max, taken.period, taken.period_max) == (1, 2, 1, 2)
    assert taken.as_needed is True
    assert found.order.requester == "Practitioner/1"
    assert found.order.category == {"inpatient"}
    assert [reason.provisional for reason in found.order.reasons] == [True, False]


def test_an_order_of_dstu2() -> None:
    (found,) = drafts(
        order(
            status="draft",
            dateWritten="2026-05-02",
            dateEnded="2026-05",
            prescriber={"reference": "Practitioner/1"},
            reasonEnded={"text": "dizziness"},
            reasonCodeableConcept=NEUROPATHY,
            priorPrescription={"reference": "MedicationOrder/old"},
            dosageInstruction=[
                {
                    "text": "1 tablet",
                    "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnits": "h", "bounds": 1}},
                    "asNeededBoolean": False,
                    "siteCodeableConcept": {"text": "left arm"},
                    "doseQuantity": TABLET,
                    "maxDosePerPeriod": {"numerator": {"value": 4}, "denominator": {"value": 1, "unit": "day"}},
                }
            ],
            dispenseRequest={"expectedSupplyDuration": {"value": 5, "unit": "days"}, "quantity": {"value": 20}},
        )
    ).drafts
    (taken,) = found.order.dosages
    assert (found.ref, found.version) == ("MedicationOrder/x", "DSTU2")
    assert (found.order.authored, found.order.end) == (date(2026, 5, 2), date(2026, 5, 31))
    assert (found.order.supply_days, found.order.requester) == (5, "Practitioner/1")
    assert found.order.follows == {"MedicationOrder/old"}
    assert found.order.stopped_for == "intolerance"
    assert [reason.name for reason in found.order.reasons] == ["Diabetic polyneuropathy"]
    assert (taken.period, taken.dose_high, taken.as_needed, taken.site) == (
        Decimal("0.25"), Quantity(Decimal(1), "tablet"), False, "left arm",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("instruction", "default", "version"),
    [
        ({"doseAndRate": [{"doseQuantity": TABLET}]}, "STU3", "R4"),
        ({"doseQuantity": TABLET}, "R4", "STU3"),
        ({"doseRange": {}}, "R4", "STU3"),
        ({"asNeededFor": []}, "R4", "R5"),
        ({"text": "1 tablet"}, "R4", "R4"),
        ({"text": "1 tablet"}, "STU3", "STU3"),
    ],
)
def test_the_version_that_the_shape_shows(instruction: Any, default: str, version: str) -> None:
    (found,) = drafts(request(dosageInstruction=instruction), version=default).drafts
    assert found.version == version


# Statements and dispenses


def test_a_statement() -> None:
    found = listed(
        statement(
            status="Completed",
            effectivePeriod={"start": "2026-01", "end": "2026-02"},
            dateAsserted="2026-03-01",
            statusReason=[{"text": "not effective"}],
            dosage=[{"text": "300 mg", "doseAndRate": {"doseQuantity": {"value": 300, "unit": "mg"}}}],
            derivedFrom=[{"reference": "MedicationRequest/m"}],
            reasonCode=[NEUROPATHY],
        )
    )  # fmt: skip
    assert (found.ref, found.kind, found.status) == ("MedicationStatement/s", "statement", "completed")
    assert (found.start, found.end, found.authored) == (date(2026, 1, 1), date(2026, 2, 28), date(2026, 3, 1))
    assert found.stopped_for == "failure"
    assert found.dosages[0].dose_high == Quantity(Decimal(300), "mg")
    assert found.follows == {"MedicationRequest/m"}
    assert ingredients(found) == ["gabapentin"]


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ({"status": "active"}, "active"),
        ({}, None),
        ({"status": "active", "taken": "n"}, "not-taken"),
        ({"status": "active", "taken": "y"}, "active"),
        ({"status": "active", "wasNotTaken": True}, "not-taken"),
        ({"status": "not-taken"}, "not-taken"),
        ({"status": "recorded"}, "active"),
        ({"status": "recorded", "adherence": {"code": concept("x", "taking")}}, "active"),
        ({"status": "recorded", "adherence": {"code": concept("x", "not-taking")}}, "not-taken"),
        ({"status": "recorded", "adherence": {"code": concept("x", "stopped")}}, "stopped"),
        ({"status": "recorded", "adherence": "odd"}, "active"),
        ({"status": "entered-in-error"}, "entered-in-error"),
    ],
)
def test_status_of_a_statement(elements: Any, status: str | None) -> None:
    assert listed(statement(**elements)).status == status


def test_why_it_is_not_taken_stands_in_the_adherence_of_r5() -> None:
    adherence = {"code": concept("x", "stopped"), "reason": {"text": "Side effects"}}
    assert listed(statement(status="recorded", adherence=adherence)).stopped_for == "intolerance"


def test_a_statement_of_dstu2_and_one_of_a_single_day() -> None:
    found = listed(
        statement(
            effectiveDateTime="2026-04-01",
            reasonNotTaken=[{"text": "side effects"}],
            reasonForUseCodeableConcept=NEUROPATHY,
            reasonForUseReference={"reference": "Condition/gone"},
            dosage=[{"quantityQuantity": TABLET}],
        )
    )
    assert (found.start, found.end, found.stopped_for) == (date(2026, 4, 1), None, "intolerance")
    assert [reason.name for reason in found.reasons if reason.meanings] == ["Diabetic polyneuropathy"]
    assert found.dosages[0].dose_high == Quantity(Decimal(1), "tablet")
    ranged = listed(statement(dosage=[{"quantityRange": {"low": {"value": 1}, "high": {"value": 2}}}])).dosages[0]
    assert (ranged.dose_low, ranged.dose_high) == (Quantity(Decimal(1), None), Quantity(Decimal(2), None))


def test_a_usage_is_a_statement() -> None:
    assert listed({**statement(), "resourceType": "MedicationUsage"}).kind == "statement"


def test_a_dispense() -> None:
    found = listed(
        dispense(
            status="completed",
            whenPrepared="2026-05-01",
            whenHandedOver="2026-05-02T12:00:00Z",
            daysSupply={"value": 30, "unit": "day", "system": UCUM, "code": "d"},
            quantity={"value": 30, "unit": "tablet"},
            authorizingPrescription=[{"reference": "MedicationRequest/m"}],
            notPerformedReason={"text": "adverse effect"},
        )
    )
    assert (found.kind, found.start, found.authored) == ("dispense", date(2026, 5, 2), date(2026, 5, 1))
    assert (found.supply_days, found.quantity) == (30, Quantity(Decimal(30), "tablet"))
    assert (found.follows, found.stopped_for) == ({"MedicationRequest/m"}, "intolerance")


@pytest.mark.parametrize(
    ("sent", "days"),
    [
        ({"value": 30}, 30),
        ({"value": 2, "unit": "weeks"}, 14),
        ({"value": 1, "code": "mo", "unit": "month", "system": UCUM}, 30),
        ({"value": 12, "unit": "hours"}, Decimal("0.5")),
        ({"value": 90, "unit": "Day(s)"}, 90),
        ({"value": 1, "unit": "{day}"}, 1),
        ({"value": 1, "unit": "year"}, 365),
        ({"value": 30, "unit": "tablet"}, None),
        ({"value": 0, "unit": "d"}, None),
        ({"value": -3, "unit": "d"}, None),
        ({"value": 10**20, "unit": "d"}, None),
        ({"unit": "d"}, None),
        ("odd", None),
        (None, None),
    ],
)
def test_supply_in_days(sent: Any, days: Any) -> None:
    assert listed(dispense(daysSupply=sent)).supply_days == days


@pytest.mark.parametrize(
    ("elements", "reported"),
    [
        ({"reportedBoolean": True}, True),
        ({"reportedBoolean": False}, False),
        ({"reportedReference": {"reference": "Patient/p"}}, True),
        ({"reported": False}, False),
        ({"reported": {"reference": "Patient/p"}}, True),
        ({}, False),
    ],
)
def test_reported(elements: Any, reported: bool) -> None:
    assert listed(request(**elements)).reported is reported


def test_what_must_not_be_given_is_no_order() -> None:
    forbidden = request(doNotPerform=True)
    assert chart(forbidden).medications == ()
    assert drafts(forbidden).drafts == ()
    assert len(drafts(request(doNotPerform=False)).drafts) == 1


@pytest.mark.parametrize(
    ("sent", "repeats"), [(3, 3), ("3", 3), (0, 0), (-1, None), (10**9, None), ("many", None), (None, None)]
)
def test_repeats(sent: Any, repeats: int | None) -> None:
    found = draft(dispenseRequest={"numberOfRepeatsAllowed": sent, "quantity": {"value": 20}})
    assert found.repeats == repeats
    assert found.quantity == (Quantity(Decimal(20), None) if sent in (3, "3", 0, None) else None)


@pytest.mark.parametrize("sent", [-1, 10**9, "many", [3]])
def test_repeats_that_cannot_be_read_are_not_none(sent: Any) -> None:
    read = drafts(
        request(dispenseRequest={"numberOfRepeatsAllowed": sent, "expectedSupplyDuration": {"value": 7, "code": "d"}})
    )
    assert read.drafts[0].order.supply_days is None
    assert read.unreadable == ("MedicationRequest/x",)


@pytest.mark.parametrize(
    ("element", "sent", "unreadable"),
    [
        ("requester", 5, True),
        ("requester", {}, True),
        ("requester", {"display": "A prescriber"}, False),
        ("requester", {"reference": "Practitioner/1"}, False),
        ("requester", None, False),
        ("priorPrescription", 5, True),
        ("priorPrescription", {"reference": "MedicationRequest/old"}, False),
        ("priorPrescription", {"reference": "#contained"}, False),
        ("priorPrescription", {"identifier": {"value": "7"}}, False),
    ],
)
def test_a_prescriber_or_an_earlier_order_that_cannot_be_read_is_said(
    element: str, sent: Any, unreadable: bool
) -> None:
    assert bool(drafts(request(**{element: sent})).unreadable) is unreadable


@pytest.mark.parametrize(
    ("instruction", "text", "limit"),
    [
        ({"patientInstruction": "1 tablet every 6 hours"}, "1 tablet every 6 hours", None),
        ({"text": " ", "patientInstruction": "1 tablet daily"}, "1 tablet daily", None),
        ({"text": "1 tablet daily", "patientInstruction": "with water"}, "1 tablet daily", None),
        ({"additionalInstruction": [{"text": "No more than 4 tablets a day"}]}, None, Decimal(4)),
        ({"additionalInstruction": [{"text": "With food"}]}, None, None),
        ({"additionalInstruction": 5}, None, None),
    ],
)
def test_other_instructions_are_read_as_sigs(instruction: Any, text: str | None, limit: Decimal | None) -> None:
    (dosage,) = draft(dosageInstruction=[instruction]).dosages
    assert dosage.text == text
    assert (dosage.max_dose.value if dosage.max_dose else None) == limit


@pytest.mark.parametrize(
    ("instruction", "reasons"),
    [
        ({"text": "1 tablet every 6 hours as needed for nerve pain"}, 1),
        ({"text": "1 tab q6h prn neuropathic pain."}, 1),
        ({"text": "1 tab q6h prn", "asNeededCodeableConcept": {"text": "nerve pain"}}, 1),
        ({"text": "1 tab q6h prn pain"}, 0),
        ({"text": "1 tab q6h prn"}, 0),
        ({"text": "1 tab q6h prn " + "nerve pain " * 200}, 0),
        ({"patientInstruction": "1 tablet daily if needed for sciatica"}, 1),
        ({"text": "Take 1 tablet twice a day for nerve pain"}, 1),
        ({"text": "Take 1 tablet twice a day for nerve pain for 14 days"}, 1),
        ({"text": "Take 1 tablet twice a day for 14 days, for diabetic neuropathy"}, 1),
        ({"text": "Take 1 tablet twice a day for two weeks"}, 0),
        ({"text": "Take 1 tablet twice a day for chronic pain"}, 0),
        ({"text": "Take 1 tablet twice a day. Before meals"}, 0),
    ],
)
def test_what_it_is_needed_for_is_a_reason(instruction: Any, reasons: int) -> None:
    assert len(draft(dosageInstruction=[instruction]).reasons) == reasons


@pytest.mark.parametrize("sent", [5, "odd", None, [], {"quantity": "odd"}, {"quantity": {"value": 0}}])
def test_an_odd_dispense_request_says_nothing(sent: Any) -> None:
    found = draft(dispenseRequest=sent)
    assert (found.supply_days, found.quantity, found.repeats, found.valid_to) == (None, None, None, None)


@pytest.mark.parametrize(
    ("sent", "requester"),
    [
        ({"display": "Dr. Who"}, "Dr. Who"),
        ({"identifier": {"system": "urn:npi", "value": "1"}}, "urn:npi|1"),
        ({"reference": {"reference": "Practitioner/1"}}, "Practitioner/1"),
        ("Practitioner/1", "Practitioner/1"),
        ({}, None),
        (5, None),
        (None, None),
    ],
)
def test_requester(sent: Any, requester: str | None) -> None:
    assert draft(requester=sent).requester == requester


# Dosage


@pytest.mark.parametrize(
    ("repeat", "expected"),
    [
        ({"frequency": 3, "period": 1, "periodUnit": "d"}, {"frequency": 3, "period": 1}),
        ({"frequency": "3", "period": "1.5", "periodUnit": "d"}, {"frequency": 3, "period": Decimal("1.5")}),
        ({"period": 72, "periodUnit": "h"}, {"frequency": None, "period": 3}),
        ({"frequency": 1, "period": 6}, {"frequency": 1, "period": None}),
        ({"frequency": 1, "period": 6, "periodUnit": "moon"}, {"frequency": 1, "period": None}),
        ({"frequency": 0, "period": 0, "periodUnit": "d"}, {"frequency": None, "period": None}),
        ({"frequency": 1, "period": 2, "periodUnit": "wk"}, {"frequency": 1, "period": 14}),
        ({"timeOfDay": ["08:00", "20:00", "20:00"]}, {"times_of_day": 2}),
        ({"timeOfDay": "08:00"}, {"times_of_day": 1}),
        ({"when": ["AC"]}, {"when": 3}),
        ({"when": "PC"}, {"when": 3}),
        ({"when": ["AC", "HS"]}, {"when": 4}),
        (
            {"when": ["AC"], "frequency": 1, "period": 1, "periodUnit": "d"},
            {"when": 1, "frequency": Decimal(1), "period": Decimal(1)},
        ),
        ({"when": ["MORN", "HS"], "dayOfWeek": ["mon", "fri", "sat"]}, {"when": 2, "days_of_week": 3}),
        ({"boundsDuration": {"value": 2, "unit": "wk"}}, {"bounds_days": 14}),
        ({"boundsQuantity": {"value": 5, "unit": "d"}}, {"bounds_days": 5}),
        ({"boundsRange": {"low": {"value": 3, "unit": "d"}, "high": {"value": 7, "unit": "d"}}}, {"bounds_days": 7}),
        ({"boundsPeriod": {"start": "2026-05", "end": "2026"}},
         {"bounds_start": date(2026, 5, 1), "bounds_end": date(2026, 12, 31)}),
    ],
)  # fmt: skip
def test_timing(repeat: Any, expected: dict[str, Any]) -> None:
    found = dosage(timing={"repeat": repeat})
    assert {name: getattr(found, name) for name in expected} == expected


@pytest.mark.parametrize(
    ("code", "read_as"),
    [
        (concept("http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation", "BID", "twice"), "BID"),
        (concept("urn:site", "4711", "Q6H PRN"), "Q6H PRN"),
        ({"coding": [{"system": "urn:site", "code": "QD"}]}, "QD"),
        ({}, None),
        (None, None),
    ],
)
def test_timing_code(code: Any, read_as: str | None) -> None:
    assert dosage(timing={"code": code}).timing_code == read_as


@pytest.mark.parametrize(
    ("sent", "quantity"),
    [
        ({"value": 5, "unit": "milligram", "system": UCUM, "code": "mg"}, Quantity(Decimal(5), "mg")),
        ({"value": 5, "unit": "mg"}, Quantity(Decimal(5), "mg")),
        ({"value": 1, "unit": "TAB", "system": UCUM, "code": "1"}, Quantity(Decimal(1), "TAB")),
        ({"value": 1, "system": UCUM, "code": "1"}, Quantity(Decimal(1), "1")),
        ({"value": 1, "system": UCUM, "code": "{pill}"}, Quantity(Decimal(1), "{pill}")),
        ({"value": 1, "unit": "tablet", "system": "urn:form", "code": "TAB"}, Quantity(Decimal(1), "tablet")),
        ({"value": 1, "system": "urn:form", "code": "TAB"}, Quantity(Decimal(1), "TAB")),
        ({"value": 1, "code": 5002}, Quantity(Decimal(1), "5002")),
        ({"value": "2.50", "unit": "mg"}, Quantity(Decimal("2.50"), "mg")),
        ({"value": 0, "unit": "mg"}, Quantity(Decimal(0), "mg")),
        ({"value": 1}, Quantity(Decimal(1), None)),
        ({"value": -1, "unit": "mg"}, None),
        ({"value": "NaN", "unit": "mg"}, None),
        ({"value": "Infinity", "unit": "mg"}, None),
        ({"value": 1e300, "unit": "mg"}, None),
        ({"unit": "mg"}, None),
        (None, None),
    ],
)
def test_dose_quantity(sent: Any, quantity: Quantity | None) -> None:
    found = dosage(doseAndRate=[{"doseQuantity": sent}])
    assert (found.dose_low, found.dose_high) == (quantity, quantity)


def test_several_doses_in_one_instruction() -> None:
    one, two = {"doseQuantity": {"value": 1, "unit": "mg"}}, {"doseQuantity": {"value": 2, "unit": "mg"}}
    both = dosage(doseAndRate=[two, {"doseQuantity": {"value": 1, "unit": "mL"}}, one, None])
    assert (both.dose_low, both.dose_high) == (Quantity(Decimal(1), "mg"), Quantity(Decimal(2), "mg"))
    ordered = dosage(
        doseAndRate=[{"type": concept("x", "calculated"), **two}, {"type": concept("x", "ordered"), **one}]
    )
    assert ordered.dose_high == Quantity(Decimal(1), "mg")


def test_a_range_with_one_end() -> None:
    found = dosage(doseAndRate={"doseRange": {"high": {"value": 2, "unit": "mg"}}})
    assert (found.dose_low, found.dose_high) == (None, Quantity(Decimal(2), "mg"))
    again = dosage(doseAndRate=[{"doseRange": {"high": {"value": 2, "unit": "mg"}}}] * 2)
    assert (again.dose_low, again.dose_high) == (None, Quantity(Decimal(2), "mg"))


@pytest.mark.parametrize(
    ("elements", "rate"),
    [
        ({"rateQuantity": {"value": 25, "unit": "ug/h"}}, Quantity(Decimal(25), "ug/h")),
        ({"rateRange": {"low": {"value": 1}, "high": {"value": 2, "unit": "mL/h"}}}, Quantity(Decimal(2), "mL/h")),
        ({"rateRatio": {"numerator": {"value": 50, "unit": "mg"}, "denominator": {"value": 2, "unit": "h"}}},
         Quantity(Decimal(25), "mg/h")),
        ({"rateRatio": {"numerator": {"value": 50, "unit": "mg"}, "denominator": {"value": 0, "unit": "h"}}}, None),
        ({"rateRatio": {}}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_rate(elements: Any, rate: Quantity | None) -> None:
    assert dosage(doseAndRate=[elements]).rate == rate


@pytest.mark.parametrize(
    ("route", "read_as"),
    [
        (concept(SNOMED, "45890007", "Patch"), "transdermal"),
        ({"coding": [{"code": "po"}]}, "oral"),
        ({"text": "by mouth"}, "by mouth"),
        ({"coding": [{"code": "unheard-of", "display": "PO/NG"}]}, "PO/NG"),
        ({}, None),
        (None, None),
    ],
)
def test_route(route: Any, read_as: str | None) -> None:
    assert dosage(route=route).route == read_as


@pytest.mark.parametrize(
    ("elements", "as_needed"),
    [
        ({"asNeededBoolean": True}, True),
        ({"asNeededBoolean": "true"}, True),
        ({"asNeededBoolean": False}, False),
        ({"asNeeded": False}, False),
        ({"asNeededCodeableConcept": {"text": "pain"}}, True),
        ({"asNeededFor": [{"text": "pain"}]}, True),
        ({}, None),
    ],
)
def test_as_needed(elements: Any, as_needed: bool | None) -> None:
    assert dosage(**elements).as_needed is as_needed


@pytest.mark.parametrize("sent", [{"text": "1 tablet"}, [{"text": "1 tablet"}]])
def test_one_instruction_may_stand_without_its_list(sent: Any) -> None:
    assert [one.text for one in draft(dosageInstruction=sent).dosages] == ["1 tablet"]


def test_a_rendered_dosage_stands_in_for_a_missing_one() -> None:
    rendered = {"renderedDosageInstruction": " 1 tablet daily "}
    assert [one.text for one in draft(**rendered).dosages] == ["1 tablet daily"]
    assert [one.text for one in draft(dosageInstruction=[{"text": "a"}], **rendered).dosages] == ["a"]


@pytest.mark.parametrize(
    ("sent", "texts"),
    [
        ([{"text": "a", "timing": 5}], ["a"]),
        ([{"text": 5, "timing": {"repeat": "odd"}}], [None]),
        ([{"text": "a"}, "junk"], ["a"]),
        ("junk", []),
        (5, []),
    ],
)
def test_an_odd_part_of_a_dosage_costs_that_part_and_is_named(sent: Any, texts: list[str | None]) -> None:
    found = drafts(request(dosageInstruction=sent))
    assert [one.text for one in found.drafts[0].order.dosages] == texts
    assert found.unreadable == ("MedicationRequest/x",)
    assert chart(request(dosageInstruction=sent)).unreadable == ("MedicationRequest/x",)


# The drug


MEDICATION = {"resourceType": "Medication", "id": "m", "code": OXYCODONE}


@pytest.mark.parametrize(
    "sent",
    [
        [request(medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[MEDICATION])],
        [request(medicationCodeableConcept=None, medicationReference={"reference": "#m"},
                 contained=[{"resourceType": "Unheard"}, {**MEDICATION, "id": "#m"}])],
        [request(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"}), MEDICATION],
        [request(medicationCodeableConcept=None, medicationReference="Medication/m"), MEDICATION],
        [request(medicationCodeableConcept=None,
                 medicationReference={"reference": "https://ehr.example.org/r4/Medication/m/_history/3"}), MEDICATION],
        [request(medicationCodeableConcept=None, medication={"reference": {"reference": "Medication/m"}}), MEDICATION],
        [request(medicationCodeableConcept=None, medication={"reference": "Medication/m"}), MEDICATION],
        [request(medicationCodeableConcept=None, medication=OXYCODONE)],
        [request(medicationCodeableConcept=None,
                 medicationReference={"reference": "Medication/gone", "display": "Oxycodone 5 MG Oral Tablet"})],
        [request(medicationCodeableConcept=None, medicationReference={"reference": "Medication/n"}),
         {"resourceType": "Medication", "id": "n", "ingredient": [{"itemCodeableConcept": {"text": "Oxycodone"},
          "strength": {"numerator": {"value": 5, "unit": "mg"}, "denominator": {"value": 1, "unit": "tablet"}}}]}],
        [request(medicationCodeableConcept=None, medicationReference={"reference": "Medication/n"}),
         {"resourceType": "Medication", "id": "n", "product": {"form": {"text": "tablet"},
          "ingredient": [{"item": {"reference": "Substance/1", "display": "Oxycodone"}}]}}],
        [request(medicationCodeableConcept=None,
                 medicationReference={"reference": "Medication/n", "display": "oxycodone"}),
         {"resourceType": "Medication", "id": "n", "code": {"text": "house mixture"}, "product": 5, "ingredient": 5}],
    ],
)  # fmt: skip
def test_the_drug_is_found(sent: list[Any]) -> None:
    """In the order's own concept, in what it contains, or among the other entries."""
    (found,) = drafts(*sent).drafts
    assert ingredients(found.order) == ["oxycodone"]


def test_a_medication_of_the_prefetch_and_one_by_its_full_url() -> None:
    by_id = request(medicationCodeableConcept=None, medicationReference={"reference": "Medication/m"})
    assert ingredients(drafts(by_id, item1=bundle(MEDICATION)).drafts[0].order) == ["oxycodone"]
    by_url = request(medicationCodeableConcept=None, medicationReference={"reference": "urn:uuid:1"})
    found = read_drafts([(Raw(encoded(by_url)), None), (Raw(encoded(MEDICATION)), "urn:uuid:1")], "R4")
    assert ingredients(found.drafts[0].order) == ["oxycodone"]
    nameless = {"resourceType": "Medication", "code": OXYCODONE}
    found = read_drafts([(Raw(encoded(by_id)), None), (Raw(encoded(nameless)), "https://a/Medication/m")], "R4")
    assert ingredients(found.drafts[0].order) == ["oxycodone"]


def test_a_combination_by_its_ingredients() -> None:
    def part(name: str, mg: float, **strength: Any) -> dict[str, Any]:
        ratio = {"numerator": {"value": mg, "unit": "mg"}, "denominator": {"value": 1, "unit": "tablet"}}
        return {"itemCodeableConcept": {"text": name}, "strength": {**ratio, **strength}}

    both = {"resourceType": "Medication", "id": "m", "ingredient": [part("oxycodone", 5), part("acetaminophen", 325)]}
    found = draft(medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[both])
    assert {(one.name, one.amount) for one in found.drug.ingredients} == {  # type: ignore[union-attr]
        ("oxycodone", Decimal(5)),
        ("acetaminophen", Decimal(325)),
    }
    incomplete = {**both, "ingredient": [part("oxycodone", 5), {"strength": {}}]}
    found = draft(medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[incomplete])
    assert found.drug is None


def test_a_concentration_and_a_strength_that_is_not_per_piece() -> None:
    def solution(denominator: Any, strength: str = "strength") -> MedicationOrder:
        ratio = {"numerator": {"value": 20, "unit": "mg"}, "denominator": denominator}
        sent = {"resourceType": "Medication", "id": "m", "ingredient": [
            {"item": {"concept": {"text": "oxycodone"}}, strength: ratio}]}  # fmt: skip
        return draft(medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=[sent])

    assert solution({"value": 1, "unit": "mL"}, "strengthRatio").name == "oxycodone 20 MG/ML"
    assert solution({"value": 5, "unit": "mL"}).name == "oxycodone"
    assert solution(None, "amount").name == "oxycodone 20 MG"
    assert solution("odd").name == "oxycodone"


def test_an_unknown_drug_keeps_its_name() -> None:
    assert draft(medicationCodeableConcept={"text": " House mixture "}).name == "House mixture"
    assert draft(medicationCodeableConcept={"coding": [{"code": "4711"}]}).name == "4711"
    found = drafts(request(medicationCodeableConcept=None, medicationReference={"reference": "Medication/far"}))
    assert (found.drafts[0].order.drug, found.drafts[0].order.name) == (None, "")
    assert found.drafts[0].missing == "Medication/far"


@pytest.mark.parametrize("sent", [None, {}])
def test_a_draft_before_a_drug_is_chosen(sent: Any) -> None:
    found = drafts(request(medicationCodeableConcept=sent, intent=None))
    assert (found.drafts[0].order.drug, found.drafts[0].order.name) == (None, "")


def test_a_drug_that_cannot_be_read_is_named() -> None:
    found = drafts(request(medicationCodeableConcept={"coding": "odd"}))
    assert found.unreadable == ("MedicationRequest/x",)
    assert found.drafts[0].order.drug is None
    contained = [{"resourceType": "Medication", "id": "m", "code": {"coding": "odd"}}]
    assert drafts(
        request(medicationCodeableConcept=None, medicationReference={"reference": "#m"}, contained=contained)
    ).unreadable == ("MedicationRequest/x",)


# Reasons


@pytest.mark.parametrize(
    ("elements", "names"),
    [
        ({"reasonCode": NEUROPATHY}, ["Diabetic polyneuropathy"]),
        ({"reasonCode": [NEUROPATHY, NEUROPATHY]}, ["Diabetic polyneuropathy"]),
        ({"reasonReference": [{"reference": "#c"}],
          "contained": [condition()]}, ["Diabetic polyneuropathy"]),
        ({"reasonReference": [{"reference": "#c"}], "contained": [condition(verificationStatus="refuted")]}, []),
        ({"reasonReference": [{"reference": "#c"}], "contained": [condition(code=None)]}, []),
        ({"reasonReference": [{"reference": "Condition/far", "display": "Diabetic polyneuropathy"}]},
         ["Diabetic polyneuropathy"]),
        ({"reasonCode": [{"text": "no neuropathy"}]}, []),
        ({"reasonCode": "odd", "reasonReference": 5}, ["odd"]),
        ({"reasonCode": None}, []),
    ],
)  # fmt: skip
def test_reasons(elements: Any, names: list[str]) -> None:
    assert [reason.name for reason in draft(**elements).reasons] == names


def test_a_reason_that_cannot_be_read_is_named() -> None:
    assert drafts(request(reasonCode=[{"coding": "odd"}])).unreadable == ("MedicationRequest/x",)


def test_an_unspecific_reason_is_no_usable_one() -> None:
    assert [reason.usable for reason in draft(reasonCode=[{"text": "pain"}]).reasons] == [False]
    far = draft(reasonReference=[{"reference": "Condition/far"}]).reasons
    assert [reason.usable for reason in far] == [False]


def nested(name: str, depth: int) -> Any:
    sent: Any = {"display": "x"}
    for _ in range(depth):
        sent = {name: sent}
    return sent


@pytest.mark.parametrize("name", ["agent", "value", "condition", "reference"])
def test_a_reference_nested_too_deep_says_nothing(name: str) -> None:
    found = drafts(request(requester=nested(name, 300), reasonReference=nested(name, 300)))
    assert ingredients(found.drafts[0].order) == ["oxycodone"]


# The drafts of one signing


def refs(found: Drafts) -> list[str]:
    return [one.ref for one in found.drafts]


def test_other_orders_are_left_out() -> None:
    found = drafts({"resourceType": "ServiceRequest", "id": "s"}, {"resourceType": "NutritionOrder"}, MEDICATION)
    assert found == Drafts()
    assert drafts({"resourceType": "SomethingNew", "id": "s"}) == Drafts()


@pytest.mark.parametrize("junk", [5, "text", None, [], {}, {"resourceType": 5}, {"id": "x"}])
def test_an_entry_that_cannot_be_read_is_named(junk: Any) -> None:
    found = drafts(junk, request())
    assert (refs(found), found.unreadable) == (["MedicationRequest/x"], ("draftOrders",))


def test_an_odd_draft_is_read_as_far_as_it_goes() -> None:
    found = drafts(request(authoredOn=5, status=["draft"]))
    assert found.unreadable == ("MedicationRequest/x",)
    assert (found.drafts[0].order.status, ingredients(found.drafts[0].order)) == (None, ["oxycodone"])
    assert found.drafts[0].raw["authoredOn"] == 5


def test_a_draft_whose_numbers_cannot_be_kept_is_named_and_reviewed() -> None:
    sent = encoded(request()).replace(b'"intent"', b'"x": 1e999, "intent"')
    found = read_drafts([(Raw(sent), None)], "R4")
    assert found.unreadable == ("MedicationRequest/x",)
    assert [(draft.ref, draft.raw) for draft in found.drafts] == [("MedicationRequest/x", {})]


def test_the_raw_json_is_that_of_the_client() -> None:
    sent = request(extension=[{"url": "urn:x", "valueDecimal": 1.5}])
    assert drafts(sent).drafts[0].raw == sent


@pytest.mark.parametrize("arrival", list(permutations(range(3))))
def test_drafts_without_an_id_are_numbered_by_content(arrival: tuple[int, ...]) -> None:
    sent = [request(id=None, dosageInstruction=[{"text": text}]) for text in ("a", "b", "b")]
    found = drafts(*(sent[place] for place in arrival))
    assert [(one.ref, one.order.dosages[0].text) for one in found.drafts] == [
        ("MedicationRequest/draft-1", "a"),
        ("MedicationRequest/draft-2", "b"),
        ("MedicationRequest/draft-3", "b"),
    ]


def test_an_id_from_the_full_url() -> None:
    sent = Raw(encoded(request(id=None)))
    assert refs(read_drafts([(sent, "https://ehr.example.org/MedicationRequest/7")], "R4")) == ["MedicationRequest/7"]
    assert refs(read_drafts([(sent, "urn:uuid:7")], "R4")) == ["MedicationRequest/draft-1"]


@pytest.mark.parametrize("arrival", list(permutations(range(3))))
def test_one_id_with_one_drug_is_one_order(arrival: tuple[int, ...]) -> None:
    sent = [
        request(),
        request(meta={"lastUpdated": "2026-05-02"}, note=[]),
        request(medicationCodeableConcept=GABAPENTIN),
    ]
    found = drafts(*(sent[place] for place in arrival))
    assert [(one.ref, ingredients(one.order)) for one in found.drafts] == [
        ("MedicationRequest/x", ["gabapentin"]),
        ("MedicationRequest/x", ["oxycodone"]),
    ]
    assert "note" in found.drafts[1].raw


@pytest.mark.parametrize(
    ("selections", "selected"),
    [
        (set(), None),
        ({"MedicationRequest/elsewhere"}, None),
        ({"MedicationRequest/a"}, {"MedicationRequest/a"}),
        ({"a"}, {"MedicationRequest/a"}),
        ({"urn:uuid:b", "junk"}, {"MedicationRequest/b"}),
    ],
)
def test_selected(selections: set[str], selected: set[str] | None) -> None:
    entries = [(Raw(encoded(request(id=name))), f"urn:uuid:{name}") for name in ("a", "b")]
    assert read_drafts(entries, "R4").selected(selections) == selected


def test_the_orders_of_the_drafts() -> None:
    found = drafts(request())
    assert found.orders == (found.drafts[0].order,)
