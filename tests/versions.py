"""Rewrites an R4 hook request of the scenarios in the shapes of other FHIR versions and of lenient clients."""

import copy
from collections.abc import Callable
from typing import Any

PERIOD_UNITS = {"s", "min", "h", "d", "wk", "mo", "a"}


def resources(request: dict[str, Any], key: str) -> list[dict[str, Any]]:
    value = request["prefetch"].get(key)
    return [entry["resource"] for entry in value.get("entry", [])] if isinstance(value, dict) else []


def every_resource(request: dict[str, Any]) -> list[dict[str, Any]]:
    """Drafts and listed resources, as they stand in the request (to be changed in place)."""
    drafts = [entry["resource"] for entry in request["context"]["draftOrders"]["entry"]]
    return drafts + [resource for key in request["prefetch"] for resource in resources(request, key)]


def plain_status(resource: dict[str, Any]) -> None:
    for field in ("clinicalStatus", "verificationStatus"):
        if field in resource:
            resource[field] = resource[field]["coding"][0]["code"]


def stu3_dosage(dosage: dict[str, Any]) -> None:
    for dose in dosage.pop("doseAndRate", []):
        dosage.update(dose)


def to_stu3(request: dict[str, Any]) -> dict[str, Any]:
    """A medication-prescribe request (CDS Hooks 1.0) with STU3 resources."""
    request = copy.deepcopy(request)
    for resource in every_resource(request):
        plain_status(resource)
        for dosage in resource.get("dosageInstruction", []) + resource.get("dosage", []):
            stu3_dosage(dosage)
        if resource["resourceType"] == "Condition" and "recordedDate" in resource:
            resource["assertedDate"] = resource.pop("recordedDate")
        if resource["resourceType"] == "MedicationStatement":
            resource["taken"] = "y"
    return as_prescribe(request)


def as_prescribe(request: dict[str, Any]) -> dict[str, Any]:
    """The same request as medication-prescribe sends it (CDS Hooks 1.0)."""
    request = copy.deepcopy(request)
    request["hook"] = "medication-prescribe"
    request["context"]["medications"] = request["context"].pop("draftOrders")
    request["context"].pop("selections", None)
    return request


def to_dstu2(request: dict[str, Any]) -> dict[str, Any]:
    """A medication-prescribe request with DSTU2 resources (MedicationOrder)."""
    request = to_stu3(request)
    request["context"]["draftOrders"] = request["context"].pop("medications")
    for resource in every_resource(request):
        resource["patient"] = resource.pop("subject", {"reference": "Patient/p1"})
        for dosage in resource.get("dosageInstruction", []):
            repeat = dosage.get("timing", {}).get("repeat", {})
            if "periodUnit" in repeat:
                repeat["periodUnits"] = repeat.pop("periodUnit")
        if resource["resourceType"] == "MedicationRequest":
            resource["resourceType"] = "MedicationOrder"
            resource.pop("intent", None)
            if "authoredOn" in resource:
                resource["dateWritten"] = resource.pop("authoredOn")
            if "requester" in resource:
                resource["prescriber"] = resource.pop("requester")
            if "reasonCode" in resource:
                resource["reasonCodeableConcept"] = resource.pop("reasonCode")[0]
    request["context"]["medications"] = request["context"].pop("draftOrders")
    for bundle in (value for value in request["prefetch"].values() if isinstance(value, dict)):
        for entry in bundle.get("entry", []):
            entry["fullUrl"] = f"https://ehr.example/{entry['resource']['resourceType']}/{entry['resource']['id']}"
    return request


def to_r5(request: dict[str, Any]) -> dict[str, Any]:
    """The same request with R5 resources (CodeableReference)."""
    request = copy.deepcopy(request)
    for resource in every_resource(request):
        if "medicationCodeableConcept" in resource:
            resource["medication"] = {"concept": resource.pop("medicationCodeableConcept")}
        if "reasonCode" in resource:
            resource["reason"] = [{"concept": reason} for reason in resource.pop("reasonCode")]
    encounter = request["prefetch"].get("encounter")
    if encounter and "class" in encounter:
        encounter["class"] = [{"coding": [encounter["class"]]}]
    return request


