"""FHIR Observation and DiagnosticReport -> ``cds.chart.Observation``, in the units of observations.csv."""

from decimal import Decimal

import msgspec
from msgspec import Struct

from cds.chart import Observation
from hooks import fhir_shapes as shapes
from hooks.fhir_days import MOMENTS
from hooks.fhir_elements import (
    UCUM,
    concepts,
    period,
    present,
)
from hooks.fhir_loose import members_of
from hooks.fhir_records import Records
from hooks.fhir_shapes import UNREADABLE_JSON
from hooks.fhir_subjects import CODED, INTERPRETED, LIMITED, NAMED_EGFR, SUBJECTS, Subject
from hooks.fhir_values import ValueFields, interpreted, other_values, upper_limit, value_of

DROPPED = frozenset({"entered-in-error", "cancelled", "registered"})
BOUNDED = frozenset({"egfr", "egfr_race_based", "crcl"})
"""Meanings whose "<15" or ">60" stays a text: the review knows how to read it."""
PRESENCE = frozenset({"ecg_study"})


class _PlainQuantity(Struct, gc=False):
    value: Decimal
    system: str
    code: str
    unit: str | None = None
    comparator: str | None = None


_plain_quantity = msgspec.json.Decoder(_PlainQuantity)
_component = msgspec.json.Decoder(ValueFields)


def read_observations(records: Records, odd: set[str]) -> list[Observation]:
    """The observations and their components that mean something to the review. ``odd`` is added those that could not
    be read: another unit, an implausible number, no date, no code."""
    found: list[Observation] = []
    for ref, sent in records.of(shapes.Observation):
        if sent.component:
            found += _with_components(ref, sent, odd)
            continue
        subject = SUBJECTS.of(sent.code) or _told_by_its_unit(sent)
        if subject is None or (sent.status != "final" and (sent.status or "").casefold() in DROPPED):
            if not CODED.of(sent.code):
                odd.add(ref)
            continue
        units, moment = subject.plain_units, sent.effective_date_time
        if units and moment:  # most are a plausible number in a UCUM unit that needs no conversion
            try:
                quantity = _plain_quantity.decode(sent.value_quantity)
                value = quantity.value
                if quantity.code in units and quantity.system == UCUM and subject.low <= value <= subject.high:
                    taken, taken_at = MOMENTS[moment]
                    if not quantity.comparator and taken is not None:
                        meaning, name, code = subject.meaning, subject.name, subject.code
                        found.append(Observation(ref, meaning, value, taken, taken_at, None, None, name, code))
                        continue
            except (*UNREADABLE_JSON, ArithmeticError):  # no number can be compared with what is none
                pass
        one = _observation(ref, subject, sent, sent)
        if (one.value is None or one.taken is None) and _not_understood(sent, one):
            odd.add(ref)
        found.append(one)
    return found


def _with_components(ref: str, sent: shapes.Observation, odd: set[str]) -> list[Observation]:
    """An observation and its components, in an order that does not depend on that of the components."""
    if concepts(bytes(sent.code)) is None:
        odd.add(ref)
    if sent.status is not None and sent.status.casefold() in DROPPED:
        return []
    parts: list[shapes.Observation | ValueFields] = [sent]
    for raw in members_of(sent.component):
        try:
            parts.append(_component.decode(raw))
        except UNREADABLE_JSON:
            continue
    told = [(subject, part) for part in parts if (subject := SUBJECTS.of(part.code)) is not None]
    found = [_observation(ref, subject, part, sent) for subject, part in told]
    if any(_not_understood(sent, one) for one in found):
        odd.add(ref)
    found.sort(key=lambda one: (one.meaning, one.name, one.text or "", str(one.value)))
    return found


def _not_understood(sent: shapes.Observation, read: Observation) -> bool:
    """Whether a value or a date is there that could not be read."""
    if read.taken is None and _moment(sent):
        return True
    return read.value is None and read.text is None and read.meaning not in PRESENCE and _has_value(sent)


def _has_value(sent: shapes.Observation) -> bool:
    return bool(sent.component) or any(map(present, other_values(sent)))


def read_report(ref: str, sent: shapes.DiagnosticReport) -> Observation | None:
    """That a study was done, and when: an ECG."""
    subject = SUBJECTS.of(sent.code)
    if subject is None or subject.meaning not in PRESENCE or (sent.status or "").casefold() in DROPPED:
        return None
    taken, taken_at = MOMENTS[_moment(sent)]
    return Observation(ref, subject.meaning, None, taken, taken_at, name=subject.name)


def _told_by_its_unit(sent: shapes.Observation) -> Subject | None:
    """What is called "eGFR" alone, where it is a number in a unit of filtration: a receptor has none."""
    subject = NAMED_EGFR.of(sent.code)
    if subject is None or subject.scale is None:
        return None
    value = value_of(sent)
    filtered = value.number is not None and value.unit and subject.scale.value(value.number, value.unit) is not None
    return subject if filtered else None


def _observation(
    ref: str, subject: Subject, part: shapes.Observation | ValueFields, whole: shapes.Observation
) -> Observation:
    """Nothing of it is remembered but its code: it is what a laboratory said of somebody."""
    sent = value_of(part)
    scale, words = subject.scale, sent.words
    value = None if scale is None or sent.number is None else scale.value(sent.number, sent.unit)
    if sent.sign is not None and value is not None:
        words = f"{sent.sign}{value.normalize():f}"
        if subject.meaning in BOUNDED and sent.sign in {"<", ">"}:
            value = None
    limit = None
    if scale is not None and part.reference_range and subject.meaning in LIMITED:
        limit = upper_limit(scale, bytes(part.reference_range), sent.unit)
    if part.interpretation and sent.number is not None and subject.meaning in INTERPRETED:
        words = interpreted(words, bytes(part.interpretation))
    taken, taken_at = MOMENTS[whole.effective_date_time or _moment(whole)]
    return Observation(ref, subject.meaning, value, taken, taken_at, words, limit, subject.name, subject.code)


def _moment(sent: shapes.Measured) -> str:
    told = sent.effective_date_time or sent.effective_instant
    if told:
        return told
    runs = period(bytes(sent.effective_period))
    return runs.end or runs.start or sent.issued or ""
