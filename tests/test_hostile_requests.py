"""What a hostile or careless client sends: nothing breaks, nothing is echoed, nothing unreadable passes for "none"."""

import copy
import json
import random
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import pytest

from cds import course, exposure
from cds.case import Case
from cds.review import review
from hooks import fhir_records
from hooks.signing import read_signing
from tests.calling import PRESCRIBE, SIGN, an_app, call
from tests.conformance import breaches
from tests.fixtures import FOLDER, STORIES, service_of
from tests.sentences import request_of

APP = an_app()
OXYCODONE = (
    "orders Oxycodone Hydrochloride 5 MG Oral Tablet [rx 1049621], 1 tablet every 6 hours as needed, for 14 days"
)
NEUROPATHY = "has diabetic polyneuropathy (E11.42), since 2021-04-12"
ALPRAZOLAM = "takes alprazolam 0.5 MG Oral Tablet, 1 tablet twice a day, since 2026-02-10, for 30 days"
DRAFT = ("context", "draftOrders", "entry", 0, "resource")
LISTED = ("prefetch", "medications", "entry", 0, "resource")
CONDITION = ("prefetch", "conditions", "entry", 0, "resource")
Place = tuple[str | int, ...]


def a_request() -> dict[str, Any]:
    return request_of(["woman, age 58", NEUROPATHY, ALPRAZOLAM, OXYCODONE])


def put(request: dict[str, Any], at: Place, value: Any) -> dict[str, Any]:
    holder: Any = request
    for step in at[:-1]:
        holder = holder[step]
    holder[at[-1]] = value
    return request


def post(content: bytes, path: str = SIGN) -> Any:
    return call(APP, "POST", path, content=content, headers={"Content-Type": "application/json"})


def answered(request: dict[str, Any]) -> dict[str, Any]:
    response = post(json.dumps(request).encode())
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    assert breaches(found) == []
    return found


def view(request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answered(request)["extension"]["firstline.review"]
    return found


def rules_of(request: dict[str, Any]) -> set[str]:
    return {finding["rule"] for finding in view(request).get("findings", []) if finding["indicator"] != "info"}


def not_assessed(request: dict[str, Any]) -> set[str]:
    return set(view(request).get("notAssessed", []))


def with_text(text: str) -> bytes:
    """The request with this JSON text in the place of the dose's number."""
    dose = put(a_request(), (*DRAFT, "dosageInstruction", 0, "doseAndRate", 0, "doseQuantity", "value"), "@")
    return json.dumps(dose).replace('"@"', text).encode()


# The body


BODY = json.dumps(a_request()).encode()


@pytest.mark.parametrize(
    "body",
    [
        BODY[:-1],
        BODY[: len(BODY) // 2],
        BODY + b"\0",
        BODY + b"{}",
        b"/**/" + BODY,
        BODY.replace(b"diabetic", b"dia\0betic"),
        BODY.replace(b"diabetic", b"dia\xe4betic"),
        BODY.replace(b"diabetic", b"dia\xed\xa0\x80betic"),
        BODY.decode().encode("utf-16"),
        b"\xef\xbb\xbf" * 2 + BODY,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 100_000,
        BODY[:-1] + b', "more": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        with_text("NaN"),
        with_text("Infinity"),
        with_text("01"),
    ],
    ids=range(17),
)
def test_what_is_no_json_is_a_plain_400(body: bytes) -> None:
    response = post(body)
    assert response.status_code == 400
    assert response.json()["issue"][0]["diagnostics"] == "request: not JSON"
    assert response.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("half", [b"\\ud83d", b"\\uDE00", b"\\ud83d\\ud83d", b"\\\\\\ud83d"])
def test_a_text_cut_within_a_character_does_not_sink_the_request(half: bytes) -> None:
    """A client that counts UTF-16 units cuts an emoji in two; that is a blemish of one text, not of the request."""
    response = post(BODY.replace(b"diabetic polyneuropathy", b"diabetic polyneuropathy " + half))
    assert response.status_code == 200
    assert {card["indicator"] for card in response.json()["cards"]} == {"critical", "warning"}


@pytest.mark.parametrize("pair", [b"\\ud83d\\ude00", b"\\\\ud83d"])
def test_whole_characters_beside_a_half_one_stay(pair: bytes) -> None:
    drug = b'Oxycodone Hydrochloride 5 MG Oral Tablet", "note": "' + pair + b" \\ud83d"
    told = post(BODY.replace(b'Tablet"}], "text": "Oxycodone', b'Tablet"}], "text": "' + pair + b" \\ud83d Oxycodone"))
    assert told.status_code == 200
    shown = json.loads(b'"' + pair + b'"')
    assert drug and (shown + " \ufffd Oxycodone") in json.dumps(told.json(), ensure_ascii=False).replace("\\\\", "\\")


def test_a_length_of_many_digits_is_too_large() -> None:
    headers = {"Content-Type": "application/json", "Content-Length": "9" * 6000}
    assert call(APP, "POST", SIGN, content=b"{}", headers=headers).status_code == 413


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("FOO", SIGN), ("TRACE", SIGN), ("HEAD", SIGN), ("GET", "/cds-services/"), ("POST", SIGN + "/"),
        ("POST", SIGN + "%00"), ("POST", "/cds-services/%2e%2e/settings"), ("POST", "/cds-services/%ff%fe"),
        ("POST", "/cds-services/%3Cscript%3EQuetzal%3C/script%3E"), ("GET", "/openapi.json"), ("OPTIONS", "/nothing"),
    ],
)  # fmt: skip
def test_odd_methods_and_paths_are_refused_with_cors(method: str, path: str) -> None:
    response = call(APP, method, path)
    assert response.status_code == (204 if method == "OPTIONS" else response.status_code)
    assert response.status_code in (204, 404, 405)
    assert response.headers["access-control-allow-origin"] == "*"
    assert "Quetzal" not in response.text


