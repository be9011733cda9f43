"""Feedback: all that clients send is taken and kept; what is wrong is refused by its field, and nothing of it kept."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hooks.bad_request import BadRequest
from hooks.feedback import MOST_ENTRIES, read_feedback
from tests.calling import SIGN, an_app, call
from tests.recorded import BOTH, REASON, accepted, address, overridden, running, story

FEEDBACK = f"{SIGN}/feedback"
CARD, OTHER_CARD, SUGGESTION = (str(uuid5(NAMESPACE_URL, name)) for name in ("card", "other", "suggestion"))
NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)


def one(**changed: Any) -> dict[str, Any]:
    """An override with this changed in it; ``...`` leaves out."""
    entry = {**overridden(CARD), **changed}
    return {name: value for name, value in entry.items() if value is not ...}


@BOTH
def test_entries_of_several_calls_repeats_and_unknown_cards_are_recorded(database: str, tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address(database, tmp_path)) as service:
            answer = await service.ask(story("painful-diabetic-neuropathy-nothing-tried"))
            [card] = answer["cards"]
            chosen = card["suggestions"][0]["uuid"]
            response = await service.feed(
                accepted(card["uuid"], chosen),
                overridden(card["uuid"], overrideReason=REASON),
                overridden(card["uuid"], overrideReason=REASON),
                overridden(OTHER_CARD),
            )
            assert (response.status_code, response.content) == (200, b"")
            assert response.headers["access-control-allow-origin"] == "*"
            assert (await service.feed(accepted("card-17", "first"), hook="order-select")).status_code == 200
            rows = await service.rows("feedback")
        kept = [(row.outcome, row.card, row.has_reason, row.reason_code, row.suggestions) for row in rows]
        assert kept[:4] == [
            ("accepted", card["uuid"], False, None, [chosen]),
            ("overridden", card["uuid"], True, "Monitored", []),
            ("overridden", card["uuid"], True, "Monitored", []),
            ("overridden", OTHER_CARD, False, None, []),
        ]
        assert UUID(rows[4].card) and UUID(rows[4].suggestions[0])  # a name of its own for what is no uuid
        assert {row.tenant for row in rows} == {"open"}
        assert [row.service for row in rows[3:]] == ["firstline-order-sign", "firstline-order-select"]
        assert rows[0].outcome_at == datetime(2026, 3, 1, 9, 0, 5, tzinfo=UTC)
        assert abs((datetime.now(UTC) - rows[0].at).total_seconds()) < 60

    asyncio.run(told())


WRONG: list[tuple[Any, str, str]] = [
    ([], "request", "not an object"),
    ({}, "feedback", "required"),
    ({"feedback": None}, "feedback", "required"),
    ({"feedback": {}}, "feedback", "not a list"),
    ({"feedback": []}, "feedback", "empty"),
    ({"feedback": [one()] * (MOST_ENTRIES + 1)}, "feedback", "more than"),
    ({"feedback": [one(), "Margaret"]}, "feedback[1]", "not an object"),
    ({"feedback": [one(card=...)]}, "feedback[0].card", "required"),
    ({"feedback": [one(card=17)]}, "feedback[0].card", "not a string"),
    ({"feedback": [one(card=" ")]}, "feedback[0].card", "empty"),
    ({"feedback": [one(outcome=...)]}, "feedback[0].outcome", "required"),
    ({"feedback": [one(), one(outcome="Margaret")]}, "feedback[1].outcome", "neither accepted nor overridden"),
    ({"feedback": [one(outcome="accepted")]}, "feedback[0].acceptedSuggestions", "required"),
    ({"feedback": [accepted(CARD)]}, "feedback[0].acceptedSuggestions", "empty"),
    (
        {"feedback": [one(outcome="accepted", acceptedSuggestions=["Margaret"])]},
        "feedback[0].acceptedSuggestions[0]",
        "not an object",
    ),
    (
        {"feedback": [one(outcome="accepted", acceptedSuggestions=[{"id": SUGGESTION}, {}])]},
        "feedback[0].acceptedSuggestions[1].id",
        "required",
    ),
    ({"feedback": [one(outcomeTimestamp=...)]}, "feedback[0].outcomeTimestamp", "required"),
    ({"feedback": [one(outcomeTimestamp="Margaret")]}, "feedback[0].outcomeTimestamp", "not an instant"),
    ({"feedback": [one(outcomeTimestamp="2026-03-01")]}, "feedback[0].outcomeTimestamp", "not an instant"),
    ({"feedback": [one(outcomeTimestamp="2026-03-01T09:00:00")]}, "feedback[0].outcomeTimestamp", "not an instant"),
    ({"feedback": [one(outcomeTimestamp="0001-01-01T00:00:00+14:00")]}, "feedback[0].outcomeTimestamp", "not an inst"),
    ({"feedback": [one(outcomeTimestamp=1772355600)]}, "feedback[0].outcomeTimestamp", "not a string"),
    ({"feedback": [one(overrideReason="Margaret")]}, "feedback[0].overrideReason", "not an object"),
    ({"feedback": [one(overrideReason={"reason": "x"})]}, "feedback[0].overrideReason.reason", "not an object"),
    ({"feedback": [one(overrideReason={"reason": {}})]}, "feedback[0].overrideReason.reason.code", "required"),
    (
        {"feedback": [one(overrideReason={"reason": {"code": "x", "system": 1}})]},
        "feedback[0].overrideReason.reason.system",
        "not a string",
    ),
    (
        {"feedback": [one(overrideReason={"userComment": ["Margaret"]})]},
        "feedback[0].overrideReason.userComment",
        "not a string",
    ),
]


def test_what_is_wrong_is_refused_by_its_field_and_nothing_is_recorded(tmp_path: Path) -> None:
    async def told() -> None:
        async with running(address("sqlite", tmp_path)) as service:
            for sent, field, words in WRONG:
                response = await service.calling.post(FEEDBACK, json=sent)
                [issue] = response.json()["issue"]
                assert (response.status_code, issue["expression"]) == (422, [field])
                assert issue["diagnostics"].startswith(f"{field}: {words}")
                assert "Margaret" not in response.text
            assert await service.rows("feedback") == []

    asyncio.run(told())


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"<html>"])
def test_what_is_no_json_is_refused(body: bytes) -> None:
    response = call(an_app(), "POST", FEEDBACK, content=body)
    assert response.status_code == 400
    assert response.json()["issue"][0]["diagnostics"] == "request: not JSON"


def test_the_way_to_the_endpoint_is_that_of_every_service() -> None:
    sent = {"feedback": [one()]}
    app = an_app(max_body_bytes=500)
    assert call(app, "POST", FEEDBACK, json=sent).status_code == 200
    assert call(app, "POST", "/cds-services/another/feedback", json=sent).status_code == 404
    assert call(app, "GET", FEEDBACK).status_code == 405
    assert call(app, "POST", FEEDBACK, json=sent, headers={"Content-Type": "text/plain"}).status_code == 415
    assert call(app, "POST", FEEDBACK, json={"feedback": [one()] * 10}).status_code == 413
    assert call(app, "POST", FEEDBACK, json=sent, client="192.0.2.7").status_code == 401
    assert call(app, "OPTIONS", FEEDBACK).status_code == 204


@BOTH
def test_a_comment_is_kept_only_where_the_site_asks(database: str, tmp_path: Path) -> None:
    comment = "Mrs Smith \U0001f600 knows\x00 this drug"
    reason = {"overrideReason": {**REASON, "userComment": comment}}

    async def told(**chosen: Any) -> list[Any]:
        async with running(address(database, tmp_path), **chosen) as service:
            await service.feed(overridden(CARD, **reason))
            await service.feed({**accepted(CARD, SUGGESTION), **reason})
            return await service.rows("feedback")

    without, accepted_one = asyncio.run(told())
    assert (without.comment, without.has_reason, without.reason_code) == (None, True, "Monitored")
    assert (accepted_one.comment, accepted_one.has_reason, accepted_one.reason_code) == (None, False, None)
    assert [row.comment for row in asyncio.run(told(record_comments=True))[-2:]] == [
        comment.replace("\x00", ""),
        None,
    ]


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        (None, (None, None, False)),
        ({}, (None, None, False)),
        ({"userComment": "  "}, (None, None, False)),
        ({"userComment": "because"}, (None, None, True)),
        ({"reason": {"code": "patient-refuses"}}, (None, "patient-refuses", True)),
        ({"reason": {"code": "Mrs Smith refuses", "system": "Mrs Smith"}}, (None, "other", True)),
        ({"reason": {"code": "a" * 65, "system": "http://x.org/" + "a" * 200}}, (None, "other", True)),
        ({"reason": {"code": "1.2", "system": "urn:x", "display": 5}}, ("urn:x", "1.2", True)),
    ],
)
def test_only_plain_codes_are_kept(reason: Any, kept: tuple[Any, ...]) -> None:
    [entry] = read(one(overrideReason=reason))
    assert (entry.reason_system, entry.reason_code, entry.has_reason) == kept
    assert entry.comment is None


def test_a_comment_that_was_cut_within_a_character_loses_that_character_alone() -> None:
    half = b'"userComment":"so \\ud83d"'
    body = b'\xef\xbb\xbf{"feedback":[{"card":"x","outcome":"overridden","overrideReason":{%s},' % half
    [entry] = read_feedback(body + b'"outcomeTimestamp":"2026-03-01T09:00:00Z"}]}', "open", "s", NOW, comments=True)
    assert entry.comment == "so ?"


def test_a_card_is_the_same_however_its_uuid_is_written() -> None:
    [first, second, third] = read(one(), one(card=CARD.upper()), one(card="urn:uuid:" + CARD))
    assert first.card == second.card == third.card == CARD


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["feedback", "card", "outcome", "overrideReason", "reason", "code", "userComment"]),
                inner,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
def test_any_json_is_read_or_refused(sent: Any) -> None:
    try:
        read(sent)
    except BadRequest as refused:
        assert refused.status == 422


def read(*entries: Any) -> Any:
    from msgspec import json

    return read_feedback(json.encode({"feedback": list(entries)}), "open", "firstline-order-sign", NOW)
