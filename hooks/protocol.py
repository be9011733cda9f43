"""The request of a CDS Hooks client in the specification's own words, of 1.0, 2.0 and the drafts before 1.0."""

import hashlib
import re
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import msgspec
from msgspec import Raw, Struct

from hooks.bad_request import BadRequest
from hooks.draft_orders import DraftOrders, PlainBundle, draft_orders, plain_orders
from hooks.envelope import Envelope, not_json, read_envelope
from hooks.fhir_loose import fields_of, members_of, text_of
from hooks.fhir_pointers import local_ref
from hooks.fhir_shapes import ABSENT, UNREADABLE_JSON
from hooks.names import namespace_of
from hooks.prefetch_answers import Slot

MEDICATION_PRESCRIBE = "medication-prescribe"
HOOKS = ("order-select", "order-sign", MEDICATION_PRESCRIBE)
EXPLAIN = "firstline.explain"
NAMESPACE = UUID("6f1d2f0e-6c0b-5b0e-9d3e-6a1c5d6b7a10").bytes
"""Names of answers are made in a namespace of their own for each hookInstance, within this one."""
_TOKEN = re.compile(r"[\x21-\x7e]+")
_PLAIN_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class FhirAuthorization(Struct, frozen=True):
    """The token for the client's FHIR server. It is never shown, logged or kept.

    ``scope`` is empty where none was said; ``patient`` is the id of the only patient that ``patient/`` scopes concern.
    """

    access_token: str
    scope: str = ""
    patient: str | None = None

    def __repr__(self) -> str:
        return "FhirAuthorization(...)"


class HookRequest(Struct, frozen=True):
    """One call. Ids are bare; ``draft_orders`` are resources as sent, each with the ``fullUrl`` of its entry;
    ``selections`` are references as sent, without host and version; ``namespace`` names what the answer holds."""

    hook: str
    namespace: bytes
    patient_id: str
    user_id: str | None = None
    encounter_id: str | None = None
    draft_orders: DraftOrders = ()
    selections: frozenset[str] = frozenset()
    prefetch: Mapping[str, Slot] = {}
    fhir_server: str | None = None
    fhir_authorization: FhirAuthorization | None = None
    extension: Mapping[str, Any] = {}
    fhir_version: str | None = None
    """The client's setting."""

    def __repr__(self) -> str:
        return f"HookRequest(hook={self.hook!r})"

    @property
    def explain(self) -> bool:
        """Whether every rule's outcome is asked for."""
        return self.extension.get(EXPLAIN) is True

    @property
    def default_version(self) -> str:
        """The FHIR version of a draft whose shape does not show it."""
        return self.fhir_version or ("STU3" if self.hook == MEDICATION_PRESCRIBE else "R4")


class _PlainContext(Struct, rename="camel", gc=False):
    patient_id: str
    draft_orders: PlainBundle
    user_id: str | None = None
    encounter_id: str | None = None
    selections: Raw = ABSENT


class _Context(Struct, gc=False):
    """What a context says, each part as it stands there."""

    patient_id: str
    drafts: DraftOrders
    user_id: str | None
    encounter_id: str | None
    selections: Raw


MOST_DRAFTS = 200
"""All drafts are reviewed together, and each against the others: no signing holds more."""

_contexts = msgspec.json.Decoder(_PlainContext)
_extension = msgspec.json.Decoder(dict[str, Any])
_texts = msgspec.json.Decoder(list[Any])


def read_request(body: bytes, hooks: Collection[str] = HOOKS) -> HookRequest:
    """Reads one call of a service that answers these hooks. Raises ``BadRequest``: 400 for what is no JSON, 422 for
    JSON that does not conform."""
    try:
        return _read(body, hooks)
    except RecursionError:
        not_json()


def _read(body: bytes, hooks: Collection[str]) -> HookRequest:
    sent, prefetch = read_envelope(body)
    hook = _required_text(sent.hook, "hook")
    if hook not in hooks:
        raise BadRequest(422, "hook", "not a hook of this service")
    context = _plain_context(sent.context) if hook != MEDICATION_PRESCRIBE else None
    if context is None:
        context = _context_of(sent, hook)
    return HookRequest(
        hook=hook,
        namespace=_namespace(text_of(sent.hook_instance or None), body),
        patient_id=_bare_id(context.patient_id, "Patient"),
        user_id=context.user_id,
        encounter_id=_optional_id(context.encounter_id, "Encounter") if context.encounter_id else None,
        draft_orders=context.drafts,
        selections=_selections(context.selections) if context.selections else frozenset(),
        prefetch=prefetch,
        fhir_server=text_of(sent.fhir_server or None),
        fhir_authorization=_read_authorization(sent.fhir_authorization) if sent.fhir_authorization else None,
        extension=_read_extension(sent.extension),
    )


