"""FHIR Observation and DiagnosticReport -> ``cds.chart.Observation``, in the units of observations.csv."""

import re
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct

from cds.chart import Observation
from cds.observation_table import Scale
from cds.terminology import Concept, observation_scale
from hooks import fhir_shapes as shapes
from hooks.fhir_clinical import observation_meaning
from hooks.fhir_days import MOMENTS
from hooks.fhir_elements import (
    NO_UNIT,
    NOTHING,
    REMEMBERED,
    UCUM,
    LooseQuantity,
    amount,
    concept,
    concepts,
    number,
    period,
    present,
    printable,
    unit_of,
)
from hooks.fhir_loose import fields_of, members_of
from hooks.fhir_records import Records
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON
from hooks.remembered import Elements

DROPPED = frozenset({"entered-in-error", "cancelled", "registered"})
BOUNDED = frozenset({"egfr", "egfr_race_based", "crcl"})
"""Meanings whose "<15" or ">60" stays a text: the review knows how to read it."""
INTERPRETED = frozenset({"uds"})
"""Meanings whose number says nothing without the cutoff that the laboratory's interpretation knows."""
PRESENCE = frozenset({"ecg_study"})
ANSWERS = {
    "77386006": "pregnant", "60001007": "not pregnant", "152231000119106": "not pregnant", "10828004": "positive",
    "260385009": "negative", "260373001": "detected", "260415000": "not detected", "la15173-0": "pregnant",
    "la26683-5": "not pregnant", "la6576-8": "positive", "la6577-6": "negative", "la11882-0": "detected",
    "la11883-8": "not detected", "pos": "positive", "neg": "negative", "det": "detected", "nd": "not detected",
}  # fmt: skip
"""Words for coded answers."""
LIMITED = frozenset({"alt", "ast", "bilirubin"})
"""Meanings whose own limit of the laboratory counts."""
EGFR_ALONE = frozenset({"egfr", "e-gfr", "gfr"})
LOINC = frozenset({"http://loinc.org", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1"})
LOINC_NAMES = LOINC | {None}
LEAST, MOST = Decimal("1E-9"), Decimal("1E9")
"""Numbers between them are no error of writing (``number``)."""
NUMBERS, PLAIN = 3, 7
"""Where numbers and plain values end in ``_sent_values``."""
NUMBER_TEXT = re.compile(
    r"\s*(?P<sign>[<>]=?)?\s*(?P<number>\d{1,6}(?:\.\d+)?)\s*(?:/\s*10)?\s*(?P<unit>[^\d\s][^\d]*)?\s*", re.ASCII
)


class Value(Struct, frozen=True, gc=False):
    """A value as sent: a number with its unit, or words in lower case. ``sign`` is the comparator."""

    number: Decimal | None = None
    unit: str | None = None
    words: str | None = None
    sign: str | None = None


NO_VALUE = Value()


class Subject(Struct, frozen=True, eq=False):
    """What an observation is about, by its code element: fields of ``cds.chart.Observation``, and the scale of its
    values. ``plain_units``: where a value says all, those that need no conversion; its plain values are between ``low``
    and ``high``."""

    meaning: str
    name: str
    code: str | None
    scale: Scale | None
    plain_units: frozenset[str] = NOTHING
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)


class _Values(Struct, rename="camel", gc=False):
    code: Raw = ABSENT
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


class _ReferenceRange(Struct, rename="camel", gc=False):
    high: LooseQuantity | None = None
    type: Raw = ABSENT


class _PlainQuantity(Struct, gc=False):
    value: Decimal
    system: str
    code: str
    unit: str | None = None
    comparator: str | None = None


_plain_quantity = msgspec.json.Decoder(_PlainQuantity)
_quantity = msgspec.json.Decoder(LooseQuantity | Decimal | None, strict=False)
_plain = msgspec.json.Decoder(str | int | float | bool | None)
_component = msgspec.json.Decoder(_Values)
_ranges = msgspec.json.Decoder(list[_ReferenceRange] | _ReferenceRange | None)


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
    parts: list[shapes.Observation | _Values] = [sent]
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
    return bool(sent.component) or any(map(present, _other_values(sent)))


def read_report(ref: str, sent: shapes.DiagnosticReport) -> Observation | None:
    """That a study was done, and when: an ECG."""
    subject = SUBJECTS.of(sent.code)
    if subject is None or subject.meaning not in PRESENCE or (sent.status or "").casefold() in DROPPED:
        return None
    taken, taken_at = MOMENTS[_moment(sent)]
    return Observation(ref, subject.meaning, None, taken, taken_at, name=subject.name)


def observation_meanings(sent: shapes.Measured) -> list[str]:
    """What an observation and its components are about, whatever their values."""
    subjects = [SUBJECTS.of(sent.code)]
    if isinstance(sent, shapes.Observation) and sent.component:
        parts = [(fields_of(raw) or {}).get("code", ABSENT) for raw in members_of(sent.component)]
        subjects += [SUBJECTS.of(code) for code in parts]
    return [subject.meaning for subject in subjects if subject is not None]


def _coded(code: bytes) -> bool:
    return any(printable(named).strip() for named in concepts(code) or ())


CODED = Elements(_coded)
"""Whether a code element was sent that says something."""


def _subject(code: bytes) -> Subject | None:
    """What a code element is about; None where it means nothing to the review."""
    meaning = observation_meaning(code)
    if meaning is None:
        return None
    named = (concepts(code) or (Concept(),))[0]
    loinc = next((coding.code for coding in named.codings if coding.code and coding.system in LOINC_NAMES), None)
    scale = observation_scale(meaning, named)
    if scale is None or meaning in LIMITED or meaning in INTERPRETED:
        return Subject(meaning, printable(named), loinc, scale)
    units = frozenset(unit for unit, conversion in scale.conversions.items() if conversion is None) - NO_UNIT
    low, high = max(scale.low, LEAST), min(scale.high, MOST)
    return Subject(meaning, printable(named), loinc, scale, units, low, high)


SUBJECTS = Elements(_subject)


def _named_egfr(code: bytes) -> Subject | None:
    named = (concepts(code) or (Concept(),))[0]
    if not any(text.strip().casefold() in EGFR_ALONE for text in named.texts()):
        return None
    return Subject("egfr", printable(named), None, observation_scale("egfr", Concept()))


NAMED_EGFR = Elements(_named_egfr)
"""An observation that is called "eGFR" and no more: the filtration of the kidneys, or the receptor of a tumour."""


def _told_by_its_unit(sent: shapes.Observation) -> Subject | None:
    """What is called "eGFR" alone, where it is a number in a unit of filtration: a receptor has none."""
    subject = NAMED_EGFR.of(sent.code)
    if subject is None or subject.scale is None:
        return None
    value = _sent_value(sent)
    filtered = value.number is not None and value.unit and subject.scale.value(value.number, value.unit) is not None
    return subject if filtered else None


def recognised(sent: shapes.Measured) -> bool:
    """Whether it is known what was measured, be it of use to the review or not: by its name or by a LOINC code."""
    codings = [coding for named in concepts(bytes(sent.code)) or () for coding in named.codings]
    return any(coding.code and coding.system in LOINC for coding in codings) or bool(observation_meanings(sent))


def _observation(
    ref: str, subject: Subject, part: shapes.Observation | _Values, whole: shapes.Observation
) -> Observation:
    """Nothing of it is remembered but its code: it is what a laboratory said of somebody."""
    sent = _sent_value(part)
    scale, words = subject.scale, sent.words
    value = None if scale is None or sent.number is None else scale.value(sent.number, sent.unit)
    if sent.sign is not None and value is not None:
        words = f"{sent.sign}{value.normalize():f}"
        if subject.meaning in BOUNDED and sent.sign in {"<", ">"}:
            value = None
    limit = None
    if scale is not None and part.reference_range and subject.meaning in LIMITED:
        limit = _upper_limit(scale, bytes(part.reference_range), sent.unit)
    if part.interpretation and sent.number is not None and subject.meaning in INTERPRETED:
        words = _interpreted(words, bytes(part.interpretation))
    taken, taken_at = MOMENTS[whole.effective_date_time or _moment(whole)]
    return Observation(ref, subject.meaning, value, taken, taken_at, words, limit, subject.name, subject.code)


def _interpreted(words: str | None, interpretation: bytes) -> str | None:
    return "; ".join(filter(None, (words, *map(_answer, concepts(interpretation) or ())))) or None


def _other_values(part: shapes.Observation | _Values) -> tuple[Raw, ...]:
    """The values: numbers first, then plain ones, then coded ones (``NUMBERS``, ``PLAIN``)."""
    return (
        part.value_quantity,
        part.value_integer,
        part.value_decimal,
        part.value_string,
        part.value_date_time,
        part.value_date,
        part.value_boolean,
        part.value_codeable_concept,
        part.interpretation,
    )


def _moment(sent: shapes.Measured) -> str:
    told = sent.effective_date_time or sent.effective_instant
    if told:
        return told
    runs = period(bytes(sent.effective_period))
    return runs.end or runs.start or sent.issued or ""


def _sent_value(part: shapes.Observation | _Values) -> Value:
    if present(part.value_quantity):
        return _quantity_value(part.value_quantity)
    values = _other_values(part)
    for raw in values[:NUMBERS]:
        found = _quantity_value(raw) if raw else NO_VALUE
        if found.number is not None:
            return found
    for raw in values[NUMBERS:PLAIN]:
        words = _plain_text(raw) if raw else None
        if words:
            return _text_value(words)
    for raw in values[PLAIN:]:
        for named in (concepts(bytes(raw)) or ()) if raw else ():
            return _text_value(_answer(named))
    return NO_VALUE


def _quantity_value(raw: Raw) -> Value:
    try:
        sent = _quantity.decode(raw)
    except UNREADABLE_JSON:
        return NO_VALUE
    if isinstance(sent, LooseQuantity):
        value = number(sent.value)
        return Value(value, None if value is None else unit_of(sent), None, sent.comparator or None)
    return Value(number(sent))


def _plain_text(raw: Raw) -> str | None:
    try:
        sent = _plain.decode(raw)
    except UNREADABLE_JSON:
        return None
    return None if sent is None else str(sent).strip().casefold()


def _answer(named: Concept) -> str:
    for coding in named.codings:
        if coding.code and coding.code.casefold() in ANSWERS:
            return ANSWERS[coding.code.casefold()]
    return printable(named).casefold()


def _text_value(words: str) -> Value:
    """A text that is only a number, with a unit or a comparator at most, is that number."""
    found = NUMBER_TEXT.fullmatch(words)
    if found is None:
        return Value(words=words or None)
    unit = found["unit"].strip() if found["unit"] else None
    return Value(Decimal(found["number"]), unit, words, found["sign"])


@lru_cache(REMEMBERED)
def _upper_limit(scale: Scale, raw: bytes, unit: str | None) -> Decimal | None:
    """The upper end of the normal range, in the unit of the table. ``unit``: that of the value, for a bare number."""
    try:
        sent = _ranges.decode(raw)
    except UNREADABLE_JSON:
        return None
    ranges = [one for one in (sent if isinstance(sent, list) else [sent]) if one is not None and one.high is not None]
    normal = [one for one in ranges if not one.type or "normal" in printable(concept(one.type)).casefold()]
    for one in normal or ranges:
        high = amount(one.high)
        if high is not None:
            return scale.value(high.value, high.unit or unit)
    return None
