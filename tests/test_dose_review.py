"""Doses and links as real charts write them, seen through a whole request."""

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from cds.renal import RenalFunction
from cds.review import Review, review
from cds.totals import shown
from hooks.signing import read_signing
from tests.sentences import TODAY, request_of

DAILY = {"repeat": {"frequency": 4, "period": 1, "periodUnit": "d"}}
ONE = {"value": 1, "unit": "tablet"}


def seen(draft: dict[str, Any], *listed: dict[str, Any]) -> Review:
    request = request_of([])
    request["context"]["draftOrders"]["entry"].append({"resource": draft})
    request["prefetch"]["medications"]["entry"] += [{"resource": order} for order in listed]
    signing = read_signing(json.dumps(request).encode(), date.fromisoformat(TODAY))
    return review(signing.drafts, signing.chart, signing.today, signing.hook, signing.selected)


def order(drug: str, dosage: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest", "id": "d1", "status": "draft", "intent": "order", "authoredOn": TODAY,
        "subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": {"text": drug},
        "dosageInstruction": [dosage], **more,
    }  # fmt: skip


def morphine(count: int, **more: Any) -> dict[str, Any]:
    dosage = {"timing": DAILY, "doseAndRate": [{"doseQuantity": {"value": count, "unit": "tablet"}}]}
    return order("morphine 15 mg oral tablet", dosage, **more)


def test_a_period_unit_of_old_dstu2_documents() -> None:
    draft = {
        "resourceType": "MedicationOrder", "id": "d1", "status": "draft", "dateWritten": TODAY,
        "patient": {"reference": "Patient/p1"}, "medicationCodeableConcept": {"text": "morphine 15 mg oral tablet"},
        "dosageInstruction": [
            {"timing": {"repeat": {"frequency": 4, "period": 1, "unit": "d"}}, "doseQuantity": ONE},
        ],
    }  # fmt: skip
    assert seen(draft).mme_per_day == "60"


@pytest.mark.parametrize(
    "rate",
    [
        {"rateQuantity": {"value": 25, "unit": "mcg/h", "system": "http://unitsofmeasure.org", "code": "ug/h"}},
        {"rateRatio": {"numerator": {"value": 25, "unit": "ug"}, "denominator": {"value": 1, "unit": "h"}}},
    ],
)
def test_the_rate_of_a_patch_is_what_is_worn(rate: dict[str, Any]) -> None:
    patch = order("fentanyl 25 mcg/hr transdermal patch", {"doseAndRate": [rate]})
    assert seen(patch).mme_per_day == "60"


@pytest.mark.parametrize("route", [{"route": {"text": "IV"}}, {}])
def test_the_same_rate_of_an_infusion_is_not_computed(route: dict[str, Any]) -> None:
    rate = {"rateQuantity": {"value": 25, "unit": "mcg/h"}}
    found = seen(order("fentanyl", {"doseAndRate": [rate], **route}))
    assert found.mme_per_day is None
    assert "dose of MedicationRequest/d1: infusion or injection" in found.not_assessed


@pytest.mark.parametrize(
    "link",
    [
        {"replaces": [{"reference": "MedicationRequest/m1"}]},
        {"priorPrescription": {"identifier": {"system": "urn:s", "value": "7"}}},
        {"basedOn": [{"identifier": {"system": "urn:s", "value": "7"}}]},
    ],
)
def test_a_named_order_is_replaced_at_the_dose_of_the_draft(link: dict[str, Any]) -> None:
    active = morphine(
        6, id="m1", status="active", authoredOn="2026-02-01", identifier=[{"system": "urn:s", "value": "7"}]
    )
    assert seen(morphine(4, **link), active).mme_per_day == "240"
    assert seen(morphine(4), active).mme_per_day == "360"  # only assumed: the higher counts


def test_an_order_signed_as_an_error_takes_back_the_listed_one() -> None:
    active = morphine(1, status="active", authoredOn="2026-02-01")
    assert seen(morphine(1, status="entered-in-error"), active).mme_per_day == "0"


@pytest.mark.parametrize(
    ("value", "text"), [("60", "60"), ("71.4285714", "71.42"), ("89.999", "89.99"), ("54.150", "54.15"), ("1e25", None)]
)
def test_sums_are_shown_with_two_decimals_at_most(value: str, text: str | None) -> None:
    assert shown(Decimal(value)) == (text or "1" + "0" * 25)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (RenalFunction(None), ""),
        (RenalFunction(Decimal(14), "dialysis"), "dialysis"),
        (RenalFunction(Decimal(30), "CKD stage"), "CKD stage 3"),
        (RenalFunction(Decimal(0), "CKD stage"), "CKD stage 5"),
        (RenalFunction(Decimal(22), "CKD stage"), "CKD"),
        (RenalFunction(Decimal("22.0"), "eGFR", date(2026, 2, 10)), "eGFR 22 on 2026-02-10"),
        (RenalFunction(Decimal(50), "CrCl"), "CrCl 50"),
    ],
)
def test_renal_function_in_words(function: RenalFunction, said: str) -> None:
    assert function.said == said
