"""Every state of a prefetch key, and which questions it answers (PROTOCOL.md 1.4 and 2.3)."""

from itertools import permutations
from typing import Any

import pytest

from cds.chart import ANSWERED
from hooks import fhir_read, prefetch_answers
from hooks.fhir_read import read_chart
from hooks.prefetch import LATEST_FIRST, OPTIONAL, READS, TEMPLATES, complete, unanswered
from hooks.prefetch_answers import OBSERVED
from hooks.protocol import read_request
from tests.fhir_examples import (
    TODAY,
    body,
    bundle,
    concept,
    condition,
    drafts,
    encoded,
    observation,
    prefetched,
    request,
)

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
NEXT = [{"relation": "self", "url": "https://a"}, {"relation": "next", "url": "https://a?page=2"}]
STATEMENT = {"resourceType": "MedicationStatement", "id": "s"}
EGFR = observation("98979-8", 50, "mL/min/{1.73_m2}")


def told(question: str, **keys: Any) -> str:
    return prefetched(**keys).questions[question]


# What is asked for


def test_the_keys_are_those_of_the_protocol() -> None:
    assert list(TEMPLATES) == [
        "patient", "encounter", "conditions", "medications", "statements", "dispenses", "allergies", "procedures",
        "egfr", "creatinine", "weight", "vitals", "labs", "scores",
    ]  # fmt: skip
    assert set(TEMPLATES) > OPTIONAL


def test_templates_use_only_what_every_client_can_resolve() -> None:
    for key, template in TEMPLATES.items():
        kind, _, query = template.partition("?")
        if key in READS:
            assert (
                template
                == {
                    "patient": "Patient/{{context.patientId}}",
                    "encounter": "Encounter/{{context.encounterId}}",
                }[key]
            )
            continue
        names = [part.partition("=")[0] for part in query.split("&")]
        assert len(names) == len(set(names)), "a repeated parameter is merged by some clients"
        assert names[0] == "patient"
        assert set(names) <= {"patient", "intent", "code", "_sort", "_count"}
        assert kind.isalpha()


def test_the_codes_of_the_observations_come_from_the_table() -> None:
    assert TEMPLATES["creatinine"].split("code=")[1] == (
        "http://loinc.org|14682-9,http://loinc.org|2160-0,http://loinc.org|38483-4&_sort=-date&_count=1"
    )
    assert "http://loinc.org|98979-8" in TEMPLATES["egfr"] and "http://loinc.org|2164-2" in TEMPLATES["egfr"]
    assert "http://loinc.org|8636-3" in TEMPLATES["labs"]
    assert "http://loinc.org|91392-1" in TEMPLATES["scores"]
    for question in OBSERVED:
        codes = TEMPLATES[question].split("code=")[1].split("&")[0].split(",")
        assert codes == sorted(set(codes))


# One key


@pytest.mark.parametrize(
    ("sent", "state", "answer"),
    [
        (bundle(condition()), "given", ANSWERED),
        (condition(), "given", ANSWERED),
        (None, "null", ANSWERED),
        (bundle(), "empty", ANSWERED),
        ({"resourceType": "Bundle", "entry": []}, "empty", ANSWERED),
        ({"resourceType": "Bundle", "entry": None, "total": 0}, "empty", ANSWERED),
        (bundle(condition(), link=NEXT), "partial", "partial"),
        (bundle(link=NEXT), "partial", "partial"),
        (bundle(total=3), "partial", "partial"),
        (bundle(condition(), total=3), "partial", "partial"),
        (bundle(condition(), total=1), "given", ANSWERED),
        (OUTCOME, "failed", "failed"),
        (bundle(OUTCOME), "failed", "failed"),
        (bundle(condition(), OUTCOME), "failed", "failed"),
        ("<html>Bad gateway</html>", "junk", "unreadable"),
        (5, "junk", "unreadable"),
        ([], "junk", "unreadable"),
        ([condition()], "junk", "unreadable"),
        ({}, "junk", "unreadable"),
        ({"resourceType": 7}, "junk", "unreadable"),
        ({"resourceType": "Bundle", "entry": ["junk"]}, "junk", "unreadable"),
        ({"resourceType": "Bundle", "entry": "junk"}, "junk", "unreadable"),
        (bundle({"id": "no type"}), "junk", "unreadable"),
        ({"resourceType": "Patient", "id": "p"}, "given", "unreadable"),
        ({"resourceType": "Practitioner", "id": "p"}, "given", "unreadable"),
        ({"resourceType": "SubstanceNucleicAcid"}, "given", "unreadable"),
        (bundle({"resourceType": "SubstanceNucleicAcid"}, condition()), "given", ANSWERED),
        ({"resourceType": "Bundle", "entry": [{"response": {"status": "404"}}]}, "junk", "unreadable"),
        ({"resourceType": "Bundle", "entry": [{"resource": None}, 5]}, "junk", "unreadable"),
        (bundle(condition(), {"id": "no type"}), "given", "unreadable"),
    ],
)
def test_states_of_a_search(sent: Any, state: str, answer: str) -> None:
    found = prefetched(conditions=sent)
    assert found.states == {"conditions": state}
    assert found.questions["conditions"] == answer


