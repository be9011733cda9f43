"""Plain order -> FHIR resource of the request's version. (``hooks.fhir_update`` changes the client's own draft.)

Resources are built as plain dictionaries, which costs microseconds; ``check_templates`` has ``fhir.resources`` validate
one of each kind in each version when the program starts, and the tests many more. No nulls, no empty values.
DSTU2 has no created orders: it is answered with deletes, updates and text.
"""

import importlib
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from cds.orders import RXNORM, PlainOrder, Step
from hooks.fhir_update import DAY, UCUM, Version, days_of_supply, json_number, write_update

__all__ = ["TemplateError", "Version", "check_templates", "validate", "write_order", "write_update"]

HOUR = "h"
MODULES = {"STU3": "fhir.resources.STU3", "R4": "fhir.resources.R4B", "R5": "fhir.resources"}


class TemplateError(Exception):
    """An order that this program writes is not valid FHIR. The message names the version and the kind."""


# Creating


def write_order(
    order: PlainOrder,
    version: Version,
    subject: str,
    authored_on: str,
    encounter: str | None = None,
    requester: str | None = None,
) -> dict[str, Any] | None:
    """The order as a draft resource; None in DSTU2. References are ``Type/id``; ``authored_on`` is an instant or a day.

    A requester counts only where it is a Practitioner or PractitionerRole (STU3: a Practitioner).
    """
    if version == "DSTU2":
        return None
    return _resource(order, version, subject, authored_on, encounter, requester)


def _resource(
    order: PlainOrder, version: Version, subject: str, authored_on: str, encounter: str | None, requester: str | None
) -> dict[str, Any]:
    resource = dict(_remembered(order, version)) if order.fixed else _without_patient(order, version)
    resource["subject"] = {"reference": subject}
    resource["authoredOn"] = authored_on
    if encounter:
        resource["context" if version == "STU3" else "encounter"] = {"reference": encounter}
    if requester and requester.startswith(
        ("Practitioner/", "PractitionerRole/") if version != "STU3" else "Practitioner/"
    ):
        signer = {"reference": requester}
        resource["requester"] = {"agent": signer} if version == "STU3" else signer
    return resource


def _without_patient(order: PlainOrder, version: Version) -> dict[str, Any]:
    return _medication_request(order, version) if order.kind == "medication" else _service_request(order, version)


_remembered = lru_cache(maxsize=64)(_without_patient)
"""Of orders that are the same for everybody; what is inside it is shared and never changed."""


def _medication_request(order: PlainOrder, version: Version) -> dict[str, Any]:
    drug = _concept(order)
    resource: dict[str, Any] = {"resourceType": "MedicationRequest", "status": "draft", "intent": "order"}
    if version == "R5":
        resource["medication"] = {"concept": drug}
    else:
        resource["medicationCodeableConcept"] = drug
    _add_why(resource, order, version)
    resource["dosageInstruction"] = [_dosage(step, at, order, version) for at, step in enumerate(order.steps, 1)]
    supply: dict[str, Any] = {}
    # STU3 has a positive integer here: no repeats is said by leaving it out.
    if order.repeats or version != "STU3":
        supply["numberOfRepeatsAllowed"] = order.repeats
    if order.quantity is not None:
        supply["quantity"] = _quantity(order.quantity, order.quantity_unit)
    if order.days is not None:
        supply["expectedSupplyDuration"] = days_of_supply(order.days)
    if supply:
        resource["dispenseRequest"] = supply
    if order.prior and order.prior.startswith("MedicationRequest/"):
        resource["priorPrescription"] = {"reference": order.prior}
    return resource


def _service_request(order: PlainOrder, version: Version) -> dict[str, Any]:
    kind = "ProcedureRequest" if version == "STU3" else "ServiceRequest"
    code = _concept(order)
    resource: dict[str, Any] = {"resourceType": kind, "status": "draft", "intent": "order"}
    resource["code"] = {"concept": code} if version == "R5" else code
    _add_why(resource, order, version)
    return resource


def _add_why(resource: dict[str, Any], order: PlainOrder, version: Version) -> None:
    if order.reason:
        reason = {"text": order.reason}
        resource["reason" if version == "R5" else "reasonCode"] = [{"concept": reason} if version == "R5" else reason]
    if order.note:
        resource["note"] = [{"text": order.note}]


