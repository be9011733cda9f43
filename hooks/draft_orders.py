"""The orders of a signing as a request holds them: a Bundle, a list, or a single one."""

import re
from collections.abc import Iterator, Mapping

import msgspec
from msgspec import Raw, Struct

from hooks.bad_request import BadRequest
from hooks.fhir_loose import fields_of, members_of, text_of
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON

_ORDER = re.compile(rb'\s*\{\s*"resourceType"\s*:\s*"(?:MedicationRequest|MedicationOrder)"')
LOST = Raw(b"null")
"""Stands for drafts that are not there to be read."""
ORDERS = frozenset({"MedicationRequest", "MedicationOrder"})
ENTRIES = frozenset({"entry", "entries"})
HOLD_OTHERS = frozenset({"OperationOutcome", "Parameters"})
"""Kinds that stand in place of orders, or around them."""
LONGEST_TOTAL = 18

DraftOrders = tuple[tuple[Raw, str | None], ...]
"""Resources as sent, each with the ``fullUrl`` of its entry."""


class _Entry(Struct, rename="camel", gc=False):
    """An entry of a Bundle, a Bundle, or a resource."""

    resource_type: Raw = ABSENT
    resource: Raw = ABSENT
    full_url: Raw = ABSENT
    entry: Raw = ABSENT


class _PlainEntry(Struct, rename="camel", gc=False):
    resource: Raw
    full_url: str | None = None


class PlainBundle(Struct, rename="camel", tag_field="resourceType", tag="Bundle", forbid_unknown_fields=True, gc=False):
    """The drafts as nearly everybody sends them. Any other element, as one that is misspelt, is read the slow way."""

    entry: list[_PlainEntry]
    id: Raw = ABSENT
    meta: Raw = ABSENT
    type: Raw = ABSENT
    timestamp: Raw = ABSENT
    total: int = 0


_entry = msgspec.json.Decoder(_Entry)
_plain_bundle = msgspec.json.Decoder(PlainBundle)


def draft_orders(raw: Raw, field: str) -> DraftOrders:
    """The orders of a Bundle, of a list, or a single one; none where nothing was sent."""
    try:
        plain = plain_orders(_plain_bundle.decode(raw)) if raw else None
    except UNREADABLE_JSON:
        plain = None
    if plain is not None:
        return plain
    opening = bytes(raw).lstrip()[:1]
    if not raw or bytes(raw) == b"null":
        return ()
    if opening not in {b"[", b"{"}:
        raise BadRequest(422, field, "neither a Bundle nor a list of orders")
    fields = fields_of(raw) if opening == b"{" else None
    if fields is not None and _is_bundle(text_of(fields.get("resourceType")), "entry" in fields):
        if not _is_list(fields.get("entry", ABSENT)):
            raise BadRequest(422, f"{field}.entry", "not a list")
        return tuple(_bundled(fields))
    entries = [] if fields == {} else members_of(raw)
    return tuple(order for entry in entries for order in _orders_of(entry))


def plain_orders(bundle: PlainBundle) -> DraftOrders | None:
    """The orders of a Bundle that holds nothing else, and all that it says it holds; None for any other."""
    if bundle.total > len(bundle.entry):
        return None
    orders = []
    for entry in bundle.entry:
        sent = bytes(entry.resource)  # it says at its beginning that it is an order, and says nothing else after that
        if _ORDER.match(sent) is None or sent.count(b"resourceType") != 1:
            return None
        orders.append((entry.resource, entry.full_url))
    return tuple(orders)


def _is_bundle(kind: str | None, has_entry: bool) -> bool:
    return kind == "Bundle" or (has_entry and kind not in ORDERS)


def _is_list(entry: Raw) -> bool:
    """Whether it can hold entries; a single object and nothing at all may."""
    return bytes(entry)[:1] in {b"", b"[", b"{", b"n"}


def _bundled(fields: Mapping[str, Raw]) -> Iterator[tuple[Raw, str | None]]:
    """The orders of a Bundle; and one that nobody can read where it says that there are more than it holds."""
    entries = members_of(fields.get("entry", ABSENT))
    for member in entries:
        yield from _orders_of(member)
    more = "total" in fields and _says_more(fields["total"], len(entries))
    links = [fields_of(link) or {} for link in members_of(fields["link"])] if "link" in fields else []
    misspelt = any(name != "entry" and name.casefold() in ENTRIES for name in fields)
    odd = not _is_list(fields.get("entry", ABSENT))
    if more or misspelt or odd or any(text_of(link.get("relation")) == "next" for link in links):
        yield LOST, None


def _says_more(total: Raw, held: int) -> bool:
    """Whether the total of a Bundle is greater than the number of entries that it holds."""
    told = bytes(total).strip(b'"')
    return told.isdigit() and int(told[:LONGEST_TOTAL]) > held


def _orders_of(entry: Raw) -> Iterator[tuple[Raw, str | None]]:
    """The resource of an entry, or the entry where it is a resource itself. A Bundle within gives its own orders."""
    fields = _entry_of(entry)
    resource = fields.resource or entry
    inner = _entry_of(resource) if fields.resource else fields
    kind = text_of(inner.resource_type or None)
    if _is_bundle(kind, bool(inner.entry)):
        yield from _bundled(fields_of(resource) or {})
    elif kind in HOLD_OTHERS:
        yield LOST, None
    else:
        yield resource, text_of(fields.full_url or None)


def _entry_of(raw: Raw) -> _Entry:
    try:
        return _entry.decode(raw)
    except UNREADABLE_JSON:
        return _Entry()
