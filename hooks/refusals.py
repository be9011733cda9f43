"""Answers that are not cards: a status, and an OperationOutcome that names the field and echoes no value."""

from typing import Any

import msgspec
from starlette.responses import Response

JSON = "application/json"
ISSUE_CODES = {
    400: "structure",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    412: "incomplete",
    413: "too-long",
    415: "not-supported",
    422: "invalid",
    500: "exception",
    503: "transient",
}


def operation_outcome(code: str, message: str, field: str | None = None) -> dict[str, Any]:
    """One error as FHIR tells it, in every version from DSTU2 on."""
    issue: dict[str, Any] = {"severity": "error", "code": code, "diagnostics": message}
    if field:
        issue["expression"] = [field]
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def refusal(status: int, message: str, field: str | None = None, headers: dict[str, str] | None = None) -> Response:
    """The answer with this status. ``message`` must hold nothing of what was sent."""
    body = msgspec.json.encode(operation_outcome(ISSUE_CODES.get(status, "processing"), message, field))
    return Response(body, status, headers, JSON)


def not_authenticated() -> Response:
    """401 without any detail."""
    return Response(status_code=401)
