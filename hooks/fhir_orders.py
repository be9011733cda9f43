"""FHIR orders, statements and dispenses of a drug, of every version -> ``cds.chart.MedicationOrder``."""

from msgspec import Raw, Struct
from msgspec.structs import replace

from cds.chart import Dosage, MedicationOrder, Reason
from cds.status_reasons import stopped_for
from hooks import fhir_shapes as shapes
from hooks.fhir_clinical import read_reasons, stated_reason
from hooks.fhir_days import FIRST_DAYS, first_day, last_day
from hooks.fhir_dosage import DOSAGES, NO_DOSAGES, Dosages
from hooks.fhir_elements import CODES, DURATIONS, NOTHING, codes, concepts, period, present
from hooks.fhir_loose import fields_of
from hooks.fhir_medications import named_drug
from hooks.fhir_pointers import identifiers, plain_ref, pointers, refs
from hooks.fhir_records import Records
from hooks.fhir_shapes import ABSENT
from hooks.fhir_supply import AMOUNTS, NO_SUPPLY, SUPPLIES
from hooks.remembered import Remembered

ENDED = frozenset({"stopped", "completed", "cancelled", "ended"})
ADHERENCE = {"not-taking": "not-taken", "stopped": "stopped", "on-hold": "on-hold"}
"""R5 says in ``adherence`` what the status of a statement said before."""


class ReadOrder(Struct, frozen=True, gc=False):
    """One drug record as read. ``odd``: part of it could not be read; ``missing``: the Medication it refers to that did
    not come with the request; ``version``: the FHIR version that its shape betrays, or None."""

    order: MedicationOrder
    odd: bool = False
    missing: str | None = None
    version: str | None = None


def read_request(ref: str, sent: shapes.MedicationRequest, records: Records) -> ReadOrder | None:
    """MedicationRequest (STU3, R4, R5). None for one that says what must not be given: it orders nothing."""
    if sent.do_not_perform:
        return None
    dosages = DOSAGES.of(sent.dosage_instruction) if sent.dosage_instruction else NO_DOSAGES
    if sent.rendered_dosage_instruction:
        dosages = _rendered(dosages, sent.rendered_dosage_instruction)
    named = named_drug(sent, dosages.route, records)
    if sent.reason_code or sent.reason_reference or sent.reason or dosages.asked_for:
        reasons, odd = _reasons(sent, dosages, records)
    else:
        reasons, odd = (), dosages.odd
    status = WORDS[sent.status]
    supply = SUPPLIES[bytes(sent.dispense_request)] if sent.dispense_request else NO_SUPPLY
    requester = (plain_ref(sent.requester) or _requester(sent.requester)) if sent.requester else None
    linked = sent.prior_prescription or sent.based_on or sent.replaces
    follows = _links(sent.prior_prescription, sent.based_on, sent.replaces) if linked else NOTHING
    reported = sent.reported_boolean or sent.reported or sent.reported_reference
    order = MedicationOrder(  # in the order of its fields: names make it four times as slow, and there are many
        ref,
        "request",
        named.drug,
        named.name,
        status,
        WORDS[sent.intent],
        _reported(sent) if reported else False,
        FIRST_DAYS[sent.authored_on] if sent.authored_on else None,
        None,  # start
        last_day(sent.status_changed) if sent.status_changed and status in ENDED else None,
        dosages.dosages,
        supply.days,
        supply.quantity,
        supply.repeats,
        supply.valid_from,
        supply.valid_to,
        requester,
        identifiers(sent.identifier) if sent.identifier else NOTHING,
        follows,
        reasons,
        _stopped_for(sent.status_reason) if sent.status_reason else None,
        CODES.of(sent.category) if sent.category else NOTHING,
    )
    odd = odd or named.odd or supply.odd
    if (sent.requester and not requester) or (sent.prior_prescription and not follows):
        odd = odd or (not requester and _nameless(sent.requester))
        odd = odd or (not follows and _nameless(sent.prior_prescription))
    newest = (sent.medication or sent.reason) and (present(sent.medication) or present(sent.reason))
    return ReadOrder(order, odd, named.missing, "R5" if newest else dosages.version)


def read_order(ref: str, sent: shapes.MedicationOrder, records: Records) -> ReadOrder:
    """DSTU2's MedicationOrder."""
    dosages = DOSAGES.of(sent.dosage_instruction) if sent.dosage_instruction else NO_DOSAGES
    named = named_drug(sent, dosages.route, records)
    reasons, odd = _reasons(sent, dosages, records, sent.reason_codeable_concept)
    supply = SUPPLIES[bytes(sent.dispense_request)] if sent.dispense_request else NO_SUPPLY
    order = MedicationOrder(
        ref,
        "request",
        named.drug,
        named.name,
        WORDS[sent.status],
        dosages=dosages.dosages,
        identifiers=identifiers(sent.identifier),
        reasons=reasons,
        stopped_for=_stopped_for(sent.reason_ended) or _stopped_for(sent.status_reason),
        category=codes(sent.category),
        authored=first_day(sent.date_written),
        end=last_day(sent.date_ended),
        requester=_requester(sent.prescriber) if sent.prescriber else None,
        follows=refs(sent.prior_prescription),
        supply_days=supply.days,
        quantity=supply.quantity,
        repeats=supply.repeats,
        valid_from=supply.valid_from,
        valid_to=supply.valid_to,
    )
    odd = odd or named.odd or supply.odd or (not order.requester and _nameless(sent.prescriber))
    odd = odd or (not order.follows and _nameless(sent.prior_prescription))
    return ReadOrder(order, odd, named.missing, "DSTU2")


