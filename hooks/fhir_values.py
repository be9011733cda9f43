"""The value of an observation or of a component, in whatever element and words it was sent."""

import re
from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct

from cds.observation_table import Scale
from cds.terminology import Concept
from hooks import fhir_shapes as shapes
from hooks.fhir_elements import (
    REMEMBERED,
    LooseQuantity,
    amount,
    concept,
    concepts,
    number,
    present,
    printable,
    unit_of,
)
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON

ANSWERS = {
    "77386006": "pregnant", "60001007": "not pregnant", "152231000119106": "not pregnant", "10828004": "positive",
    "260385009": "negative", "260373001": "detected", "260415000": "not detected", "la15173-0": "pregnant",
    "la26683-5": "not pregnant", "la6576-8": "positive", "la6577-6": "negative", "la11882-0": "detected",
    "la11883-8": "not detected", "pos": "positive", "neg": "negative", "det": "detected", "nd": "not detected",
}  # fmt: skip
"""Words for coded answers."""
NUMBERS, PLAIN = 3, 7
"""Where numbers and plain values end in ``value_of``."""
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


class ValueFields(Struct, rename="camel", gc=False):
    """The elements of a component, named as in an observation."""

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
_ranges = msgspec.json.Decoder(list[_ReferenceRange] | _ReferenceRange | None)


def value_of(part: shapes.Observation | ValueFields) -> Value:
    """The first value that says something; ``NO_VALUE`` where none does."""
    if present(part.value_quantity):
        return _quantity_value(part.value_quantity)
    values = other_values(part)
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


def other_values(part: shapes.Observation | ValueFields) -> tuple[Raw, ...]:
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


def interpreted(words: str | None, interpretation: bytes) -> str | None:
    """The words of a value with those of the laboratory's interpretation."""
    return "; ".join(filter(None, (words, *map(_answer, concepts(interpretation) or ())))) or None


@lru_cache(REMEMBERED)
def upper_limit(scale: Scale, raw: bytes, unit: str | None) -> Decimal | None:
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