def _concept(order: PlainOrder) -> dict[str, Any]:
    concept: dict[str, Any] = {"text": order.text}
    if order.code:
        coding = {"system": order.system or RXNORM, "code": order.code}
        concept["coding"] = [{**coding, "display": order.display} if order.display else coding]
    return concept


def _dosage(step: Step, at: int, order: PlainOrder, version: Version) -> dict[str, Any]:
    dosage: dict[str, Any] = {"sequence": at, "text": step.text}
    repeat: dict[str, Any] = {}
    if step.days is not None:
        repeat["boundsDuration"] = days_of_supply(step.days)
    if step.times:
        repeat["frequency"] = step.times
        whole_days, rest = divmod(step.period_hours, 24)
        repeat["period"] = step.period_hours if rest else whole_days
        repeat["periodUnit"] = HOUR if rest else DAY
    if step.at_night:
        repeat["when"] = ["HS"]
    if repeat:
        dosage["timing"] = {"repeat": repeat}
    if step.as_needed and version == "R5":
        dosage |= {"asNeeded": True, "asNeededFor": [{"text": step.as_needed}]}
    elif step.as_needed:
        dosage["asNeededCodeableConcept"] = {"text": step.as_needed}
    if order.route:
        dosage["route"] = {"text": order.route}
    most = _quantity(step.amount, step.unit)
    dose: dict[str, Any] = {"doseQuantity": most}
    if step.fewest is not None:
        dose = {"doseRange": {"low": _quantity(step.fewest, step.unit), "high": most}}
    return dosage | (dose if version == "STU3" else {"doseAndRate": [dose]})


def _quantity(amount: Decimal, unit: str | None) -> dict[str, Any]:
    quantity: dict[str, Any] = {"value": json_number(amount)}
    return quantity | {"unit": unit, "system": UCUM, "code": f"{{{unit}}}"} if unit else quantity


# Checking


def validate(resource: Mapping[str, Any], version: Version) -> None:
    """Has ``fhir.resources`` read a resource of this version. Raises ``TemplateError``; never for use in a request."""
    kind = str(resource["resourceType"])
    module = importlib.import_module(f"{MODULES[version]}.{kind.lower()}")
    try:
        getattr(module, kind).model_validate(dict(resource))
    except ValueError as error:
        raise TemplateError(f"{kind} of {version}: {error}") from None


def check_templates() -> None:
    """Validates one order of each kind in each FHIR version. Called once when the program starts; takes seconds."""
    steps = (
        Step(Decimal(1), "capsule", Decimal(300), 1, "1 capsule (300 mg) at night for 3 days", at_night=True, days=3),
        Step(Decimal(2), "capsule", Decimal(600), 1, "then 2 capsules every 12 hours", period_hours=12),
        Step(Decimal(3), "patch", None, 1, "1 to 3 patches", fewest=Decimal(1)),
        Step(Decimal("0.5"), "spray", None, 0, "half a spray", as_needed="an emergency"),
        Step(Decimal(1), "tablet", Decimal(5), 1, "1 tablet every 6 hours", period_hours=6, as_needed="pain"),
    )
    orders = (
        PlainOrder(
            "medication", "gabapentin 300 MG Oral Capsule", "310431", RXNORM, "gabapentin 300 MG Oral Capsule",
            "gabapentin", steps, Decimal(90), "capsule", 30, 1, "postherpetic neuralgia", "Review.",
            "MedicationRequest/1", "oral",
        ),
        PlainOrder("medication", "naloxone 4 MG Nasal Spray", "7242", RXNORM, steps=steps[3:]),
        PlainOrder("service", "referral to a pain specialist", None, None, reason="before a tricyclic", note="First."),
        PlainOrder("service", "12-lead electrocardiogram", "11524-6", "http://loinc.org", "EKG study"),
    )  # fmt: skip
    day = date(2026, 1, 31).isoformat()
    versions: tuple[Version, ...] = ("STU3", "R4", "R5")
    for version in versions:
        for order in orders:
            validate(_resource(order, version, "Patient/1", day, "Encounter/1", "Practitioner/1"), version)
