"""What is fetched from a FHIR server, when, and what a server can do to us: with a real one in a process of its own."""

import asyncio
import json
import logging
import time
from collections.abc import Iterator, Mapping
from itertools import cycle
from typing import Any

import httpx
import pytest
import respx
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks.app import create_app
from hooks.circuit import CLOSED, OPEN, PROBING, Circuit
from hooks.fhir_access import FhirAccess, Grant
from hooks.fhir_access_medications import MOST
from hooks.fhir_access_queries import query_of
from hooks.fhir_access_reading import Conversation
from hooks.fhir_access_scopes import READ, SEARCH, Scopes
from hooks.prefetch import OPTIONAL, TEMPLATES
from hooks.protocol import read_request
from hooks.services import SERVICES
from hooks.settings import Settings, SettingsError, load
from hooks.settings_checks import OPTIONAL_KEYS
from hooks.tenants import Tenant
from tests.calling import NOW, SIGN
from tests.fetching import (
    ALPRAZOLAM,
    AMOXICILLIN,
    CHART,
    LORAZEPAM,
    NEUROPATHY,
    OXYCODONE,
    Told,
    answerer_of,
    lacking,
    records_of,
    told,
    told_in_turn,
)
from tests.fhir_examples import body, bundle, condition, encoded
from tests.fhir_server import SLOW_SECONDS, TOKEN, FhirServer, fhir_server
from tests.sentences import request_of

HELD = records_of(request_of(CHART))
P1 = {"reference": "Patient/p1"}
ALL_KEYS = len(TEMPLATES) - 1  # no encounter is named
EHR = "https://ehr.example.org/r4"


@pytest.fixture(scope="module")
def running() -> Iterator[FhirServer]:
    with fhir_server() as running:
        yield running


@pytest.fixture
def server(running: FhirServer) -> FhirServer:
    """Holds the chart of ``CHART``."""
    running.hold(*HELD)
    return running


def asked_of(server: FhirServer) -> list[str]:
    """The queries since this was asked last, without the base address."""
    return [one["path"].partition("/fhir/")[2] for one in server.asked()]


def kinds(queries: list[str]) -> set[str]:
    return {query.partition("?")[0].partition("/")[0] for query in queries}


# Scopes


@pytest.mark.parametrize(
    ("scope", "read", "searched"),
    [
        ("", True, True),
        ("   ", True, True),
        ("user/Condition.read", True, True),
        ("patient/Condition.read", True, True),
        ("system/Condition.*", True, True),
        ("user/*.read", True, True),
        ("user/*.*", True, True),
        ("launch openid patient/*.rs", True, True),
        ("user/Condition.cruds", True, True),
        ("user/Condition.r", True, False),
        ("user/Condition.s", False, True),
        ("user/Condition.cud", False, False),
        ("user/Condition.write", False, False),
        ("user/Condition.sr", False, False),
        ("user/Condition.", False, False),
        ("user/Observation.rs", False, False),
        ("user/condition.rs", False, False),
        ("launch openid fhirUser", False, False),
        ("user/Condition.rsx", False, False),
        ("nobody/Condition.rs", False, False),
        ("user/Condition.rs?category=problem-list-item", True, True),
    ],
)
def test_what_a_scope_permits(scope: str, read: bool, searched: bool) -> None:
    scopes = Scopes(scope)
    assert (scopes.permit("Condition", READ), scopes.permit("Condition", SEARCH)) == (read, searched)


def test_a_narrowed_scope_does_not_permit_all() -> None:
    narrowed = "user/Condition.rs?category=problem-list-item"
    assert not Scopes(narrowed).permit_whole("Condition", SEARCH)
    assert Scopes(f"{narrowed} user/Condition.s").permit_whole("Condition", SEARCH)
    assert Scopes("").permit_whole("Condition", SEARCH)


def test_a_token_for_another_patient_permits_nothing_of_this_one() -> None:
    assert not Scopes("patient/*.rs", "p2", "p1").permit("Condition", SEARCH)
    assert Scopes("patient/*.rs", "p1", "p1").permit("Condition", SEARCH)
    assert Scopes("patient/*.rs", None, "p1").permit("Condition", SEARCH)
    assert Scopes("patient/*.rs user/Condition.s", "p2", "p1").permit("Condition", SEARCH)


# The token


def authorized(**fields: Any) -> Any:
    sent = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "scope": "user/*.rs", **fields}
    return read_request(encoded(body(fhirAuthorization=sent))).fhir_authorization


@pytest.mark.parametrize(
    "fields",
    [
        {"access_token": None},
        {"access_token": ""},
        {"access_token": 5},
        {"access_token": "two words"},
        {"access_token": "a\r\nHost: evil.example"},
        {"access_token": "tökén"},
        {"token_type": "mac"},
        {"expires_in": 0},
        {"expires_in": -5},
        {"expires_in": "0"},
    ],
)
def test_a_token_that_cannot_be_presented_is_none(fields: dict[str, Any]) -> None:
    assert authorized(**fields) is None


