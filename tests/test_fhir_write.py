"""Orders as FHIR of each version, validated by ``fhir.resources``; and changes of the client's own drafts."""

import copy
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds.opioid_orders import immediate_release_orders, tramadol_order
from cds.orders import PlainOrder, Step, Update, next_step_order, start_order
from cds.schedules import SCHEDULES
from cds.supporting_orders import capsaicin_order, ecg_order, laxative_order, rescue_order, service_order
from hooks import fhir_write
from hooks.fhir_write import TemplateError, Version, check_templates, validate, write_order, write_update
from tests.builders import a_day, order, seen
from tests.test_offer import healthy, named

VERSIONS: tuple[Version, ...] = ("STU3", "R4", "R5")
NOW = "2026-06-15T09:00:00Z"
SIMPLE = Step(Decimal(1), "tablet", Decimal(5), 2, "1 tablet twice a day")


def plain(*steps: Step, **fields: Any) -> PlainOrder:
    fields = {"kind": "medication", "text": "drug 5 MG Oral Tablet", "code": "1", "system": None} | fields
    return PlainOrder(steps=steps or (SIMPLE,), **fields)


def written(made: PlainOrder, version: Version = "R4", **fields: Any) -> dict[str, Any]:
    resource = write_order(made, version, "Patient/p1", NOW, **fields)
    assert resource is not None
    return resource


def empties(value: Any) -> bool:
    """Whether anything in it is null or empty."""
    if isinstance(value, dict):
        return not value or any(map(empties, value.values()))
    if isinstance(value, list):
        return not value or any(map(empties, value))
    return value in (None, "")


def proposed() -> list[PlainOrder]:
    """Every kind of order that can be proposed."""
    orders = [rescue_order(), ecg_order("Before methadone."), capsaicin_order("postherpetic neuralgia", True)]
    orders += [service_order(kind) for kind in ("urine_test", "referral_pain", "referral_addiction")]
    orders += map(laxative_order, SCHEDULES.laxatives)
    orders += [
        made for name in SCHEDULES.first_doses for made in immediate_release_orders(healthy(), name, "neuralgia")
    ]
    orders += [tramadol_order(healthy(observations=(seen("egfr", egfr),)), "neuralgia") for egfr in (90, 20)]
    for egfr in (90, 45, 20, 8):
        for age in (35, 70):
            of = healthy(age=age, observations=(seen("egfr", egfr),))
            orders += [start_order(of, agent, (), "neuralgia") for agent in SCHEDULES.agents.values()]
    running = order("old", named("gabapentin"), a_day(300))
    raised = next_step_order(healthy(), SCHEDULES.agents["gabapentin"], running, Decimal(300), (), "neuralgia")
    return [*orders, *([raised] if raised else [])]


@pytest.mark.parametrize("version", VERSIONS)
def test_every_order_that_can_be_proposed_is_valid(version: Version) -> None:
    for made in proposed():
        resource = written(made, version, encounter="Encounter/e1", requester="Practitioner/u1")
        validate(resource, version)
        assert not empties(resource)
        assert resource["status"] == "draft" and resource["intent"] == "order" and resource["authoredOn"] == NOW
        assert resource["subject"] == {"reference": "Patient/p1"}
        assert "id" not in resource


STEPS = st.builds(
    Step,
    amount=st.decimals("0.25", 20, places=2),
    unit=st.sampled_from(("capsule", "tablet", "patch", "spray")),
    mg=st.none() | st.decimals(1, 900, places=1),
    times=st.integers(0, 6),
    text=st.text("abc ", min_size=1).filter(str.strip),
    period_hours=st.integers(1, 168),
    at_night=st.booleans(),
    days=st.none() | st.integers(1, 90),
    as_needed=st.none() | st.just("pain"),
    fewest=st.none() | st.just(Decimal("0.25")),
)
ORDERS = st.builds(
    PlainOrder,
    kind=st.sampled_from(("medication", "service")),
    text=st.just("drug"),
    code=st.none() | st.just("310431"),
    system=st.none() | st.just("http://snomed.info/sct"),
    display=st.none() | st.just("Drug"),
    steps=st.lists(STEPS, min_size=1, max_size=4).map(tuple),
    quantity=st.none() | st.decimals(1, 500, places=1),
    quantity_unit=st.none() | st.just("tablet"),
    days=st.none() | st.integers(1, 90),
    repeats=st.integers(0, 3),
    reason=st.none() | st.just("neuralgia"),
    note=st.none() | st.just("Review."),
    prior=st.none() | st.just("MedicationRequest/1"),
    route=st.none() | st.just("oral"),
)


