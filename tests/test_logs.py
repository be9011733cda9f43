"""Logs: one JSON object a line, with what operations need and nothing of a patient, a token or the machine."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from hooks import answer, logs
from hooks.settings import Settings
from tests.calling import an_app, call
from tests.fixtures import FOLDER, STORIES, service_of
from tests.sentences import request_of

SECRET = "eyJhbGciOiJFUzM4NCJ9.secret-of-a-client"
NAME = "Zyxwvut Unmistakable"


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Everything that is logged while a test runs, at the most talkative level."""
    kept = {name: (logging.getLogger(name).handlers[:], logging.getLogger(name).level) for name in ("", "firstline")}
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    logs.configure(Settings(log_level="debug"))
    yield written
    for name, (handlers, level) in kept.items():
        logging.getLogger(name).handlers, logging.getLogger(name).level = handlers, level


def read(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def ids_of(value: Any) -> Iterator[str]:
    """Every id, reference and name of a request."""
    if isinstance(value, dict):
        for key, held in value.items():
            if key in ("id", "reference", "patientId", "userId", "encounterId", "hookInstance", "text", "display"):
                yield str(held)
            yield from ids_of(held)
    elif isinstance(value, list):
        for held in value:
            yield from ids_of(held)


def test_no_line_of_a_run_over_every_story_names_a_patient_or_a_token(lines: io.StringIO) -> None:
    app = an_app()
    told: set[str] = set()
    for name in STORIES:
        request = json.loads((FOLDER / f"{name}.request.json").read_text(encoding="utf-8"))
        request["fhirServer"] = "http://127.0.0.1:9/fhir"
        request["fhirAuthorization"] = {
            "access_token": SECRET, "token_type": "Bearer", "expires_in": 300, "scope": "patient/*.read",
            "subject": "x",
        }  # fmt: skip
        told.update(one for one in ids_of(request) if len(one) > 6)
        body = json.dumps(request | {"patientName": NAME}).encode()
        for content in (body, body[:-40]):
            path = f"/cds-services/{service_of(request)}"
            headers = {"Content-Type": "application/json", "Authorization": f"Bearer {SECRET}"}
            call(app, "POST", path, content=content, headers=headers)
    text = lines.getvalue()
    assert len(read(lines)) >= len(STORIES) and SECRET not in text and "Unmistakable" not in text
    services = {json.loads(line).get("service", "") for line in text.splitlines()}
    shown = {one for one in told if one in text} - services - {"firstline-order-sign"}
    assert shown == set(), "a line of the log quotes the request"


def test_an_answer_is_one_line_of_facts(lines: io.StringIO) -> None:
    request = request_of(
        [
            "woman, age 58",
            "takes alprazolam 0.5 MG Oral Tablet, 1 tablet twice a day, since 2026-02-10, for 30 days",
            "orders oxycodone 5 mg oral tablet, 1 tablet every 6 hours, for 14 days",
        ]
    )
    call(an_app(), "POST", f"/cds-services/{service_of(request)}", json=request)
    [line] = [line for line in read(lines) if line["message"] == "answered"]
    assert line.keys() == {
        "time", "level", "logger", "message", "tenant", "service", "status", "ms", "inScope", "findings", "notAssessed",
    }  # fmt: skip
    assert "DD-01 critical" in line["findings"] and line["inScope"] == 1 and line["level"] == "info"


def test_an_error_is_logged_by_its_kind_alone(lines: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise ValueError(f"{NAME} at {FOLDER}")

    monkeypatch.setattr(answer, "review", fails)
    request = request_of(["orders oxycodone 5 mg oral tablet, 1 tablet every 6 hours, for 14 days"])
    call(an_app(), "POST", f"/cds-services/{service_of(request)}", json=request)
    text = lines.getvalue()
    assert "ValueError" in text and NAME not in text and str(FOLDER) not in text
    try:
        fails()
    except ValueError:
        logging.getLogger("uvicorn.error").exception("failed")
    assert read(lines)[-1]["error"] == "ValueError" and NAME not in lines.getvalue()


def test_libraries_speak_from_warnings_on(lines: io.StringIO) -> None:
    logging.getLogger("httpx").info("GET https://example.org/Patient?_id=%s", "p-4711")
    logging.getLogger("uvicorn.access").info("POST /cds-services")
    logging.getLogger("firstline.http").debug("fine")
    assert [line["message"] for line in read(lines)] == ["fine"]
