"""Who may call, and what a browser may read: client authentication and CORS.

Where no client is set, every caller on the machine itself is answered and nobody else (open mode). Where clients are
set, each call needs a token of one of them: discovery, services and feedback alike.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

from msgspec import Struct
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hooks import tokens
from hooks.addresses import is_loopback
from hooks.key_sets import Key, KeySet
from hooks.replays import Replays, ReplaysInMemory, jti_hash
from hooks.settings import Settings
from hooks.tenants import OPEN, Tenant
from hooks.tokens import Token

log = logging.getLogger("firstline.http")

ALLOW_ORIGIN = (b"access-control-allow-origin", b"*")
METHODS = b"GET, POST, OPTIONS"
HEADERS = b"Authorization, Content-Type, Accept"
PREFLIGHT_SECONDS = b"600"
SECURITY = (
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
)
SAID_BY_SOME = frozenset(name for name, _ in SECURITY)
SHARED_SECONDS = 0.25
"""How long an answer waits for the database that several processes share."""


class Client(Struct, frozen=True):
    """The caller, as far as it is known. In open mode: anybody on this machine."""

    tenant: Tenant = OPEN

    @property
    def name(self) -> str:
        return self.tenant.name


class NotAuthenticatedError(Exception):
    """The caller may not have an answer. Carries no reason on purpose."""


class Trust:
    """Whom the site believes. ``replays`` is shared by the processes that serve; without it each has its own memory.

    ``clock`` gives seconds since 1970; ``ticks`` never goes back.
    """

    def __init__(
        self,
        settings: Settings,
        replays: Replays | None = None,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.settings = settings
        self.replays = replays
        self.clock = clock
        self.seen = ReplaysInMemory()
        self.sharing = True
        self.anybody = Client(settings.open)
        self.clients = tuple(Client(tenant) for tenant in settings.tenants)
        self.base = (settings.public_url or "").rstrip("/")
        places = {place for tenant in settings.tenants for place in (tenant.jwks, *tenant.jku) if place}
        self.key_sets = {place: KeySet(place, ticks) for place in places}

    async def authenticate(self, scope: Scope) -> Client:
        """The client of this request. Raises ``NotAuthenticatedError``."""
        if self.clients:
            return await self._by_token(scope)
        if not is_local(scope):
            raise NotAuthenticatedError
        return self.anybody

    async def _by_token(self, scope: Scope) -> Client:
        sent = [value for name, value in scope["headers"] if name == b"authorization"]
        try:
            if len(sent) != 1:
                raise tokens.TokenError
            token = tokens.read_token(sent[0])
            client = self._client_of(token)
            settings, now = self.settings, self.clock()
            tokens.check_claims(
                token, self._endpoint(scope), now, settings.token_lifetime_seconds, settings.clock_skew_seconds
            )
            if client is None or token.algorithm not in settings.token_algorithms:
                raise tokens.TokenError
            keys = await self._keys_of(client.tenant, token)
            tokens.check_signature(token, keys, [token.algorithm])
            if not await self._first_use(token):
                raise tokens.TokenError
        except tokens.TokenError:
            raise NotAuthenticatedError from None
        return client

    def _client_of(self, token: Token) -> Client | None:
        for client in self.clients:
            tenant = client.tenant
            if token.issuer in tenant.issuers and tenant.token_tenant in (None, token.tenant):
                return client
        return None

    def _endpoint(self, scope: Scope) -> str:
        """The address that was called, as clients see it."""
        path: str = scope["path"]
        return self.base + path.removeprefix(scope.get("root_path", ""))

    async def _keys_of(self, tenant: Tenant, token: Token) -> Sequence[Key]:
        """The keys that the token may be signed with. An address that is not listed is never fetched."""
        if token.jku is not None and token.jku not in tenant.jku:
            return ()
        place = tenant.jwks or token.jku
        return await self.key_sets[place].named(token.kid) if place else ()

    async def _first_use(self, token: Token) -> bool:
        name = jti_hash(token.issuer, token.jti)
        forgotten = token.expires + self.settings.clock_skew_seconds
        if not self.seen.first_use_at(name, forgotten, self.clock()):
            return False
        if self.replays is None:
            return True
        try:
            async with asyncio.timeout(SHARED_SECONDS):
                first = await self.replays.first_use(name, datetime.fromtimestamp(forgotten, UTC))
        except Exception as error:
            # A database that is down must not stop every answer: until it is back, each process has its own memory.
            if self.sharing:
                log.error("used tokens are not shared between processes any more: %s", type(error).__name__)
            self.sharing = False
            return True
        if not self.sharing:
            log.warning("used tokens are shared between processes again")
        self.sharing = True
        return first


def is_local(scope: Scope) -> bool:
    """Whether the caller is on this machine; one without a network address (a Unix socket, a test client) is."""
    return _is_local((scope.get("client") or ("", 0))[0])


@lru_cache(maxsize=1024)
def _is_local(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return True
    return is_loopback(host)


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
                message["headers"] = _with_security([*message.get("headers", ()), ALLOW_ORIGIN])
            await send(message)

        try:
            await self.app(scope, receive, send_with_cors)
        except Exception as error:
            log.error("request failed: %s", type(error).__name__)
            if not started:
                await self.failure(scope, receive, send_with_cors)


def _with_security(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """What a page says of itself stands; an answer with a patient's findings is kept nowhere."""
    said = [name.lower() for name, _ in headers if name.lower() in SAID_BY_SOME]
    headers += [header for header in SECURITY if header[0] not in said] if said else SECURITY
    return headers


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
