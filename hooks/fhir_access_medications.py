"""The Medications that orders and records refer to and that did not come with them: what the drug is, stands there."""

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from hooks import fhir_shapes as shapes
from hooks.fhir_access_address import following
from hooks.fhir_access_queries import is_id
from hooks.fhir_medications import named_drug
from hooks.fhir_records import Records
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON
from hooks.signing import Signing

MOST = 40
"""Medications that are read for one hook request."""
KINDS: tuple[type[shapes.DrugRecord], ...] = (
    shapes.MedicationRequest, shapes.MedicationOrder, shapes.MedicationStatement, shapes.MedicationUsage,
    shapes.MedicationDispense,
)  # fmt: skip


class _Named(Struct, rename="camel"):
    """How an order refers to its drug; R5 has the reference one step deeper."""

    medication_reference: Raw = ABSENT
    medication: Raw = ABSENT


class _Reference(Struct):
    reference: Raw = ABSENT


_named = msgspec.json.Decoder(_Named)
_reference = msgspec.json.Decoder(_Reference)
_text = msgspec.json.Decoder(str)


def of_drafts(signing: Signing, base: str) -> tuple[str, ...]:
    """The ids of the Medications that unrecognised drafts refer to on this server."""
    unknown = [draft for draft in signing.read.drafts if draft.missing and draft.order in signing.asked]
    raws = (msgspec.json.encode(draft.raw) for draft in unknown if draft.order.drug is None)
    return _ids((reference for raw in raws for reference in _references(raw)), base)


def of_records(records: Records, base: str) -> tuple[str, ...]:
    """The same of orders, statements and dispenses on the chart."""
    found = []
    for kind in KINDS:
        for _, sent in records.of(kind):
            named = named_drug(sent, None, records)
            if named.drug is None and named.missing is not None:
                found += [*_text_of(sent.medication_reference), *_text_of(sent.medication)]
    return _ids(found, base)


def _ids(references: "Iterator[str] | list[str]", base: str) -> tuple[str, ...]:
    found = {own_id for reference in references if (own_id := _own_id(reference, base)) is not None}
    return tuple(sorted(found)[:MOST])


def _own_id(reference: str, base: str) -> str | None:
    """The id where the reference leads to a Medication of this server."""
    address = following(reference.partition("/_history/")[0], f"{base}/", base) or ""
    own_id = address.removeprefix(f"{base}/Medication/")
    return own_id if own_id != address and is_id(own_id) else None


def _references(raw: bytes) -> Iterator[str]:
    named = _named.decode(raw)
    yield from _text_of(named.medication_reference)
    yield from _text_of(named.medication)


def _text_of(raw: Raw, depth: int = 2) -> Iterator[str]:
    """The reference of a Reference, or of a CodeableReference."""
    try:
        found = _reference.decode(raw).reference if raw else ABSENT
        if bytes(found)[:1] == b"{" and depth:
            yield from _text_of(found, depth - 1)
        elif found:
            yield _text.decode(found)
    except UNREADABLE_JSON:
        return
