"""The service as a client meets it: discovery, every status, CORS, the way from a request to its cards."""

import asyncio
import gc
import json
import logging
import re
import socket
import subprocess
import sys
import tomllib
import urllib.request
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fhir.resources.operationoutcome import OperationOutcome
from fhir.resources.R4B.operationoutcome import OperationOutcome as OperationOutcomeR4
from hypothesis import given, settings
from hypothesis import strategies as st

from cds.findings import Rule
from hooks import answer, fhir_write, knowledge_version, serve
from hooks.app import create_app
from hooks.knowledge_version import VERSION, all_knowledge
from hooks.prefetch import TEMPLATES
from hooks.security import Frame
from hooks.settings import Settings
from tests.calling import NOW, PRESCRIBE, SELECT, SIGN, an_app, call
from tests.fixtures import STORIES, service_of, told
from tests.sentences import request_of

ROOT = Path(__file__).parents[1]
APP = an_app()
OXYCODONE = (
    "orders Oxycodone Hydrochloride 5 MG Oral Tablet [rx 1049621], 1 tablet every 6 hours as needed, for 14 days"
)
NEUROPATHY = "has diabetic polyneuropathy (E11.42), since 2021-04-12"
ALPRAZOLAM = "takes alprazolam 0.5 MG Oral Tablet, 1 tablet twice a day, since 2026-02-10, for 30 days"
AMOXICILLIN = "orders amoxicillin 500 mg oral capsule, 1 capsule three times a day, for 7 days"


def signed(*sentences: str, app: Any = APP, **more: Any) -> dict[str, Any]:
    response = call(app, "POST", SIGN, json={**request_of(sentences), **more})
    assert response.status_code == 200, response.text
    answered: dict[str, Any] = response.json()
    return answered


