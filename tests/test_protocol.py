"""The request as clients send it: accepted where it can be read, else refused with the field and never its value."""

import json
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hooks import protocol
from hooks.bad_request import BadRequest
from hooks.prefetch import complete
from hooks.protocol import HOOKS, HookRequest, read_request
from tests.fhir_examples import body as request_body
from tests.fhir_examples import bundle, condition, encoded, request

SECRET = "Grzegorz"


def read(**fields: Any) -> HookRequest:
    sent = request_body(**fields)
    return read_request(encoded({name: value for name, value in sent.items() if value is not ...}))


def in_context(hook: str = "order-sign", **fields: Any) -> HookRequest:
    context = {"userId": "Practitioner/1", "patientId": "p", **fields}
    return read(hook=hook, context={name: value for name, value in context.items() if value is not ...})


def order_ids(sent: HookRequest) -> list[str]:
    return [json.loads(bytes(raw)).get("id") for raw, _ in sent.draft_orders]


def test_a_whole_request() -> None:
    sent = read(
        fhirServer="https://ehr.example.org/r4",
        fhirAuthorization={"access_token": "t", "token_type": "Bearer", "expires_in": 1, "scope": "s", "subject": "u"},
        extension={"firstline.explain": True, "other": [1]},
        prefetch={"patient": {"resourceType": "Patient", "id": "p"}},
        context={"userId": "Practitioner/1", "patientId": "p", "encounterId": "e", "draftOrders": bundle(request())},
    )
    assert (sent.hook, sent.patient_id, sent.user_id, sent.encounter_id) == ("order-sign", "p", "Practitioner/1", "e")
    assert sent.fhir_server == "https://ehr.example.org/r4"
    assert sent.fhir_authorization is not None and sent.fhir_authorization.access_token == "t"
    assert sent.explain
    assert order_ids(sent) == ["x"]
    assert set(sent.prefetch) == {"patient"}


def test_what_a_request_shows_of_itself_names_nobody() -> None:
    sent = read(fhirAuthorization={"access_token": SECRET}, context={"patientId": SECRET})
    assert SECRET not in repr(sent)
    assert SECRET not in repr(sent.fhir_authorization)


