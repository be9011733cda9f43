"""The parts of FHIR resources, of every version: concepts, quantities, periods, days.

Each reader takes the bytes of one element and remembers what codes, names and amounts stand for: the same ones come
with every request. An absent element (no bytes, or ``null``) is empty; one that cannot be read is ``None`` where it
matters.
"""

from decimal import Decimal
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct

from cds.chart import Quantity
from cds.terminology import Coding, Concept
from hooks.fhir_shapes import UNREADABLE_JSON
from hooks.remembered import Elements

REMEMBERED = 8192
LARGEST_EXPONENT = 9
UCUM = "http://unitsofmeasure.org"
NOTHING: frozenset[str] = frozenset()
NO_UNIT = frozenset({"1", ""})
DAYS_IN = {
    "d": (1, 1), "day": (1, 1), "h": (1, 24), "hour": (1, 24), "hr": (1, 24), "min": (1, 1440), "minute": (1, 1440),
    "s": (1, 86400), "second": (1, 86400), "wk": (7, 1), "week": (7, 1), "mo": (30, 1), "month": (30, 1), "a": (365, 1),
    "year": (365, 1), "yr": (365, 1),
}  # fmt: skip
"""Days in a unit of time, as numerator and denominator."""


class Period(Struct, frozen=True):
    start: str | None = None
    end: str | None = None


class _Coding(Struct, gc=False):
    system: str | None = None
    code: str | int | None = None
    display: str | None = None


class LooseConcept(_Coding, gc=False):
    """A CodeableConcept, or a bare Coding in its place."""

    coding: list[_Coding | None] | _Coding | None = None
    text: str | None = None


class LooseQuantity(Struct, gc=False):
    """Quantity, Duration, Age."""

    value: Decimal | None = None
    unit: str | None = None
    system: str | None = None
    code: str | int | None = None
    comparator: str | None = None


_concepts = msgspec.json.Decoder(list[LooseConcept | str | None] | LooseConcept | str | None, strict=False)
_quantity = msgspec.json.Decoder(LooseQuantity | None, strict=False)
_period = msgspec.json.Decoder(Period | None)


def present(raw: Raw) -> bool:
    """Whether the element was sent at all (``null`` is not)."""
    return bool(raw) and bytes(raw) != b"null"


@lru_cache(REMEMBERED)
def concepts(raw: bytes) -> tuple[Concept, ...] | None:
    """The concepts of a CodeableConcept or of a list of them; None: unreadable."""
    if not raw:
        return ()
    try:
        found = _concepts.decode(raw)
    except UNREADABLE_JSON:
        return None
    return tuple(concept_of(one) for one in (found if isinstance(found, list) else [found]) if one is not None)


def unreadable(raw: Raw) -> bool:
    """Whether the element was sent and holds no concepts that can be read."""
    return bool(raw) and concepts(bytes(raw)) is None


def concept(raw: Raw) -> Concept | None:
    """The first concept; None where there is none, or none that can be read."""
    found = concepts(bytes(raw)) if raw else None
    return found[0] if found else None


def codes(raw: Raw) -> frozenset[str]:
    """The codes of all concepts, and the text of those without a code; lower case."""
    return CODES.of(raw) if raw else NOTHING


def _codes(raw: bytes) -> frozenset[str]:
    words = (words_of(one) for one in concepts(raw) or ())
    return frozenset(word.casefold() for one in words for word in one)


CODES = Elements(_codes)
"""``codes`` of an element's bytes."""


def words_of(named: Concept) -> tuple[str, ...]:
    """The codes of a concept; without a code, its text."""
    return tuple(coding.code for coding in named.codings if coding.code) or ((named.text,) if named.text else ())


def printable(named: Concept | None) -> str:
    """What the record calls it: the text, else a display, else a code, else nothing."""
    if named is None:
        return ""
    displays = [coding.display for coding in named.codings if coding.display]
    known = [coding.code for coding in named.codings if coding.code]
    return next((word.strip() for word in (named.text, *displays, *known) if word and word.strip()), "")


def concept_of(sent: LooseConcept | str) -> Concept:
    """The concept as sent; a bare text is its text, a bare coding its only one."""
    if isinstance(sent, str):
        return Concept(text=sent)
    codings = sent.coding if isinstance(sent.coding, list) else [sent.coding]
    bare = [sent] if sent.code is not None or sent.display else []
    return Concept(tuple(_coding(one) for one in [*codings, *bare] if one is not None), sent.text)


def _coding(sent: _Coding) -> Coding:
    return Coding(sent.system, None if sent.code is None else str(sent.code), sent.display)


def number(value: Decimal | None) -> Decimal | None:
    """A finite decimal of a size that a record can mean; None for anything else."""
    if value is None or not value.is_finite() or abs(value.adjusted()) > LARGEST_EXPONENT:
        return None
    return value


def amount(sent: LooseQuantity | None) -> Quantity | None:
    """A quantity with its unit; None where there is no number."""
    value = number(sent.value) if sent is not None else None
    return None if sent is None or value is None else Quantity(value, unit_of(sent))


def unit_of(sent: LooseQuantity) -> str | None:
    """The unit of a quantity by code (UCUM), or else as written."""
    if sent.system == UCUM and isinstance(sent.code, str) and sent.code not in NO_UNIT:
        return sent.code
    said = None if sent.code is None else str(sent.code)
    code = None if said in NO_UNIT else said
    written = sent.unit.strip() if sent.unit else None
    if sent.system and "unitsofmeasure" not in sent.system:
        return written or code
    return code or written or said or None


@lru_cache(REMEMBERED)
def quantity(raw: bytes) -> Quantity | None:
    """The quantity of an element; None where it is absent or unreadable."""
    if not raw:
        return None
    try:
        return amount(_quantity.decode(raw))
    except UNREADABLE_JSON:
        return None


def in_days(sent: Quantity | None) -> Decimal | None:
    """A duration in days; a bare number counts days. None where the unit is not one of time, or nothing is left."""
    if sent is None or sent.value <= 0:
        return None
    factor = DAYS_IN.get(time_unit(sent.unit or "d"))
    return None if factor is None else sent.value * factor[0] / factor[1]


def _duration(raw: bytes) -> Decimal | None:
    return in_days(quantity(raw))


DURATIONS = Elements(_duration)
"""The days of a Duration, by its bytes; None as in ``in_days``."""


def time_unit(unit: str) -> str:
    """A unit of time in the singular, without the braces and brackets of UCUM."""
    plain = unit.strip().strip("{}[]()").casefold()
    return plain if plain in DAYS_IN else plain.removesuffix("(s").removesuffix("s")


@lru_cache(REMEMBERED)
def period(raw: bytes) -> Period:
    """A period; empty where it is absent or unreadable."""
    if not raw:
        return Period()
    try:
        return _period.decode(raw) or Period()
    except UNREADABLE_JSON:
        return Period()