# Drafts


@pytest.mark.parametrize(
    "dose", ["0", "-1", "1e30", "1e400", "-1e400", "1e-400", "9" * 400, "null", "true", '"5 mg"', '"NaN"', "[1]", "{}"]
)
def test_a_draft_of_an_absurd_dose_is_still_reviewed(dose: str) -> None:
    """The benzodiazepine beside it does not depend on the dose."""
    response = post(with_text(dose))
    assert response.status_code == 200
    answer = response.json()
    assert breaches(answer) == []
    assert answer["cards"][0]["indicator"] == "critical"
    assert any("MedicationRequest/d1" in entry for entry in answer["extension"]["firstline.review"]["notAssessed"])


@pytest.mark.parametrize("number", ["1e400", "-1e999999999"])
def test_a_number_beyond_all_numbers_elsewhere_costs_the_update_only(number: str) -> None:
    body = BODY.replace(
        b'"id": "d1"', b'"id": "d1", "extension": [{"url": "urn:x", "valueDecimal": %s}]' % number.encode()
    )
    answer = post(body).json()
    assert answer["cards"][0]["indicator"] == "critical"
    assert "MedicationRequest/d1: unreadable" in answer["extension"]["firstline.review"]["notAssessed"]
    kinds = [a["type"] for c in answer["cards"] for s in c.get("suggestions", ()) for a in s["actions"]]
    assert kinds
    assert "update" not in kinds


@pytest.mark.parametrize("times", [0, -1, 1e30])
def test_nought_times_a_day_is_not_once_a_day(times: float) -> None:
    request = put(a_request(), (*DRAFT, "dosageInstruction", 0, "timing", "repeat", "frequency"), times)
    assert any(entry.startswith("dose of MedicationRequest/d1") for entry in not_assessed(request))


@pytest.mark.parametrize("entry", [0, True, "x", ""])
def test_entries_that_are_no_list_are_not_no_drafts(entry: Any) -> None:
    response = post(json.dumps(put(a_request(), ("context", "draftOrders", "entry"), entry)).encode())
    assert response.status_code == 422
    assert response.json()["issue"][0]["expression"] == ["context.draftOrders.entry"]


