"""The parts of FHIR resources, of every version: concepts, references, quantities, periods, days.

Each reader takes the bytes of one element and remembers what codes, names and amounts stand for: the same ones come
with every request. A Reference or an Identifier is read each time and not kept. An absent element (no bytes, or
``null``) is empty; one that cannot be read is ``None`` where it matters.
"""

from collections.abc import Iterator
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
MOST_SLASHES = 2
"""A reference with fewer is ``Type/id`` already, or no more than an id."""
UCUM = "http://unitsofmeasure.org"
NOTHING: frozenset[str] = frozenset()
NO_UNIT = frozenset({"1", ""})
DAYS_IN = {
    "d": (1, 1), "day": (1, 1), "h": (1, 24), "hour": (1, 24), "hr": (1, 24), "min": (1, 1440), "minute": (1, 1440),
    "s": (1, 86400), "second": (1, 86400), "wk": (7, 1), "week": (7, 1), "mo": (30, 1), "month": (30, 1), "a": (365, 1),
    "year": (365, 1), "yr": (365, 1),
}  # fmt: skip
"""Days in a unit of time, as numerator and denominator."""


class Pointer(Struct, frozen=True):
    """What a CodeableConcept, a Reference or a CodeableReference says: a concept, a reference, or both."""

    concept: Concept | None = None
    ref: str | None = None
    display: str | None = None


class Period(Struct, frozen=True):
    start: str | None = None
    end: str | None = None


class _Coding(Struct, gc=False):
    system: str | None = None
    code: str | int | None = None
    display: str | None = None


class _Concept(_Coding, gc=False):
    """A CodeableConcept, or a bare Coding in its place."""

    coding: list[_Coding | None] | _Coding | None = None
    text: str | None = None


class _Identifier(Struct, gc=False):
    system: str | None = None
    value: str | int | None = None


class _Pointer(_Concept, gc=False):
    """Everything that stands where a resource points at another or names a concept.

    ``concept`` and ``reference``: R5's CodeableReference; ``condition``: Encounter.diagnosis; ``value``: R5's
    Encounter.reason; ``agent``: STU3's requester.
    """

    concept: _Concept | str | None = None
    reference: "_Pointer | str | None" = None
    identifier: _Identifier | None = None
    condition: "list[_Pointer] | _Pointer | None" = None
    value: "list[_Pointer] | _Pointer | None" = None
    agent: "_Pointer | None" = None


class _Reference(Struct, forbid_unknown_fields=True, gc=False):
    """A Reference as most are."""

    reference: str | None = None
    type: str | None = None
    display: str | None = None


class LooseQuantity(Struct, gc=False):
    """Quantity, Duration, Age."""

    value: Decimal | None = None
    unit: str | None = None
    system: str | None = None
    code: str | int | None = None
    comparator: str | None = None


_concepts = msgspec.json.Decoder(list[_Concept | str | None] | _Concept | str | None, strict=False)
_pointers = msgspec.json.Decoder(list[_Pointer | str | None] | _Pointer | str | None, strict=False)
_reference = msgspec.json.Decoder(_Reference)
_identifiers = msgspec.json.Decoder(list[_Identifier | None] | _Identifier | None, strict=False)
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
    return tuple(_concept(one) for one in (found if isinstance(found, list) else [found]) if one is not None)


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


def _concept(sent: _Concept | str) -> Concept:
    if isinstance(sent, str):
        return Concept(text=sent)
    codings = sent.coding if isinstance(sent.coding, list) else [sent.coding]
    bare = [sent] if sent.code is not None or sent.display else []
    return Concept(tuple(_coding(one) for one in [*codings, *bare] if one is not None), sent.text)


def _coding(sent: _Coding) -> Coding:
    return Coding(sent.system, None if sent.code is None else str(sent.code), sent.display)


def pointers(raw: bytes) -> tuple[Pointer, ...] | None:
    """What an element points at or names, one or many; None: unreadable."""
    if not raw:
        return ()
    if b'"reference"' in raw or b'"identifier"' in raw:
        return _pointers_of(raw)
    return _remembered_pointers(raw)


def _pointers_of(raw: bytes) -> tuple[Pointer, ...] | None:
    try:
        found = _pointers.decode(raw)
        return tuple(pointer for one in (found if isinstance(found, list) else [found]) for pointer in _follow(one))
    except UNREADABLE_JSON:
        return None


_remembered_pointers = lru_cache(REMEMBERED)(_pointers_of)


def _follow(sent: _Pointer | str | None) -> Iterator[Pointer]:
    if sent is None:
        return
    if isinstance(sent, str):
        yield Pointer(ref=local_ref(sent), display=sent)
        return
    for inner in (sent.condition, sent.value, sent.agent):
        for one in inner if isinstance(inner, list) else [inner]:
            yield from _follow(one)
    reference, display = sent.reference, sent.display
    if isinstance(reference, _Pointer):
        display = display or reference.display
        reference = reference.reference if isinstance(reference.reference, str) else None
    named = None
    if sent.concept is not None:
        named = _concept(sent.concept)
    elif sent.coding is not None or sent.text is not None or sent.code is not None:
        named = _concept(sent)
    if reference is None and sent.identifier is not None and sent.identifier.value is not None:
        reference = f"{sent.identifier.system or ''}|{sent.identifier.value}"
    if reference is not None or named is not None or display is not None:
        yield Pointer(named, None if reference is None else local_ref(reference), display)


def refs(raw: Raw) -> frozenset[str]:
    """The references of an element as ``Type/id``; those to contained resources are left out."""
    found = (pointers(bytes(raw)) or ()) if raw else ()
    return (
        NOTHING
        if not found
        else frozenset(one.ref for one in found if one.ref is not None and not one.ref.startswith("#"))
    )


def plain_ref(raw: Raw) -> str | None:
    """The reference of a Reference that says nothing else but a display; None for anything else."""
    try:
        sent = _reference.decode(raw).reference
    except UNREADABLE_JSON:
        return None
    if sent is None or (sent.count("/") < MOST_SLASHES and not sent.endswith("/")):
        return sent
    return local_ref(sent)


def local_ref(reference: str) -> str:
    """``Type/id`` of a relative or absolute reference, without its version; ``#id`` and ``urn:`` stay as they are."""
    if reference.count("/") < MOST_SLASHES and not reference.endswith("/"):
        return reference
    if reference.startswith(("#", "urn:")) or "|" in reference:
        return reference
    return "/".join(reference.partition("/_history/")[0].rstrip("/").rsplit("/", 2)[-2:])


def identifiers(raw: Raw) -> frozenset[str]:
    """``system|value`` of each identifier that has a value."""
    if not raw:
        return NOTHING
    try:
        found = _identifiers.decode(raw)
    except UNREADABLE_JSON:
        return frozenset()
    return frozenset(
        f"{one.system or ''}|{one.value}"
        for one in (found if isinstance(found, list) else [found])
        if one is not None and one.value is not None
    )


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
