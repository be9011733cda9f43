"""``/insight`` and its tables as CSV, for whoever runs the service: by ``ops_token``, else from the machine itself.

A browser sends the token as the password of a Basic login (whatever the name), a program as a bearer token.
"""

import asyncio
import base64
import binascii
import hmac
import logging
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from hooks.insight import sheets, view, words
from hooks.insight.reading import Counted, Reader, newest, of_places, places_of
from hooks.insight.signs import LOOK_BACK, Sign, signs
from hooks.knowledge_version import all_knowledge
from hooks.operations import guarded
from hooks.pages.page import HEADERS, page
from hooks.records.database import error_name
from hooks.records.recorder import Recorder
from hooks.settings import Settings

WEEKS = (4, 12, 26, 52)
USUAL = 12
BASIC = b"basic "
CHALLENGE = {"WWW-Authenticate": 'Basic realm="Firstline insight", charset="UTF-8"'}
KEPT_NOWHERE = {"Cache-Control": "no-store"}
log = logging.getLogger("firstline.insight")


class _Asked:
    """What a request asks for: how many weeks, which client, which service. What is no choice counts as none."""

    def __init__(self, request: Request) -> None:
        told = request.query_params
        self.weeks = next((number for number in WEEKS if str(number) == told.get("weeks")), USUAL)
        self.tenant = told.get("client") or None
        self.service = told.get("service") or None


class Insight:
    """The dashboard of one process."""

    def __init__(self, settings: Settings, recorder: Recorder) -> None:
        self.settings = settings
        self.recorder = recorder
        self.reader = Reader(recorder.url, settings.zone, self._now) if recorder.url is not None else None
        self.known = all_knowledge()

    def _now(self) -> datetime:
        return self.recorder.clock()

    @property
    def routes(self) -> list[Route]:
        return [
            Route("/insight", self.shown, methods=["GET"]),
            Route("/insight/{sheet}.csv", self.downloaded, methods=["GET"]),
        ]

    async def aclose(self) -> None:
        if self.reader is not None:
            await self.reader.aclose()

    async def shown(self, request: Request) -> Response:
        """The page."""
        if not may_see(self.settings, request.scope):
            return _page(request, "insight_closed.html", 401, CHALLENGE, token=self.settings.ops_token is not None)
        if self.reader is None:
            return _page(request, "insight_empty.html", why="off", synthetic=False)
        asked = _Asked(request)
        try:
            read = await self.reader.read(max(asked.weeks, LOOK_BACK))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.error("the records could not be read: %s", error_name(error))
            return _page(request, "insight_empty.html", 503, why="down", synthetic=False)
        if read.empty:
            return _page(request, "insight_empty.html", why="empty", synthetic=read.synthetic)
        # Drawing takes a moment: hooks are answered meanwhile.
        told = await asyncio.to_thread(self._told, read.weeks, asked)
        return _page(request, "insight.html", asked=asked, synthetic=read.synthetic, **told)

    def _told(self, weeks: Counted, asked: _Asked) -> dict[str, Any]:
        counted, found = self._chosen(weeks, asked)
        drawn, tally = view.drawn(counted, found, self.known)
        places = places_of(weeks)
        return {
            "range": view.range_words(counted),
            "choices": WEEKS,
            "clients": sorted({tenant for tenant, _ in places}),
            "services": sorted({service for _, service in places}),
            "signs": view.told_signs(found, self.known),
            "enough": view.enough(of_places(weeks, asked.tenant, asked.service)),
            "whole_weeks": view.whole_weeks(of_places(weeks, asked.tenant, asked.service)),
            "figures": view.figures(tally),
            "drawn": drawn,
            "tally": tally,
            "words": words,
            "zone": self.settings.time_zone,
        }

    def _chosen(self, weeks: Counted, asked: _Asked) -> tuple[Counted, list[Sign]]:
        chosen = of_places(weeks, asked.tenant, asked.service)
        return newest(chosen, asked.weeks), signs(chosen[-LOOK_BACK:])

    async def downloaded(self, request: Request) -> Response:
        """One table as CSV, with the numbers of the page."""
        if not may_see(self.settings, request.scope):
            return Response(status_code=401, headers=CHALLENGE)
        asked = _Asked(request)
        if self.reader is None:
            return Response(status_code=404)
        try:
            read = await self.reader.read(max(asked.weeks, LOOK_BACK))
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            log.error("the records could not be read: %s", error_name(error))
            return Response(status_code=503, headers={"Retry-After": "5"})
        counted, found = self._chosen(read.weeks, asked) if read.weeks else ((), [])
        making = sheets.all_sheets(counted, found, self.known).get(request.path_params["sheet"])
        if making is None:
            return Response(status_code=404)
        sheet = making()
        name = f"firstline-{'synthetic-' if read.synthetic else ''}{sheet.name}.csv"
        headers = {**KEPT_NOWHERE, "Content-Disposition": f'attachment; filename="{name}"'}
        return Response(sheets.written(sheet, read.synthetic), headers=headers, media_type="text/csv; charset=utf-8")


def may_see(settings: Settings, scope: Scope) -> bool:
    """As for everything that is for those who run the service; a browser may send the token as a password."""
    return guarded(settings, scope) or (settings.ops_token is not None and _password_fits(settings.ops_token, scope))


def _password_fits(token: str, scope: Scope) -> bool:
    sent = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(sent) != 1 or sent[0][: len(BASIC)].lower() != BASIC:
        return False
    try:
        _, _, password = base64.b64decode(sent[0][len(BASIC) :], validate=True).partition(b":")
    except binascii.Error:
        return False
    return hmac.compare_digest(password, token.encode())


def _page(
    request: Request, template: str, status: int = 200, headers: dict[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """Like every page, and kept nowhere."""
    answer = page(request, template, title="Insight", current="insight", status=status, **values)
    answer.headers.update({**HEADERS, **KEPT_NOWHERE, **(headers or {})})
    return answer
