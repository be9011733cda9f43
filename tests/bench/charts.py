"""Synthetic order-sign requests of a wanted size. Nobody's chart: every value is drawn from a seeded generator."""

import json
import random
from datetime import date, timedelta
from typing import Any
from uuid import UUID

TODAY = date(2026, 3, 1)
SYNTHETIC = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ICD10 = "http://hl7.org/fhir/sid/icd-10-cm"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"

DRUGS = (
    ("314076", "lisinopril 10 MG Oral Tablet"),
    ("860975", "24 HR metformin hydrochloride 500 MG Extended Release Oral Tablet"),
    ("617312", "atorvastatin 20 MG Oral Tablet"),
    ("310431", "gabapentin 300 MG Oral Capsule"),
    ("312938", "sertraline 50 MG Oral Tablet"),
    ("197361", "amlodipine 5 MG Oral Tablet"),
    ("310798", "hydrochlorothiazide 25 MG Oral Tablet"),
    ("313782", "acetaminophen 325 MG Oral Tablet"),
    ("198211", "simvastatin 40 MG Oral Tablet"),
    ("866924", "metoprolol tartrate 25 MG Oral Tablet"),
    ("311700", "omeprazole 20 MG Delayed Release Oral Capsule"),
    ("259543", "cetirizine hydrochloride 10 MG Oral Tablet"),
    ("855332", "warfarin sodium 5 MG Oral Tablet"),
    ("311995", "nitroglycerin 0.4 MG Sublingual Tablet"),
    ("245134", "72 HR fentanyl 0.025 MG/HR Transdermal System"),
    ("596926", "duloxetine 20 MG Delayed Release Oral Capsule"),
)
CONDITIONS = (
    ("E11.42", "44054006", "Type 2 diabetes mellitus with diabetic polyneuropathy"),
    ("I10", "59621000", "Essential hypertension"),
    ("E78.5", "55822004", "Hyperlipidemia"),
    ("N18.31", "433144002", "Chronic kidney disease stage 3a"),
    ("M17.11", "239873007", "Osteoarthritis of knee"),
    ("J45.909", "195967001", "Asthma"),
    ("K21.9", "235595009", "Gastroesophageal reflux disease"),
    ("F32.9", "35489007", "Depressive disorder"),
    ("E66.9", "414916001", "Obesity"),
    ("H25.9", "193570009", "Cataract"),
)
MEASURED = (
    ("egfr", "98979-8", "GFR/1.73 sq M predicted by CKD-EPI 2021", "mL/min/{1.73_m2}", 45, 110),
    ("creatinine", "2160-0", "Creatinine [Mass/volume] in Serum or Plasma", "mg/dL", 0.6, 1.6),
    ("weight", "29463-7", "Body weight", "kg", 55, 110),
    ("vitals", "8480-6", "Systolic blood pressure", "mm[Hg]", 105, 150),
    ("vitals", "8462-4", "Diastolic blood pressure", "mm[Hg]", 60, 90),
    ("vitals", "59408-5", "Oxygen saturation by pulse oximetry", "%", 92, 99),
    ("labs", "2823-3", "Potassium [Moles/volume] in Serum or Plasma", "mmol/L", 3.6, 4.9),
    ("labs", "1742-6", "Alanine aminotransferase", "U/L", 10, 60),
    ("labs", "2345-7", "Glucose [Mass/volume] in Serum or Plasma", "mg/dL", 80, 220),
    ("labs", "4548-4", "Hemoglobin A1c", "%", 5.5, 9.5),
    ("labs", "718-7", "Hemoglobin [Mass/volume] in Blood", "g/dL", 10, 16),
    ("scores", "72514-3", "Pain severity 0-10", "{score}", 0, 10),
)
SIGS = (
    ("Take 1 tablet by mouth once daily", 1, 1, False),
    ("Take 1 tablet by mouth twice daily", 2, 1, False),
    ("Take 1 capsule by mouth three times daily", 3, 1, False),
    ("Take 1 tablet every 6 hours as needed for pain", 1, 0.25, True),
)
SHARES = (("observation", 0.52), ("condition", 0.16), ("medication", 0.20), ("dispense", 0.08), ("allergy", 0.04))
"""Shares of the bytes of a chart, by kind of resource."""