@given(made=ORDERS, version=st.sampled_from(VERSIONS), encounter=st.none() | st.just("Encounter/1"))
def test_whatever_an_order_holds_it_is_written_validly(
    made: PlainOrder, version: Version, encounter: str | None
) -> None:
    resource = written(made, version, encounter=encounter)
    assert not empties(resource)
    validate(resource, version)


def test_a_titration_in_r4() -> None:
    gabapentin = written(start_order(healthy(), SCHEDULES.agents["gabapentin"], (), "postherpetic neuralgia"))
    assert gabapentin["medicationCodeableConcept"] == {
        "text": "gabapentin 300 MG Oral Capsule",
        "coding": [
            {
                "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                "code": "310431",
                "display": "gabapentin 300 MG Oral Capsule",
            }
        ],
    }
    first, second, third = gabapentin["dosageInstruction"]
    days = {"value": 3, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"}
    capsule = {"value": 1, "unit": "capsule", "system": "http://unitsofmeasure.org", "code": "{capsule}"}
    assert first == {
        "sequence": 1,
        "text": "1 capsule (300 mg) by mouth at night for 3 days",
        "timing": {"repeat": {"boundsDuration": days, "frequency": 1, "period": 1, "periodUnit": "d", "when": ["HS"]}},
        "route": {"text": "oral"},
        "doseAndRate": [{"doseQuantity": capsule}],
    }
    assert second["sequence"] == 2 and second["timing"]["repeat"]["frequency"] == 2
    assert "boundsDuration" not in third["timing"]["repeat"]
    assert gabapentin["dispenseRequest"] == {
        "numberOfRepeatsAllowed": 0,
        "quantity": {**capsule, "value": 81},
        "expectedSupplyDuration": {**days, "value": 30},
    }
    assert gabapentin["reasonCode"] == [{"text": "postherpetic neuralgia"}]
    assert gabapentin["note"][0]["text"].endswith("by 2026-07-13.")


def test_the_shapes_of_the_versions() -> None:
    made = plain(reason="pain", prior="MedicationRequest/9", repeats=0, days=7)
    stu3 = written(made, "STU3", encounter="Encounter/e", requester="Practitioner/u")
    assert (
        stu3["context"] == {"reference": "Encounter/e"} and stu3["requester"]["agent"]["reference"] == "Practitioner/u"
    )
    assert stu3["dosageInstruction"][0]["doseQuantity"]["value"] == 1
    assert "numberOfRepeatsAllowed" not in stu3["dispenseRequest"]
    r5 = written(made, "R5", encounter="Encounter/e", requester="Practitioner/u")
    assert r5["medication"]["concept"]["text"] == made.text and r5["reason"] == [{"concept": {"text": "pain"}}]
    assert r5["encounter"] == {"reference": "Encounter/e"} and r5["requester"] == {"reference": "Practitioner/u"}
    assert r5["priorPrescription"] == {"reference": "MedicationRequest/9"}
    service = {version: written(ecg_order("First."), version) for version in VERSIONS}
    assert [service[version]["resourceType"] for version in VERSIONS] == [
        "ProcedureRequest", "ServiceRequest", "ServiceRequest",
    ]  # fmt: skip
    assert service["R5"]["code"]["concept"]["text"] == service["R4"]["code"]["text"]


def test_only_a_prescription_is_a_prior_prescription() -> None:
    assert "priorPrescription" not in written(plain(prior="MedicationStatement/9"))
    assert written(plain(prior="MedicationRequest/9"))["priorPrescription"]["reference"] == "MedicationRequest/9"


def test_as_needed_and_ranges() -> None:
    needed = Step(Decimal(2), "spray", None, 0, "when needed", as_needed="overdose", fewest=Decimal(1))
    r4 = written(plain(needed))["dosageInstruction"][0]
    assert r4["asNeededCodeableConcept"] == {"text": "overdose"} and "timing" not in r4
    assert r4["doseAndRate"][0]["doseRange"]["low"]["value"] == 1
    r5 = written(plain(needed), "R5")["dosageInstruction"][0]
    assert r5["asNeeded"] is True and r5["asNeededFor"] == [{"text": "overdose"}]


def test_hours_and_days() -> None:
    every = {hours: Step(Decimal(1), "patch", None, 1, "x", period_hours=hours) for hours in (8, 72)}
    assert [
        (repeat["period"], repeat["periodUnit"])
        for step in every.values()
        for repeat in (written(plain(step))["dosageInstruction"][0]["timing"]["repeat"],)
    ] == [(8, "h"), (3, "d")]


@pytest.mark.parametrize(
    ("requester", "version", "signs"),
    [
        ("Practitioner/u", "R4", True),
        ("PractitionerRole/u", "R4", True),
        ("PractitionerRole/u", "STU3", False),
        ("Patient/u", "R4", False),
        (None, "R4", False),
    ],
)
def test_only_a_practitioner_signs(requester: str | None, version: Version, signs: bool) -> None:
    assert ("requester" in written(plain(), version, requester=requester)) is signs


def test_dstu2_has_no_created_orders() -> None:
    assert write_order(plain(), "DSTU2", "Patient/p1", NOW) is None


def test_the_templates_are_valid_and_a_wrong_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check_templates()
    with pytest.raises(TemplateError, match="MedicationRequest of R4"):
        validate({**written(plain()), "authoredOn": "yesterday"}, "R4")
    with pytest.raises(TemplateError, match="ServiceRequest of R5"):
        validate({**written(ecg_order("x"), "R5"), "unheard": 1}, "R5")
    monkeypatch.setattr(fhir_write, "days_of_supply", lambda days: {"value": "many"})
    with pytest.raises(TemplateError):
        check_templates()


# Changes of the client's own draft

HALF = Update("MedicationRequest/1", dose_factor=Decimal("0.5"), note="Dose lowered.")
SHORT = Update("MedicationRequest/1", supply_days=14, repeats=0, note="Limited.", quantity=Decimal(56))


def r4_draft(**fields: Any) -> dict[str, Any]:
    draft: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "id": "1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "oxycodone 5 MG Oral Tablet"},
        "subject": {"reference": "Patient/p1"},
        "extension": [{"url": "https://ehr.example/x", "valueString": "kept"}],
        "dosageInstruction": [
            {
                "text": "2 tablets every 6 hours",
                "patientInstruction": "Take two.",
                "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}},
                "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablet"}}],
                "maxDosePerPeriod": {"numerator": {"value": 8}, "denominator": {"value": 1, "unit": "d"}},
            }
        ],
        "dispenseRequest": {
            "quantity": {"value": 240, "unit": "tablet"},
            "expectedSupplyDuration": {"value": 30, "unit": "days", "code": "d"},
            "numberOfRepeatsAllowed": 2,
        },
    }
    return draft | fields


