"""For those who run the service: whether it lives (``/live``), is ready (``/ready``), its figures (``/metrics``)."""

import asyncio
import hmac

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from hooks import measures
from hooks.fhir_access import FhirAccess
from hooks.knowledge_version import knowledge_version
from hooks.records.recorder import Recorder
from hooks.refusals import JSON, not_authenticated
from hooks.security import is_local
from hooks.settings import Settings

BEARER = b"bearer "
WATCH_SECONDS = 2


def guarded(settings: Settings, scope: Scope) -> bool:
    """Whether this caller may see what is for those who run the service: by ``ops_token`` where one is set, else, in
    open mode only, from the machine itself."""
    if settings.ops_token is None:
        return not settings.tenants and is_local(scope)
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(sent) != 1 or sent[0][: len(BEARER)].lower() != BEARER:
        return False
    return hmac.compare_digest(sent[0][len(BEARER) :].strip(), settings.ops_token.encode())


class Operations:
    """The three addresses."""

    def __init__(self, settings: Settings, recorder: Recorder, access: FhirAccess) -> None:
        self.settings = settings
        self.recorder = recorder
        self.access = access

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/live", self.live, methods=["GET"]),
            Route("/ready", self.ready, methods=["GET"]),
            Route("/metrics", self.metrics, methods=["GET"]),
        ]

    async def live(self, request: Request) -> Response:
        """200 as long as requests are answered at all."""
        if not guarded(self.settings, request.scope):
            return not_authenticated()
        return _told({"live": True, "knowledge": knowledge_version()})

    async def ready(self, request: Request) -> Response:
        """200 where everything works, else 503 with what does not. Hooks are answered all the same: only the records
        wait."""
        if not guarded(self.settings, request.scope):
            return not_authenticated()
        state = self.recorder.state()
        why = {} if state.why is None else {"why": state.why}
        database = {"ready": state.ready, **why, "queued": state.queued, "lost": state.lost}
        return _told({"ready": state.ready, "hooks": True, "database": database}, 200 if state.ready else 503)

    async def metrics(self, request: Request) -> Response:
        if not guarded(self.settings, request.scope):
            return not_authenticated()
        self.observe()
        return Response(measures.exposition(), media_type=CONTENT_TYPE_LATEST)

    def observe(self) -> None:
        """Brings the figures of what is no request up to date."""
        measures.observe(self.recorder.state(), self.access.circuits.values())

    async def watch(self) -> None:
        """Does so again and again: where several processes serve, each is asked for its figures by nobody."""
        while True:
            self.observe()
            await asyncio.sleep(WATCH_SECONDS)


def _told(content: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(content), status, media_type=JSON)
