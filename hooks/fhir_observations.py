"""FHIR Observation and DiagnosticReport -> ``cds.chart.Observation``, in the units of observations.csv."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import msgspec
from msgspec import Raw, Struct

from cds.chart import Observation, Quantity
from cds.terminology import Concept, observation_value
from hooks import fhir_shapes as shapes
from hooks.fhir_clinical import observation_meaning
from hooks.fhir_days import day_and_instant
from hooks.fhir_elements import REMEMBERED, LooseQuantity, amount, concept, concepts, number, period, present, printable
from hooks.fhir_loose import fields_of, members_of
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON

DROPPED = frozenset({"entered-in-error", "cancelled", "registered"})
BOUNDED = frozenset({"egfr", "egfr_race_based", "crcl"})
"""Meanings whose "<15" or ">60" stays a text: the review knows how to read it."""
PRESENCE = frozenset({"ecg_study"})
ANSWERS = {
    "77386006": "pregnant", "60001007": "not pregnant", "152231000119106": "not pregnant", "10828004": "positive",
    "260385009": "negative", "260373001": "detected", "260415000": "not detected", "la15173-0": "pregnant",
    "la26683-5": "not pregnant", "la6576-8": "positive", "la6577-6": "negative", "la11882-0": "detected",
    "la11883-8": "not detected", "pos": "positive", "neg": "negative", "det": "detected", "nd": "not detected",
}  # fmt: skip
"""Words for coded answers."""
LOINC_NAMES = frozenset({None, "http://loinc.org", "https://loinc.org", "urn:oid:2.16.840.1.113883.6.1"})
NUMBERS, PLAIN = 3, 7
"""Where numbers and plain values end in ``_sent_values``."""
NUMBER_TEXT = re.compile(
    r"\s*(?P<sign>[<>]=?)?\s*(?P<number>\d{1,6}(?:\.\d+)?)\s*(?:/\s*10)?\s*(?P<unit>[^\d\s][^\d]*)?\s*", re.ASCII
)


class Value(NamedTuple):
    """A value as sent: a quantity, or words in lower case. ``sign`` is the comparator."""

    amount: Quantity | None = None
    words: str | None = None
    sign: str | None = None


class Subject(Struct, frozen=True, eq=False):
    """What an observation is about: its code element, and the fields of ``cds.chart.Observation`` that follow from
    it."""

    concept: Concept
    meaning: str
    name: str
    code: str | None


class Facts(NamedTuple):
    """As in ``cds.chart.Observation``."""

    value: Decimal | None
    words: str | None
    upper_limit: Decimal | None


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


_quantity = msgspec.json.Decoder(LooseQuantity | Decimal | None, strict=False)
_plain = msgspec.json.Decoder(str | int | float | bool | None)
_decimal = msgspec.json.Decoder(Decimal | None, strict=False)
_component = msgspec.json.Decoder(_Values)
_ranges = msgspec.json.Decoder(list[_ReferenceRange] | _ReferenceRange | None)


def read_observations(ref: str, sent: shapes.Observation) -> list[Observation]:
    """The observation and its components, those that mean something to the review."""
    if sent.status is not None and sent.status.casefold() in DROPPED:
        return []
    own = _observation(ref, sent, sent)
    found = [] if own is None else [own]
    if not sent.component:
        return found
    for raw in members_of(sent.component):
        try:
            part = _observation(ref, _component.decode(raw), sent)
        except UNREADABLE_JSON:
            continue
        if part is not None:
            found.append(part)
    return found


def not_understood(sent: shapes.Observation, measured: list[Observation]) -> bool:
    """Whether a value or a date is there that could not be read: another unit, an implausible number, no date."""
    for one in measured:
        if one.taken is None and _moment(sent):
            return True
        if one.value is None and one.text is None and one.meaning not in PRESENCE and _has_value(sent):
            return True
    return False


def _has_value(sent: shapes.Observation) -> bool:
    return bool(sent.component) or any(present(raw) for raw in _other_values(sent) if raw)


def read_report(ref: str, sent: shapes.DiagnosticReport) -> Observation | None:
    """That a study was done, and when: an ECG."""
    subject = _subject(bytes(sent.code))
    if subject is None or subject.meaning not in PRESENCE or (sent.status or "").casefold() in DROPPED:
        return None
    taken, taken_at = day_and_instant(_moment(sent))
    return Observation(ref, subject.meaning, None, taken, taken_at, name=subject.name)


def observation_meanings(sent: shapes.Measured) -> list[str]:
    """What an observation and its components are about, whatever their values."""
    subjects = [_subject(bytes(sent.code))]
    if isinstance(sent, shapes.Observation) and sent.component:
        parts = [(fields_of(raw) or {}).get("code", ABSENT) for raw in members_of(sent.component)]
        subjects += [_subject(bytes(code)) for code in parts]
    return [subject.meaning for subject in subjects if subject is not None]


@lru_cache(REMEMBERED)
def _subject(code: bytes) -> Subject | None:
    """What a code element is about; None where it means nothing to the review."""
    meaning = observation_meaning(code)
    if meaning is None:
        return None
    named = (concepts(code) or (Concept(),))[0]
    loinc = next((coding.code for coding in named.codings if coding.code and coding.system in LOINC_NAMES), None)
    return Subject(named, meaning, printable(named), loinc)


def _observation(ref: str, part: shapes.Observation | _Values, whole: shapes.Observation) -> Observation | None:
    subject = _subject(bytes(part.code))
    if subject is None:
        return None
    limits, measured = bytes(part.reference_range), bytes(part.value_quantity)
    values = (measured,) if measured and measured != b"null" else tuple(map(bytes, _other_values(part)))
    value, words, upper_limit = _facts(subject, limits, values)  # never remembered: what a laboratory said of somebody
    taken, taken_at = day_and_instant(whole.effective_date_time or _moment(whole))
    return Observation(ref, subject.meaning, value, taken, taken_at, words, upper_limit, subject.name, subject.code)


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


def _facts(subject: Subject, limits: bytes, values: tuple[bytes, ...]) -> Facts:
    """What an observation says, apart from its day."""
    value = _value(values)
    measured = _in_table_unit(subject, value.amount)
    words = value.words
    if value.sign is not None and measured is not None:
        words = f"{value.sign}{measured.normalize():f}"
        if subject.meaning in BOUNDED and value.sign in {"<", ">"}:
            measured = None
    return Facts(measured, words, _upper_limit(subject, limits, value.amount.unit if value.amount else None))


def _moment(sent: shapes.Measured) -> str:
    told = sent.effective_date_time or sent.effective_instant
    if told:
        return told
    runs = period(bytes(sent.effective_period))
    return runs.end or runs.start or sent.issued or ""


def _in_table_unit(subject: Subject, sent: Quantity | None) -> Decimal | None:
    return None if sent is None else observation_value(subject.meaning, sent.value, sent.unit, subject.concept)


def _value(values: tuple[bytes, ...]) -> Value:
    numbers, plain, coded = values[:NUMBERS], values[NUMBERS:PLAIN], values[PLAIN:]
    for raw in numbers:
        found = _quantity_value(raw) if raw else Value()
        if found.amount is not None:
            return found
    for raw in plain:
        words = _plain_text(raw) if raw else None
        if words:
            return _text_value(words)
    for raw in coded:
        for named in concepts(raw) or ():
            return _text_value(_answer(named))
    return Value()


def _quantity_value(raw: bytes) -> Value:
    try:
        sent = _quantity.decode(raw)
    except UNREADABLE_JSON:
        return Value()
    if isinstance(sent, Decimal):
        plain = number(sent)
        return Value(None if plain is None else Quantity(plain, None))
    return Value(amount(sent), sign=(sent.comparator or None) if sent is not None else None)


def _plain_text(raw: bytes) -> str | None:
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
    return Value(Quantity(Decimal(found["number"]), unit), words, found["sign"])


@lru_cache(REMEMBERED)
def _upper_limit(subject: Subject, raw: bytes, unit: str | None) -> Decimal | None:
    """The upper end of the normal range, in the unit of the table. ``unit``: that of the value, for a bare number."""
    if not raw:
        return None
    try:
        sent = _ranges.decode(raw)
    except UNREADABLE_JSON:
        return None
    ranges = [one for one in (sent if isinstance(sent, list) else [sent]) if one is not None and one.high is not None]
    normal = [one for one in ranges if not one.type or "normal" in printable(concept(one.type)).casefold()]
    for one in normal or ranges:
        high = amount(one.high)
        if high is not None:
            return _in_table_unit(subject, Quantity(high.value, high.unit or unit))
    return None
