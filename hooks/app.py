"""The wiring: routes, the limits of a request, and which exception becomes which status."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hooks import fhir_write
from hooks.dialects import DIALECTS
from hooks.fhir_access import FhirAccess
from hooks.hook_calls import Ahead, HookCalls
from hooks.insight.routes import Insight
from hooks.limits import AtOnce
from hooks.operations import Operations
from hooks.pages.routes import pages
from hooks.records.recorder import Recorder
from hooks.refusals import JSON, not_authenticated, refusal
from hooks.security import Frame, NotAuthenticatedError, Trust
from hooks.services import discovery
from hooks.settings import Settings, load

Clock = Callable[[], datetime]


def create_app(
    settings: Settings | None = None, *, clock: Clock | None = None, trust: Trust | None = None
) -> Starlette:
    """The service as an ASGI application. Without arguments everything comes from the environment.

    Raises ``SettingsError`` or ``KnowledgeError`` where something is wrong: it does not start half-configured.
    """
    settings = load() if settings is None else settings
    access = FhirAccess(settings)
    recorder = Recorder(settings)
    trust = trust or Trust(settings, recorder if recorder.shared else None)
    calls = HookCalls(settings, trust, clock or _clock_of(settings), access, recorder)
    operations = Operations(settings, recorder, access)
    insight = Insight(settings, recorder)
    app = _App(
        calls,
        settings.max_at_once,
        routes=[
            Route("/cds-services/{id}", _Plainly(calls.called), methods=["POST"]),
            Route("/cds-services", _Discovery(trust, settings.prefetch_left_out).answer, methods=["GET"]),
            Route("/cds-services/{id}/feedback", _Plainly(calls.feedback), methods=["POST"]),
            *operations.routes,
            *insight.routes,
            *pages(settings, trust, clock or _clock_of(settings), calls.answerer),
        ],
        lifespan=_lifespan,
    )
    app.router.redirect_slashes = False
    app.state.fhir_access = access
    app.state.recorder = recorder
    app.state.operations = operations
    app.state.insight = insight
    return app


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    """Checks what orders are written from; what start-up made stays, so the garbage collector need not look at it."""
    fhir_write.check_templates()
    recorder: Recorder = app.state.recorder
    access: FhirAccess = app.state.fhir_access
    watching: asyncio.Task[None] | None = None
    try:
        await recorder.start()
        watching = asyncio.create_task(app.state.operations.watch())
        access.open()
        gc.collect()
        gc.freeze()
        # A request makes thousands of small objects and frees nearly all of them itself: look for cycles less often.
        gc.set_threshold(50_000, 20, 100)
        yield
    finally:
        if watching is not None:
            watching.cancel()
        await access.aclose()
        await app.state.insight.aclose()
        await recorder.stop()


def _clock_of(settings: Settings) -> Clock:
    fixed = settings.today
    return (lambda: datetime.now(UTC)) if fixed is None else (lambda: fixed)


class _Plainly:
    """An endpoint without what Starlette puts round every function: this one raises nothing that is to be caught."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class _App(Starlette):
    """Starlette's routes within this service's own layers: ``Frame`` does what its outermost one would."""

    def __init__(self, calls: HookCalls, most: int, **parts: Any) -> None:
        super().__init__(**parts)
        self.calls = calls
        self.most = most

    def build_middleware_stack(self) -> ASGIApp:
        routed = ExceptionMiddleware(self.router, {HTTPException: _http_refusal})
        failure = refusal(500, "An error inside Firstline. Nothing was checked.")
        return Frame(AtOnce(Ahead(self.calls, routed), self.most), failure)


class _Discovery:
    """``GET /cds-services``, built once for each dialect."""

    def __init__(self, trust: Trust, left_out: Collection[str]) -> None:
        self.trust = trust
        self.bodies = {dialect: discovery(dialect, left_out) for dialect in (None, *DIALECTS)}

    async def answer(self, request: Request) -> Response:
        try:
            client = await self.trust.authenticate(request.scope)
        except NotAuthenticatedError:
            return not_authenticated()
        return Response(self.bodies[client.tenant.dialect], media_type=JSON)


async def _http_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    messages = {404: "There is nothing at this address. GET /cds-services lists the services.", 405: "Not this method."}
    headers = dict(error.headers or {})
    return refusal(error.status_code, messages.get(error.status_code, "Refused."), headers=headers)