def test_a_token_is_read_as_clients_send_it() -> None:
    found = authorized(scope=["user/A.rs", 5, "user/B.rs"], patient="Patient/p1", token_type="bearer", subject=5)
    assert (found.access_token, found.scope, found.patient) == ("t", "user/A.rs  user/B.rs", "p1")
    assert authorized(scope=None, patient=5, expires_in="300", token_type=None).scope == ""


def test_what_holds_a_token_does_not_show_it() -> None:
    grant = Grant("https://ehr.example.org", TOKEN, Scopes(""))
    talk = Conversation(None, "", {"Authorization": TOKEN}, "p1", None)  # type: ignore[arg-type]
    assert TOKEN not in repr(grant) + repr(talk)


# Queries


def test_dstu2_is_asked_in_its_own_words() -> None:
    medications, egfr = (query_of(key, "p1", None, "DSTU2") for key in ("medications", "egfr"))
    assert medications is not None and medications.path == "MedicationOrder?patient=p1&_count=200"
    assert egfr is not None and egfr.path.endswith("&_count=3&_sort:desc=date")
    assert query_of("conditions", "p1", None, "DSTU2") == query_of("conditions", "p1", None, "R4")


@pytest.mark.parametrize("key", TEMPLATES)
def test_stu3_and_r4_are_asked_alike(key: str) -> None:
    assert query_of(key, "p1", "e1", "STU3") == query_of(key, "p1", "e1", "R4") == query_of(key, "p1", "e1", "R5")


def test_a_plain_query_has_only_what_every_server_knows() -> None:
    plain = {key: query_of(key, "p1", "e1", "R4", plainly=True) for key in TEMPLATES}
    assert plain["medications"] is not None and plain["medications"].path == "MedicationRequest?patient=p1"
    assert all(one is not None and "_" not in one.path for one in plain.values())


# What is fetched


def test_all_that_is_missing_is_fetched_with_the_token(server: FhirServer) -> None:
    found = told(lacking(CHART, server.base("fine")), [server.base("fine")])
    whole = told(request_of(CHART))
    assert found.cards == whole.cards
    assert found.review["findings"] == whole.review["findings"]
    asked = server.asked()
    assert len(asked) == ALL_KEYS
    assert {one["headers"]["authorization"] for one in asked} == {f"Bearer {TOKEN}"}
    assert {one["headers"]["accept"].partition(",")[0] for one in asked} == {"application/fhir+json"}
    assert {one["headers"]["accept-encoding"] for one in asked} == {"identity"}


def test_an_encounter_is_fetched_where_it_is_named(server: FhirServer) -> None:
    request = lacking(CHART, server.base("fine"))
    request["context"]["encounterId"] = "e1"
    found = told(request, [server.base("fine")])
    assert "Encounter/e1" in asked_of(server)
    assert found.status == 200


def test_nothing_is_asked_where_nothing_is_missing(server: FhirServer) -> None:
    chosen = Settings()
    access = FhirAccess(chosen)
    request = {**lacking(CHART, server.base("fine")), "prefetch": request_of(CHART)["prefetch"]}
    told(request, [server.base("fine")], access=access)
    assert asked_of(server) == []
    assert access.circuits == {}


def test_a_record_that_is_not_there_is_not_known(server: FhirServer) -> None:
    server.hold(*(one for one in HELD if one["resourceType"] != "Patient"))
    found = told(lacking(CHART, server.base("fine")), [server.base("fine")])
    assert found.why("patient") == "not provided"
    assert found.why("conditions") is None


def test_a_wrong_token_gives_nothing(server: FhirServer) -> None:
    request = lacking(CHART, server.base("fine"))
    request["fhirAuthorization"]["access_token"] = "another"
    assert told(request, [server.base("fine")]).status == 412


def test_all_pages_are_read(server: FhirServer) -> None:
    more = [condition(id=f"c{count}", subject=P1, code={"text": "asthma"}) for count in range(2, 7)]
    server.hold(*more, *HELD)
    found = told(lacking(CHART, server.base("fine")), [server.base("fine")])
    assert found.why("conditions") is None
    assert "NP-01" in found.rules, "the neuropathy is on the last page"
    assert sum(query.startswith("Condition") for query in asked_of(server)) == 3