def read_statement(ref: str, sent: shapes.MedicationStatement, records: Records) -> ReadOrder:
    """MedicationStatement of every version."""
    dosages = DOSAGES.of(sent.dosage) if sent.dosage else NO_DOSAGES
    if sent.rendered_dosage_instruction:
        dosages = _rendered(dosages, sent.rendered_dosage_instruction)
    named = named_drug(sent, dosages.route, records)
    reasons, odd = _reasons(sent, dosages, records, sent.reason_for_use_codeable_concept, sent.reason_for_use_reference)
    runs = period(bytes(sent.effective_period))
    adherence = fields_of(sent.adherence) or {} if sent.adherence else {}
    causes = (sent.status_reason, sent.reason_not_taken, adherence.get("reason", ABSENT))
    order = MedicationOrder(
        ref,
        "statement",
        named.drug,
        named.name,
        _statement_status(WORDS[sent.status], sent, adherence.get("code", ABSENT)),
        dosages=dosages.dosages,
        identifiers=identifiers(sent.identifier),
        reasons=reasons,
        stopped_for=next(filter(None, map(_stopped_for, causes)), None),
        category=codes(sent.category),
        authored=first_day(sent.date_asserted),
        start=first_day(runs.start or sent.effective_date_time),
        end=last_day(runs.end),
        follows=_links(sent.based_on, sent.derived_from),
    )
    return ReadOrder(order, odd or named.odd, named.missing, dosages.version)


def read_dispense(ref: str, sent: shapes.MedicationDispense, records: Records) -> ReadOrder:
    """MedicationDispense of every version."""
    dosages = DOSAGES.of(sent.dosage_instruction) if sent.dosage_instruction else NO_DOSAGES
    if sent.rendered_dosage_instruction:
        dosages = _rendered(dosages, sent.rendered_dosage_instruction)
    named = named_drug(sent, dosages.route, records)
    if sent.reason_code or sent.reason_reference or sent.reason or dosages.asked_for:
        reasons, odd = _reasons(sent, dosages, records)
    else:
        reasons, odd = (), dosages.odd
    prepared = sent.when_prepared
    given = sent.when_handed_over or prepared
    causes = (sent.status_reason, sent.status_reason_codeable_concept, sent.not_performed_reason)
    linked = sent.authorizing_prescription or sent.based_on
    order = MedicationOrder(  # in the order of its fields, as in ``read_request``
        ref,
        "dispense",
        named.drug,
        named.name,
        WORDS[sent.status],
        None,  # intent
        False,  # reported
        FIRST_DAYS[prepared] if prepared else None,
        FIRST_DAYS[given] if given else None,
        None,  # end
        dosages.dosages,
        DURATIONS.of(sent.days_supply) if sent.days_supply else None,
        AMOUNTS.of(sent.quantity) if sent.quantity else None,
        None,  # repeats
        None,  # valid from
        None,  # valid to
        None,  # requester
        identifiers(sent.identifier) if sent.identifier else NOTHING,
        _links(sent.authorizing_prescription, sent.based_on) if linked else NOTHING,
        reasons,
        next(filter(None, map(_stopped_for, causes)), None) if any(causes) else None,
        CODES.of(sent.category) if sent.category else NOTHING,
    )
    return ReadOrder(order, odd or named.odd, named.missing, dosages.version)


def _reasons(
    sent: shapes.DrugRecord, dosages: Dosages, records: Records, *further: Raw
) -> tuple[tuple[Reason, ...], bool]:
    """Why the drug is given, each reason once, and whether any of its words or doses could not be read. ``further``:
    the elements in which this kind of record states reasons beside the usual ones."""
    odd = dosages.odd
    stated: dict[Reason, None] = {}
    for raw in (*further, sent.reason_code, sent.reason_reference, sent.reason):
        if raw:
            odd = odd or pointers(bytes(raw)) is None
            stated.update(dict.fromkeys(read_reasons(raw, sent, records)))
    for said in dosages.asked_for:
        reason = stated_reason(said)
        if reason is not None:
            stated[reason] = None
    return tuple(stated), odd


def _links(*sent: Raw) -> frozenset[str]:
    return NOTHING.union(*map(refs, sent))


def _rendered(found: Dosages, rendered: str) -> Dosages:
    """R5's text of all instructions counts where there are none."""
    if found.dosages or not rendered.strip():
        return found
    return replace(found, dosages=(Dosage(text=rendered.strip()),))


def _nameless(sent: Raw) -> bool:
    """Whether this element, of which nothing was read, is there and names nothing."""
    return present(sent) and not pointers(bytes(sent))


def _requester(raw: Raw) -> str | None:
    """The prescriber's reference, else name, where it is no plain reference. Not remembered: it names somebody."""
    found = pointers(bytes(raw)) or ()
    return next((pointer.ref or pointer.display for pointer in found if pointer.ref or pointer.display), None)


def _statement_status(status: str | None, sent: shapes.MedicationStatement, adherence: Raw) -> str | None:
    if sent.was_not_taken or (sent.taken or "").casefold() in {"n", "not-taken"}:
        return "not-taken"
    if status != "recorded":
        return status
    said = codes(adherence)
    return next((ADHERENCE[word] for word in sorted(said) if word in ADHERENCE), "active")


def _stopped_for(raw: Raw) -> str | None:
    if not raw:
        return None
    found = {stopped_for(named) for named in concepts(bytes(raw)) or ()}
    return "intolerance" if "intolerance" in found else "failure" if "failure" in found else None


def _reported(sent: shapes.MedicationRequest) -> bool:
    """R5's ``reported``: true, or a reference to who reported it."""
    told = bool(sent.reported) and bytes(sent.reported) not in {b"null", b"false"}
    return bool(sent.reported_boolean) or told or present(sent.reported_reference)


def _word(text: str | None) -> str | None:
    return text.strip().casefold() or None if text else None


WORDS = Remembered(_word)