@pytest.mark.parametrize("entry", [None, {}, "x", 7, [], {"resource": None}, {"resource": 7}, {"fullUrl": "urn:x"}])
def test_an_entry_that_holds_no_order_is_named(entry: Any) -> None:
    assert "draftOrders: unreadable" in not_assessed(put(a_request(), DRAFT[:-1], entry))


@pytest.mark.parametrize("kind", [None, "", "x", "medicationrequest", "Medication Request", 7, {}])
def test_a_draft_of_no_kind_is_named(kind: Any) -> None:
    assert "draftOrders: unreadable" in not_assessed(put(a_request(), (*DRAFT, "resourceType"), kind))


def test_another_kind_of_order_is_passed_over() -> None:
    assert view(put(a_request(), (*DRAFT, "resourceType"), "ServiceRequest"))["inScope"] == []


def test_bundles_in_bundles_give_their_orders() -> None:
    request = a_request()
    for _ in range(40):
        request["context"]["draftOrders"] = {"entry": [{"resource": request["context"]["draftOrders"]}]}
    assert view(request)["inScope"] == ["MedicationRequest/d1"]


def test_a_medication_that_holds_itself_ends() -> None:
    request = put(a_request(), (*DRAFT, "medicationCodeableConcept"), None)
    inner = {
        "resourceType": "Medication", "id": "m", "ingredient": [{"itemReference": {"reference": "#m"}}],
        "contained": [{"resourceType": "Medication", "id": "m"}],
    }  # fmt: skip
    put(request, (*DRAFT, "contained"), [inner])
    put(request, (*DRAFT, "medicationReference"), {"reference": "#m"})
    assert "drug of MedicationRequest/d1: not recognised" in not_assessed(request)


# The chart: what cannot be read is never "none"


@pytest.mark.parametrize("code", [None, {}, {"x": 1}, {"coding": []}, {"coding": [{}]}, {"text": " "}, 7, [[]]])
@pytest.mark.parametrize(
    ("key", "kind"), [("conditions", "Condition"), ("allergies", "AllergyIntolerance"), ("labs", "Observation")]
)
def test_what_says_nothing_of_itself_is_named(key: str, kind: str, code: Any) -> None:
    request = a_request()
    entries = request["prefetch"][key].setdefault("entry", [])
    entries.append({"resource": {"resourceType": kind, "id": "odd", "code": code}})
    assert f"{kind}/odd: unreadable" in not_assessed(request)


@pytest.mark.parametrize("kind", [None, "", "x", "condition", 7])
def test_a_resource_of_no_kind_leaves_its_question_open(kind: Any) -> None:
    assert any("conditions" in entry for entry in not_assessed(put(a_request(), (*CONDITION, "resourceType"), kind)))


@pytest.mark.parametrize("born", ["9999-12-31", "9999", "2026-03-02"])
def test_a_birth_in_the_future_is_not_an_age(born: str) -> None:
    request = put(a_request(), ("prefetch", "patient", "birthDate"), born)
    assert "Patient: unreadable" in not_assessed(request)
    assert "error inside" not in json.dumps(answered(request))
    assert "DD-01" in rules_of(request)


@pytest.mark.parametrize("name", ["x", "", None])
def test_a_partner_drug_beside_an_unknown_drug_says_so(name: str | None) -> None:
    """Clarithromycin for somebody who takes something that was not recognised: it may be fentanyl."""
    request = json.loads((FOLDER / "fentanyl-with-clarithromycin.request.json").read_text(encoding="utf-8"))
    assert rules_of(request)
    ref = (
        "MedicationRequest/"
        + put(request, (*LISTED, "medicationCodeableConcept"), {"text": name})["prefetch"]["medications"]["entry"][0][
            "resource"
        ]["id"]
    )
    assert f"drug of {ref}: not recognised" in not_assessed(request)


# What cannot be read is named