def test_the_pages_after_the_one_that_was_sent_are_read(server: FhirServer) -> None:
    more = [condition(id=f"c{count}", subject=P1, code={"text": "asthma"}) for count in range(2, 5)]
    server.hold(*more, *HELD)
    base = server.base("fine")
    first = bundle(*more[:2], link=[{"relation": "next", "url": f"{base}/Condition?patient=p1&start=2"}], total=4)
    request = {**lacking(CHART, base), "prefetch": {**request_of(CHART)["prefetch"], "conditions": first}}
    found = told(request, [base])
    assert found.why("conditions") is None
    assert "NP-01" in found.rules
    assert asked_of(server) == ["Condition?patient=p1&start=2"]
    odd = {**first, "entry": [*first["entry"], {"resource": {**more[0], "id": "odd", "onsetDateTime": 5}}]}
    assert told({**request, "prefetch": {**request["prefetch"], "conditions": odd}}, [base]).why("conditions") is None


def test_a_first_page_stays_where_the_next_one_fails(server: FhirServer) -> None:
    base = server.base("broken")
    first = bundle(HELD[1], link=[{"relation": "next", "url": f"{base}/Condition?page=2"}])
    assert HELD[1]["resourceType"] == "Condition"
    found = told({**lacking(CHART, base), "prefetch": {**request_of(CHART)["prefetch"], "conditions": first}}, [base])
    assert found.why("conditions") == "partial"
    assert "NP-01" in found.rules


def test_the_latest_value_needs_no_second_page(server: FhirServer) -> None:
    weights = [
        {
            "resourceType": "Observation", "id": f"w{count}", "status": "final", "subject": P1,
            "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]},
            "effectiveDateTime": "2026-02-20", "valueQuantity": {"value": 70, "unit": "kg"},
        }
        for count in range(4)
    ]  # fmt: skip
    server.hold(*HELD, *weights)
    found = told(lacking(CHART, server.base("fine")), [server.base("fine")])
    assert found.why("weight") is None
    assert sum("29463-7" in query for query in asked_of(server)) == 1


# For which orders


def test_an_order_that_is_not_selected_fetches_nothing(server: FhirServer) -> None:
    request = lacking((NEUROPATHY, OXYCODONE, AMOXICILLIN), None)
    request |= {key: value for key, value in lacking(CHART, server.base("fine")).items() if key.startswith("fhir")}
    request["hook"] = "order-select"
    ids = [entry["resource"]["id"] for entry in request["context"]["draftOrders"]["entry"]]
    answers = []
    for own_id in ids:
        request["context"]["selections"] = [f"MedicationRequest/{own_id}"]
        told(request, [server.base("fine")], service="firstline-order-select")
        answers.append(len(server.asked()))
    assert sorted(answers) == [0, ALL_KEYS]


HISTORY = {"MedicationRequest", "MedicationStatement", "MedicationDispense"}
MORPHINE = "takes morphine 15 mg extended release oral tablet, 1 tablet twice a day, since 2026-02-10, for 30 days"


def test_a_sedative_asks_for_the_medications_alone_where_no_opioid_is_taken(server: FhirServer) -> None:
    found = told(lacking((LORAZEPAM,), server.base("fine")), [server.base("fine")])
    assert (found.status, found.content["cards"], found.review["inScope"]) == (200, [], [])
    assert kinds(asked_of(server)) == HISTORY


def test_a_sedative_asks_for_all_where_an_opioid_is_taken(server: FhirServer) -> None:
    server.hold(*records_of(request_of((LORAZEPAM, MORPHINE))))
    found = told(lacking((LORAZEPAM,), server.base("fine")), [server.base("fine")])
    assert "DD-01" in found.rules
    asked = asked_of(server)
    assert kinds(asked[:3]) == HISTORY
    assert len(asked) == len(set(asked)) == ALL_KEYS


def test_a_sedative_whose_list_could_not_be_had_says_so(server: FhirServer) -> None:
    found = told(lacking((LORAZEPAM,), server.base("broken")), [server.base("broken")])
    assert (found.status, found.content["cards"]) == (200, [])
    assert found.why("medications") == "failed"


# The drug of an order


def referring(server: FhirServer, reference: Any, **fields: Any) -> dict[str, Any]:
    request = lacking((NEUROPATHY, OXYCODONE), server.base("fine"), **fields)
    [entry] = request["context"]["draftOrders"]["entry"]
    del entry["resource"]["medicationCodeableConcept"]
    entry["resource"].update(reference)
    return request


MEDICATION = {"resourceType": "Medication", "id": "m9", "code": {"text": "oxycodone hydrochloride 5 MG Oral Tablet"}}


