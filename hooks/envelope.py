"""The outermost object of a request, from its bytes; every prefetch key with what it holds."""

import re
from collections.abc import Mapping
from typing import NoReturn

import msgspec
from msgspec import Raw, Struct

from hooks.bad_request import BadRequest
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON, AnyResource, Resource
from hooks.prefetch_answers import Slot

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ESCAPES = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[dD][89a-fA-F][0-9a-fA-F]{2}|\\.", re.DOTALL
)
HALF_A_CHARACTER = 6
"""The length of an escaped surrogate without its other half."""


class Envelope(Struct, rename="camel", gc=False):
    """A request; ``user``, ``patient`` and ``encounter`` stood beside the context before 1.0."""

    hook: Raw = ABSENT
    hook_instance: Raw = ABSENT
    context: Raw = ABSENT
    prefetch: dict[str, AnyResource | None] | None = None
    fhir_server: Raw = ABSENT
    fhir_authorization: Raw = ABSENT
    extension: Raw = ABSENT
    user: Raw = ABSENT
    patient: Raw = ABSENT
    encounter: Raw = ABSENT


class _LooseEnvelope(Envelope, rename="camel", gc=False):
    prefetch: Raw = ABSENT  # type: ignore[assignment]


_envelope = msgspec.json.Decoder(Envelope)
_loose_envelope = msgspec.json.Decoder(_LooseEnvelope)
_any_json = msgspec.json.Decoder(Raw)
_slots = msgspec.json.Decoder(dict[str, Raw])
_resource = msgspec.json.Decoder(AnyResource)


def read_envelope(body: bytes) -> tuple[Envelope, Mapping[str, Slot]]:
    """The request, and its prefetch. Raises ``BadRequest``: 400 for what is no JSON, 422 for what is no object."""
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        if not body.isascii():
            body.decode("utf-8")
        sent = _envelope.decode(body)
    except UnicodeDecodeError:
        not_json()
    except UNREADABLE_JSON:
        whole = _ESCAPES.sub(_whole_character, body) if b"\\u" in body else body
        if whole != body:
            return read_envelope(whole)
        return _loosely_decoded(body)
    return sent, sent.prefetch or {}


def _whole_character(escape: re.Match[bytes]) -> bytes:
    """A text that was cut within a character ends in half of it: that half becomes the replacement character."""
    return b"\\ufffd" if len(escape[0]) == HALF_A_CHARACTER else escape[0]


def _loosely_decoded(body: bytes) -> tuple[Envelope, Mapping[str, Slot]]:
    """The slow way, for a prefetch that holds something odd: each key on its own."""
    try:
        sent = _loose_envelope.decode(body)
    except UNREADABLE_JSON:
        try:
            _any_json.decode(body)
        except UNREADABLE_JSON:
            not_json()
        raise BadRequest(422, "request", "not an object") from None
    try:
        slots = _slots.decode(sent.prefetch or b"{}")
    except UNREADABLE_JSON:
        return sent, {}
    return sent, {key: _slot(raw) for key, raw in slots.items()}


def _slot(raw: Raw) -> Slot:
    if bytes(raw) == b"null":
        return None
    try:
        resource: Resource = _resource.decode(raw)
    except UNREADABLE_JSON:
        return raw
    return resource


def not_json() -> NoReturn:
    """Raises ``BadRequest`` with 400."""
    raise BadRequest(400, "request", "not JSON") from None