@pytest.mark.parametrize("repeats", ["x", -1, 1e30, {}])
def test_repeats_that_cannot_be_read_are_named(repeats: Any) -> None:
    request = put(a_request(), (*LISTED, "authoredOn"), "2025-12-01")
    put(request, (*LISTED, "dispenseRequest", "numberOfRepeatsAllowed"), 5)
    assert "DD-01" in rules_of(request)
    put(request, (*LISTED, "dispenseRequest", "numberOfRepeatsAllowed"), repeats)
    assert "DD-01" in rules_of(request) or "MedicationRequest/m2: unreadable" in not_assessed(request)


@pytest.mark.parametrize("value", ["x", {"value": "x"}, -1])
def test_a_value_that_cannot_be_read_is_named(value: Any) -> None:
    request = json.loads((FOLDER / "methadone-with-a-long-qtc.request.json").read_text(encoding="utf-8"))
    entry = next(one["resource"] for one in request["prefetch"]["labs"]["entry"] if "valueQuantity" in one["resource"])
    entry["valueQuantity"] = value
    assert f"Observation/{entry['id']}: unreadable" in not_assessed(request)


# What is written on cards

INJECTED = (
    "<img src=x onerror=alert(1)>", "<iframe srcdoc='<script>1</script>'>", "[x](javascript:alert(1))",
    "![x](http://evil.example/x.png)", "```js `x`", "|a|b|\n|---|---|\n|c|d|", "\n\n# H\n\n- li", "**b** _i_ ~~s~~",
    "http://evil.example/x HTTPS://EVIL.EXAMPLE www.evil.example", "mailto:me@evil.example me@evil.example",
    "&lt;script&gt; &#60;b&#62;", "\u202egnirts\u202c\u2066\u200b\u2028\u0085", "<!-- x -->", "[ref]: http://evil.example",
    "{0} {x} {alternative} %s", "=====\n-----", "😀" * 200, "a" * 10_000, "<" * 10_000, "1. one\n2. two",
)  # fmt: skip
TEXTS: dict[str, Callable[[dict[str, Any], str], Any]] = {
    "drug": lambda r, s: put(r, (*DRAFT, "medicationCodeableConcept"), {"text": f"oxycodone 5 mg tablet {s}"}),
    "unknown drug": lambda r, s: put(r, (*LISTED, "medicationCodeableConcept"), {"text": s}),
    "partner": lambda r, s: put(r, (*LISTED, "medicationCodeableConcept"), {"text": f"alprazolam 0.5 mg {s}"}),
    "condition": lambda r, s: put(r, (*CONDITION, "code"), {"text": f"diabetic neuropathy {s}"}),
    "coded condition": lambda r, s: put(r, (*CONDITION, "code", "text"), s),
    "reason": lambda r, s: put(r, (*DRAFT, "reasonCode"), [{"text": f"painful neuropathy {s}"}]),
    "sig": lambda r, s: put(r, (*DRAFT, "dosageInstruction", 0, "text"), s),
    "unit": lambda r, s: put(r, (*DRAFT, "dosageInstruction", 0, "doseAndRate", 0, "doseQuantity", "unit"), s),
    "practitioner": lambda r, s: put(r, (*DRAFT, "requester"), {"reference": f"Practitioner/{s}", "display": s}),
    "user": lambda r, s: put(r, ("context", "userId"), f"Practitioner/{s}"),
    "patient": lambda r, s: put(r, ("context", "patientId"), s),
    "id": lambda r, s: put(r, (*DRAFT, "id"), s),
    "listed id": lambda r, s: put(r, (*LISTED, "id"), s),
    "allergy": lambda r, s: put(
        r,
        ("prefetch", "allergies", "entry"),
        [{"resource": {"resourceType": "AllergyIntolerance", "id": "a", "code": {"text": f"oxycodone {s}"},
                       "reaction": [{"description": s, "manifestation": [{"text": s}]}]}}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("where", TEXTS)
@pytest.mark.parametrize("text", INJECTED, ids=range(len(INJECTED)))
def test_no_text_of_the_chart_is_markup_on_a_card(where: str, text: str) -> None:
    request = a_request()
    TEXTS[where](request, text)
    response = post(json.dumps(request).encode())
    assert response.status_code == 200
    assert breaches(response.json()) == []
    for card in response.json()["cards"]:
        for words in (card["summary"], *(one["label"] for one in card.get("suggestions", ()))):
            assert not re.search("[<>\u202e\u2066\u0085\u2028]", words)
        for suggestion in card.get("suggestions", ()):
            assert all(len(action["description"]) <= 600 for action in suggestion["actions"])


# Much of it: counted, not timed


def asked(request: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> int:
    """How often a review of this request compares what a signing does to the dose of one drug."""
    counted: Counter[str] = Counter()
    plain = exposure.recorded_spans

    def recorded_spans(*args: Any) -> Any:
        counted["spans"] += 1
        return plain(*args)

    monkeypatch.setattr(course, "recorded_spans", recorded_spans)
    signing = read_signing(json.dumps(request).encode(), date(2026, 3, 1))
    review(signing.drafts, signing.chart, signing.today)
    return counted["spans"]


def many(count: int) -> dict[str, Any]:
    request = a_request()
    [entry] = request["prefetch"]["medications"]["entry"]
    listed = [{"resource": {**entry["resource"], "id": f"m{number}"}} for number in range(count)]
    return put(request, ("prefetch", "medications", "entry"), listed)


def test_a_history_is_read_once_for_each_drug_however_many_orders_hold_it(monkeypatch: pytest.MonkeyPatch) -> None:
    few = asked(many(5), monkeypatch)
    monkeypatch.undo()
    assert asked(many(50), monkeypatch) == few


@pytest.mark.parametrize("name", ["alprazolam 0.5 MG Oral Tablet", "gabapentin 300 MG Oral Capsule", "morphine 15 MG"])
@pytest.mark.parametrize("link", [None, -1, 1])
def test_the_work_grows_with_the_list_and_no_faster(name: str, link: int | None) -> None:
    def calls(count: int) -> int:
        request = many(count)
        for number, entry in enumerate(request["prefetch"]["medications"]["entry"]):
            entry["resource"]["medicationCodeableConcept"] = {"text": name}
            entry["resource"]["authoredOn"] = f"2026-02-{1 + number % 28:02}"
            if link is not None:
                entry["resource"]["priorPrescription"] = {"reference": f"MedicationRequest/m{number + link}"}
        signing = read_signing(json.dumps(request).encode(), date(2026, 3, 1))
        counted: Counter[str] = Counter()
        sys.setprofile(lambda frame, event, arg: counted.update([event]))
        try:
            review(signing.drafts, signing.chart, signing.today)
        finally:
            sys.setprofile(None)
        return counted["call"]

    assert calls(240) < 2.6 * calls(120)


def test_what_an_order_contains_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: Counter[str] = Counter()
    plain = fhir_records.contained

    def contained(holder: Any) -> Any:
        counted["contained"] += 1
        return plain(holder)

    monkeypatch.setattr(fhir_records, "contained", contained)
    request = put(
        a_request(),
        (*DRAFT, "contained"),
        [{"resourceType": "Condition", "id": f"k{n}", "code": {"text": "pain"}} for n in range(30)],
    )
    put(request, (*DRAFT, "reasonReference"), [{"reference": f"#k{n}"} for n in range(30)])
    view(request)
    assert counted["contained"] == 1


def test_no_change_is_weighed_one_by_one_in_a_signing_of_very_many(monkeypatch: pytest.MonkeyPatch) -> None:
    made: Counter[str] = Counter()
    plain = Case.__init__

    def counting(self: Case, *args: Any, **named: Any) -> None:
        made["case"] += 1
        plain(self, *args, **named)

    monkeypatch.setattr(Case, "__init__", counting)

    def cases(count: int) -> int:
        made.clear()
        request = a_request()
        [entry] = request["context"]["draftOrders"]["entry"]
        drafts = [{"resource": {**entry["resource"], "id": f"d{number}"}} for number in range(count)]
        answered(put(request, ("context", "draftOrders", "entry"), drafts))
        return made["case"]

    assert cases(24) == cases(12)


@pytest.mark.parametrize(("count", "status"), [(199, 200), (200, 200), (201, 422)])
def test_more_drafts_than_any_signing_holds_are_refused(count: int, status: int) -> None:
    request = a_request()
    [entry] = request["context"]["draftOrders"]["entry"]
    plain = {**entry["resource"], "medicationCodeableConcept": {"text": "amoxicillin 500 MG Oral Capsule"}}
    drafts = [{"resource": {**plain, "id": f"d{number}"}} for number in range(count)]
    response = post(json.dumps(put(request, ("context", "draftOrders", "entry"), drafts)).encode())
    assert response.status_code == status
    if status == 422:
        assert response.json()["issue"][0]["expression"] == ["context.draftOrders"]


# The same entries in another order


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_odd_entries_changes_nothing(seed: int) -> None:
    request = a_request()
    draft = request["context"]["draftOrders"]["entry"][0]["resource"]
    odd = [
        {"resource": {**draft, "status": "active"}}, {"resource": {**draft, "id": None}},
        {"resource": {**draft, "id": ""}},
        {"resource": None}, {"resource": {**draft, "id": "x", "dosageInstruction": "x"}}, {}, draft,
    ]  # fmt: skip
    request["context"]["draftOrders"]["entry"] += odd
    first = answered(request)
    random.Random(seed).shuffle(request["context"]["draftOrders"]["entry"])
    assert answered(request) == first


# Anything at all, from a fixed seed

ODD_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 1e30, 10**30, "", " ", "x", "Quetzal-7", "\u0000", "<b>", "\ud83d", "0000", "9999-99-99",
    "2026-02-30", "9999-12-31", "0001-01-01T00:00:00+14:00", [], {}, [None], [[]], [{}], {"x": 1},
    {"resourceType": "Bundle"}, "a" * 5000,
)  # fmt: skip
TRACES = re.compile(r"Traceback|\.py\b|/hooks/|/cds/|Error: |\bline \d+, in\b|site-packages")


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    if at:
        yield at
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from places(part, (*at, name))


def mutate(request: dict[str, Any], chance: random.Random) -> None:
    """Replaces, removes, repeats or swaps one part of the request."""
    at = chance.choice(list(places(request)))
    holder: Any = request
    for step in at[:-1]:
        holder = holder[step]
    last = at[-1]
    how = chance.randrange(6)
    if how == 0:
        del holder[last]
    elif how == 1 and isinstance(holder, list):
        holder.append(copy.deepcopy(holder[last]))  # type: ignore[index]
    elif how == 2:
        other: Any = request
        for step in chance.choice(list(places(request))):
            other = other[step]
        holder[last] = copy.deepcopy(other)
    elif how == 3:
        holder[last] = [holder[last]]
    else:
        holder[last] = copy.deepcopy(chance.choice(ODD_VALUES))


@pytest.mark.parametrize("seed", range(300))
def test_no_mutation_of_a_story_breaks_the_service(seed: int, caplog: pytest.LogCaptureFixture) -> None:
    chance = random.Random(seed)
    name = chance.choice(sorted(STORIES))
    request = json.loads((FOLDER / f"{name}.request.json").read_text(encoding="utf-8"))
    path = f"/cds-services/{service_of(request)}"
    for _ in range(chance.choice((1, 1, 2, 5))):
        mutate(request, chance)
    body = json.dumps(request).encode()
    if chance.random() < 0.1:
        body = body[: chance.randrange(len(body))]
    response = post(body, path)
    assert response.status_code in (200, 400, 412, 422), response.text
    assert not TRACES.search(response.text)
    if response.status_code == 200:
        dialect = "1.0" if path == PRESCRIBE else "2.0"
        assert breaches(response.json(), dialect) == []
        assert "review: not checked" not in response.json()["extension"]["firstline.review"].get("notAssessed", [])
        assert "error inside Firstline" not in response.text
    else:
        assert "Quetzal" not in response.text
    assert caplog.text == ""