@pytest.mark.parametrize(
    "reference",
    [
        {"medicationReference": {"reference": "Medication/m9"}},
        {"medicationReference": {"reference": "{base}/Medication/m9"}},
        {"medicationReference": {"reference": "Medication/m9/_history/3", "display": "as ordered"}},
        {"medication": {"reference": {"reference": "Medication/m9"}}},
    ],
)
def test_a_draft_that_refers_to_its_drug_is_looked_up(reference: Any, server: FhirServer) -> None:
    server.hold(*HELD, MEDICATION)
    reference = json.loads(json.dumps(reference).replace("{base}", server.base("fine")))
    found = told(referring(server, reference), [server.base("fine")])
    assert found.review["inScope"] == ["MedicationRequest/d1"]
    assert {"DD-01", "NP-01"} <= found.rules
    assert asked_of(server)[0] == "Medication/m9"


def test_a_draft_whose_drug_is_not_to_be_had_fetches_nothing_more(server: FhirServer) -> None:
    request = referring(server, {"medicationReference": {"reference": "Medication/m9"}})
    found = told(request, [server.base("fine")])
    assert found.review["notAssessed"] == ["drug of MedicationRequest/d1: not recognised"]
    assert asked_of(server) == ["Medication/m9"]
    request["fhirAuthorization"]["scope"] = "user/Condition.rs"
    told(request, [server.base("fine")])
    assert asked_of(server) == []


def on_the_list(count: int) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest", "id": f"r{count}", "status": "active", "intent": "order", "subject": P1,
        "authoredOn": "2026-02-10", "medicationReference": {"reference": f"Medication/b{count}"},
        "dosageInstruction": [{"text": "1 tablet twice a day"}],
    }  # fmt: skip


def test_the_drugs_of_the_list_are_looked_up(server: FhirServer) -> None:
    alprazolam = {"resourceType": "Medication", "id": "b1", "code": {"text": "alprazolam 0.5 MG Oral Tablet"}}
    server.hold(*records_of(request_of((NEUROPATHY, OXYCODONE))), on_the_list(1), on_the_list(2), alprazolam)
    found = told(lacking((NEUROPATHY, OXYCODONE), server.base("fine")), [server.base("fine")])
    assert "DD-01" in found.rules
    assert {"MedicationRequest/r2: unreadable", "medications: partial"} <= set(found.review["notAssessed"])
    assert sorted(asked_of(server)[-2:]) == ["Medication/b1", "Medication/b2"]


def test_not_more_drugs_are_looked_up_than_the_limit(server: FhirServer) -> None:
    server.hold(*HELD, *(on_the_list(count) for count in range(MOST + 5)))
    told(lacking(CHART, server.base("fine")), [server.base("fine")])
    assert sum(query.startswith("Medication/") for query in asked_of(server)) == MOST


def test_an_opioid_behind_a_reference_brings_a_sedative_into_scope(server: FhirServer) -> None:
    morphine = {
        "resourceType": "Medication",
        "id": "b1",
        "code": {"text": "morphine 15 mg extended release oral tablet"},
    }
    server.hold(on_the_list(1), morphine)
    found = told(lacking((LORAZEPAM,), server.base("fine")), [server.base("fine")])
    assert "DD-01" in found.rules


# What the token permits


def test_what_is_not_permitted_is_not_asked(server: FhirServer) -> None:
    scope = "user/Condition.rs patient/MedicationRequest.read user/Patient.s"
    found = told(lacking(CHART, server.base("fine"), scope), [server.base("fine")])
    assert kinds(asked_of(server)) == {"Condition", "MedicationRequest"}
    assert found.why("patient") == found.why("allergies") == "not provided"
    assert found.why("conditions") is None


def test_a_token_for_another_patient_is_not_used(server: FhirServer) -> None:
    request = lacking(CHART, server.base("fine"), "patient/*.rs")
    request["fhirAuthorization"]["patient"] = "p2"
    assert told(request, [server.base("fine")]).status == 412
    assert asked_of(server) == []


def test_what_a_narrowed_scope_keeps_back_is_not_none(server: FhirServer) -> None:
    history = " ".join(f"user/{kind}.rs" for kind in HISTORY)
    scope = f"user/Condition.rs?category=problem-list-item user/Patient.r {history}"
    found = told(lacking(CHART, server.base("fine"), scope), [server.base("fine")])
    assert found.why("conditions") == "partial"
    assert "NP-01" in found.rules


def test_without_a_token_a_server_is_asked_only_where_the_site_says_so(server: FhirServer) -> None:
    request = lacking(CHART, server.base("fine"))
    del request["fhirAuthorization"]
    assert told(request, [server.base("fine")]).status == 412
    assert asked_of(server) == []
    assert told(request, [server.base("fine")], fhir_without_token=True).status == 200
    asked = server.asked()
    assert len(asked) == ALL_KEYS
    assert all("authorization" not in one["headers"] for one in asked)


def test_a_server_of_another_client_is_not_asked(server: FhirServer) -> None:
    assert told(lacking(CHART, server.base("fine")), [server.base("sticky")]).status == 412
    assert asked_of(server) == []