def view_of(answered: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = answered["extension"]["firstline.review"]
    return found


def refused(response: httpx.Response, status: int, field: str | None = None) -> str:
    """The message of an error, which has CORS and is an OperationOutcome of FHIR R4 and R5."""
    assert response.status_code == status, response.text
    assert response.headers["access-control-allow-origin"] == "*"
    assert response.headers["content-type"] == "application/json"
    outcome = response.json()
    OperationOutcome.model_validate(outcome)
    OperationOutcomeR4.model_validate(outcome)
    [issue] = outcome["issue"]
    assert issue.get("expression") == ([field] if field else None)
    return str(issue["diagnostics"])


# Discovery


def test_discovery_lists_one_service_for_each_hook() -> None:
    response = call(APP, "GET", "/cds-services", headers={"Origin": "https://ehr.example.org"})
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    assert response.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in response.headers
    services = response.json()["services"]
    assert [(service["id"], service["hook"]) for service in services] == [
        ("firstline-order-sign", "order-sign"),
        ("firstline-order-select", "order-select"),
        ("firstline-medication-prescribe", "medication-prescribe"),
    ]
    for service in services:
        assert service["title"]
        assert service["description"]
        assert service["prefetch"] == dict(TEMPLATES)
        assert ("usageRequirements" in service) is (service["hook"] != "medication-prescribe")


def test_prefetch_templates_stay_within_the_restricted_subset() -> None:
    """PROTOCOL.md 2.3: root tokens only, no parameter twice, no modifier, no include."""
    for template in TEMPLATES.values():
        assert set(re.findall(r"{{(.*?)}}", template)) <= {"context.patientId", "context.encounterId"}
        names = re.findall(r"[?&]([^=]+)=", template)
        assert len(names) == len(set(names))
        assert not any(":" in name or name.startswith(("_include", "_rev", "_has")) for name in names)


# What is refused


@pytest.mark.parametrize(
    ("content", "status", "field"),
    [
        (b"", 400, "request"),
        (b"{", 400, "request"),
        (b"\xff\xfe", 400, "request"),
        (b"[]", 422, "request"),
        (b"{}", 422, "hook"),
        (b'{"hook": "Quetzal-7", "hookInstance": "x", "context": {}}', 422, "hook"),
        (b'{"hook": "order-select", "hookInstance": "x", "context": {}}', 422, "hook"),
        (b'{"hook": 7, "hookInstance": "x", "context": {}}', 422, "hook"),
        (b'{"hook": "order-sign", "hookInstance": "x"}', 422, "context"),
        (b'{"hook": "order-sign", "hookInstance": "x", "context": "Quetzal-7"}', 422, "context"),
        (b'{"hook": "order-sign", "hookInstance": "x", "context": {}}', 422, "context.patientId"),
        (
            b'{"hook": "order-sign", "hookInstance": "x", "context": {"patientId": ["Quetzal-7"]}}',
            422,
            "context.patientId",
        ),
    ],
)
def test_a_bad_request_names_the_field_and_echoes_nothing(content: bytes, status: int, field: str) -> None:
    response = call(APP, "POST", SIGN, content=content, headers={"Content-Type": "application/json"})
    message = refused(response, status, field)
    assert "Quetzal" not in response.text
    assert message.startswith(field)


def test_an_unknown_service_is_not_found() -> None:
    refused(call(APP, "POST", "/cds-services/firstline-patient-view", json={}), 404)
    refused(call(APP, "POST", SIGN + "/feedbacks", json={}), 404)
    refused(call(APP, "GET", "/nothing"), 404)


def test_other_methods_are_not_allowed() -> None:
    assert call(APP, "GET", SIGN).headers["allow"] == "POST"
    refused(call(APP, "GET", SIGN), 405)
    refused(call(APP, "POST", "/cds-services", json={}), 405)
    refused(call(APP, "DELETE", SIGN), 405)


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_what_is_not_json_by_its_name_is_refused(kind: str) -> None:
    refused(call(APP, "POST", SIGN, content=b"{}", headers={"Content-Type": kind}), 415, "Content-Type")


@pytest.mark.parametrize(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/fhir+json", "text/json", ""]
)
def test_json_goes_by_several_names_or_none(kind: str) -> None:
    body = json.dumps(request_of([AMOXICILLIN])).encode()
    assert call(APP, "POST", SIGN, content=body, headers={"Content-Type": kind} if kind else {}).status_code == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read() -> None:
    small = an_app(max_body_bytes=1000)
    refused(call(small, "POST", SIGN, content=b" " * 1001, headers={"Content-Type": "application/json"}), 413)

    async def chunks() -> Any:
        for _ in range(11):
            yield b" " * 100

    response = call(small, "POST", SIGN, content=chunks(), headers={"Content-Type": "application/json"})
    refused(response, 413)
    assert response.headers["connection"] == "close"
    assert call(small, "POST", SIGN, content=b" " * 1000).status_code == 400


def test_a_body_in_pieces_is_one_body() -> None:
    body = json.dumps(request_of([AMOXICILLIN])).encode()

    async def chunks() -> Any:
        yield body[:100]
        yield body[100:]

    assert call(APP, "POST", SIGN, content=chunks()).json()["cards"] == []


def test_a_request_that_breaks_off_ends_quietly(caplog: pytest.LogCaptureFixture) -> None:
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": SIGN, "raw_path": SIGN.encode(), "query_string": b"", "headers": [],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 8080), "scheme": "http", "http_version": "1.1",
        "root_path": "",
    }  # fmt: skip
    asyncio.run(APP(scope, receive, send))
    assert sent[0]["status"] == 400
    assert not caplog.records


@pytest.mark.parametrize("path", ["/cds-services", SIGN])
def test_open_mode_answers_this_machine_only(path: str) -> None:
    method = "GET" if path == "/cds-services" else "POST"
    for client in ("10.1.2.3", "2001:db8::1"):
        response = call(APP, method, path, client=client, json={})
        assert response.status_code == 401
        assert response.content == b""
        assert response.headers["access-control-allow-origin"] == "*"
    for client in ("127.0.0.1", "::1", "::ffff:127.0.0.1", ""):
        assert call(APP, method, path, client=client, json={}).status_code in (200, 422)


def test_nothing_of_the_chart_and_no_danger_is_412() -> None:
    message = refused(call(APP, "POST", SIGN, json=request_of(["nothing sent", OXYCODONE])), 412, "prefetch")
    assert "medications" in message