def to_sandbox(request: dict[str, Any]) -> dict[str, Any]:
    """The same request as the public sandbox shapes it: no Bundle type, single objects where lists belong, {pill}."""
    request = copy.deepcopy(request)
    request["context"].pop("encounterId", None)
    request["prefetch"].pop("encounter", None)
    request["fhirServer"] = "https://ehr.example/fhir"
    request["context"]["draftOrders"].pop("type")
    for entry in request["context"]["draftOrders"]["entry"]:
        draft = entry["resource"]
        draft["id"] = "request-123"
        draft["category"] = {"coding": [{"code": "outpatient"}]}
        if "reasonCode" in draft:
            draft["reasonCode"] = draft["reasonCode"][0]
        for dosage in draft.get("dosageInstruction", []):
            for dose in dosage.get("doseAndRate", []):
                if "doseQuantity" in dose:
                    dose["doseQuantity"] = {
                        "value": dose["doseQuantity"]["value"], "system": "http://unitsofmeasure.org", "code": "{pill}",
                    }  # fmt: skip
    return request


def to_items(request: dict[str, Any]) -> dict[str, Any]:
    """The same request from a client that renames the keys item1, item2, ... and sends Patient/x."""
    request = copy.deepcopy(request)
    request["context"]["patientId"] = "Patient/p1"
    request["prefetch"] = {f"item{n}": value for n, value in enumerate(request["prefetch"].values(), start=1)}
    return request


def with_contained_drug(request: dict[str, Any]) -> dict[str, Any]:
    """Each draft's drug as a contained Medication."""
    request = copy.deepcopy(request)
    for entry in request["context"]["draftOrders"]["entry"]:
        draft = entry["resource"]
        code = draft.pop("medicationCodeableConcept")
        draft["contained"] = [{"resourceType": "Medication", "id": "med", "code": code}]
        draft["medicationReference"] = {"reference": "#med"}
    return request


def with_referenced_drug(request: dict[str, Any]) -> dict[str, Any]:
    """Each draft's drug as a Medication beside it in the Bundle."""
    request = copy.deepcopy(request)
    bundle = request["context"]["draftOrders"]
    for number, entry in enumerate(list(bundle["entry"]), start=1):
        draft = entry["resource"]
        code = draft.pop("medicationCodeableConcept")
        bundle["entry"].append({
            "fullUrl": f"urn:uuid:00000000-0000-4000-8000-00000000000{number}",
            "resource": {"resourceType": "Medication", "id": f"med{number}", "code": code},
        })  # fmt: skip
        draft["medicationReference"] = {"reference": f"Medication/med{number}"}
    return request


OXYCODONE_WAYS: dict[str, dict[str, Any]] = {
    "NDC": {"coding": [{"system": "http://hl7.org/fhir/sid/ndc", "code": "0406-0552-62"}]},
    "ATC": {"coding": [{"system": "http://www.whocc.no/atc", "code": "N02AA05"}]},
    "SNOMED CT": {"coding": [{"system": "http://snomed.info/sct", "code": "55452001"}]},
    "local code": {
        "coding": [
            {"system": "http://hospital.example/formulary", "code": "OXY5T", "display": "oxyCODONE IR 5 mg TAB"}
        ],
        "text": "OXYCODONE IR 5 MG TAB",
    },
    "text only": {"text": "OXYCODONE   5 MG ORAL TAB"},
    "disagreeing codings": {
        "coding": [
            {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "161", "display": "acetaminophen"},
            {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1049621"},
        ]
    },
}
"""Oxycodone 5 mg tablets, as clients send them."""


def named_as(way: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Each draft's drug named in one of these ways."""

    def rewrite(request: dict[str, Any]) -> dict[str, Any]:
        request = copy.deepcopy(request)
        for entry in request["context"]["draftOrders"]["entry"]:
            entry["resource"]["medicationCodeableConcept"] = copy.deepcopy(OXYCODONE_WAYS[way])
        return request

    return rewrite


def with_a_broken_resource(request: dict[str, Any]) -> dict[str, Any]:
    """One listed order and one condition that no reader can make sense of."""
    request = copy.deepcopy(request)
    request["prefetch"]["medications"]["entry"].append(
        {"resource": {"resourceType": "MedicationRequest", "id": "broken", "status": 7, "dosageInstruction": "twice"}}
    )
    return request


VERSIONS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "R4": lambda request: request,
    "R4 prescribe": as_prescribe,
    "STU3": to_stu3,
    "DSTU2": to_dstu2,
    "R5": to_r5,
    "sandbox": to_sandbox,
    "items": to_items,
    "contained": with_contained_drug,
    "referenced": with_referenced_drug,
    "broken resource": with_a_broken_resource,
    **{way: named_as(way) for way in OXYCODONE_WAYS},
}