def _plain_context(raw: Raw) -> _Context | None:
    """A context as nearly everybody sends it; None for any other."""
    try:
        sent = _contexts.decode(raw)
    except UNREADABLE_JSON:
        return None
    drafts, patient_id = plain_orders(sent.draft_orders), sent.patient_id.strip()
    if drafts is None or not patient_id or len(drafts) > MOST_DRAFTS:
        return None
    return _Context(patient_id, drafts, sent.user_id, sent.encounter_id, sent.selections)


def _context_of(sent: Envelope, hook: str) -> _Context:
    """The context of any hook, and whatever stands in it."""
    if not sent.context or bytes(sent.context) == b"null":
        raise BadRequest(422, "context", "required")
    fields = fields_of(sent.context)
    if hook == MEDICATION_PRESCRIBE and (fields is None or "resourceType" in fields):
        # Before 1.0 the context was the orders themselves, and the patient stood beside it.
        fields = {"medications": _before_1_0(sent.context)}
    if fields is None:
        raise BadRequest(422, "context", "not an object")
    if hook == MEDICATION_PRESCRIBE:
        beside = {"patientId": sent.patient, "userId": sent.user, "encounterId": sent.encounter}
        fields = {**{name: raw for name, raw in beside.items() if raw}, **fields}
    orders = "medications" if hook == MEDICATION_PRESCRIBE else "draftOrders"
    drafts = draft_orders(fields.get(orders, ABSENT), f"context.{orders}")
    if len(drafts) > MOST_DRAFTS:
        raise BadRequest(422, f"context.{orders}", f"more than {MOST_DRAFTS} orders in one request")
    return _Context(
        _required_text(fields.get("patientId", ABSENT), "context.patientId"),
        drafts,
        text_of(fields.get("userId")),
        text_of(fields.get("encounterId")),
        fields.get("selections", ABSENT),
    )


def _required_text(raw: Raw, field: str) -> str:
    if not raw or bytes(raw) == b"null":
        raise BadRequest(422, field, "required")
    text = text_of(raw)
    if text is None:
        raise BadRequest(422, field, "not a string")
    if not text.strip():
        raise BadRequest(422, field, "empty")
    return text.strip()


def _bare_id(text: str, kind: str) -> str:
    """``Patient/x``, with or without a host, is ``x``."""
    prefix, slash, own = local_ref(text).rpartition("/")
    return own if slash and prefix == kind and own else text


def _optional_id(text: str | None, kind: str) -> str | None:
    return _bare_id(text.strip(), kind) if text and text.strip() else None


def _before_1_0(context: Raw) -> Raw:
    if bytes(context).lstrip()[:1] not in {b"[", b"{"}:
        raise BadRequest(422, "context", "neither an object nor a list of orders")
    return context


def _selections(raw: Raw) -> frozenset[str]:
    try:
        found = _texts.decode(raw) if raw else []
    except UNREADABLE_JSON:
        return frozenset()
    return frozenset(local_ref(text) for text in found if isinstance(text, str))


def _read_extension(raw: Raw) -> Mapping[str, Any]:
    try:
        return _extension.decode(raw) if raw else {}
    except UNREADABLE_JSON:
        return {}


def _read_authorization(raw: Raw) -> FhirAuthorization | None:
    """The token with what it permits; None where there is none that can be presented: none sent, run out, not a bearer
    token, or one that no header can hold."""
    fields = (fields_of(raw) or {}) if raw else {}
    token = text_of(fields.get("access_token"))
    if token is None or _TOKEN.fullmatch(token) is None:
        return None
    kind, expires = text_of(fields.get("token_type")), bytes(fields.get("expires_in", ABSENT)).strip(b'"')
    if (kind is not None and kind.strip().casefold() != "bearer") or expires.startswith(b"-") or expires == b"0":
        return None
    said = fields.get("scope", ABSENT)
    scopes = [text_of(one) or "" for one in members_of(said)] if bytes(said)[:1] == b"[" else [text_of(said) or ""]
    return FhirAuthorization(token, " ".join(scopes), _optional_id(text_of(fields.get("patient")), "Patient"))


def _namespace(hook_instance: str | None, body: bytes) -> bytes:
    """Of the hookInstance; of the body's hash where that is missing or no UUID."""
    own = hook_instance or ""
    if _PLAIN_UUID.fullmatch(own) is None:
        try:
            own = str(UUID(own))
        except ValueError:
            own = hashlib.sha256(body).hexdigest()
    return namespace_of(NAMESPACE, own)