@pytest.mark.parametrize("text", ["", "{", "{'hook': 1}", '{"hook": "order-sign",}', "NaN", "\xff", "[" * 100_000])
def test_what_is_no_json_is_400(text: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_request(text.encode("latin-1"))
    assert refused.value.status == 400


def test_a_nesting_bomb_anywhere_is_400() -> None:
    bomb = b"[" * 200_000 + b"]" * 200_000
    for place in (b'{"hook":"order-sign","context":%s}', b'{"hook":"order-sign","context":{"patientId":"p"},"x":%s}'):
        with pytest.raises(BadRequest) as refused:
            read_request(place % bomb)
        assert refused.value.status == 400


def test_orders_nested_too_deep_are_400(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(*_: Any) -> None:
        raise RecursionError

    monkeypatch.setattr(protocol, "draft_orders", too_deep)
    with pytest.raises(BadRequest) as refused:
        read(context={"patientId": "p", "draftOrders": []})
    assert refused.value.status == 400


def test_invalid_utf8_inside_a_text_is_400() -> None:
    with pytest.raises(BadRequest) as refused:
        read_request(encoded(request_body()).replace(b"Practitioner/1", b"Practitioner/\xff"))
    assert refused.value.status == 400


def test_letters_beyond_ascii_and_a_byte_order_mark_are_read() -> None:
    sent = json.dumps(request_body(context={"patientId": "pé"}), ensure_ascii=False).encode()
    assert read_request(b"\xef\xbb\xbf" + sent).patient_id == "pé"


@pytest.mark.parametrize("sent", [[], "text", 5, None, True])
def test_json_that_is_no_object_is_422(sent: Any) -> None:
    with pytest.raises(BadRequest) as refused:
        read_request(encoded(sent))
    assert (refused.value.status, refused.value.field) == (422, "request")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"hook": ...}, "hook"),
        ({"hook": None}, "hook"),
        ({"hook": 7}, "hook"),
        ({"hook": ""}, "hook"),
        ({"hook": SECRET}, "hook"),
        ({"hook": "patient-view"}, "hook"),
        ({"context": ...}, "context"),
        ({"context": None}, "context"),
        ({"context": SECRET}, "context"),
        ({"context": [SECRET]}, "context"),
        ({"context": {}}, "context.patientId"),
        ({"context": {"patientId": None}}, "context.patientId"),
        ({"context": {"patientId": " "}}, "context.patientId"),
        ({"context": {"patientId": [SECRET]}}, "context.patientId"),
        ({"context": {"patientId": "p", "draftOrders": SECRET}}, "context.draftOrders"),
        ({"context": {"patientId": "p", "draftOrders": 5}}, "context.draftOrders"),
    ],
)
def test_json_that_does_not_conform_is_422_and_the_value_is_not_echoed(fields: Any, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(**fields)
    assert (refused.value.status, refused.value.field) == (422, field)
    assert field in refused.value.message
    assert SECRET not in refused.value.message


def test_the_hook_must_be_one_of_the_service() -> None:
    with pytest.raises(BadRequest) as refused:
        read_request(encoded(request_body(hook="order-select")), hooks=("order-sign",))
    assert (refused.value.status, refused.value.field) == (422, "hook")
    assert read_request(encoded(request_body(hook="order-sign")), hooks=("order-sign",)).hook == "order-sign"


@pytest.mark.parametrize("sent", ["p", "Patient/p", "https://ehr.example.org/fhir/Patient/p", "Patient/p/_history/2"])
def test_the_patient_id_is_bare(sent: str) -> None:
    assert in_context(patientId=sent).patient_id == "p"


@pytest.mark.parametrize(("sent", "read_as"), [("Encounter/e", "e"), ("e", "e"), ("", None), (5, None), (..., None)])
def test_the_encounter_is_optional(sent: Any, read_as: str | None) -> None:
    assert in_context(encounterId=sent).encounter_id == read_as


@pytest.mark.parametrize("sent", [..., None, 5])
def test_a_missing_user_is_tolerated(sent: Any) -> None:
    assert in_context(userId=sent).user_id is None


def test_the_namespace_is_that_of_the_hook_instance() -> None:
    first, other = read(), read(context={"patientId": "another"})
    assert first.namespace == other.namespace
    assert read(hookInstance="9a1c2b8e-0000-4000-8000-000000000001").namespace != first.namespace


@pytest.mark.parametrize("sent", [..., None, 5, "", "not-a-uuid"])
def test_without_a_proper_hook_instance_the_body_names_the_answer(sent: Any) -> None:
    first = read(hookInstance=sent)
    assert first.namespace == read(hookInstance=sent).namespace
    assert first.namespace != read(hookInstance=sent, context={"patientId": "another"}).namespace
    assert UUID(bytes=first.namespace).version == 5


def test_unknown_fields_and_extensions_are_ignored() -> None:
    sent = read(extension={"org.example": {"a": 1}}, surprise=[1], context={"patientId": "p", "moon": "full"})
    assert sent.patient_id == "p"
    assert not sent.explain


@pytest.mark.parametrize("sent", [None, [], "text", {"firstline.explain": "yes"}, {"firstline.explain": 1}])
def test_only_true_asks_for_an_explanation(sent: Any) -> None:
    assert not read(extension=sent).explain


@pytest.mark.parametrize("sent", [None, 5, "token", {"scope": "no token"}])
def test_an_odd_authorization_is_none(sent: Any) -> None:
    assert read(fhirAuthorization=sent, fhirServer=5).fhir_authorization is None


# Orders


@pytest.mark.parametrize("sent", [..., None, {}, [], bundle(), {"resourceType": "Bundle"}])
def test_absent_drafts_are_no_drafts(sent: Any) -> None:
    assert in_context(draftOrders=sent).draft_orders == ()


@pytest.mark.parametrize(
    "sent",
    [
        bundle(request(id="a"), request(id="b")),
        {"resourceType": "Bundle", "entry": [{"resource": request(id="a")}, {"resource": request(id="b")}]},
        {"entry": [{"resource": request(id="a")}, {"resource": request(id="b")}]},
        [request(id="a"), request(id="b")],
        [{"resource": request(id="a")}, request(id="b")],
        [bundle(request(id="a")), bundle(request(id="b"))],
        {"entry": [{"resource": bundle(request(id="a"), request(id="b"))}]},
    ],
)
def test_shapes_of_draft_orders(sent: Any) -> None:
    assert order_ids(in_context(draftOrders=sent)) == ["a", "b"]


def test_one_bare_resource_is_one_draft() -> None:
    assert order_ids(in_context(draftOrders=request(id="a"))) == ["a"]


def test_a_bundle_with_one_entry_that_is_no_list() -> None:
    assert order_ids(in_context(draftOrders={"resourceType": "Bundle", "entry": {"resource": request(id="a")}})) == [
        "a"
    ]


def test_an_entry_keeps_its_full_url() -> None:
    sent = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:1", "resource": request(id="a")}]}
    assert [url for _, url in in_context(draftOrders=sent).draft_orders] == ["urn:uuid:1"]


@pytest.mark.parametrize(
    ("sent", "read_as"),
    [
        (..., set()),
        (None, set()),
        ("MedicationRequest/a", set()),
        ([], set()),
        (["MedicationRequest/a", 5, None], {"MedicationRequest/a"}),
        (["https://ehr.example.org/MedicationRequest/a/_history/1"], {"MedicationRequest/a"}),
        (["a"], {"a"}),
    ],
)
def test_selections(sent: Any, read_as: set[str]) -> None:
    assert in_context("order-select", selections=sent).selections == read_as


# medication-prescribe, from 1.0 back to the drafts


DSTU2 = {"resourceType": "MedicationOrder", "id": "a"}


@pytest.mark.parametrize("medications", [bundle(DSTU2), [DSTU2], DSTU2])
def test_medication_prescribe(medications: Any) -> None:
    sent = in_context("medication-prescribe", medications=medications)
    assert order_ids(sent) == ["a"]
    assert sent.default_version == "STU3"
    assert in_context().default_version == "R4"


@pytest.mark.parametrize("context", [[DSTU2], DSTU2, bundle(DSTU2)])
def test_before_1_0_the_context_is_the_orders(context: Any) -> None:
    fields = {"context": context, "patient": "Patient/example", "user": "Practitioner/1", "encounter": "Encounter/e"}
    sent = read(hook="medication-prescribe", **fields)
    assert order_ids(sent) == ["a"]
    assert (sent.patient_id, sent.user_id, sent.encounter_id) == ("example", "Practitioner/1", "e")


def test_before_1_0_the_patient_could_stand_beside_the_context() -> None:
    sent = read(hook="medication-prescribe", patient="example", context={"medications": [DSTU2]})
    assert sent.patient_id == "example"
    within = read(hook="medication-prescribe", patient="a", context={"patientId": "b", "medications": [DSTU2]})
    assert within.patient_id == "b"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"context": [DSTU2]}, "context.patientId"),
        ({"context": "text", "patient": "p"}, "context"),
        ({"context": 5, "patient": "p"}, "context"),
        ({"context": {"patientId": "p", "medications": "text"}}, "context.medications"),
    ],
)
def test_a_shape_before_1_0_that_cannot_be_read_is_422(fields: Any, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read(hook="medication-prescribe", **fields)
    assert (refused.value.status, refused.value.field) == (422, field)


@pytest.mark.parametrize("hook", ["order-select", "order-sign"])
def test_other_hooks_never_had_that_shape(hook: str) -> None:
    with pytest.raises(BadRequest):
        read(hook=hook, context=[DSTU2], patient="p")


# Prefetch


@pytest.mark.parametrize("sent", [..., None, [], "text", 5])
def test_a_prefetch_that_is_no_object_is_none(sent: Any) -> None:
    assert read(prefetch=sent).prefetch == {}


def test_one_odd_key_does_not_cost_the_others() -> None:
    sent = read(prefetch={"a": None, "b": "<html>", "c": bundle(condition(onsetDateTime=5)), "d": bundle(condition())})
    assert set(sent.prefetch) == {"a", "b", "c", "d"}
    assert complete(sent.prefetch).states == {"a": "null", "b": "junk", "c": "given", "d": "given"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("hook", "hookInstance", "context", "prefetch", "fhirServer", "fhirAuthorization", "extension", "patient")
CONTEXT_FIELDS = ("patientId", "userId", "encounterId", "draftOrders", "selections")


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(FIELDS), json_values), st.sampled_from(HOOKS))
def test_any_json_is_read_or_refused(odd: dict[str, Any], hook: str) -> None:
    try:
        sent = read_request(encoded({**request_body(hook=hook), **odd}))
    except BadRequest as refused:
        assert refused.status in {400, 422}
    else:
        assert sent.hook in HOOKS
        assert sent.patient_id


@given(
    st.dictionaries(st.sampled_from(("patientId", "userId", "encounterId", "draftOrders", "selections")), json_values)
)
def test_any_context_is_read_or_refused(odd: dict[str, Any]) -> None:
    try:
        sent = in_context(**odd)
    except BadRequest as refused:
        assert refused.field.startswith("context")
    else:
        assert sent.patient_id


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(sent: bytes) -> None:
    with pytest.raises(BadRequest):
        read_request(sent)