def test_a_danger_in_the_drafts_themselves_is_told_without_a_chart() -> None:
    both = ["nothing sent", OXYCODONE, "orders alprazolam 0.5 MG Oral Tablet, 1 tablet twice a day, for 14 days"]
    assert signed(*both)["cards"][0]["extension"]["firstline.findings"][0]["rule"] == "DD-01"


def test_out_of_scope_needs_no_chart() -> None:
    answered = signed("nothing sent", AMOXICILLIN)
    assert answered["cards"] == []
    assert view_of(answered)["inScope"] == []
    assert "notAssessed" not in view_of(answered)


# CORS


@pytest.mark.parametrize("path", ["/cds-services", SIGN, "/nowhere"])
def test_preflight_is_answered_for_any_origin_without_credentials(path: str) -> None:
    asked = {
        "Origin": "https://sandbox.example.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,x-own",
    }
    response = call(APP, "OPTIONS", path, headers=asked, client="10.1.2.3")
    assert response.status_code == 204
    assert response.headers["access-control-allow-origin"] == "*"
    assert "POST" in response.headers["access-control-allow-methods"]
    assert response.headers["access-control-allow-headers"] == "authorization,content-type,x-own"
    assert "access-control-allow-credentials" not in response.headers
    assert "Authorization" in call(APP, "OPTIONS", path).headers["access-control-allow-headers"]


# Answers


def test_an_opioid_for_neuropathic_pain_with_nothing_tried() -> None:
    answered = signed(
        "woman, age 58",
        NEUROPATHY,
        "eGFR 82 on 2026-01-20",
        f"{OXYCODONE}, because painful diabetic neuropathy (E11.42)",
    )
    [card] = answered["cards"]
    assert card["indicator"] == "warning"
    assert card["summary"].startswith("No first-line drug tried for diabetic neuropathy.")
    created, deleted = card["suggestions"][0]["actions"]
    assert created["resource"]["authoredOn"] == "2026-03-01T09:00:00Z"
    assert created["resource"]["subject"] == {"reference": "Patient/p1"}
    assert deleted == {"type": "delete", "description": "Remove the draft order", "resourceId": "MedicationRequest/d1"}
    view = view_of(answered)
    assert view["knowledge"] == knowledge_version.knowledge_version()
    assert (view["indication"], view["ladderState"], view["mmePerDay"]) == ("definite", "S0", "30")
    assert view["findings"][0]["card"] == card["uuid"]


