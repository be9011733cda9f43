"""FHIR resources as they arrive: one typed shape for each kind that the review reads, of all FHIR versions at once.

Only the elements that are read stand here. An element with parts of its own stays ``Raw`` until it is used, so that an
odd one costs that element and not its resource. ``read_answer`` and ``read_loosely`` take whatever is sent.
"""

from typing import TYPE_CHECKING, Union

import msgspec
from msgspec import Raw, Struct

ABSENT = Raw()
UNREADABLE_JSON = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a decoder raises for bytes that are no JSON, or not of the shape asked for."""


class Resource(Struct, rename="camel", tag_field="resourceType", tag=True, gc=False):
    """What every resource has."""

    id: str | None = None
    meta: Raw = ABSENT
    contained: Raw = ABSENT

    @property
    def type_name(self) -> str:
        return type(self).__name__

    @property
    def ref(self) -> str:
        """``Type/id``, or the type alone where there is no id."""
        return f"{type(self).__name__}/{self.id}" if self.id else type(self).__name__


class Unread(Resource):
    """A resource of a kind that says nothing to the review."""


class Patient(Resource):
    birth_date: str | None = None
    gender: str | None = None


class Encounter(Resource):
    status: str | None = None
    encounter_class: Raw = msgspec.field(default=ABSENT, name="class")
    type: Raw = ABSENT
    service_type: Raw = ABSENT
    period: Raw = ABSENT
    actual_period: Raw = ABSENT
    reason: Raw = ABSENT
    reason_code: Raw = ABSENT
    reason_reference: Raw = ABSENT
    indication: Raw = ABSENT
    diagnosis: Raw = ABSENT


class Condition(Resource):
    clinical_status: Raw = ABSENT
    verification_status: Raw = ABSENT
    category: Raw = ABSENT
    severity: Raw = ABSENT
    code: Raw = ABSENT
    body_site: Raw = ABSENT
    encounter: Raw = ABSENT
    context: Raw = ABSENT
    onset_date_time: str | None = None
    onset_period: Raw = ABSENT
    abatement_date_time: str | None = None
    abatement_period: Raw = ABSENT
    abatement_age: Raw = ABSENT
    abatement_range: Raw = ABSENT
    abatement_string: str | None = None
    abatement_boolean: bool | None = None
    recorded_date: str | None = None
    asserted_date: str | None = None
    date_recorded: str | None = None


class AllergyIntolerance(Resource):
    clinical_status: Raw = ABSENT
    verification_status: Raw = ABSENT
    status: str | None = None
    type: Raw = ABSENT
    criticality: str | None = None
    code: Raw = ABSENT
    substance: Raw = ABSENT
    reaction: Raw = ABSENT


class Measured(Resource):
    """What Observation and DiagnosticReport share."""

    status: str | None = None
    code: Raw = ABSENT
    effective_date_time: str | None = None
    effective_instant: str | None = None
    effective_period: Raw = ABSENT
    issued: str | None = None


class Observation(Measured):
    value_quantity: Raw = ABSENT
    value_codeable_concept: Raw = ABSENT
    value_string: Raw = ABSENT
    value_integer: Raw = ABSENT
    value_decimal: Raw = ABSENT
    value_boolean: Raw = ABSENT
    value_date_time: Raw = ABSENT
    value_date: Raw = ABSENT
    interpretation: Raw = ABSENT
    reference_range: Raw = ABSENT
    component: Raw = ABSENT


class DiagnosticReport(Measured):
    pass


class Procedure(Resource):
    status: str | None = None
    not_performed: bool | None = None
    category: Raw = ABSENT
    code: Raw = ABSENT
    performed_date_time: str | None = None
    performed_period: Raw = ABSENT
    occurrence_date_time: str | None = None
    occurrence_period: Raw = ABSENT


class Document(Resource):
    """What papers share: consents, documents, care plans, answered questionnaires."""

    status: str | None = None
    doc_status: str | None = None
    scope: Raw = ABSENT
    category: Raw = ABSENT
    type: Raw = ABSENT
    document_class: Raw = msgspec.field(default=ABSENT, name="class")
    title: str | None = None
    description: str | None = None
    content: Raw = ABSENT
    questionnaire: Raw = ABSENT
    item: Raw = ABSENT
    date: str | None = None
    date_time: str | None = None
    created: str | None = None
    indexed: str | None = None
    authored: str | None = None
    period: Raw = ABSENT


class Consent(Document):
    pass


class DocumentReference(Document):
    pass


class CarePlan(Document):
    pass


class QuestionnaireResponse(Document):
    pass


class Medication(Resource):
    code: Raw = ABSENT
    form: Raw = ABSENT
    dose_form: Raw = ABSENT
    ingredient: Raw = ABSENT
    product: Raw = ABSENT


class DrugRecord(Resource):
    """What orders, statements and dispenses of a drug share."""

    status: str | None = None
    status_reason: Raw = ABSENT
    identifier: Raw = ABSENT
    category: Raw = ABSENT
    medication: Raw = ABSENT
    medication_codeable_concept: Raw = ABSENT
    medication_reference: Raw = ABSENT
    based_on: Raw = ABSENT
    reason: Raw = ABSENT
    reason_code: Raw = ABSENT
    reason_reference: Raw = ABSENT
    note: Raw = ABSENT


class MedicationRequest(DrugRecord):
    intent: str | None = None
    do_not_perform: bool | None = None
    reported: Raw = ABSENT
    reported_boolean: bool | None = None
    reported_reference: Raw = ABSENT
    authored_on: str | None = None
    status_changed: str | None = None
    requester: Raw = ABSENT
    dosage_instruction: Raw = ABSENT
    rendered_dosage_instruction: str | None = None
    dispense_request: Raw = ABSENT
    prior_prescription: Raw = ABSENT
    replaces: Raw = ABSENT


class MedicationOrder(DrugRecord):
    """DSTU2's order."""

    date_written: str | None = None
    date_ended: str | None = None
    reason_ended: Raw = ABSENT
    prescriber: Raw = ABSENT
    reason_codeable_concept: Raw = ABSENT
    dosage_instruction: Raw = ABSENT
    dispense_request: Raw = ABSENT
    prior_prescription: Raw = ABSENT


