"""``snomed = false``: the rows of SNOMED CT are left out, and the answer names what was then not recognised.

What is left out stays out of the process, so that the requests are answered by two others: with SNOMED CT and without.
"""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from cds import drugs, status_reasons, terminology
from cds.drug_tables import SNOMED, load_drugs
from cds.drugs import recognise
from cds.status_reasons import load_status_reasons, stopped_for
from cds.terminology import Coding, Concept, ConditionMeaning, condition_meaning
from hooks import licences
from hooks.fhir_allergies import read_allergies
from hooks.fhir_clinical import read_conditions
from hooks.fhir_read import _procedures, _resource
from hooks.fhir_records import Records
from hooks.fhir_shapes import Entry
from tests.calling import NOW

FIXTURES = Path(__file__).parent.parent / "fixtures"
SCT = "http://snomed.info/sct"
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
NEURALGIA, CIRRHOSIS, OXYCODONE, NO_KNOWN_ALLERGY = "2177002", "19943007", "55452001", "716186003"
ANSWERS = """
import json, sys
from hooks.answer import Answerer
from hooks.services import SERVICES
from hooks.settings import load
from tests.calling import NOW

settings = load({"FIRSTLINE_SNOMED": sys.argv[1]})
Answerer(settings)
answerer = Answerer(settings)  # a second one in the same process
for line in sys.stdin:
    service = SERVICES["firstline-" + json.loads(line)["hook"]]
    status, body = answerer.answer(service, line.encode(), NOW)
    print(json.dumps([status, json.loads(body)]))
"""
Answer = tuple[int, dict[str, Any]]


class Told:
    """The answers of one process, by name of the request."""

    def __init__(self, snomed: str, requests: Mapping[str, dict[str, Any]]) -> None:
        lines = "".join(json.dumps(request) + "\n" for request in requests.values())
        asked = [sys.executable, "-c", ANSWERS, snomed]
        told = subprocess.run(asked, input=lines, capture_output=True, text=True, check=True)
        found = (json.loads(line) for line in told.stdout.splitlines())
        self.answers: dict[str, Answer] = {
            name: (status, answer) for name, (status, answer) in zip(requests, found, strict=True)
        }

    def view(self, name: str) -> dict[str, Any]:
        view: dict[str, Any] = self.answers[name][1]["extension"]["firstline.review"]
        return view

    def not_assessed(self, name: str) -> list[str]:
        entries: list[str] = self.view(name).get("notAssessed", [])
        return entries


def stored(name: str) -> dict[str, Any]:
    request: dict[str, Any] = json.loads((FIXTURES / f"{name}.request.json").read_bytes())
    return request


def coded(code: str, display: str | None = None, system: str = SCT) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code, **({"display": display} if display else {})}]}


def for_condition(condition: dict[str, Any], **others: list[dict[str, Any]]) -> dict[str, Any]:
    """An opioid order for a patient with this condition; ``others`` are further resources by prefetch key."""
    request = stored("postherpetic-neuralgia")
    (entry,) = request["prefetch"]["conditions"]["entry"]
    entry["resource"]["code"] = condition
    (draft,) = request["context"]["draftOrders"]["entry"]
    draft["resource"]["reasonCode"] = [condition]
    for key, resources in others.items():
        request["prefetch"][key]["entry"] = [{"resource": resource} for resource in resources]
    return request


def for_drug(drug: dict[str, Any]) -> dict[str, Any]:
    request = stored("postherpetic-neuralgia")
    (draft,) = request["context"]["draftOrders"]["entry"]
    draft["resource"]["medicationCodeableConcept"] = drug
    return request


def allergy(name: str, code: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "AllergyIntolerance", "id": name, "code": code}


def procedure(name: str, code: dict[str, Any], status: str = "completed") -> dict[str, Any]:
    return {"resourceType": "Procedure", "id": name, "status": status, "code": code}


MADE = {
    "condition by code": for_condition(coded(NEURALGIA)),
    "condition with an odd name": for_condition(coded(NEURALGIA, "Words that nobody lists")),
    "condition with its name": for_condition(coded(NEURALGIA, "Postherpetic neuralgia")),
    "drug by code": for_drug(coded(OXYCODONE)),
    "drug with its name": for_drug(coded(OXYCODONE, "Oxycodone")),
    "allergies and procedures": for_condition(
        coded("B02.29", system=ICD),
        allergies=[
            allergy("a1", coded(OXYCODONE)),
            allergy("a2", coded(OXYCODONE, "Oxycodone")),
            allergy("a3", coded(NO_KNOWN_ALLERGY)),
        ],
        procedures=[
            procedure("p1", coded(CIRRHOSIS)),
            procedure("p2", coded(CIRRHOSIS), "not-done"),
            procedure("p3", coded(CIRRHOSIS, "Cirrhosis")),
        ],
    ),
}
STORIES = sorted(path.name.removesuffix(".request.json") for path in FIXTURES.glob("*.request.json"))
ALL = MADE | {name: stored(name) for name in STORIES}


@pytest.fixture(scope="module")
def read() -> Told:
    return Told("true", ALL)


@pytest.fixture(scope="module")
def left_out() -> Told:
    return Told("false", ALL)