def test_an_update_is_the_draft_as_sent_with_the_dose_changed() -> None:
    answered = signed(ALPRAZOLAM, OXYCODONE)
    updates = [
        action["resource"]
        for suggestion in answered["cards"][0]["suggestions"]
        for action in suggestion["actions"]
        if action["type"] == "update"
    ]
    [sent] = [entry["resource"] for entry in request_of([OXYCODONE])["context"]["draftOrders"]["entry"]]
    dose = updates[0]["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]
    assert dose["value"] * 2 == sent["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"]["value"]
    assert updates[0]["medicationCodeableConcept"] == sent["medicationCodeableConcept"]


def test_two_drafts_of_one_id_are_never_updated() -> None:
    request = request_of(
        [ALPRAZOLAM, OXYCODONE, "orders morphine sulfate 15 MG Oral Tablet [rx 892582], 1 tablet every 8 hours"]
    )
    for entry in request["context"]["draftOrders"]["entry"]:
        entry["resource"]["id"] = "same"
        entry.pop("fullUrl", None)
    answered = call(APP, "POST", SIGN, json=request).json()
    assert answered["cards"]
    types = {a["type"] for c in answered["cards"] for s in c.get("suggestions", []) for a in s["actions"]}
    assert "update" not in types


def test_prescribing_is_answered_in_the_first_dialect() -> None:
    request = request_of([ALPRAZOLAM, OXYCODONE])
    request["hook"] = "medication-prescribe"
    request["context"]["medications"] = request["context"].pop("draftOrders")
    answered = call(APP, "POST", PRESCRIBE, json=request).json()
    [card] = answered["cards"]
    assert "uuid" not in card
    assert card["extension"]["firstline.uuid"] == view_of(answered)["findings"][0]["card"]
    assert "overrideReasons" not in card


def test_selecting_judges_what_is_selected() -> None:
    morphine = "orders morphine sulfate 15 MG Oral Tablet [rx 892582], 1 tablet every 8 hours, for 5 days"
    request = request_of(["hook order-select", "selected d2", OXYCODONE, morphine])
    assert view_of(call(APP, "POST", SELECT, json=request).json())["inScope"] == ["MedicationRequest/d2"]
    request = request_of(["hook order-select", "selected d2", OXYCODONE, AMOXICILLIN])
    assert view_of(call(APP, "POST", SELECT, json=request).json())["inScope"] == []
    request["context"] = {"patientId": "p1", "userId": "Practitioner/1"}
    assert call(APP, "POST", SELECT, json=request).json()["cards"] == []


def test_the_clock_decides_what_today_is() -> None:
    at = datetime(2026, 2, 28, 23, 30, tzinfo=UTC)
    sentences = [OXYCODONE, "born 2008-03-01", NEUROPATHY, "because painful diabetic neuropathy (E11.42)"][:3]
    utc, vienna = (
        view_of(signed(*sentences, app=create_app(Settings(time_zone=zone), clock=lambda: at)))
        for zone in ("UTC", "Europe/Vienna")
    )
    assert "ladderState" not in utc
    assert vienna["ladderState"] == "S0"


def test_without_a_clock_it_is_now() -> None:
    request = request_of(["nothing sent", AMOXICILLIN])
    assert call(create_app(Settings()), "POST", SIGN, json=request).status_code == 200


def test_the_same_request_gives_the_same_bytes() -> None:
    request = request_of([NEUROPATHY, ALPRAZOLAM, OXYCODONE])
    first, second = (call(app, "POST", SIGN, json=request).content for app in (APP, an_app()))
    assert first == second


def test_every_outcome_is_told_where_the_site_allows_it() -> None:
    asked = {"extension": {"firstline.explain": True}}
    outcomes = view_of(signed(ALPRAZOLAM, OXYCODONE, **asked))["outcomes"]
    assert {entry["outcome"] for entry in outcomes} >= {"fires", "does not apply"}
    assert "outcomes" not in view_of(signed(ALPRAZOLAM, OXYCODONE, app=an_app(explain=False), **asked))
    assert "outcomes" not in view_of(signed(ALPRAZOLAM, OXYCODONE, extension={"firstline.explain": "yes"}))


def test_information_makes_no_card_where_the_site_does_not_want_it() -> None:
    sentences = ("medications not sent", "statements not sent", "dispenses not sent", NEUROPATHY, OXYCODONE)
    assert signed(*sentences)["cards"]
    rules = [
        f["rule"]
        for c in signed(*sentences, app=an_app(info_cards=False))["cards"]
        for f in c["extension"]["firstline.findings"]
    ]
    assert rules[:1] in ([], ["G04"])


@pytest.mark.parametrize("name", STORIES)
def test_no_summary_of_a_story_had_to_be_cut(name: str, caplog: pytest.LogCaptureFixture) -> None:
    request = told(STORIES[name])
    response = call(APP, "POST", f"/cds-services/{service_of(request)}", json=request)
    for card in response.json().get("cards", []):
        assert len(card["summary"]) <= 139
        assert not card["summary"].endswith("…")
        assert "None" not in card["summary"] + card["detail"]
        assert card["detail"].endswith("Clinical judgment decides.")
    assert not caplog.records


# When something breaks


def test_a_review_that_breaks_is_a_card_and_not_a_silence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("Quetzal-7")

    monkeypatch.setattr(answer, "review", broken)
    answered = signed(NEUROPATHY, OXYCODONE)
    assert answered["cards"][0]["indicator"] == "warning"
    assert view_of(answered)["notAssessed"] == ["review: not checked"]
    assert "firstline-order-sign: not checked: RuntimeError" in caplog.text
    assert "Quetzal" not in caplog.text + json.dumps(answered)


def test_an_error_outside_the_review_is_a_plain_500(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("Quetzal-7")

    monkeypatch.setattr(answer.Answerer, "answered", broken)
    response = call(APP, "POST", SIGN, json={})
    assert "Nothing was checked" in refused(response, 500)
    assert "Quetzal" not in response.text + caplog.text
    assert "RuntimeError" in caplog.text


def test_an_error_after_the_answer_began_adds_nothing() -> None:
    async def half(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError

    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(Frame(half, None)({"type": "http", "method": "GET", "headers": []}, None, send))  # type: ignore[arg-type]
    assert [message["type"] for message in sent] == ["http.response.start"]


def test_a_rule_without_knowledge_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = Rule("DD-99", "sedation", lambda case, draft: None)  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(knowledge_version, "RULES", (*knowledge_version.RULES, rule))
    with pytest.raises(Exception, match=r"sedation\.toml: DD-99: add this rule's knowledge"):
        all_knowledge()


def test_the_version_follows_every_word_of_the_knowledge(tmp_path: Path) -> None:
    for folder, name in (("rules", "a.toml"), ("tables", "b.csv")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text("x")
    before = knowledge_version.knowledge_version(tmp_path)
    assert before == knowledge_version.knowledge_version(tmp_path)
    (tmp_path / "tables" / "b.csv").write_text("y")
    assert knowledge_version.knowledge_version(tmp_path) != before


def test_one_version_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest
    assert VERSION == project["version"] == newest[1]


# Whatever is sent

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_request_of_any_shape_breaks_the_service(data: st.DataObject) -> None:
    """One value anywhere in a real request is replaced: the answer is cards or a refusal, never an error of ours."""
    request = request_of(["woman, age 58", NEUROPATHY, ALPRAZOLAM, OXYCODONE])
    at = data.draw(st.sampled_from(list(places(request))))
    inner: Any = request
    for step in at[:-1]:
        inner = inner[step]
    inner[at[-1]] = data.draw(JSON_VALUES)
    response = call(APP, "POST", SIGN, json=request)
    assert response.status_code in (200, 412, 422)
    assert '"review: not checked"' not in response.text


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if at:
        yield at
    parts = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    for name, part in parts:
        yield from places(part, (*at, name))


# The process


def test_starting_checks_the_templates_and_frees_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[bool] = []
    monkeypatch.setattr(fhir_write, "check_templates", lambda: checked.append(True))

    async def started() -> None:
        async with APP.router.lifespan_context(APP):
            assert gc.get_freeze_count() > 0

    try:
        asyncio.run(started())
    finally:
        gc.unfreeze()
    assert checked == [True]


def test_serving_tells_the_address_once_it_answers() -> None:
    environment = {"PORT": "0", "TODAY": NOW.isoformat(), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    environment["FIRSTLINE_DATABASE_URL"] = "none"
    command = [sys.executable, "-m", "hooks.serve"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as child:
        try:
            assert child.stdout is not None
            told = child.stdout.readline()
            address = re.search(r"http://127\.0\.0\.1:\d+/", told)
            assert address, told
            with urllib.request.urlopen(address[0]) as page:
                assert b"<title>Order entry" in page.read()
            with urllib.request.urlopen(address[0] + "cds-services") as response:
                assert json.load(response)["services"]
        finally:
            child.terminate()
        assert child.stdout.read() == ""


def test_a_wrong_setting_stops_the_start(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORT", "many")
    assert serve.main() == 2
    assert capsys.readouterr().err == "Firstline does not start: PORT: write a whole number\n"


def test_a_port_that_is_taken_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        monkeypatch.setenv("PORT", str(port))
        assert serve.main() == 2
    said = capsys.readouterr().err
    assert said.startswith(f"Firstline does not start: port {port} of 127.0.0.1: address already in use: stop what")


def test_the_server_says_where_it_listens(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PORT", "0")
    monkeypatch.setenv("FIRSTLINE_DATABASE_URL", "none")
    monkeypatch.setattr(fhir_write, "check_templates", lambda: None)
    ticks = serve.Server.on_tick

    async def one_tick(server: serve.Server, counter: int) -> bool:
        await ticks(server, counter)
        return True

    monkeypatch.setattr(serve.Server, "on_tick", one_tick)
    logging.getLogger("uvicorn").handlers.clear()
    try:
        assert serve.main() == 0
    finally:
        gc.unfreeze()
    assert re.fullmatch(r"Firstline answers at http://127.0.0.1:\d+/\n", capsys.readouterr().out)