class MedicationStatement(DrugRecord):
    effective_date_time: str | None = None
    effective_period: Raw = ABSENT
    date_asserted: str | None = None
    taken: str | None = None
    was_not_taken: bool | None = None
    reason_not_taken: Raw = ABSENT
    reason_for_use_codeable_concept: Raw = ABSENT
    reason_for_use_reference: Raw = ABSENT
    adherence: Raw = ABSENT
    derived_from: Raw = ABSENT
    dosage: Raw = ABSENT
    rendered_dosage_instruction: str | None = None


class MedicationUsage(MedicationStatement):
    """R5's draft name of MedicationStatement."""


class MedicationDispense(DrugRecord):
    when_prepared: str | None = None
    when_handed_over: str | None = None
    days_supply: Raw = ABSENT
    quantity: Raw = ABSENT
    dosage_instruction: Raw = ABSENT
    rendered_dosage_instruction: str | None = None
    authorizing_prescription: Raw = ABSENT
    status_reason_codeable_concept: Raw = ABSENT
    not_performed_reason: Raw = ABSENT


class OperationOutcome(Resource):
    pass


class Search(Struct, gc=False):
    mode: str | None = None


class Link(Struct, gc=False):
    relation: str | None = None
    url: str | None = None


READ: tuple[type[Resource], ...] = (
    Patient, Encounter, Condition, AllergyIntolerance, Observation, DiagnosticReport, Procedure, Medication,
    MedicationRequest, MedicationOrder, MedicationStatement, MedicationUsage, MedicationDispense,
    Consent, DocumentReference, CarePlan, QuestionnaireResponse,
)  # fmt: skip
READ_TYPES = {shape.__name__: shape for shape in READ}
PASSED_OVER = tuple(
    msgspec.defstruct(name, [], bases=(Unread,))
    for name in (
        "Appointment", "CareTeam", "Claim", "Coverage", "Device", "DeviceRequest", "DiagnosticOrder",
        "FamilyMemberHistory", "Flag", "Goal", "Group", "Immunization", "List",
        "Location", "MedicationAdministration", "NutritionOrder", "Organization", "Person", "Practitioner",
        "PractitionerRole", "ProcedureRequest", "Provenance", "Questionnaire",
        "RelatedPerson", "RiskAssessment", "ServiceRequest", "Specimen", "Task", "VisionPrescription",
    )
)  # fmt: skip
"""Kinds that are often sent and never read. One that is missing here costs time, nothing else."""


class Bundle(Resource):
    total: int | None = None
    link: list[Link] | None = None
    entry: "list[Entry] | None" = None

    @property
    def next_page(self) -> str | None:
        """The address of the following page; None where this is the last."""
        return next((link.url or "" for link in self.link or () if link.relation == "next"), None)


if TYPE_CHECKING:
    AnyResource = Resource
else:
    AnyResource = Union[(*READ, *PASSED_OVER, Bundle, OperationOutcome)]


class Entry(Struct, rename="camel", gc=False):
    """One entry of a Bundle."""

    resource: AnyResource | None = None
    full_url: str | None = None
    search: Search | None = None
