"""The wiring: routes, the limits of a request, and which exception becomes which status."""

import gc
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from hooks import fhir_write
from hooks.answer import Answerer
from hooks.protocol import BadRequest
from hooks.refusals import JSON, not_authenticated, refusal
from hooks.security import Frame, NotAuthenticatedError, authenticate
from hooks.services import SERVICES, Service, discovery
from hooks.settings import Settings, load

Clock = Callable[[], datetime]

JSON_TYPES = frozenset({"", JSON, "application/fhir+json", "application/json+fhir", "text/json"})
LONGEST_LENGTH = 18
"""Digits of a Content-Length that is worth reading as a number."""
log = logging.getLogger("firstline.http")


class TooLargeError(Exception):
    """The body is larger than the site allows."""


def create_app(settings: Settings | None = None, *, clock: Clock | None = None) -> Starlette:
    """The service as an ASGI application. Without arguments everything comes from the environment.

    Raises ``SettingsError`` or ``KnowledgeError`` where something is wrong: it does not start half-configured.
    """
    settings = load() if settings is None else settings
    app = Starlette(
        routes=[
            Route("/cds-services", _Discovery().answer, methods=["GET"]),
            Route("/cds-services/{id}", _Services(settings, clock or _clock_of(settings)).answer, methods=["POST"]),
        ],
        middleware=[Middleware(Frame, failure=refusal(500, "An error inside Firstline. Nothing was checked."))],
        exception_handlers={HTTPException: _http_refusal},
        lifespan=_lifespan,
    )
    app.router.redirect_slashes = False
    return app


@asynccontextmanager
async def _lifespan(_: Starlette) -> AsyncIterator[None]:
    """Checks what orders are written from; what start-up made stays, so the garbage collector need not look at it."""
    fhir_write.check_templates()
    gc.collect()
    gc.freeze()
    # A request makes thousands of small objects and frees nearly all of them itself: look for cycles less often.
    gc.set_threshold(50_000, 20, 100)
    yield


def _clock_of(settings: Settings) -> Clock:
    fixed = settings.today
    return (lambda: datetime.now(UTC)) if fixed is None else (lambda: fixed)


class _Discovery:
    """``GET /cds-services``, built once."""

    def __init__(self) -> None:
        self.body = discovery()

    async def answer(self, request: Request) -> Response:
        try:
            authenticate(request.scope)
        except NotAuthenticatedError:
            return not_authenticated()
        return Response(self.body, media_type=JSON)


class _Services:
    """``POST /cds-services/{id}``."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock
        self.answerer = Answerer(settings)

    async def answer(self, request: Request) -> Response:
        try:
            authenticate(request.scope)
        except NotAuthenticatedError:
            return not_authenticated()
        service = SERVICES.get(request.path_params["id"])
        if service is None:
            return refusal(404, "There is no service of this id. GET /cds-services lists the services.")
        if _media_type(request) not in JSON_TYPES:
            return refusal(415, "Send the request as application/json.", "Content-Type")
        try:
            body = await self._body(request)
        except TooLargeError:
            limit = self.settings.max_body_bytes
            return refusal(413, f"The request is larger than {limit} bytes.", headers={"Connection": "close"})
        except ClientDisconnect:
            return refusal(400, "The request broke off.")
        return self._answer(service, body)

    def _answer(self, service: Service, body: bytes) -> Response:
        try:
            status, content = self.answerer.answer(service, body, self.clock())
        except BadRequest as error:
            return refusal(error.status, error.message, error.field)
        return Response(content, status, media_type=JSON)

    async def _body(self, request: Request) -> bytes:
        """The whole body; stops reading as soon as it is too large."""
        limit = self.settings.max_body_bytes
        declared = request.headers.get("content-length", "")
        if declared.isdecimal() and (len(declared) > LONGEST_LENGTH or int(declared) > limit):
            raise TooLargeError
        chunks: list[bytes] = []
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > limit:
                raise TooLargeError
            chunks.append(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _http_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    messages = {404: "There is nothing at this address. GET /cds-services lists the services.", 405: "Not this method."}
    headers = dict(error.headers or {})
    return refusal(error.status_code, messages.get(error.status_code, "Refused."), headers=headers)
