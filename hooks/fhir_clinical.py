"""FHIR resources about the patient -> facts of ``cds.chart``: everything but the drugs."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from functools import lru_cache

from msgspec import Raw, Struct

from cds import terminology
from cds.chart import Condition, Encounter, Patient, Procedure, Reason
from cds.indication import is_one_place
from cds.terminology import Concept, ConditionMeaning
from hooks import fhir_shapes as shapes
from hooks.fhir_days import FIRST_DAYS, first_day, last_day
from hooks.fhir_elements import (
    CODES,
    NOTHING,
    REMEMBERED,
    codes,
    concept,
    concepts,
    period,
    present,
    printable,
    unreadable,
)
from hooks.fhir_pointers import Pointer, pointers, refs
from hooks.fhir_records import Records
from hooks.fhir_shapes import ABSENT
from hooks.remembered import Elements, Remembered

REFUTED = frozenset({"refuted", "entered-in-error"})
HISTORY = frozenset({"inactive", "remission", "resolved"})
NOT_ACTIVE = REFUTED | HISTORY
UNCERTAIN = frozenset({"provisional", "differential", "unconfirmed"})
NOT_DONE = frozenset({"not-done", "entered-in-error", "preparation"})
SURGICAL_PROCEDURE = "387713003"
"""SNOMED CT, the category of an operation."""
SURGERY, PALLIATIVE = "acute_or_surgical", "palliative"
OPERATION = re.compile(
    r"\b(?!phleb|ven)\w+(?:ectomy|plasty|otomy|ostomy|orrhaphy)\b"
    r"|\b(?:open reduction|internal fixation|orif|fusion|bypass|cabg|amputation|graft|carpal tunnel release"
    r"|(?:hernia|tendon|ligament|rotator cuff|fracture|laceration) repair|repair of"
    r"|(?:joint|hip|knee|shoulder|ankle|valve) replacement|(?:total|partial) replacement)\b"
)
"""Words of an operation's name."""
SEVERE = frozenset({"severe", "24484000"})
NOT_SEVERE = frozenset({"mild", "moderate", "255604002", "6736007"})
UNNAMED = ConditionMeaning(NOTHING, "")
INPATIENT_CLASSES = {"inpatient": "IMP", "outpatient": "AMB", "ambulatory": "AMB", "emergency": "EMER", "home": "HH"}
"""DSTU2's words for the class of an encounter, as the codes of later versions."""

Meant = tuple[Concept, ConditionMeaning]


class Standing(Struct, frozen=True):
    """What a condition's clinical and verification status say. ``odd``: one of them cannot be read."""

    refuted: bool
    past: bool
    uncertain: bool
    odd: bool


def _meant(raw: bytes) -> tuple[Meant, ...]:
    return tuple((named, terminology.condition_meaning(named)) for named in concepts(raw) or ())


MEANT = Elements(_meant)
"""The concepts of an element's bytes, each with what it means as a condition."""


@lru_cache(REMEMBERED)
def observation_meaning(raw: bytes) -> str | None:
    """What an observation's code element means."""
    found = concepts(raw)
    return terminology.observation_meaning(found[0]) if found else None


# Patient and encounter


def read_patient(sent: shapes.Patient) -> Patient:
    """Birth date and sex. A sex other than male or female is not known."""
    gender = (sent.gender or "").strip().casefold()
    sex = {"m": "male", "f": "female"}.get(gender, gender)
    return Patient(first_day(sent.birth_date), last_day(sent.birth_date), sex if sex in {"male", "female"} else None)


def read_encounter(sent: shapes.Encounter, records: Records) -> Encounter:
    """Class, start and reasons, coded or by reference to the diagnoses."""
    reasons = [
        reason
        for raw in (sent.reason_code, sent.reason, sent.diagnosis, sent.reason_reference, sent.indication)
        for reason in read_reasons(raw, sent, records)
    ]
    kinds = [reason for raw in (sent.type, sent.service_type) for reason in read_reasons(raw, sent, records)]
    reasons += [reason for reason in kinds if PALLIATIVE in reason.meanings]  # hospice: what the encounter is for
    return Encounter(_encounter_class(sent.encounter_class), encounter_start(sent), tuple(reasons))


