"""FHIR of any version -> the drafts of a signing and the ``Chart``. Never raises, whatever the JSON."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import msgspec
from msgspec import Raw, Struct
from msgspec.structs import replace

from cds.chart import ANSWERED, Chart, Encounter, MedicationOrder, Observation, Patient, Procedure
from hooks import fhir_shapes as shapes
from hooks.fhir_allergies import read_allergies
from hooks.fhir_clinical import MEANT, read_conditions, read_encounter, read_patient, read_procedure
from hooks.fhir_loose import Found, Lost, read_loosely
from hooks.fhir_observations import read_observations, read_report
from hooks.fhir_orders import ReadOrder, read_dispense, read_order, read_request, read_statement
from hooks.fhir_papers import read_papers
from hooks.fhir_pointers import local_ref
from hooks.fhir_records import Records, canonical, newer
from hooks.fhir_shapes import UNREADABLE_JSON, AnyResource, Resource
from hooks.prefetch import LATEST_FIRST, UNREADABLE, Prefetched
from hooks.prefetch_answers import OBSERVED

NOT_PROVIDED, PARTIAL = "not provided", "partial"
LISTS = {"request": "medications", "statement": "statements", "dispense": "dispenses"}
"""Where a record of this kind is asked for."""
DRAFTED = (shapes.MedicationRequest, shapes.MedicationOrder)
ENTERED_IN_ERROR = "entered-in-error"
UNDER_WAY = frozenset({"in-progress", "arrived", "triaged", "onleave", "on-hold"})

_resource = msgspec.json.Decoder(AnyResource)
_anything = msgspec.json.Decoder()


class Draft(Struct, frozen=True):
    """One draft order of the signing.

    ``raw`` is the client's own JSON, for an update (empty where it cannot be sent back); ``version`` the FHIR version
    that its shape shows ("DSTU2", "STU3", "R4", "R5"); ``full_url`` that of its entry; ``missing`` the Medication that
    it refers to and that did not come.
    """

    order: MedicationOrder
    raw: dict[str, Any]
    version: str
    full_url: str | None = None
    missing: str | None = None

    @property
    def ref(self) -> str:
        return self.order.ref


class Drafts(Struct, frozen=True):
    """The drafts by reference, and what of the entries could not be read."""

    drafts: tuple[Draft, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def orders(self) -> tuple[MedicationOrder, ...]:
        return tuple(draft.order for draft in self.drafts)

    def selected(self, selections: Iterable[str]) -> frozenset[str] | None:
        """The references of the selected drafts; None (all of them) where nothing matches."""
        wanted = set(selections)
        names = ((draft.ref, {draft.ref, draft.ref.partition("/")[2], draft.full_url}) for draft in self.drafts)
        return frozenset(ref for ref, called in names if not wanted.isdisjoint(called)) or None


class _Arrival(Struct):
    resource: Resource
    raw: Raw
    url: str | None


def read_drafts(entries: Sequence[tuple[Raw, str | None]], version: str, records: Records | None = None) -> Drafts:
    """The medication orders among the draft entries; other orders are left out.

    ``entries`` are resources with the ``fullUrl`` of their entry; ``version`` is the one to assume where the shape does
    not tell; ``records`` are the resources of the prefetch, for references.
    """
    arrivals: list[_Arrival] = []
    unreadable: set[str] = set()
    for raw, url in entries:
        try:
            arrivals.append(_Arrival(_resource.decode(raw), raw, url))
            continue
        except UNREADABLE_JSON:
            pass
        for found in _found(raw, url):
            if found.lost is not None:
                unreadable.add("draftOrders" if found.lost.wholly else found.lost.ref)
            elif found.resource is not None:
                arrivals.append(_Arrival(found.resource, raw, found.full_url))
    sent = [shapes.Entry(one.resource, one.url) for one in arrivals]
    known = Records(sent + list(records.arrived), records.site) if records else Records(sent)
    drafts: dict[tuple[str, str], tuple[Resource, Draft]] = {}
    for ref, arrival in _named(arrivals):
        read = _read_draft(ref, arrival.resource, known)
        if read is None:
            continue
        if read.order.status == ENTERED_IN_ERROR:  # an order signed as an error takes it back
            read = replace(read, order=replace(read.order, status="cancelled"))
        if read.odd:
            unreadable.add(ref)
        raw_fields = _raw_fields(arrival.raw)
        if raw_fields is None:  # reviewed all the same, but it cannot be sent back changed
            unreadable.add(ref)
        key = ref, read.order.drug.name if read.order.drug else read.order.name
        draft = Draft(read.order, raw_fields or {}, read.version or version, arrival.url, read.missing)
        if key not in drafts or newer(drafts[key][0], arrival.resource) is arrival.resource:
            drafts[key] = arrival.resource, draft
    return Drafts(tuple(draft for _, (_, draft) in sorted(drafts.items())), tuple(sorted(unreadable)))


def _found(raw: Raw, url: str | None) -> list[Found]:
    try:
        return list(read_loosely(raw, url))
    except RecursionError:
        return [Found(lost=Lost())]


def _named(arrivals: Iterable[_Arrival]) -> list[tuple[str, _Arrival]]:
    """Each draft with its reference: its id, else that of its fullUrl, else ``draft-<k>`` by canonical JSON."""
    named: list[tuple[str, _Arrival]] = []
    nameless: list[_Arrival] = []
    for arrival in arrivals:
        if not isinstance(arrival.resource, DRAFTED):
            continue
        if arrival.resource.id:
            named.append((arrival.resource.ref, arrival))
            continue
        url = local_ref(arrival.url) if arrival.url else ""
        if url.startswith(f"{arrival.resource.type_name}/"):
            named.append((url, arrival))
        else:
            nameless.append(arrival)
    nameless.sort(key=lambda arrival: (canonical(arrival.resource), bytes(arrival.raw)))
    named += [(f"{one.resource.type_name}/draft-{count}", one) for count, one in enumerate(nameless, start=1)]
    return named


def _read_draft(ref: str, resource: Resource, known: Records) -> ReadOrder | None:
    if isinstance(resource, shapes.MedicationRequest):
        return read_request(ref, resource, known)
    return read_order(ref, resource, known) if isinstance(resource, shapes.MedicationOrder) else None


def _raw_fields(raw: Raw) -> dict[str, Any] | None:
    try:
        found = _anything.decode(raw)
    except UNREADABLE_JSON:
        return None
    return found if isinstance(found, dict) else None


def read_chart(
    prefetched: Prefetched,
    today: date,
    patient_id: str | None = None,
    encounter_id: str | None = None,
    unreadable: Iterable[str] = (),
) -> Chart:
    """The chart of the request's patient on this day. ``unreadable`` adds what could not be read elsewhere."""
    records = prefetched.records
    odd = {*prefetched.unreadable, *unreadable}
    questions = dict(prefetched.questions)
    patient = _patient(records, patient_id)
    if patient is not None and patient.born_from is not None and patient.born_from > today:
        patient = Patient(sex=patient.sex)
        odd.add("Patient")
    if patient is None and questions["patient"] == ANSWERED:
        questions["patient"] = NOT_PROVIDED
    encounter = _encounter(records, encounter_id)
    if encounter is None and questions["encounter"] == ANSWERED:
        questions["encounter"] = NOT_PROVIDED
    medications = _medications(records, odd)
    for order in medications:  # a drug without any name may be any drug: the list is not known
        if order.drug is None and not order.name and questions[LISTS[order.kind]] == ANSWERED:
            questions[LISTS[order.kind]] = PARTIAL
    observations = _observations(records, odd)
    meanings = {one.meaning for one in observations}
    for question in LATEST_FIRST:  # a value under its own key of which nobody knows what was measured may be this one
        missed = questions[question] == ANSWERED and meanings.isdisjoint(OBSERVED[question])
        if missed and prefetched.holds_unrecognised(question):
            questions[question] = UNREADABLE
    return Chart(
        patient=patient or Patient(),
        encounter=encounter,
        conditions=read_conditions(records, today, odd, encounter_id or _only_encounter(records)),
        medications=medications,
        allergies=read_allergies(records, odd),
        observations=observations,
        procedures=_procedures(records, odd),
        questions=questions,
        unreadable=tuple(sorted(odd)),
        papers=read_papers(records, today, encounter_id),
    )