# What a server may do


@pytest.mark.parametrize(
    ("manner", "status", "tries", "conditions"),
    [
        ("hangs_up_once", 200, 2, None),
        ("busy_once", 200, 2, None),
        ("picky", 200, None, None),
        ("sticky", 200, 1, None),
        ("endless", 200, None, "partial"),
        ("circle", 200, 1, "partial"),
        ("dead", 412, 2, "failed"),
        ("broken", 412, 1, "failed"),
        ("forbidding", 412, 1, "failed"),
        ("lost", 412, 1, "failed"),
        ("outcome", 412, 1, "failed"),
        ("html", 412, 1, "unreadable"),
        ("bare", 412, 1, "unreadable"),
        ("stranger", 412, 1, "unreadable"),
        ("huge", 412, None, "failed"),
        ("zipped", 412, 1, "failed"),
        ("cut", 412, 2, "failed"),
        ("moving", 412, 1, "failed"),
    ],
)
def test_whatever_a_server_does_is_told(
    manner: str, status: int, tries: int | None, conditions: str | None, server: FhirServer
) -> None:
    """``tries``: for each key. With a patient who is known the same is a 200 that says what is missing."""
    base, limits = server.base(manner), {"fhir_max_bytes": 200_000, "fhir_max_pages": 3}
    assert told(lacking(CHART, base), [base], **limits).status == status
    asked = asked_of(server)
    if tries is not None:
        assert len(asked) == tries * ALL_KEYS
    known = {"patient": HELD[0], "medications": bundle(*HELD[2:])}
    found = told(lacking(CHART, base, prefetch=known), [base], **limits)
    assert found.status == 200
    assert found.why("conditions") == conditions
    assert "DD-01" in found.rules


def test_not_more_pages_are_read_than_the_limit(server: FhirServer) -> None:
    told(lacking(CHART, server.base("endless")), [server.base("endless")], fhir_max_pages=3)
    asked = asked_of(server)
    assert sum(query.startswith("Condition") for query in asked) == 3
    assert sum(query.startswith("Patient") for query in asked) == 1


def test_the_size_of_all_answers_is_limited(server: FhirServer) -> None:
    found = told(lacking(CHART, server.base("fine")), [server.base("fine")], fhir_max_bytes=1500)
    assert found.status == 412 or "failed" in {found.why(key) for key in TEMPLATES}


def test_a_search_that_failed_for_the_client_is_asked_once_and_plainly(server: FhirServer) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
    prefetch = {**request_of(CHART)["prefetch"], "medications": outcome}
    found = told(lacking(CHART, server.base("busy_once"), prefetch=prefetch), [server.base("busy_once")])
    assert asked_of(server) == ["MedicationRequest?patient=p1"]
    assert found.why("medications") == "failed"
    told(lacking(CHART, server.base("fine"), prefetch=prefetch), [server.base("fine")])
    assert asked_of(server) == ["MedicationRequest?patient=p1"]


def test_a_deadline_that_cuts_off_the_first_round_leaves_the_keys_failed(server: FhirServer) -> None:
    request = lacking((NEUROPATHY, OXYCODONE, AMOXICILLIN), server.base("slow"), prefetch={"patient": HELD[0]})
    second = request["context"]["draftOrders"]["entry"][1]["resource"]
    del second["medicationCodeableConcept"]
    second["medicationReference"] = {"reference": "Medication/m9"}
    found = told(request, [server.base("slow")], fhir_deadline_ms=500)
    assert asked_of(server) == ["Medication/m9"]
    assert (found.status, found.why("medications")) == (200, "failed")


@pytest.mark.parametrize("reference", ["Medication/m9", 5, {"reference": 5}, {"reference": {"reference": {"a": 1}}}])
def test_a_reference_of_another_shape_is_not_followed(reference: Any, server: FhirServer) -> None:
    found = told(referring(server, {"medicationReference": reference}), [server.base("fine")])
    assert found.review["inScope"] == []
    assert "drug of MedicationRequest/d1: not recognised" in found.review["notAssessed"]
    assert asked_of(server) == []


def test_what_came_within_the_deadline_counts(server: FhirServer) -> None:
    begun = time.monotonic()
    found = told(lacking(CHART, server.base("lagging")), [server.base("lagging")], fhir_deadline_ms=2000)
    assert time.monotonic() - begun < SLOW_SECONDS / 2, "it did not wait for the server"
    assert found.status == 200
    assert "DD-01" in found.rules
    assert found.why("medications") is None
    assert found.why("conditions") == found.why("patient") == "failed"


def test_a_slow_server_costs_the_deadline_and_no_more(server: FhirServer) -> None:
    begun = time.monotonic()
    assert told(lacking(CHART, server.base("slow")), [server.base("slow")], fhir_deadline_ms=100).status == 412
    assert time.monotonic() - begun < SLOW_SECONDS / 2