def encounter_start(sent: shapes.Encounter) -> date | None:
    """The first day of an encounter."""
    return first_day(period(bytes(sent.period)).start or period(bytes(sent.actual_period)).start)


def _encounter_class(raw: Raw) -> str | None:
    named = concept(raw)
    word = None
    if named is not None:
        word = next((coding.code for coding in named.codings if coding.code), None) or printable(named) or None
    return None if word is None else INPATIENT_CLASSES.get(word.casefold(), word)


# Conditions and reasons


def read_conditions(
    records: Records, today: date, odd: set[str], encounter_id: str | None = None
) -> tuple[Condition, ...]:
    """The problems and diagnoses. ``odd`` is added those of which what it is or how it stands could not be read."""
    conditions = []
    clinical = verification = category = ABSENT  # most conditions of a list stand alike, and the last one's are at hand
    standing, of_encounter = NOT_SAID, False
    for ref, sent in records.of(shapes.Condition):
        if sent.clinical_status != clinical or sent.verification_status != verification:
            clinical, verification = sent.clinical_status, sent.verification_status
            standing = STANDINGS[bytes(clinical), bytes(verification)]
        if sent.category != category:
            category = sent.category
            of_encounter = OF_ENCOUNTER.of(category)
        found = MEANT.of(sent.code)
        meaning = found[0][1] if found else UNNAMED
        sites = (concepts(bytes(sent.body_site)) or ()) if sent.body_site else ()
        onset = sent.onset_date_time or (period(bytes(sent.onset_period)).start if sent.onset_period else None)
        told = sent.recorded_date or sent.asserted_date or sent.date_recorded
        recorded = FIRST_DAYS[told] if told else None
        over = sent.abatement_date_time or (period(bytes(sent.abatement_period)).end if sent.abatement_period else None)
        ended = last_day(over) if over else None
        status = "present"
        if standing.refuted or meaning.negated:
            status = "refuted"
        elif standing.past or _abated(sent, ended, today):
            status = "history"
        condition = Condition(  # in the order of its fields: names make it far slower, and there are many
            ref,
            meaning.meanings,
            meaning.name,
            status,
            standing.uncertain,
            _localized(meaning, sites) if sites else meaning.localized,
            (FIRST_DAYS[onset] if onset else None) or recorded or _start_of(sent, records),
            ended,
            recorded,
            _severe(codes(sent.severity)) if sent.severity else None,
            of_encounter and not _of_another(sent, encounter_id),
            ("; ".join(sorted(map(printable, sites))) or None) if sites else None,
        )
        conditions.append(condition)
        if (
            standing.odd
            or meaning.unread
            or (not found and unreadable(sent.code))
            or (not meaning.name and not meaning.meanings)
        ):
            odd.add(ref)
    return tuple(conditions)


def _standing(said: tuple[bytes, bytes]) -> Standing:
    clinical, verification = said
    clinically, verified = CODES[clinical], CODES[verification]
    return Standing(
        refuted=not verified.isdisjoint(REFUTED),
        past=not clinically.isdisjoint(HISTORY),
        uncertain=not verified.isdisjoint(UNCERTAIN),
        odd=concepts(clinical) is None or concepts(verification) is None,
    )


STANDINGS = Remembered(_standing)
"""What the bytes of clinical and verification status say."""
NOT_SAID = _standing((b"", b""))


def _of_encounter(category: bytes) -> bool:
    return any("encounter-diagnosis" in code or code == "diagnosis" for code in CODES[category])


OF_ENCOUNTER = Elements(_of_encounter)


def _of_another(sent: shapes.Condition, encounter_id: str | None) -> bool:
    """Whether a diagnosis names an encounter, and that is not the request's."""
    if encounter_id is None:
        return False
    named = {ref for ref in refs(sent.encounter) | refs(sent.context) if ref.startswith("Encounter/")}
    return bool(named) and f"Encounter/{encounter_id}" not in named