def test_a_key_that_was_not_sent() -> None:
    assert told("conditions") == "not provided"
    assert prefetched().states == {}


@pytest.mark.parametrize("key", sorted(READS))
def test_nothing_for_a_read_is_not_known(key: str) -> None:
    assert told(key, **{key: None}) == "not provided"
    assert told(key, **{key: bundle()}) == "not provided"
    assert told(key, **{key: {"resourceType": key.title(), "id": "p"}}) == ANSWERED
    assert told(key, **{key: bundle({"resourceType": key.title(), "id": "p"})}) == ANSWERED


def test_an_outcome_among_the_entries_is_a_failure() -> None:
    entry = {"search": {"mode": "outcome"}, "resource": {"resourceType": "OperationOutcome"}}
    found = prefetched(conditions={"resourceType": "Bundle", "entry": [entry]})
    assert found.states["conditions"] == "failed"
    assert found.questions["conditions"] == "failed"


def test_what_stands_beside_a_failure_is_still_read() -> None:
    found = prefetched(conditions=bundle(condition(), OUTCOME))
    assert found.questions["conditions"] == "failed"
    assert len(read_chart(found, TODAY).conditions) == 1


def test_what_a_partial_answer_holds_is_still_read() -> None:
    assert len(read_chart(prefetched(conditions=bundle(condition(), link=NEXT)), TODAY).conditions) == 1


@pytest.mark.parametrize(
    ("inner", "state"),
    [
        ({"resource": bundle(condition()), "response": {"status": "200 OK"}}, "given"),
        ({"resource": bundle(), "response": {"status": "200 OK"}}, "empty"),
        ({"resource": OUTCOME, "response": {"status": "500"}}, "failed"),
        ({"resource": None, "response": {"status": "404"}}, "failed"),
        ({"response": {"status": "404"}}, "failed"),
        ({"resource": "junk"}, "junk"),
    ],
)
def test_the_envelope_of_before_1_0(inner: Any, state: str) -> None:
    assert prefetched(conditions=inner).states["conditions"] == state


# Any key


@pytest.mark.parametrize("name", ["item1", "Conditions", "patient"])
def test_a_key_is_read_by_the_type_of_its_resources(name: str) -> None:
    assert told("conditions", **{name: bundle(condition())}) == ANSWERED


def test_one_bundle_may_hold_everything() -> None:
    everything = bundle({"resourceType": "Patient", "id": "p"}, condition(), request(id="m"), STATEMENT, EGFR)
    found = prefetched(item1=everything).questions
    answered = {question for question, answer in found.items() if answer == ANSWERED}
    assert answered == {"patient", "conditions", "medications", "statements", "egfr"}


def test_bundles_within_bundles_are_read() -> None:
    assert told("conditions", item1=bundle(bundle(condition()), bundle())) == ANSWERED


@pytest.mark.parametrize("sent", [None, bundle()])
def test_an_empty_answer_under_an_unknown_name_answers_nothing(sent: Any) -> None:
    assert set(prefetched(item1=sent).questions.values()) == {"not provided"}


@pytest.mark.parametrize(
    ("resource", "question"),
    [
        ({"resourceType": "MedicationOrder"}, "medications"),
        ({"resourceType": "MedicationRequest"}, "medications"),
        ({"resourceType": "MedicationStatement"}, "statements"),
        ({"resourceType": "MedicationUsage"}, "statements"),
        ({"resourceType": "MedicationDispense"}, "dispenses"),
        ({"resourceType": "AllergyIntolerance"}, "allergies"),
        ({"resourceType": "Procedure"}, "procedures"),
        ({"resourceType": "Encounter"}, "encounter"),
        (observation("2160-0"), "creatinine"),
        (observation("48642-3"), "egfr"),
        (observation("2164-2"), "egfr"),
        (observation("29463-7"), "weight"),
        (observation("39156-5"), "vitals"),
        (observation("2823-3"), "labs"),
        ({"resourceType": "DiagnosticReport", "code": concept("http://loinc.org", "11524-6")}, "labs"),
        (observation("91392-1"), "scores"),
        (observation("85354-9", component=[{"code": concept("http://loinc.org", "8480-6")}]), "vitals"),
    ],
)
def test_the_question_of_a_resource(resource: Any, question: str) -> None:
    found = prefetched(item1=bundle(resource)).questions
    assert {asked for asked, answer in found.items() if answer == ANSWERED} == {question}