def test_nobody_listens(server: FhirServer) -> None:
    base = "http://127.0.0.1:9/fhir"
    found = told(lacking(CHART, base), [base])
    assert (found.status, found.content["issue"][0]["diagnostics"]) == (
        412,
        "An opioid order cannot be reviewed: neither patient nor medications nor conditions were sent, and the FHIR"
        " server gave none of them.",
    )


def test_no_cookie_goes_from_one_request_to_the_next(server: FhirServer) -> None:
    told_in_turn([lacking(CHART, server.base("sticky"))] * 2, [server.base("sticky")])
    asked = server.asked()
    assert len(asked) == 2 * ALL_KEYS
    assert all("cookie" not in one["headers"] for one in asked)


def test_an_error_of_our_own_costs_the_fetching_and_not_the_review(
    server: FhirServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: Any) -> None:
        raise RuntimeError("Quetzal-7")

    monkeypatch.setattr(Conversation, "ask", broken)
    known = {"patient": HELD[0], "medications": bundle(*HELD[2:])}
    found = told(lacking(CHART, server.base("fine"), prefetch=known), [server.base("fine")])
    assert "DD-01" in found.rules
    assert found.why("conditions") == "failed"
    assert "fetching ended early: ExceptionGroup" in caplog.text
    assert "Quetzal" not in caplog.text