def read_reasons(raw: Raw, holder: shapes.Resource, records: Records) -> Iterator[Reason]:
    """The reasons in an element: concepts, or references to conditions. Refuted ones are left out."""
    if not raw:
        return
    for pointer in pointers(bytes(raw)) or ():
        resource = records.resolve(pointer.ref, holder) if pointer.concept is None else None
        if isinstance(resource, shapes.Condition):
            reason = _condition_reason(resource)
        else:
            reason = stated_reason(_stated(pointer))
        if reason is not None:
            yield reason


@lru_cache(REMEMBERED)
def stated_reason(named: Concept) -> Reason | None:
    """The reason that a concept states; None where it is denied."""
    meaning = terminology.condition_meaning(named)
    return None if meaning.negated else Reason(meaning.meanings, meaning.name, meaning.localized, meaning.usable)


def _stated(pointer: Pointer) -> Concept:
    return pointer.concept if pointer.concept is not None else Concept(text=pointer.display)


def _condition_reason(sent: shapes.Condition) -> Reason | None:
    verification = codes(sent.verification_status)
    found = MEANT.of(sent.code)
    if not found or found[0][1].negated or not verification.isdisjoint(REFUTED):
        return None
    meaning = found[0][1]
    sites = concepts(bytes(sent.body_site)) or ()
    return Reason(
        meaning.meanings,
        meaning.name,
        _localized(meaning, sites),
        meaning.usable,
        not verification.isdisjoint(UNCERTAIN),
    )


def _localized(meaning: ConditionMeaning, sites: Sequence[Concept]) -> bool | None:
    """As the table says; where it says nothing, one recorded body site makes it localized (CLINICAL.md section 2)."""
    if meaning.localized is None and len(sites) == 1 and is_one_place(printable(sites[0])):
        return True
    return meaning.localized


def _abated(sent: shapes.Condition, ended: date | None, today: date) -> bool:
    if ended is not None:
        return ended < today
    if sent.abatement_string or sent.abatement_boolean or sent.abatement_date_time:
        return True
    return bool(sent.abatement_age or sent.abatement_range) and (
        present(sent.abatement_age) or present(sent.abatement_range)
    )


def _start_of(sent: shapes.Condition, records: Records) -> date | None:
    for raw in (sent.encounter, sent.context):
        for pointer in (pointers(bytes(raw)) or ()) if raw else ():
            encounter = records.resolve(pointer.ref, sent)
            if isinstance(encounter, shapes.Encounter):
                return encounter_start(encounter)
    return None


def _severe(words: frozenset[str]) -> bool | None:
    if not words.isdisjoint(SEVERE):
        return True
    return None if words.isdisjoint(NOT_SEVERE) else False


# Procedures


def _is_surgical(sent: shapes.Procedure, names: list[str]) -> bool:
    """An operation, by its category or its name."""
    categories = (concepts(bytes(sent.category)) or ()) if sent.category else ()
    if any(coding.code == SURGICAL_PROCEDURE for named in categories for coding in named.codings):
        return True
    return any(OPERATION.search(name.casefold()) for name in names)


def read_procedure(ref: str, sent: shapes.Procedure) -> Procedure | None:
    """A procedure that was done, with its day; None where it was not done."""
    if sent.not_performed or (sent.status or "").casefold() in NOT_DONE:
        return None
    found = MEANT.of(sent.code)
    measured = observation_meaning(bytes(sent.code))
    moment = sent.performed_date_time or sent.occurrence_date_time
    for raw in (sent.performed_period, sent.occurrence_period):
        runs = period(bytes(raw))
        moment = moment or runs.end or runs.start
    meanings = frozenset().union(*(meaning.meanings for _, meaning in found), {measured} if measured else ())
    if _is_surgical(sent, [meaning.name for _, meaning in found]):
        meanings |= {SURGERY}
    return Procedure(
        ref=ref,
        meanings=meanings,
        name=found[0][1].name if found else "",
        done=first_day(moment),
    )