def _patient(records: Records, patient_id: str | None) -> Patient | None:
    """The patient of the request; where no id agrees, the only one that was sent."""
    sent = records.of(shapes.Patient)
    if len(sent) == 1:
        return read_patient(sent[0][1])
    named = [patient for _, patient in sent if patient.id == patient_id]
    return read_patient(named[0]) if named else None


def _encounter(records: Records, encounter_id: str | None) -> Encounter | None:
    """The encounter of the request; where it names none, the only one, or the latest that is under way."""
    sent = [encounter for _, encounter in records.of(shapes.Encounter)]
    if not sent:
        return None
    if encounter_id is not None:
        sent = [encounter for encounter in sent if encounter.id == encounter_id]
    elif len(sent) > 1:
        sent = [encounter for encounter in sent if (encounter.status or "").casefold() in UNDER_WAY]
    read = [read_encounter(encounter, records) for encounter in sent]
    return max(read, key=lambda encounter: encounter.start or date.min, default=None)


def _only_encounter(records: Records) -> str | None:
    """The id of the encounter of a request that names none, where one was sent."""
    sent = records.of(shapes.Encounter)
    return sent[0][1].id if len(sent) == 1 else None


def _procedures(records: Records, odd: set[str]) -> tuple[Procedure, ...]:
    procedures = []
    for ref, sent in records.of(shapes.Procedure):
        procedure = read_procedure(ref, sent)
        if procedure is not None:
            procedures.append(procedure)
            if not procedure.meanings and any(meaning.unread for _, meaning in MEANT.of(sent.code)):
                odd.add(ref)
    return tuple(procedures)


def _observations(records: Records, odd: set[str]) -> tuple[Observation, ...]:
    reports = [read_report(ref, sent) for ref, sent in records.of(shapes.DiagnosticReport)]
    return (*filter(None, reports), *read_observations(records, odd))


_READERS: tuple[tuple[type[Resource], Callable[[str, Any, Records], ReadOrder | None]], ...] = (
    (shapes.MedicationDispense, read_dispense),
    (shapes.MedicationOrder, read_order),
    (shapes.MedicationRequest, read_request),
    (shapes.MedicationStatement, read_statement),
    (shapes.MedicationUsage, read_statement),
)
"""In the order of their references."""


def _medications(records: Records, odd: set[str]) -> tuple[MedicationOrder, ...]:
    orders = []
    for kind, read in _READERS:
        for ref, sent in records.of(kind):
            found = read(ref, sent, records)
            if found is None:
                continue
            order = found.order
            orders.append(order)
            if found.odd or not order.name:
                odd.add(ref)
    return tuple(orders)