def test_logs_hold_no_patient_no_token_and_no_address(server: FhirServer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for manner in ("fine", "dead", "stranger", "moving"):
        told(lacking(CHART, server.base(manner)), [server.base(manner)])
    told(lacking(CHART, "https://p1.example.org"), [server.base("fine")])
    written = "\n".join(f"{record.getMessage()} {record.args}" for record in caplog.records)
    assert "a FHIR server did not answer (circuit: closed)" in written
    assert "open: a fhirServer that is not on the list: not asked" in written
    for secret in (TOKEN, "p1", "127.0.0.1", "patient=", "alprazolam"):
        assert secret not in written


# The circuit breaker


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_circuit_opens_probes_and_closes() -> None:
    clock = Clock()
    circuit = Circuit(2, 30, clock)
    assert circuit.admits() and circuit.state == CLOSED
    circuit.failed()
    circuit.succeeded()
    circuit.failed()
    assert circuit.state == CLOSED
    circuit.failed()
    assert circuit.state == OPEN and not circuit.admits()
    clock.now += 30
    assert circuit.state == PROBING
    assert circuit.admits()
    assert not circuit.admits(), "one at a time"
    circuit.failed()
    assert circuit.state == OPEN and not circuit.admits()
    clock.now += 30
    assert circuit.admits()
    circuit.withdrawn()
    assert circuit.admits()
    clock.now += 30
    assert circuit.admits(), "a probe that never reported"
    circuit.succeeded()
    assert circuit.state == CLOSED and circuit.admits() and circuit.admits()


def test_a_server_that_does_not_answer_is_left_alone_for_a_while(running: FhirServer) -> None:
    clock = Clock()
    chosen = Settings(fhir_deadline_ms=5000, fhir_circuit_failures=2, fhir_circuit_seconds=30)
    access = FhirAccess(chosen, clock=clock)
    base = running.base("flaky")

    def answered(failing: bool) -> tuple[int, int]:
        running.hold(*HELD, failing=failing)
        status = told(lacking(CHART, base), [base, running.base("fine")], access=access).status
        return status, len(running.asked())

    assert answered(failing=True) == answered(failing=True) == (412, 2 * ALL_KEYS)
    assert access.circuits[base].state == OPEN
    assert answered(failing=False) == (412, 0), "left alone, even now that it would answer"
    fine = told(lacking(CHART, running.base("fine")), [running.base("fine")], access=access)
    assert fine.status == 200, "another server is another matter"
    known = {"patient": HELD[0]}
    kept = told(lacking(CHART, base, prefetch=known), [base], access=access)
    assert (kept.status, kept.why("conditions")) == (200, "failed")
    clock.now += 31
    assert answered(failing=True) == (412, 2 * ALL_KEYS)
    assert access.circuits[base].state == OPEN
    clock.now += 31
    assert answered(failing=False) == (200, ALL_KEYS)
    assert access.circuits[base].state == CLOSED


def test_a_server_that_refuses_has_answered(server: FhirServer) -> None:
    access = FhirAccess(Settings(fhir_circuit_failures=1))
    base = server.base("forbidding")
    told_in_turn([lacking(CHART, base)] * 2, [base], access=access)
    assert access.circuits[base].state == CLOSED


def test_a_caller_that_goes_away_does_not_count_against_the_server(server: FhirServer) -> None:
    chosen = Settings(fhir_deadline_ms=60_000, fhir_circuit_failures=1)
    access = FhirAccess(chosen)
    base = server.base("slow")

    async def gone() -> None:
        answerer = answerer_of(chosen, access)
        body = json.dumps(lacking(CHART, base)).encode()
        service = SERVICES["firstline-order-sign"]
        task = asyncio.create_task(answerer.answered(service, body, NOW, Tenant(fhir_servers=(base,))))
        while not access.circuits:
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await access.aclose()

    asyncio.run(gone())
    assert access.circuits[base].state == CLOSED


# Mocked answers


@pytest.fixture
def ehr() -> Iterator[respx.MockRouter]:
    with respx.mock(base_url=EHR, assert_all_called=False) as router:
        yield router


def asked_ehr(ehr: respx.MockRouter, request: Mapping[str, Any], **chosen: Any) -> Told:
    """The answer, where every query that has no route of its own finds nothing."""
    ehr.route().respond(json=bundle())
    return told(request, [EHR], **chosen)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(200, json=bundle(total=5)), "partial"),
        (httpx.Response(200, json=bundle(condition(subject={"reference": "Patient/p2"}))), "unreadable"),
        (httpx.Response(200, json=bundle(bundle(condition(subject={"reference": "Patient/p2"})))), "unreadable"),
        (httpx.Response(200, json=bundle({"resourceType": "Patient", "id": "p2"})), "unreadable"),
        (httpx.Response(200, json=bundle(condition(subject={"reference": f"{EHR}/Patient/p1"}))), None),
        (httpx.Response(200, json=bundle(condition(subject={"display": "somebody"}))), None),
        (httpx.Response(200, json=bundle(condition(subject=5))), None),
        (httpx.Response(200, json=bundle({"resourceType": "OperationOutcome"}, condition())), "failed"),
        (httpx.Response(200, json=condition()), "unreadable"),
        (httpx.Response(200, content=b""), "unreadable"),
        (httpx.Response(200, content=b"null"), "unreadable"),
        (httpx.Response(200, content=b"[" * 5000), "unreadable"),
        (httpx.Response(200, content=b'{"resourceType": "Bundle", "entry": 5}'), "unreadable"),
        (httpx.Response(200, content=b"\xff\xfe"), "unreadable"),
        (httpx.Response(204), "failed"),
        (httpx.Response(206, json=bundle()), "failed"),
        (httpx.Response(429, headers={"Retry-After": "1"}), "failed"),
        (httpx.Response(501), "failed"),
    ],
)
def test_an_answer_to_a_search(answer: httpx.Response, why: str | None, ehr: respx.MockRouter) -> None:
    route = ehr.get(path__regex=".*/Condition").mock(return_value=answer)
    assert asked_ehr(ehr, lacking(CHART, EHR)).why("conditions") == why
    assert route.call_count == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (httpx.Response(200, json=HELD[0]), None),
        (httpx.Response(200, json={**HELD[0], "id": "p2"}), "unreadable"),
        (httpx.Response(200, json={"resourceType": "Person", "id": "p1"}), "unreadable"),
        (httpx.Response(200, json=bundle(HELD[0])), "unreadable"),
        (httpx.Response(200, json={"resourceType": "OperationOutcome"}), "failed"),
        (httpx.Response(404), "not provided"),
        (httpx.Response(410), "not provided"),
        (httpx.Response(403), "failed"),
    ],
)
def test_an_answer_to_a_read(answer: httpx.Response, why: str | None, ehr: respx.MockRouter) -> None:
    ehr.get("/Patient/p1").mock(return_value=answer)
    assert asked_ehr(ehr, lacking(CHART, EHR)).why("patient") == why


def test_a_later_page_of_another_patient_spoils_the_answer(ehr: respx.MockRouter) -> None:
    first = bundle(HELD[1], link=[{"relation": "next", "url": f"{EHR}/Condition?page=2"}])
    second = bundle(condition(id="x", subject={"reference": "Patient/p2"}))
    pages = [httpx.Response(200, json=first), httpx.Response(200, json=second)]
    ehr.get(path__regex=".*/Condition").mock(side_effect=pages)
    assert asked_ehr(ehr, lacking(CHART, EHR)).why("conditions") == "unreadable"


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadError, httpx.RemoteProtocolError])
def test_a_broken_connection_is_tried_again_once(error: type[Exception], ehr: respx.MockRouter) -> None:
    good = httpx.Response(200, json=bundle(HELD[1]))
    route = ehr.get(path__regex=".*/Condition").mock(side_effect=[error("Quetzal-7"), good])
    assert asked_ehr(ehr, lacking(CHART, EHR)).why("conditions") is None
    route.mock(side_effect=[error("Quetzal-7"), error("Quetzal-7"), good])
    assert asked_ehr(ehr, lacking(CHART, EHR)).why("conditions") == "failed"