def test_no_stored_request_fails_and_without_snomed_ct_in_it_nothing_changes(read: Told, left_out: Told) -> None:
    with_snomed = 0
    for name in STORIES:
        if SCT in json.dumps(ALL[name]):
            with_snomed += 1
            assert left_out.answers[name][0] == 200, name
            for order in set(read.view(name)["inScope"]) - set(left_out.view(name)["inScope"]):
                assert f"drug of {order}: not recognised" in left_out.not_assessed(name), name
        else:
            assert left_out.answers[name] == read.answers[name], name
    assert with_snomed


@pytest.mark.parametrize("name", ["condition by code", "condition with an odd name"])
def test_a_condition_that_is_only_coded_is_named(read: Told, left_out: Told, name: str) -> None:
    assert read.view(name)["indication"] == "definite"
    assert "Condition/c1: unreadable" not in read.not_assessed(name)
    assert left_out.view(name)["indication"] not in ("definite", "probable")
    assert "Condition/c1: unreadable" in left_out.not_assessed(name)


def test_the_name_beside_the_code_is_still_read(left_out: Told) -> None:
    assert left_out.view("condition with its name")["indication"] == "definite"
    assert "Condition/c1: unreadable" not in left_out.not_assessed("condition with its name")
    assert left_out.view("drug with its name")["inScope"]


def test_allergies_and_procedures_that_are_only_coded_are_named(read: Told, left_out: Told) -> None:
    name = "allergies and procedures"
    assert not [entry for entry in read.not_assessed(name) if "unreadable" in entry]
    named = {entry for entry in left_out.not_assessed(name) if "unreadable" in entry}
    assert named == {"AllergyIntolerance/a1: unreadable", "Procedure/p1: unreadable"}


def test_a_drug_that_is_only_coded_is_named(read: Told, left_out: Told) -> None:
    assert read.view("drug by code")["inScope"]
    assert "drug of MedicationRequest/d1: not recognised" in left_out.not_assessed("drug by code")


# Within this process, which is put back afterwards


@pytest.fixture
def without_snomed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    kept = ((terminology, "_CONDITIONS"), (drugs, "_TABLES"), (status_reasons, "_REASONS"), (licences, "_left_out"))
    for module, name in kept:
        monkeypatch.setattr(module, name, getattr(module, name))
    licences.leave_out_snomed()
    licences.leave_out_snomed()
    yield
    monkeypatch.undo()
    for remembered in (terminology._remembered_condition, drugs._remembered, drugs.ingredient_drug, stopped_for):
        remembered.cache_clear()


def concept_of(code: str, display: str | None = None) -> Concept:
    return Concept((Coding(SCT, code, display),))


@pytest.mark.usefixtures("without_snomed")
def test_what_a_code_alone_would_have_told() -> None:
    assert condition_meaning(concept_of(NEURALGIA)) == ConditionMeaning(
        frozenset(), NEURALGIA, usable=False, unread=True
    )
    assert not condition_meaning(concept_of(NEURALGIA, "Postherpetic neuralgia")).unread
    assert not condition_meaning(Concept((Coding(SCT, NEURALGIA), Coding(ICD, "B02.29")))).unread
    assert recognise(concept_of(OXYCODONE)) is None
    assert stopped_for(concept_of("59037007")) is None
    assert stopped_for(concept_of("59037007", "side effects")) == "intolerance"


@pytest.mark.usefixtures("without_snomed")
def test_records_that_are_only_coded_are_odd() -> None:
    name = "A name of this test alone"  # what the readers remember is not put back
    records = Records(
        [
            Entry(_resource.decode(json.dumps(sent)))
            for sent in (
                allergy("a1", coded(OXYCODONE, name)),
                allergy("a2", coded(NO_KNOWN_ALLERGY, f"{name}, too")),
                procedure("p1", coded(CIRRHOSIS, name)),
                procedure("p2", coded(CIRRHOSIS, f"Cirrhosis: {name}")),
                {"resourceType": "Condition", "id": "c1", "code": coded(NEURALGIA, name)},
            )
        ]
    )
    odd: set[str] = set()
    assert [one.ref for one in read_allergies(records, odd)] == ["AllergyIntolerance/a1"]
    assert [one.ref for one in _procedures(records, odd)] == ["Procedure/p1", "Procedure/p2"]
    assert [one.ref for one in read_conditions(records, NOW.date(), odd)] == ["Condition/c1"]
    assert odd == {"AllergyIntolerance/a1", "Procedure/p1", "Condition/c1"}


def test_put_back_it_is_read_again() -> None:
    assert not condition_meaning(concept_of(NEURALGIA)).unread
    assert recognise(concept_of(OXYCODONE)) is not None


def test_reasons_of_stopping_are_left_out_of_the_table() -> None:
    assert any(system == SCT for system, _ in load_status_reasons().by_code)
    assert not any(system == SCT for system, _ in load_status_reasons(snomed=False).by_code)
    assert load_status_reasons(snomed=False).by_phrase == load_status_reasons().by_phrase


def test_drugs_and_routes_by_number_are_left_out_of_the_tables() -> None:
    with_snomed, without = load_drugs(), load_drugs(snomed=False)
    assert (SNOMED, OXYCODONE) in with_snomed.codes
    assert not any(system == SNOMED for system, _ in without.codes)
    assert "26643006" in with_snomed.routes
    assert "26643006" not in without.routes
    assert "oral tablet" in without.routes