def order_sign(wanted_bytes: int, seed: int) -> bytes:
    """A request of nearly this size, an oxycodone draft among it. The same size and seed give the same bytes."""
    return json.dumps(_Chart(seed).request(wanted_bytes)).encode()


class _Chart:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.made = 0
        self.prefetch: dict[str, list[dict[str, Any]]] = {
            key: []
            for key in (
                "conditions", "medications", "statements", "dispenses", "allergies", "procedures",
                "egfr", "creatinine", "weight", "vitals", "labs", "scores",
            )
        }  # fmt: skip

    def request(self, wanted_bytes: int) -> dict[str, Any]:
        self.condition()
        self.observation()
        spent = dict.fromkeys((kind for kind, _ in SHARES), 0)
        left = wanted_bytes - 5200
        while left > 0:
            kind = min(SHARES, key=lambda share: spent[share[0]] / share[1])[0]
            size = len(json.dumps(getattr(self, kind)())) + 90
            spent[kind] += size
            left -= size
        draft = self.prescription("1049621", "oxycodone hydrochloride 5 MG Oral Tablet", SIGS[3], TODAY)
        draft |= {"id": "draft-1", "status": "draft"}
        prefetch: dict[str, Any] = {key: _bundle("searchset", found) for key, found in self.prefetch.items()}
        prefetch["patient"] = {
            "resourceType": "Patient", "id": "synthetic", "meta": {"tag": [SYNTHETIC]}, "gender": "female",
            "birthDate": f"{self.random.randint(1945, 1990)}-06-15",
        }  # fmt: skip
        return {
            "hook": "order-sign",
            "hookInstance": str(UUID(int=self.random.getrandbits(128), version=4)),
            "context": {
                "userId": "Practitioner/synthetic",
                "patientId": "synthetic",
                "draftOrders": _bundle("collection", [draft]),
            },
            "prefetch": prefetch,
        }

    def condition(self) -> dict[str, Any]:
        icd, snomed, display = CONDITIONS[len(self.prefetch["conditions"]) % len(CONDITIONS)]
        system = "http://terminology.hl7.org/CodeSystem/condition-"
        return self._add(
            "conditions",
            {
                "resourceType": "Condition",
                "clinicalStatus": {"coding": [{"system": system + "clinical", "code": "active"}]},
                "verificationStatus": {"coding": [{"system": system + "ver-status", "code": "confirmed"}]},
                "category": [{"coding": [{"system": system + "category", "code": "problem-list-item"}]}],
                "code": {
                    "coding": [
                        {"system": ICD10, "code": icd, "display": display},
                        {"system": SNOMED, "code": snomed, "display": display},
                    ],
                    "text": display,
                },
                "subject": {"reference": "Patient/synthetic"},
                "onsetDateTime": self._day(3000).isoformat(),
                "recordedDate": self._day(900).isoformat(),
            },
        )

    def medication(self) -> dict[str, Any]:
        listed = len(self.prefetch["medications"])
        code, name = DRUGS[listed % len(DRUGS)]
        order = self.prescription(code, name, self.random.choice(SIGS[:3]), self._day(150 if listed < 30 else 1500))
        order["status"] = "active" if listed < 30 else self.random.choice(["completed", "stopped"])
        return self._add("medications", order)

    def prescription(self, code: str, name: str, sig: tuple[Any, ...], written: date) -> dict[str, Any]:
        text, frequency, period, as_needed = sig
        return {
            "resourceType": "MedicationRequest",
            "intent": "order",
            "category": [{"coding": [{"code": "community", "display": "Community"}]}],
            "medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": code, "display": name}], "text": name},
            "subject": {"reference": "Patient/synthetic"},
            "authoredOn": f"{written}T09:30:00Z",
            "requester": {"reference": f"Practitioner/synthetic-{self.random.randint(1, 5)}"},
            "dosageInstruction": [
                {
                    "sequence": 1,
                    "text": text,
                    "timing": {"repeat": {"frequency": frequency, "period": period, "periodUnit": "d"}},
                    "asNeededBoolean": as_needed,
                    "route": {"coding": [{"system": SNOMED, "code": "26643006", "display": "Oral route"}]},
                    "doseAndRate": [{"doseQuantity": {"value": 1, "unit": "tablet", "system": UCUM, "code": "{tbl}"}}],
                }
            ],
            "dispenseRequest": {
                "numberOfRepeatsAllowed": self.random.randint(0, 3),
                "quantity": {"value": 60, "unit": "tablet"},
                "expectedSupplyDuration": {"value": 30, "unit": "days", "system": UCUM, "code": "d"},
            },
        }

    def dispense(self) -> dict[str, Any]:
        code, name = self.random.choice(DRUGS)
        handed_over = f"{self._day(600)}T15:00:00Z"
        return self._add(
            "dispenses",
            {
                "resourceType": "MedicationDispense",
                "status": "completed",
                "medicationCodeableConcept": {
                    "coding": [{"system": RXNORM, "code": code, "display": name}],
                    "text": name,
                },
                "subject": {"reference": "Patient/synthetic"},
                "quantity": {"value": 30, "unit": "tablet"},
                "daysSupply": {"value": 30, "unit": "days", "system": UCUM, "code": "d"},
                "whenPrepared": handed_over,
                "whenHandedOver": handed_over,
            },
        )

    def observation(self) -> dict[str, Any]:
        key, code, display, unit, low, high = MEASURED[self.made % len(MEASURED)]
        value = round(self.random.uniform(low, high), 1)
        taken = f"{self._day(700)}T08:{self.random.randint(10, 59)}:00Z"
        category = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}
        return self._add(
            key,
            {
                "resourceType": "Observation",
                "status": "final",
                "category": [{"coding": [category]}],
                "code": {"coding": [{"system": LOINC, "code": code, "display": display}], "text": display},
                "subject": {"reference": "Patient/synthetic"},
                "encounter": {"reference": f"Encounter/synthetic-{self.random.randint(1, 90)}"},
                "effectiveDateTime": taken,
                "issued": taken,
                "valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit},
                "referenceRange": [{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}],
            },
        )

    def allergy(self) -> dict[str, Any]:
        return self._add(
            "allergies",
            {
                "resourceType": "AllergyIntolerance",
                "clinicalStatus": {"coding": [{"code": "active"}]},
                "type": "allergy",
                "category": ["food"],
                "criticality": "low",
                "code": {"coding": [{"system": SNOMED, "code": "91935009"}], "text": "Allergy to peanut"},
                "patient": {"reference": "Patient/synthetic"},
                "recordedDate": self._day(2000).isoformat(),
            },
        )

    def _add(self, key: str, resource: dict[str, Any]) -> dict[str, Any]:
        self.made += 1
        resource["id"] = f"synthetic-{self.made}"
        resource["meta"] = {"versionId": "1", "lastUpdated": "2026-02-20T10:00:00Z", "tag": [SYNTHETIC]}
        self.prefetch[key].append(resource)
        return resource

    def _day(self, within: int) -> date:
        return TODAY - timedelta(days=self.random.randint(1, within))


def _bundle(kind: str, resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [
        {"fullUrl": f"https://ehr.invalid/fhir/{resource['resourceType']}/{resource['id']}", "resource": resource}
        for resource in resources
    ]
    return {"resourceType": "Bundle", "type": kind, "total": len(entries), "entry": entries}