def test_a_timeout_is_not_tried_again(ehr: respx.MockRouter) -> None:
    route = ehr.get(path__regex=".*/Condition").mock(side_effect=httpx.ReadTimeout)
    assert asked_ehr(ehr, lacking(CHART, EHR)).why("conditions") == "failed"
    assert route.call_count == 1


PART: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["", "Patient/p1", "next", EHR, f"{EHR}/x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["resourceType", "entry", "link", "relation", "url", "resource", "subject", "total", "id"]),
            inner | st.sampled_from(["Bundle", "Condition", "Patient", "OperationOutcome"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=40)
@given(st.lists(PART, min_size=1, max_size=3))
def test_nothing_that_a_server_says_breaks_a_review(said: list[Any]) -> None:
    """It is a 200 that reviewed the order, or a 412."""
    answers = cycle(said)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=next(answers)))
    access = FhirAccess(Settings(fhir_deadline_ms=5000), transport=transport)
    found = told(lacking(CHART, EHR), [EHR], access=access)
    assert found.status == 412 or found.review["inScope"] == ["MedicationRequest/d1"]


def test_dstu2_drafts_ask_in_dstu2(ehr: respx.MockRouter) -> None:
    draft = {
        "resourceType": "MedicationOrder", "id": "o1", "status": "draft", "patient": P1,
        "medicationCodeableConcept": {"text": "oxycodone hydrochloride 5 MG Oral Tablet"},
    }  # fmt: skip
    request = lacking(CHART, EHR, hook="medication-prescribe")
    request["context"]["medications"] = bundle(draft)
    asked_ehr(ehr, request, service="firstline-medication-prescribe")
    asked = [call.request for call in ehr.calls]
    assert kinds([one.url.path.rpartition("/r4/")[2] for one in asked]) >= {"MedicationOrder", "MedicationStatement"}
    assert all("intent" not in str(one.url) and "_sort=" not in str(one.url) for one in asked)
    assert {one.headers["accept"].partition(",")[0] for one in asked} == {"application/json+fhir"}


# The service


def test_the_service_fetches_and_closes_what_it_opened(server: FhirServer) -> None:
    app = create_app(Settings(today=NOW, fhir_deadline_ms=5000, open=Tenant(fhir_servers=(server.base("fine"),))))

    async def called() -> httpx.Response:
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, client=("127.0.0.1", 50000))
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return await client.post(SIGN, json=lacking(CHART, server.base("fine")))

    answer = asyncio.run(called())
    assert answer.status_code == 200
    assert answer.json()["cards"][0]["indicator"] == "critical"
    assert TOKEN not in answer.text
    assert len(server.asked()) == ALL_KEYS


def test_a_site_leaves_optional_keys_out_of_discovery_and_has_them_fetched(server: FhirServer) -> None:
    assert OPTIONAL_KEYS == OPTIONAL
    app = create_app(Settings(today=NOW, prefetch_left_out=("labs", "scores")))

    async def called() -> httpx.Response:
        transport = httpx.ASGITransport(app, client=("127.0.0.1", 50000))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get("/cds-services")

    for service in asyncio.run(called()).json()["services"]:
        assert set(service["prefetch"]) == set(TEMPLATES) - {"labs", "scores"}
    prefetch = {key: sent for key, sent in request_of(CHART)["prefetch"].items() if key not in {"labs", "scores"}}
    told(lacking(CHART, server.base("fine"), prefetch=prefetch), [server.base("fine")])
    assert kinds(asked_of(server)) == {"Observation"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fhir_deadline_ms", "0"),
        ("fhir_max_pages", "0"),
        ("fhir_max_bytes", "-1"),
        ("fhir_circuit_failures", "0"),
        ("fhir_circuit_seconds", "-1"),
        ("fhir_ca_file", "/nowhere/ca.pem"),
        ("fhir_ca_file", __file__),
        ("prefetch_left_out", "patient"),
    ],
)
def test_settings_that_cannot_be_are_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: "):
        load({f"FIRSTLINE_{name.upper()}": value})


def test_settings_from_the_environment() -> None:
    found = load({"FIRSTLINE_FHIR_DEADLINE_MS": "250", "FIRSTLINE_PREFETCH_LEFT_OUT": "labs, scores"})
    assert (found.fhir_deadline_ms, found.prefetch_left_out) == (250, ("labs", "scores"))


def test_every_key_has_a_query_of_the_protocol() -> None:
    assert {key for key in TEMPLATES if query_of(key, "p1", "e1", "R4") is not None} == set(TEMPLATES)
    assert ALPRAZOLAM in CHART
