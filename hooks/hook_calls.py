"""The calls of the hooks and their feedback: who may, what is read of a request, and which answer it gets.

A hook is called far more often than anything else is asked: its call passes Starlette's routes, requests and responses
by, and nothing else.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hooks.answer import Answerer
from hooks.bad_request import BadRequest
from hooks.feedback import read_feedback
from hooks.fhir_access import FhirAccess
from hooks.limits import body_or_refusal, fields_of
from hooks.measures import FEEDBACK, count_refusal
from hooks.memory import Memory
from hooks.records.recorder import RETRY_AFTER, NotRecordedError, Recorder
from hooks.refusals import JSON, not_authenticated, refusal
from hooks.security import NotAuthenticatedError, Trust
from hooks.services import SERVICES, Service
from hooks.settings import Settings
from hooks.tenants import Tenant

Clock = Callable[[], datetime]

PATH = "/cds-services/"
JSON_TYPES = frozenset({"", JSON, "application/fhir+json", "application/json+fhir", "text/json"})
CONTENT_TYPE = (b"content-type", JSON.encode())
NOT_RECORDED = "The feedback could not be recorded now. Send it again."


class Told:
    """An answer with cards, or the one that says why there are none, on its way out."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status = status
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"content-length", b"%d" % len(self.body)), CONTENT_TYPE]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": self.body})


class HookCalls:
    """``POST /cds-services/{id}`` and ``/cds-services/{id}/feedback``."""

    def __init__(self, settings: Settings, trust: Trust, clock: Clock, access: FhirAccess, recorder: Recorder) -> None:
        self.settings = settings
        self.trust = trust
        self.clock = clock
        self.recorder = recorder
        self.answerer = Answerer(settings, access, recorder)
        self.memory = Memory(settings.memory_mb << 20)

    async def called(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A call as its route has it."""
        answer = await self.answered(scope, receive, scope["path_params"]["id"])
        await answer(scope, receive, send)

    async def answered(self, scope: Scope, receive: Receive, name: str) -> ASGIApp:
        """The answer to a call of the service of this name."""
        return await self._answered(scope, receive, name, self._answer)

    async def feedback(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Feedback as its route has it."""
        answer = await self._answered(scope, receive, scope["path_params"]["id"], self._feedback)
        await answer(scope, receive, send)

    async def _answered(
        self,
        scope: Scope,
        receive: Receive,
        name: str,
        answer: Callable[[Service, bytes, Tenant], Awaitable[ASGIApp]],
    ) -> ASGIApp:
        try:
            client = await self.trust.authenticate(scope)
        except NotAuthenticatedError:
            count_refusal("not authenticated")
            return not_authenticated()
        service = SERVICES.get(name)
        if service is None:
            return refusal(404, "There is no service of this id. GET /cds-services lists the services.")
        fields = fields_of(scope)
        if not _is_json(fields.get(b"content-type", b"")):
            return refusal(415, "Send the request as application/json.", "Content-Type")
        body = await body_or_refusal(fields, receive, self.settings)
        if isinstance(body, Response):
            return body
        answered = await answer(service, body, client.tenant)
        self.memory.after(len(body))
        return answered

    async def _answer(self, service: Service, body: bytes, tenant: Tenant) -> ASGIApp:
        try:
            status, content = await self.answerer.answered(service, body, self.clock(), tenant)
        except BadRequest as error:
            count_refusal("not readable")
            return refusal(error.status, error.message, error.field)
        return Told(status, content)

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


def _is_json(sent: bytes) -> bool:
    return sent == CONTENT_TYPE[1] or sent.decode("latin-1").partition(";")[0].strip().lower() in JSON_TYPES


class Ahead:
    """Calls of the services that there are, ahead of all routes; the rest is routed."""

    def __init__(self, calls: HookCalls, routed: ASGIApp) -> None:
        self.calls = calls
        self.routed = routed
        self.names = {PATH + name: name for name in SERVICES}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = self.names.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if name is None or scope.get("root_path"):
            await self.routed(scope, receive, send)
            return
        answer = await self.calls.answered(scope, receive, name)
        await answer(scope, receive, send)
