"""Each state of a prefetch key (PROTOCOL.md 1.4), for each key, for an order in scope and one out of scope: what is
answered, and, where there is a FHIR server, what is asked of it."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import httpx
import pytest
import respx

from hooks.prefetch import TEMPLATES
from tests.fetching import ALPRAZOLAM, AMOXICILLIN, CHART, EGFR, OXYCODONE, Told, told
from tests.fhir_examples import bundle, observation
from tests.fhir_server import TOKEN
from tests.sentences import request_of

BASE = "https://ehr.example.org/r4"
P1 = {"reference": "Patient/p1"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
CODEINE = "orders codeine 30 mg oral tablet, 1 tablet every 6 hours as needed, for 3 days"
READ = ("patient", "encounter")


def measured(code: str, value: float, unit: str) -> dict[str, Any]:
    return observation(code, value, unit, id=f"o-{code}", subject=P1, effectiveDateTime="2026-02-20")


def drug(kind: str, **elements: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": kind, "status": "completed", "subject": P1, **elements}


HELD: Mapping[str, dict[str, Any]] = {
    "encounter": {"resourceType": "Encounter", "id": "e1", "status": "in-progress", "class": {"code": "AMB"}},
    "statements": drug(
        "MedicationStatement",
        medicationCodeableConcept={"text": "gabapentin 300 MG Oral Capsule"},
        effectivePeriod={"start": "2024-01-01", "end": "2024-02-01"},
    ),
    "dispenses": drug(
        "MedicationDispense", medicationCodeableConcept={"text": "alprazolam 0.5 MG"}, whenHandedOver="2026-02-10"
    ),
    "allergies": {"resourceType": "AllergyIntolerance", "id": "a1", "patient": P1, "code": {"text": "penicillin"}},
    "procedures": drug("Procedure", code={"text": "appendectomy"}),
    "creatinine": measured("2160-0", 0.9, "mg/dL"),
    "weight": measured("29463-7", 70, "kg"),
    "vitals": measured("59408-5", 98, "%"),
    "labs": measured("2823-3", 4.2, "mmol/L"),
    "scores": measured("72514-3", 6, "{score}"),
}
"""What the chart holds under each key beside what the sentences say."""

MATTERS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "encounter": ((OXYCODONE, ALPRAZOLAM, EGFR), ()),
    "procedures": ((CODEINE, ALPRAZOLAM, EGFR), ()),
    "egfr": ((*CHART, EGFR), ("creatinine",)),
    "creatinine": (CHART, ("egfr",)),
}
"""For a key that not every chart asks about: the sentences of one that does, and the keys that hold nothing then."""


def whole_request(key: str, in_scope: bool) -> dict[str, Any]:
    """A request in which every key is answered, and in which this key matters."""
    sentences, nothing = MATTERS.get(key, ((*CHART, EGFR), ()))
    request = request_of(sentences if in_scope else (AMOXICILLIN,))
    request["context"]["encounterId"] = "e1"
    if key == "procedures":
        request["prefetch"]["patient"]["birthDate"] = "2012-05-05"
    for name, resource in HELD.items():
        request["prefetch"][name] = resource if name in READ else bundle(resource)
    request["prefetch"].update(dict.fromkeys(nothing))
    return request


def paged(sent: Any) -> Any:
    """The first of two pages: the second is on the server."""
    first = sent if sent["resourceType"] == "Bundle" else bundle(sent)
    return {**first, "link": [{"relation": "next", "url": f"{BASE}/{sent['resourceType']}?page=2"}]}


STATES: Mapping[str, Callable[[Any], Any]] = {
    "absent": lambda _: ...,
    "null": lambda _: None,
    "empty": lambda _: bundle(),
    "given": lambda sent: sent,
    "next": paged,
    "outcome": lambda _: OUTCOME,
    "outcome entry": lambda _: {
        "resourceType": "Bundle",
        "entry": [{"search": {"mode": "outcome"}, "resource": OUTCOME}],
    },
    "wrapper": lambda sent: {"response": {"status": "200 OK"}, "resource": sent},
    "junk": lambda _: "<html>Bad gateway</html>",
}
WHY = {
    "absent": "not provided", "next": "partial", "outcome": "failed", "outcome entry": "failed", "junk": "unreadable",
}  # fmt: skip
NONE_OF_IT = {"egfr": {"none on record"}, "scores": {"no pain score in 30 days"}}
"""What is said of a key that was answered, and held nothing."""
LATEST = ("egfr", "creatinine", "weight")
"""Their first page holds the latest value: that is enough."""
CELLS = [(key, state) for key in TEMPLATES for state in STATES]


def in_state(request: Mapping[str, Any], key: str, state: str) -> dict[str, Any]:
    prefetch = dict(request["prefetch"])
    sent = STATES[state](prefetch.pop(key))
    return {**request, "prefetch": prefetch if sent is ... else {**prefetch, key: sent}}


def asking(request: Mapping[str, Any], base: str = BASE) -> dict[str, Any]:
    authorization = {"access_token": TOKEN, "token_type": "Bearer", "expires_in": 300, "scope": "user/*.rs"}
    return {**request, "fhirServer": base, "fhirAuthorization": {**authorization, "subject": "firstline"}}


def matters(key: str, state: str) -> str | None:
    """What is said of the key where nothing can be fetched; None: nothing, it was answered."""
    if state in {"given", "wrapper"} or (state == "next" and key in LATEST):
        return None
    if state in {"null", "empty"}:
        return "not provided" if key in READ else None
    return WHY[state]


def same(one: Told, other: Told) -> bool:
    """The same answer, whatever its names are made from."""
    return one.status == other.status and one.content == other.content


def test_there_are_nine_states_and_fourteen_keys() -> None:
    assert (len(STATES), len(TEMPLATES)) == (9, 14)


@pytest.mark.parametrize("key", TEMPLATES)
def test_every_chart_of_the_matrix_is_known_whole(key: str) -> None:
    found = told(whole_request(key, in_scope=True))
    assert found.status == 200
    assert found.cards
    assert found.why(key) is None


@pytest.mark.parametrize(("key", "state"), CELLS)
def test_a_key_of_an_order_in_scope(key: str, state: str) -> None:
    request = whole_request(key, in_scope=True)
    whole, found = told(request), told(in_state(request, key, state))
    assert found.status == 200
    assert found.cards[:1] == whole.cards[:1], "the gravest card does not go away"
    assert found.review["inScope"] == ["MedicationRequest/d1"]
    why = matters(key, state)
    if why is None and state in {"null", "empty"}:
        assert found.why(key) in {None, *NONE_OF_IT.get(key, ())}
    else:
        assert found.why(key) == why
    if state in {"given", "wrapper"}:
        assert same(found, whole)


@pytest.mark.parametrize(("key", "state"), CELLS)
def test_a_key_of_an_order_out_of_scope(key: str, state: str) -> None:
    request = in_state(whole_request(key, in_scope=False), key, state)
    found = told(request)
    assert (found.status, found.content["cards"]) == (200, [])
    assert found.review == {"knowledge": found.review["knowledge"], "inScope": []}


# With a FHIR server


class Server:
    """``held`` are its records; ``asked`` the paths of all requests. The second page of anything holds nothing more."""

    def __init__(self) -> None:
        self.held: list[dict[str, Any]] = []
        self.asked: list[str] = []

    def hold(self, request: Mapping[str, Any]) -> None:
        for sent in request["prefetch"].values():
            self.held += [sent] if sent and sent["resourceType"] != "Bundle" else []
            self.held += [entry["resource"] for entry in (sent or {}).get("entry", [])]

    def answer(self, call: httpx.Request) -> httpx.Response:
        path = str(call.url).removeprefix(f"{BASE}/")
        self.asked.append(path)
        kind = re.split(r"[/?]", path)[0]
        if "page=2" in path:
            return httpx.Response(200, json=bundle())
        mine = [resource for resource in self.held if resource["resourceType"] == kind]
        if "?" not in path:
            return httpx.Response(200, json=mine[0]) if mine else httpx.Response(404, json=OUTCOME)
        codes = set(call.url.params.get("code", "").replace("http://loinc.org|", "").split(","))
        if kind == "Observation":
            mine = [one for one in mine if one["code"]["coding"][0]["code"] in codes]
        return httpx.Response(200, json=bundle(*mine))


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    with respx.mock(assert_all_called=False) as router:
        router.route(host="ehr.example.org").mock(side_effect=server.answer)
        yield server


@pytest.mark.parametrize(("key", "state"), CELLS)
def test_a_missing_key_of_an_order_in_scope_is_fetched(key: str, state: str, server: Server) -> None:
    request = whole_request(key, in_scope=True)
    server.hold(request)
    found = told(asking(in_state(request, key, state)), [BASE])
    if state in {"given", "wrapper", "null", "empty"} or (state == "next" and key in LATEST):
        assert server.asked == []
        assert same(found, told(in_state(request, key, state)))
        return
    [asked] = server.asked
    kind = TEMPLATES[key].partition("?")[0].partition("/")[0]
    assert asked.startswith((f"{kind}?", f"{kind}/", "Bundle?page=2"))
    assert ("page=2" in asked) == (state == "next" and key not in READ)
    assert ("_sort" in asked) == (state in {"absent", "junk"} and "_sort" in TEMPLATES[key])
    assert same(found, told(request))


@pytest.mark.parametrize(("key", "state"), CELLS)
def test_nothing_is_fetched_for_an_order_out_of_scope(key: str, state: str, server: Server) -> None:
    request = in_state(whole_request(key, in_scope=False), key, state)
    found = told(asking(request), [BASE])
    assert server.asked == []
    assert (found.status, found.content["cards"]) == (200, [])


def test_the_whole_chart_is_fetched_where_nothing_was_sent(server: Server) -> None:
    request = whole_request("patient", in_scope=True)
    server.hold(request)
    found = told(asking({**request, "prefetch": {}}), [BASE])
    assert len(server.asked) == len(set(server.asked)) == len(TEMPLATES)
    assert json.dumps(found.content, sort_keys=True) == json.dumps(told(request).content, sort_keys=True)
