"""The wiring: routes, the limits of a request, and which exception becomes which status."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from hooks import fhir_write
from hooks.answer import Answerer
from hooks.dialects import DIALECTS
from hooks.feedback import read_feedback
from hooks.fhir_access import FhirAccess
from hooks.insight.routes import Insight
from hooks.limits import AtOnce, body_or_refusal
from hooks.measures import FEEDBACK, count_refusal
from hooks.memory import Memory
from hooks.operations import Operations
from hooks.pages.routes import pages
from hooks.protocol import BadRequest
from hooks.records.recorder import RETRY_AFTER, NotRecordedError, Recorder
from hooks.refusals import JSON, not_authenticated, refusal
from hooks.security import Frame, NotAuthenticatedError, Trust
from hooks.services import SERVICES, Service, discovery
from hooks.settings import Settings, load
from hooks.tenants import Tenant

Clock = Callable[[], datetime]

JSON_TYPES = frozenset({"", JSON, "application/fhir+json", "application/json+fhir", "text/json"})
NOT_RECORDED = "The feedback could not be recorded now. Send it again."
log = logging.getLogger("firstline.http")


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
    services = _Services(settings, trust, clock or _clock_of(settings), access, recorder)
    operations = Operations(settings, recorder, access)
    insight = Insight(settings, recorder)
    app = Starlette(
        routes=[
            Route("/cds-services/{id}", _Plainly(services.answer), methods=["POST"]),
            Route("/cds-services", _Discovery(trust, settings.prefetch_left_out).answer, methods=["GET"]),
            Route("/cds-services/{id}/feedback", services.feedback, methods=["POST"]),
            *operations.routes,
            *insight.routes,
            *pages(settings, trust, clock or _clock_of(settings), services.answerer),
        ],
        middleware=[
            Middleware(Frame, failure=refusal(500, "An error inside Firstline. Nothing was checked.")),
            Middleware(AtOnce, most=settings.max_at_once),
        ],
        exception_handlers={HTTPException: _http_refusal},
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

    def __init__(self, answer: Callable[[Request], Awaitable[Response]]) -> None:
        self.answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self.answer(Request(scope, receive))
        await response(scope, receive, send)


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


class _Services:
    """``POST /cds-services/{id}`` and ``/cds-services/{id}/feedback``."""

    def __init__(self, settings: Settings, trust: Trust, clock: Clock, access: FhirAccess, recorder: Recorder) -> None:
        self.settings = settings
        self.trust = trust
        self.clock = clock
        self.recorder = recorder
        self.answerer = Answerer(settings, access, recorder)
        self.memory = Memory(settings.memory_mb << 20)

    async def answer(self, request: Request) -> Response:
        return await self._answered(request, self._answer)

    async def feedback(self, request: Request) -> Response:
        return await self._answered(request, self._feedback)

    async def _answered(
        self, request: Request, answer: Callable[[Service, bytes, Tenant], Awaitable[Response]]
    ) -> Response:
        try:
            client = await self.trust.authenticate(request.scope)
        except NotAuthenticatedError:
            count_refusal("not authenticated")
            return not_authenticated()
        service = SERVICES.get(request.path_params["id"])
        if service is None:
            return refusal(404, "There is no service of this id. GET /cds-services lists the services.")
        if _media_type(request) not in JSON_TYPES:
            return refusal(415, "Send the request as application/json.", "Content-Type")
        body = await body_or_refusal(request, self.settings)
        if isinstance(body, Response):
            return body
        answered = await answer(service, body, client.tenant)
        self.memory.after(len(body))
        return answered

    async def _answer(self, service: Service, body: bytes, tenant: Tenant) -> Response:
        try:
            status, content = await self.answerer.answered(service, body, self.clock(), tenant)
        except BadRequest as error:
            count_refusal("not readable")
            return refusal(error.status, error.message, error.field)
        return Response(content, status, media_type=JSON)

    async def _feedback(self, service: Service, body: bytes, tenant: Tenant) -> Response:
        """200 once it is recorded; no body is specified, and clients expect none."""
        now, comments = self.recorder.clock(), self.settings.record_comments
        try:
            await self.recorder.feedback(read_feedback(body, tenant.name, service.id, now, comments))
        except BadRequest as error:
            answer = refusal(error.status, error.message, error.field)
        except NotRecordedError:
            answer = refusal(503, NOT_RECORDED, headers={"Retry-After": str(RETRY_AFTER)})
        else:
            answer = Response(status_code=200)
        FEEDBACK.labels(service.id, str(answer.status_code)).inc()
        return answer


def _media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _http_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101
    messages = {404: "There is nothing at this address. GET /cds-services lists the services.", 405: "Not this method."}
    headers = dict(error.headers or {})
    return refusal(error.status_code, messages.get(error.status_code, "Refused."), headers=headers)