def changed(raw: dict[str, Any], update: Update, version: Version = "R4") -> dict[str, Any]:
    before = copy.deepcopy(raw)
    resource = write_update(raw, update, version)
    assert resource is not None and raw == before, "the draft handed in is never changed"
    return resource


def test_half_the_dose_changes_the_dose_its_limit_and_the_quantity_only() -> None:
    raw = r4_draft(text={"status": "generated", "div": "<div>2 tablets</div>"})
    half = changed(raw, HALF)
    expected = r4_draft()
    expected["dosageInstruction"] = [
        {
            "timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}},
            "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet"}}],
            "maxDosePerPeriod": {"numerator": {"value": 4}, "denominator": {"value": 1, "unit": "d"}},
        }
    ]
    expected["dispenseRequest"]["quantity"] = {"value": 120, "unit": "tablet"}
    expected["note"] = [{"text": "Dose lowered."}]
    assert half == expected
    validate(half, "R4")


@pytest.mark.parametrize("version", ["R4", "DSTU2"])
def test_a_longer_interval_changes_the_times_and_the_quantity_only(version: Version) -> None:
    unit = "periodUnits" if version == "DSTU2" else "periodUnit"
    bounds = {"boundsPeriod": {"end": "2026-03-20"}}
    raw = r4_draft()
    raw["dosageInstruction"][0] |= {
        "timing": {"repeat": {"frequency": 1, "period": 6, unit: "h", "timeOfDay": ["08:00:00"], **bounds}, "code": {}},
        "asNeededBoolean": True,
    }
    longer = changed(raw, Update("1", every_hours=12, quantity=Decimal(120), note="Longer."), version)
    expected = r4_draft(note="Longer." if version == "DSTU2" else [{"text": "Longer."}])
    expected["dosageInstruction"] = [
        {
            "timing": {"repeat": {"frequency": 1, "period": 12, unit: "h", **bounds}},
            "doseAndRate": [{"doseQuantity": {"value": 2, "unit": "tablet"}}],
            "asNeededBoolean": True,
        }
    ]
    expected["dispenseRequest"]["quantity"] = {"value": 120, "unit": "tablet"}
    assert longer == expected


