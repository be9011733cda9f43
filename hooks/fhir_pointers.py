"""What points at another resource, in every version: references, identifiers, and what stands where they may.

A Reference or an Identifier is read each time and not kept.
"""

from collections.abc import Iterator
from functools import lru_cache

import msgspec
from msgspec import Raw, Struct

from cds.terminology import Concept
from hooks.fhir_elements import NOTHING, REMEMBERED, LooseConcept, concept_of
from hooks.fhir_shapes import UNREADABLE_JSON

MOST_SLASHES = 2
"""A reference with fewer is ``Type/id`` already, or no more than an id."""


class Pointer(Struct, frozen=True):
    """What a CodeableConcept, a Reference or a CodeableReference says: a concept, a reference, or both."""

    concept: Concept | None = None
    ref: str | None = None
    display: str | None = None


class _Identifier(Struct, gc=False):
    system: str | None = None
    value: str | int | None = None


class _Pointer(LooseConcept, gc=False):
    """Everything that stands where a resource points at another or names a concept.

    ``concept`` and ``reference``: R5's CodeableReference; ``condition``: Encounter.diagnosis; ``value``: R5's
    Encounter.reason; ``agent``: STU3's requester.
    """

    concept: LooseConcept | str | None = None
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


_pointers = msgspec.json.Decoder(list[_Pointer | str | None] | _Pointer | str | None, strict=False)
_reference = msgspec.json.Decoder(_Reference)
_identifiers = msgspec.json.Decoder(list[_Identifier | None] | _Identifier | None, strict=False)


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
        named = concept_of(sent.concept)
    elif sent.coding is not None or sent.text is not None or sent.code is not None:
        named = concept_of(sent)
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
