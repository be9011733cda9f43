"""Odd JSON: what can still be read of a resource or a Bundle that does not have the expected shape.

The slow way, taken only where the typed decoding of a whole answer failed. One odd element costs that element, one odd
resource costs that resource, and both are named.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from hooks.fhir_shapes import READ_TYPES, UNREADABLE_JSON, AnyResource, Bundle, OperationOutcome, Resource, Unread

_fields = msgspec.json.Decoder(dict[str, Raw])
_members = msgspec.json.Decoder(list[Raw])
_text = msgspec.json.Decoder(str)
_resource = msgspec.json.Decoder(AnyResource)
_decoders: dict[type[Struct], msgspec.json.Decoder[Any]] = {}
SHAPES: dict[str, type[Resource]] = {**READ_TYPES, "Bundle": Bundle, "OperationOutcome": OperationOutcome}


class Lost(Struct, frozen=True):
    """What could not be read: some elements of a resource, named by its reference; or wholly, something that may have
    been anything."""

    ref: str = "resource"
    wholly: bool = True


class Found(Struct, frozen=True):
    """One thing that an answer holds: a resource, or a failure to read one."""

    resource: Resource | None = None
    full_url: str | None = None
    lost: Lost | None = None


def fields_of(raw: bytes | Raw) -> dict[str, Raw] | None:
    """The members of a JSON object, undecoded; None where it is none."""
    try:
        return _fields.decode(raw)
    except UNREADABLE_JSON:
        return None


def members_of(raw: bytes | Raw) -> list[Raw]:
    """The members of a list; a single object counts as a list of one, anything else as none."""
    try:
        return _members.decode(raw)
    except UNREADABLE_JSON:
        return [Raw(bytes(raw))] if bytes(raw).lstrip()[:1] == b"{" else []


def text_of(raw: Raw | None) -> str | None:
    """A JSON string; None for anything else."""
    try:
        return None if raw is None else _text.decode(raw)
    except UNREADABLE_JSON:
        return None


def salvaged(fields: dict[str, Raw], shape: type[Struct]) -> tuple[Any, bool]:
    """The members that fit the shape, and whether others that belong to it were left out."""
    decoder = _decoders.get(shape)
    if decoder is None:
        decoder = _decoders[shape] = msgspec.json.Decoder(shape, strict=False)
    tag = {"resourceType": Raw(msgspec.json.encode(shape.__name__))} if issubclass(shape, Resource) else {}
    kept = {}
    for name, value in fields.items():
        if name == "resourceType":
            continue
        try:
            decoder.decode(msgspec.json.encode({**tag, name: value}))
        except UNREADABLE_JSON:
            continue
        kept[name] = value
    left_out = len(kept) < len(fields) - ("resourceType" in fields)
    return decoder.decode(msgspec.json.encode({**tag, **kept})), left_out


def read_loosely(raw: bytes | Raw, full_url: str | None = None) -> Iterator[Found]:
    """Everything that can be read of one resource; of a Bundle, the Bundle without entries and then each entry."""
    try:
        yield Found(_resource.decode(raw), full_url)
        return
    except UNREADABLE_JSON:
        fields = fields_of(raw)
    if fields is None:
        yield Found(lost=Lost())
        return
    kind = text_of(fields.get("resourceType"))
    if kind is None and "entry" in fields:
        kind = "Bundle"
    shape = SHAPES.get(kind or "")
    if kind is None:
        yield Found(lost=Lost())
    elif shape is None:
        yield Found(Unread()) if kind.isalpha() and kind[0].isupper() else Found(lost=Lost())
    elif shape is Bundle:
        yield from _bundle(fields)
    else:
        resource, odd = salvaged(fields, shape)
        yield Found(resource, full_url)
        if odd and kind in READ_TYPES:
            yield Found(lost=Lost(resource.ref, wholly=False))


def _bundle(fields: dict[str, Raw]) -> Iterator[Found]:
    entries = fields.pop("entry", Raw(b"null"))
    bundle, _ = salvaged(fields, Bundle)
    yield Found(bundle)
    if bytes(entries).lstrip()[:1] not in {b"[", b"{", b"n"}:
        yield Found(lost=Lost())
    for entry in members_of(entries):
        members = fields_of(entry)
        if members is None:
            yield Found(lost=Lost())
        elif "resource" in members and bytes(members["resource"]) != b"null":
            yield from read_loosely(members["resource"], text_of(members.get("fullUrl")))
        elif "resourceType" in members:
            yield from read_loosely(entry)
        else:
            yield Found(lost=Lost())