@pytest.mark.parametrize("instruction", [{"text": "every 6 hours"}, {"timing": "q6h"}, "q6h", None])
def test_an_interval_that_is_not_structured_is_not_changed(instruction: Any) -> None:
    assert write_update(r4_draft(dosageInstruction=[instruction]), Update("1", every_hours=12), "R4") is None
    odd = {"timing": {"repeat": "often"}, "doseQuantity": {"value": 1}}
    told = changed(r4_draft(dosageInstruction=[odd]), Update("1", every_hours=12))
    assert told["dosageInstruction"][0]["timing"] == {"repeat": {"frequency": 1, "period": 12, "periodUnit": "h"}}


def test_a_shorter_supply_changes_supply_quantity_and_repeats_only() -> None:
    short = changed(r4_draft(), SHORT)
    expected = r4_draft(note=[{"text": "Limited."}])
    expected["dispenseRequest"] = {
        "quantity": {"value": 56, "unit": "tablet"},
        "expectedSupplyDuration": {"value": 14, "unit": "days", "system": "http://unitsofmeasure.org", "code": "d"},
        "numberOfRepeatsAllowed": 0,
    }
    assert short == expected
    validate(short, "R4")


@pytest.mark.parametrize(
    ("dispense", "quantity"),
    [
        ({"quantity": {"value": 60}, "expectedSupplyDuration": {"value": 30, "code": "d"}}, {"value": 28}),
        ({"quantity": {"value": 61}, "expectedSupplyDuration": {"value": 2, "unit": "weeks"}}, {"value": 61}),
        ({"quantity": {"value": 10.5}, "expectedSupplyDuration": {"value": 28, "unit": "d"}}, {"value": 6}),
        ({"quantity": {"value": 60}, "expectedSupplyDuration": {"value": 1, "code": "mo"}}, None),
        ({"quantity": {"value": 60}, "expectedSupplyDuration": {"value": 0, "code": "d"}}, None),
        ({"quantity": {"value": 60}, "expectedSupplyDuration": "long"}, None),
        ({"quantity": {"value": "60"}, "expectedSupplyDuration": {"value": 30, "code": "d"}}, None),
        ({"quantity": {"value": True}, "expectedSupplyDuration": {"value": 30, "code": "d"}}, None),
        ({"quantity": {"value": 60}}, None),
        ({}, None),
        (None, None),
    ],
)
def test_the_quantity_follows_the_supply_or_goes(dispense: Any, quantity: Any) -> None:
    short = changed(r4_draft(dispenseRequest=dispense), Update("MedicationRequest/1", supply_days=14))
    assert short["dispenseRequest"].get("quantity") == quantity
    assert short["dispenseRequest"]["expectedSupplyDuration"]["value"] == 14


@pytest.mark.parametrize(
    "instruction",
    [
        None,
        [],
        "1 tablet",
        ["1 tablet"],
        [{"text": "1 tablet"}],
        [{"doseAndRate": []}],
        [{"doseAndRate": [{"rateQuantity": {"value": 1}}]}],
        [{"doseAndRate": [{"doseQuantity": {"unit": "tablet"}}]}],
        [{"doseAndRate": [{"doseRange": {"low": {"unit": "tablet"}}}]}],
        [{"doseAndRate": [{"doseRange": {}}]}],
        [{"doseQuantity": {"value": 1}}, {"text": "then 1 tablet"}],
    ],
)
def test_a_dose_that_is_not_structured_is_not_changed(instruction: Any) -> None:
    assert write_update(r4_draft(dosageInstruction=instruction), HALF, "R4") is None


@pytest.mark.parametrize(
    ("instruction", "expected"),
    [
        ({"doseAndRate": {"doseQuantity": {"value": 1}}}, {"doseAndRate": {"doseQuantity": {"value": 0.5}}}),
        (
            [{"doseAndRate": [{"doseRange": {"low": {"value": 1}, "high": {"value": 2}, "id": "x"}}]}],
            [{"doseAndRate": [{"doseRange": {"low": {"value": 0.5}, "high": {"value": 1}, "id": "x"}}]}],
        ),
        (
            [{"doseQuantity": {"value": 10}, "maxDosePerAdministration": {"value": 10}}],
            [{"doseQuantity": {"value": 5}, "maxDosePerAdministration": {"value": 5}}],
        ),
        (
            [{"doseQuantity": {"value": 10}, "maxDosePerPeriod": [{"numerator": {"unit": "mg"}}]}],
            [{"doseQuantity": {"value": 5}, "maxDosePerPeriod": [{"numerator": {"unit": "mg"}}]}],
        ),
        (
            [{"doseQuantity": {"value": 0.3}, "maxDosePerAdministration": {"unit": "mg"}}],
            [{"doseQuantity": {"value": 0.15}, "maxDosePerAdministration": {"unit": "mg"}}],
        ),
    ],
)
def test_doses_keep_the_shape_they_came_in(instruction: Any, expected: Any) -> None:
    assert changed(r4_draft(dosageInstruction=instruction), HALF)["dosageInstruction"] == expected


