"""Who may call, and what a browser may read: client authentication and CORS.

Open mode is the only mode so far: every caller on the machine itself is answered, nobody else. Signed client tokens
and allow-lists take the place of ``authenticate`` when the service is to be reached from elsewhere.
"""

import logging
from ipaddress import ip_address
from typing import Any

from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hooks.settings import is_loopback

log = logging.getLogger("firstline.http")

ALLOW_ORIGIN = (b"access-control-allow-origin", b"*")
METHODS = b"GET, POST, OPTIONS"
HEADERS = b"Authorization, Content-Type, Accept"
PREFLIGHT_SECONDS = b"600"


class Client(Struct, frozen=True):
    """The caller, as far as it is known. In open mode: anybody on this machine."""

    name: str = "open"


class NotAuthenticatedError(Exception):
    """The caller may not have an answer. Carries no reason on purpose."""


def authenticate(scope: Scope) -> Client:
    """The client of this request; raises ``NotAuthenticatedError``.

    A caller that has no network address (a Unix socket, a test client) is on this machine.
    """
    host = (scope.get("client") or ("", 0))[0]
    if _is_address(host) and not is_loopback(host):
        raise NotAuthenticatedError
    return Client()


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class Frame:
    """The outermost layer: CORS on every answer, preflight included, and a plain 500 where anything is left uncaught.

    Any origin is allowed, without credentials: a browser never sends its cookies along.
    """

    def __init__(self, app: ASGIApp, failure: Any) -> None:
        self.app = app
        self.failure = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "OPTIONS":
            await send({"type": "http.response.start", "status": 204, "headers": _preflight_headers(scope)})
            await send({"type": "http.response.body", "body": b""})
            return
        started = False

        async def send_with_cors(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message.get("headers", ()), ALLOW_ORIGIN]
            await send(message)

        try:
            await self.app(scope, receive, send_with_cors)
        except Exception as error:
            log.error("request failed: %s", type(error).__name__)
            if not started:
                await self.failure(scope, receive, send_with_cors)


def _preflight_headers(scope: Scope) -> list[tuple[bytes, bytes]]:
    asked = b""
    for name, value in scope["headers"]:
        if name == b"access-control-request-headers":
            asked = value
    return [
        ALLOW_ORIGIN,
        (b"access-control-allow-methods", METHODS),
        (b"access-control-allow-headers", asked or HEADERS),
        (b"access-control-max-age", PREFLIGHT_SECONDS),
        (b"vary", b"Access-Control-Request-Headers"),
    ]
