"""Attacks that once succeeded, or nearly: each stays refused."""

import asyncio
import base64
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hooks.bad_request import BadRequest
from hooks.feedback import read_feedback
from hooks.key_sets import read_key_set
from hooks.records.recorder import NotRecordedError, Recorder
from hooks.security import NotAuthenticatedError, Trust
from hooks.settings import Settings
from tests.calling import NOW, SIGN, an_app, call
from tests.clients import EC, claims, jwks, stored_jwks, trusting
from tests.clients import NOW as SECONDS
from tests.test_hostile_requests import APP, a_request, answered, put

ENTRY = ("context", "draftOrders", "entry")


# Tokens


def _part(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")


def test_a_head_nested_to_the_edge_of_the_stack_is_not_authenticated(tmp_path: Path) -> None:
    """What one decoder still takes may be too deep for the next one, which stands further down the stack."""
    settings = trusting(stored_jwks(tmp_path, EC))

    async def refused(depth: int) -> None:
        head = b'{"alg":"ES384","typ":"JWT","kid":"ec-1","x":' + b"[" * depth + b"]" * depth + b"}"
        token = b".".join((_part(head), _part(json.dumps(claims()).encode()), _part(b"x" * 96)))
        scope = {"type": "http", "path": "/cds-services", "headers": [(b"authorization", b"Bearer " + token)]}
        with pytest.raises(NotAuthenticatedError):
            await Trust(settings, clock=lambda: SECONDS).authenticate(scope)

    async def all_refused() -> None:
        for depth in range(880, 1020):
            await refused(depth)

    asyncio.run(all_refused())


@pytest.mark.parametrize("odd", [{"crv": "P-999"}, {"key_ops": None}, {"key_ops": 5}, {"crv": ["P-384"]}])
def test_an_odd_key_leaves_the_others_usable(odd: dict[str, Any]) -> None:
    listed = jwks(EC)["keys"]
    found = read_key_set(json.dumps({"keys": [{**listed[0], "kid": "odd", **odd}, *listed]}).encode())
    assert "ec-1" in found


# Drafts that are not told, and yet no "none"

ORDER = a_request()["context"]["draftOrders"]["entry"][0]["resource"]


@pytest.mark.parametrize(
    "drafts",
    [
        {"resourceType": "Bundle", "total": 3},
        {"resourceType": "Bundle", "total": 1, "entry": []},
        {"resourceType": "Bundle", "link": [{"relation": "next", "url": "https://ehr.example.org/?page=2"}]},
        {"resourceType": "Bundle", "Entry": [{"resource": ORDER}]},
        {"resourceType": "Bundle", "entries": [{"resource": ORDER}]},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle", "total": 1}}]},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle", "entry": "x"}}]},
        {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "OperationOutcome"}}]},
        {"resourceType": "Parameters", "parameter": [{"name": "order", "resource": ORDER}]},
    ],
)
def test_drafts_that_are_somewhere_else_are_not_no_drafts(drafts: Any) -> None:
    found = answered(put(a_request(), ENTRY[:2], drafts))
    assert "draftOrders: unreadable" in found["extension"]["firstline.review"]["notAssessed"]


@pytest.mark.parametrize("drafts", [None, {}, [], {"resourceType": "Bundle"}, {"resourceType": "Bundle", "total": 0}])
def test_no_drafts_are_no_drafts(drafts: Any) -> None:
    found = answered(put(a_request(), ENTRY[:2], drafts))
    assert "notAssessed" not in found["extension"]["firstline.review"]


@pytest.mark.parametrize("entry", [None, [], {}, "x", 5])
def test_an_order_with_an_entry_of_its_own_is_still_that_order(entry: Any) -> None:
    for drafts in ({**ORDER, "entry": entry}, {"entry": [{"resource": {**ORDER, "entry": entry}}]}):
        found = answered(put(a_request(), ENTRY[:2], drafts))
        assert found["extension"]["firstline.review"]["inScope"]


# Work that one caller makes for all


def test_the_suggestions_of_one_call_are_bounded() -> None:
    entry = {"card": "c", "outcome": "accepted", "outcomeTimestamp": "2026-03-01T09:00:00Z"}
    body = {"feedback": [{**entry, "acceptedSuggestions": [{"id": "a"}] * 10_001}]}
    with pytest.raises(BadRequest) as refused:
        read_feedback(json.dumps(body).encode(), "open", "firstline-order-sign", NOW)
    assert refused.value.status == 422
    assert refused.value.field == "feedback[0].acceptedSuggestions"
    assert call(APP, "POST", f"{SIGN}/feedback", json=body).status_code == 422


def test_the_chart_page_keeps_the_limits_of_the_services() -> None:
    """A body that never ends takes one of the places that hook requests need."""
    app = an_app(body_seconds=0.05)
    sent: list[Any] = []

    async def never() -> Any:
        await asyncio.Event().wait()

    async def keep(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": "/pages/chart",
        "query_string": b"",
        "headers": [],
        "client": ("127.0.0.1", 1),
    }

    async def called() -> None:
        async with asyncio.timeout(5):
            await app(scope, never, keep)

    asyncio.run(called())
    assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    ("headers", "status"), [({"Content-Encoding": "br"}, 415), ({"Content-Length": "99999999"}, 413)]
)
def test_the_chart_page_refuses_as_the_services_do(headers: dict[str, str], status: int) -> None:
    assert call(APP, "POST", "/pages/chart", content=b"{}", headers=headers).status_code == status


# The database, taken away


def test_feedback_is_not_acknowledged_into_a_file_that_was_deleted(tmp_path: Path) -> None:
    """SQLite would go on writing to it, and say so of every commit."""
    place = tmp_path / "records.db"
    entry = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-03-01T09:00:00Z"}
    entries = read_feedback(json.dumps({"feedback": [entry]}).encode(), "open", "firstline-order-sign", NOW)

    async def taken_away() -> int:
        recorder = Recorder(Settings(database_url=f"sqlite:///{place}"))
        await recorder.start()
        try:
            for path in tmp_path.iterdir():
                path.unlink()
            with pytest.raises(NotRecordedError):
                await recorder.feedback(entries)
            async with asyncio.timeout(10):
                while not recorder.state().ready:
                    await asyncio.sleep(0.05)
            await recorder.feedback(entries)
        finally:
            await recorder.stop()
        with closing(sqlite3.connect(place)) as kept:
            return int(kept.execute("SELECT count(*) FROM feedback").fetchone()[0])

    assert asyncio.run(taken_away()) == 1
