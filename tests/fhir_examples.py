"""Small FHIR resources of each version, and the shortest way from them to facts."""

import json
from datetime import date
from typing import Any

from msgspec import Raw

from cds.chart import Chart
from hooks.fhir_read import Drafts, read_chart, read_drafts
from hooks.prefetch import Prefetched, complete
from hooks.protocol import read_request

TODAY = date(2026, 5, 20)
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
UCUM = "http://unitsofmeasure.org"

OXYCODONE = {"coding": [{"system": RXNORM, "code": "1049621", "display": "oxycodone hydrochloride 5 MG Oral Tablet"}]}
GABAPENTIN = {"coding": [{"system": RXNORM, "code": "310430", "display": "gabapentin 100 MG Oral Capsule"}]}
NEUROPATHY = {"coding": [{"system": ICD10, "code": "E11.42"}], "text": "Diabetic polyneuropathy"}


def concept(system: str, code: str, text: str | None = None) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]} | ({"text": text} if text else {})


def request(**elements: Any) -> dict[str, Any]:
    """An R4 draft of oxycodone; ``None`` leaves an element out."""
    sent = {"resourceType": "MedicationRequest", "id": "x", "status": "draft", "intent": "order"}
    sent["medicationCodeableConcept"] = OXYCODONE  # type: ignore[assignment]
    return {name: value for name, value in {**sent, **elements}.items() if value is not None}


def condition(**elements: Any) -> dict[str, Any]:
    return {"resourceType": "Condition", "id": "c", "code": NEUROPATHY, **elements}


def observation(code: str, value: Any = None, unit: str | None = None, **elements: Any) -> dict[str, Any]:
    sent: dict[str, Any] = {
        "resourceType": "Observation", "id": "o", "status": "final", "code": concept(LOINC, code),
        "effectiveDateTime": "2026-05-01",
    }  # fmt: skip
    if value is not None:
        sent["valueQuantity"] = {"value": value, **({"unit": unit, "system": UCUM, "code": unit} if unit else {})}
    return {**sent, **elements}


def bundle(*resources: Any, **elements: Any) -> dict[str, Any]:
    entries = [{"resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "searchset", **({"entry": entries} if entries else {}), **elements}


def body(hook: str = "order-sign", **fields: Any) -> dict[str, Any]:
    return {
        "hook": hook,
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "p", "draftOrders": bundle(request())},
        **fields,
    }


def encoded(sent: Any) -> bytes:
    return json.dumps(sent).encode()


def prefetched(**keys: Any) -> Prefetched:
    """The way that the prefetch of a request takes."""
    return complete(read_request(encoded(body(prefetch=keys))).prefetch)


def chart(*resources: Any, **keys: Any) -> Chart:
    """The chart of these resources (all in one Bundle of an unknown name) and prefetch keys."""
    everything = {"item1": bundle(*resources), **keys} if resources else keys
    return read_chart(prefetched(**everything), TODAY, "p")


def drafts(*resources: Any, version: str = "R4", **keys: Any) -> Drafts:
    """The drafts of a signing with these orders."""
    return read_drafts([(Raw(encoded(one)), None) for one in resources], version, prefetched(**keys).records)
