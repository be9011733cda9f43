"""``POST /cds-services/{id}/feedback``: what prescribers did with cards (PROTOCOL.md 1.10).

Answered when it is recorded. Cards may be unknown, repeated, of several calls; a dismissal may give no reason.
"""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from hooks.bad_request import BadRequest
from hooks.envelope import BYTE_ORDER_MARK
from hooks.names import named
from hooks.protocol import NAMESPACE
from hooks.records.record import FeedbackRecord

OUTCOMES = ("accepted", "overridden")
MOST_ENTRIES = 1_000
MOST_SUGGESTIONS = 10_000
"""Suggestions that one call may name, all its entries together."""
LONGEST_COMMENT = 4_000
PLAIN_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")
PLAIN_SYSTEM = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]{1,180}")
OTHER = "other"

_anything = msgspec.json.Decoder()


def read_feedback(
    body: bytes, tenant: str, service: str, now: datetime, comments: bool = False
) -> tuple[FeedbackRecord, ...]:
    """All entries. Raises ``BadRequest``: 400 for what is no JSON, 422 naming the field; then none is taken.

    ``comments``: whether free text is kept. A code or system that may hold free text becomes "other" or nothing.
    """
    entries = _list(_object(_decoded(body), "request").get("feedback"), "feedback")
    if len(entries) > MOST_ENTRIES:
        raise BadRequest(422, "feedback", f"more than {MOST_ENTRIES} entries")
    read: list[FeedbackRecord] = []
    left = MOST_SUGGESTIONS
    for n, entry in enumerate(entries):
        at = f"feedback[{n}]"
        read.append(_entry(_object(entry, at), at, tenant, service, now, comments, left))
        left -= len(read[-1].suggestions)
    return tuple(read)


def _decoded(body: bytes) -> Any:
    body = body.removeprefix(BYTE_ORDER_MARK)
    try:
        return _anything.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        pass
    try:
        return json.loads(body)  # takes a text that was cut within a character
    except (ValueError, RecursionError):
        raise BadRequest(400, "request", "not JSON") from None


def _entry(
    entry: Mapping[str, Any], at: str, tenant: str, service: str, now: datetime, comments: bool, most: int
) -> FeedbackRecord:
    card = _name(entry.get("card"), f"{at}.card")
    outcome = _text(entry.get("outcome"), f"{at}.outcome")
    if outcome not in OUTCOMES:
        raise BadRequest(422, f"{at}.outcome", "neither accepted nor overridden")
    accepted = _accepted(entry.get("acceptedSuggestions"), f"{at}.acceptedSuggestions", outcome, most)
    system, code, comment = _reason(entry.get("overrideReason"), f"{at}.overrideReason")
    overridden = outcome == "overridden"
    return FeedbackRecord(
        at=now,
        tenant=tenant,
        service=service,
        card=card,
        outcome=outcome,
        outcome_at=_instant(entry.get("outcomeTimestamp"), f"{at}.outcomeTimestamp"),
        suggestions=accepted,
        has_reason=overridden and (code is not None or comment is not None),
        reason_system=system if overridden else None,
        reason_code=code if overridden else None,
        comment=comment if comments and overridden else None,
    )


def _accepted(sent: Any, at: str, outcome: str, most: int) -> tuple[str, ...]:
    """The suggestions that were accepted, by uuid; an override has none."""
    if outcome != "accepted":
        return ()
    listed = _list(sent, at)
    if len(listed) > most:
        raise BadRequest(422, at, f"with these, more than {MOST_SUGGESTIONS} suggestions in one call")
    return tuple(_name(_object(one, f"{at}[{n}]").get("id"), f"{at}[{n}].id") for n, one in enumerate(listed))


def _reason(sent: Any, at: str) -> tuple[str | None, str | None, str | None]:
    """System, code and comment. None of them has to be there: a plain dismissal gives no reason."""
    if sent is None:
        return None, None, None
    reason = _object(sent, at)
    comment = None
    if reason.get("userComment") is not None:
        comment = _text(reason["userComment"], f"{at}.userComment", may_be_empty=True)
    system = code = None
    if reason.get("reason") is not None:
        coding = _object(reason["reason"], f"{at}.reason")
        written = _text(coding.get("code"), f"{at}.reason.code")
        code = written if PLAIN_CODE.fullmatch(written) else OTHER
        if coding.get("system") is not None:
            told = _text(coding["system"], f"{at}.reason.system", may_be_empty=True)
            system = told if PLAIN_SYSTEM.fullmatch(told) else None
    return system, code, comment[:LONGEST_COMMENT] if comment else None


def _name(sent: Any, at: str) -> str:
    """A uuid as Firstline writes it. What is no uuid is no name of Firstline's: a uuid of its own stands for it."""
    text = _text(sent, at)
    try:
        return str(UUID(text))
    except ValueError:
        return named(NAMESPACE, text)


def _instant(sent: Any, at: str) -> datetime:
    try:
        instant = msgspec.convert(_text(sent, at), datetime)
        if instant.tzinfo is None:
            raise ValueError
        return instant.astimezone(UTC)
    except (msgspec.ValidationError, ValueError, OverflowError):
        raise BadRequest(422, at, "not an instant with its zone, as 2026-03-01T09:00:00Z") from None


def _object(sent: Any, at: str) -> Mapping[str, Any]:
    if not isinstance(sent, dict):
        raise BadRequest(422, at, "not an object")
    return sent


def _list(sent: Any, at: str) -> list[Any]:
    if sent is None:
        raise BadRequest(422, at, "required")
    if not isinstance(sent, list):
        raise BadRequest(422, at, "not a list")
    if not sent:
        raise BadRequest(422, at, "empty")
    return sent


def _text(sent: Any, at: str, may_be_empty: bool = False) -> str:
    if sent is None:
        raise BadRequest(422, at, "required")
    if not isinstance(sent, str):
        raise BadRequest(422, at, "not a string")
    text = sent.encode(errors="replace").decode().replace("\x00", "").strip()
    if not text and not may_be_empty:
        raise BadRequest(422, at, "empty")
    return text