@pytest.mark.parametrize(
    ("note", "version", "expected"),
    [
        (None, "R4", [{"text": "Dose lowered."}]),
        ([{"text": "a"}], "R4", [{"text": "a"}, {"text": "Dose lowered."}]),
        ({"text": "a"}, "R5", [{"text": "a"}, {"text": "Dose lowered."}]),
        ("a", "STU3", [{"text": "a"}, {"text": "Dose lowered."}]),
        ("", "R4", [{"text": "Dose lowered."}]),
        ("a", "DSTU2", "a Dose lowered."),
        (None, "DSTU2", "Dose lowered."),
    ],
)
def test_a_note_is_added_to_those_that_are_there(note: Any, version: Version, expected: Any) -> None:
    fields = {} if note is None else {"note": note}
    assert changed(r4_draft(**fields), HALF, version)["note"] == expected


@pytest.mark.parametrize(("version", "repeats"), [("DSTU2", None), ("STU3", None), ("R4", 0), ("R5", 0)])
def test_no_repeats_is_said_as_each_version_can(version: Version, repeats: int | None) -> None:
    none_left = changed(r4_draft(), Update("MedicationRequest/1", repeats=0), version)
    assert none_left["dispenseRequest"].get("numberOfRepeatsAllowed") == repeats
    assert none_left["dispenseRequest"]["quantity"]["value"] == 240
    fewer = changed(r4_draft(), Update("MedicationRequest/1", repeats=1), version)
    assert fewer["dispenseRequest"]["numberOfRepeatsAllowed"] == 1


def test_what_would_be_empty_is_left_out() -> None:
    assert "dispenseRequest" not in changed(
        r4_draft(dispenseRequest={"numberOfRepeatsAllowed": 3}), Update("MedicationRequest/1", repeats=0), "STU3"
    )
    unsupplied = r4_draft()
    del unsupplied["dispenseRequest"]
    assert "dispenseRequest" not in changed(unsupplied, HALF)


def test_a_note_alone_changes_nothing_else() -> None:
    assert changed(r4_draft(), Update("MedicationRequest/1", note="x")) == r4_draft(note=[{"text": "x"}])
    assert changed(r4_draft(), Update("MedicationRequest/1")) == r4_draft()


def test_a_dstu2_order_is_changed_in_its_own_shape() -> None:
    raw = {
        "resourceType": "MedicationOrder",
        "id": "1",
        "patient": {"reference": "Patient/p1"},
        "dosageInstruction": [
            {
                "text": "1-2 tablets",
                "timing": {"repeat": {"frequency": 4, "period": 1, "periodUnits": "d"}},
                "doseRange": {"low": {"value": 2}, "high": {"value": 4}},
                "maxDosePerPeriod": {"numerator": {"value": 8}, "denominator": {"value": 1}},
            }
        ],
        "dispenseRequest": {"numberOfRepeatsAllowed": 1, "quantity": {"value": 60}},
    }
    half = changed(
        raw, Update("MedicationOrder/1", dose_factor=Decimal("0.5"), repeats=0, note="Dose lowered."), "DSTU2"
    )
    assert half["dosageInstruction"][0]["doseRange"] == {"low": {"value": 1}, "high": {"value": 2}}
    assert half["dosageInstruction"][0]["timing"] == {"repeat": {"frequency": 4, "period": 1, "periodUnits": "d"}}
    assert half["dispenseRequest"] == {"quantity": {"value": 30}}
    assert half["note"] == "Dose lowered."


@given(
    value=st.decimals("0.1", 500, places=1).map(float),
    factor=st.sampled_from((Decimal("0.25"), Decimal("0.5"), Decimal("0.75"))),
)
def test_a_share_of_a_dose_is_exact(value: float, factor: Decimal) -> None:
    raw = r4_draft(dosageInstruction=[{"doseQuantity": {"value": value}}])
    half = changed(raw, Update("MedicationRequest/1", dose_factor=factor))
    got = half["dosageInstruction"][0]["doseQuantity"]["value"]
    assert Decimal(str(got)) == Decimal(str(value)) * factor