def test_an_observation_of_no_use_answers_nothing() -> None:
    assert set(prefetched(item1=bundle(observation("0-0"))).questions.values()) == {"not provided"}


def test_a_server_that_ignores_the_codes_has_answered() -> None:
    assert told("egfr", egfr=bundle(observation("0-0"))) == ANSWERED


def test_a_partial_answer_under_another_name_is_partial() -> None:
    assert told("medications", item1=bundle(request(id="m"), link=NEXT)) == "partial"


def test_a_partial_answer_stays_partial_whatever_else_came() -> None:
    assert told("conditions", conditions=bundle(condition(), link=NEXT), item1=bundle(condition(id="d"))) == "partial"


@pytest.mark.parametrize("sent", [OUTCOME, "junk", {"resourceType": "Patient"}])
def test_a_failure_is_made_good_by_the_same_kind_under_another_name(sent: Any) -> None:
    assert told("conditions", conditions=sent, item1=bundle(condition())) == ANSWERED


@pytest.mark.parametrize("key", sorted(LATEST_FIRST))
def test_the_first_page_answers_a_question_for_the_latest_value(key: str) -> None:
    code = {"egfr": "98979-8", "creatinine": "2160-0", "weight": "29463-7"}[key]
    assert told(key, **{key: bundle(observation(code), link=NEXT)}) == ANSWERED
    assert told(key, **{key: bundle(observation("0-0"), link=NEXT)}) == "partial"
    assert told(key, **{key: bundle(link=NEXT)}) == "partial"


def test_the_first_page_of_a_mixed_list_does_not() -> None:
    assert told("labs", labs=bundle(observation("2823-3"), link=NEXT)) == "partial"


# What could not be read


def test_a_resource_that_is_lost_leaves_its_question_open() -> None:
    lost = {"resourceType": "Bundle", "entry": [{"resource": request(id="m")}, "junk"]}
    found = prefetched(medications=lost)
    assert found.questions["medications"] == "unreadable"
    assert found.unreadable == ("resource",)


def test_a_loss_beside_it_leaves_a_question_open_under_any_name() -> None:
    found = prefetched(item1={"resourceType": "Bundle", "entry": [{"resource": request(id="m")}, {"resource": None}]})
    assert found.questions["medications"] == "unreadable"
    assert found.questions["conditions"] == "not provided"


def test_an_odd_element_costs_that_element_only() -> None:
    found = prefetched(conditions=bundle(condition(onsetDateTime=5), condition(id="d")), patient=None)
    assert found.questions["conditions"] == ANSWERED
    assert found.unreadable == ("Condition/c",)
    assert [one.ref for one in read_chart(found, TODAY).conditions] == ["Condition/c", "Condition/d"]


def test_a_bundle_nested_too_deep_is_junk(monkeypatch: pytest.MonkeyPatch) -> None:
    real = prefetch_answers.read_loosely

    def too_deep(raw: Any) -> Any:
        if bytes(raw) == b"0":
            return real(raw)
        raise RecursionError

    monkeypatch.setattr(prefetch_answers, "read_loosely", too_deep)
    found = prefetched(conditions=bundle(condition(onsetDateTime=5)))
    assert (found.states["conditions"], found.questions["conditions"]) == ("junk", "unreadable")


def test_a_draft_nested_too_deep_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def too_deep(*_: Any) -> Any:
        raise RecursionError

    monkeypatch.setattr(fhir_read, "read_loosely", too_deep)
    assert drafts(request(authoredOn=5)).unreadable == ("draftOrders",)


# All together


def test_nothing_known() -> None:
    assert prefetched().nothing_known
    assert prefetched(patient=None, conditions=OUTCOME, medications="junk", egfr=bundle(EGFR)).nothing_known
    assert not prefetched(medications=None).nothing_known


def test_what_was_fetched_takes_the_place_of_what_was_missing() -> None:
    sent = read_request(encoded(body(prefetch={"conditions": OUTCOME, "allergies": None}))).prefetch
    assert "conditions" in unanswered(complete(sent)) and "allergies" not in unanswered(complete(sent))
    answered = read_request(encoded(body(prefetch={"conditions": bundle(condition())}))).prefetch
    fetched = {key: (slot,) for key, slot in answered.items()}
    assert "conditions" not in unanswered(complete(sent, fetched))
    assert unanswered(complete(sent, fetched), ["conditions", "egfr"]) == ("egfr",)


def test_nothing_depends_on_the_order_of_keys_and_entries() -> None:
    resources = (condition(), request(id="m"), EGFR, STATEMENT)
    charts = {
        encoded([str(read_chart(prefetched(**dict(keys)), TODAY))])
        for keys in permutations([("a", bundle(*resources)), ("b", bundle(*reversed(resources))), ("conditions", None)])
    }
    assert len(charts) == 1
