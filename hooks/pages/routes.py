"""The addresses of what people see. Order entry is answered to whom the services answer; evidence to everybody."""

from collections.abc import Callable
from datetime import date, datetime
from functools import cached_property
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from cds.products import read_products
from hooks.answer import Answerer
from hooks.bad_request import BadRequest
from hooks.limits import body_or_refusal, fields_of
from hooks.pages import evidence_pages, patients
from hooks.pages.chart_view import chart_view
from hooks.pages.page import HEADERS, STATIC, page
from hooks.refusals import JSON, refusal
from hooks.security import NotAuthenticatedError, Trust
from hooks.settings import Settings

Clock = Callable[[], datetime]
OTHER_UNITS = {"Solution": "mL", "Suspension": "mL", "Film": "film", "Lozenge": "lozenge", "System": "patch"}
"""How a product is counted whose form's last word is no unit."""


def pages(settings: Settings, trust: Trust, clock: Clock, answerer: Answerer) -> list[BaseRoute]:
    """The routes of order entry, evidence and their files."""
    order, evidence = _OrderEntry(settings, trust, clock, answerer), _EvidencePages(settings, clock)
    return [
        Route("/", order.page, methods=["GET"]),
        Route("/pages/choices", order.choices, methods=["GET"]),
        Route("/pages/patients/{story}", order.patient, methods=["GET"]),
        Route("/pages/chart", order.chart, methods=["POST"]),
        Route("/evidence", evidence.index, methods=["GET"]),
        Route("/evidence/{rule}", evidence.rule, methods=["GET"]),
        Mount("/static", _Static(directory=STATIC)),
    ]


class _Static(StaticFiles):
    """Files of the pages; browsers ask each time whether they changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers.update(HEADERS)
        return response


def _json(value: Any) -> Response:
    return Response(msgspec.json.encode(value), headers={"Cache-Control": "no-store"}, media_type=JSON)


class _OrderEntry:
    """The page that behaves as an EHR does, and the three questions that it asks besides the public API."""

    def __init__(self, settings: Settings, trust: Trust, clock: Clock, answerer: Answerer) -> None:
        self.settings = settings
        self.trust = trust
        self.clock = clock
        self.answerer = answerer

    @property
    def today(self) -> date:
        return self.clock().astimezone(self.settings.zone).date()

    async def _may(self, request: Request) -> bool:
        try:
            await self.trust.authenticate(request.scope)
        except NotAuthenticatedError:
            return False
        return True

    async def page(self, request: Request) -> Response:
        if not await self._may(request):
            return page(request, "closed.html", title="Order entry", current="order", status=401)
        return page(request, "order_entry.html", title="Order entry", current="order")

    async def choices(self, request: Request) -> Response:
        """Patients, drugs, reasons, and the titles of the rules."""
        return _json(self._choices) if await self._may(request) else _closed()

    @cached_property
    def _choices(self) -> dict[str, Any]:
        return {
            "patients": patients.patients(),
            "drugs": [
                {"code": product.rxcui, "name": product.name, "unit": product.unit or _unit(product.form)}
                for product in read_products().values()
                if product.generic
            ],
            "reasons": patients.reasons(),
            "rules": evidence_pages.catalogue(),
        }

    async def patient(self, request: Request) -> Response:
        if not await self._may(request):
            return _closed()
        told = patients.request_of(request.path_params["story"], self.today)
        if told is None:
            return refusal(404, "There is no patient of this name.")
        return Response(told, headers={"Cache-Control": "no-store"}, media_type=JSON)

    async def chart(self, request: Request) -> Response:
        """What Firstline understood of the chart in this hook request, with the codes of whoever asks."""
        try:
            client = await self.trust.authenticate(request.scope)
        except NotAuthenticatedError:
            return _closed()
        try:
            body = await body_or_refusal(fields_of(request.scope), request.receive, self.settings)
            if isinstance(body, Response):
                return body
            signing = self.answerer.signing(body, self.clock(), client.tenant)
        except BadRequest as error:
            return refusal(error.status, error.message, error.field)
        return _json(chart_view(signing))


def _closed() -> Response:
    return Response(status_code=401)


def _unit(form: str) -> str:
    return OTHER_UNITS.get(form.rpartition(" ")[2], "dose")


class _EvidencePages:
    def __init__(self, settings: Settings, clock: Clock) -> None:
        self.settings = settings
        self.clock = clock

    async def index(self, request: Request) -> Response:
        return page(
            request,
            "evidence_index.html",
            title="Evidence",
            current="evidence",
            groups=evidence_pages.by_group(),
            steps=evidence_pages.ladder_steps(),
            agents=evidence_pages.agents(),
        )

    async def rule(self, request: Request) -> Response:
        rule = evidence_pages.rule_named(request.path_params["rule"])
        if rule is None:
            return page(request, "no_rule.html", title="No such rule", current="evidence", status=404)
        today = self.clock().astimezone(self.settings.zone).date()
        shown = evidence_pages.shown(rule, today)
        return page(request, "evidence.html", title=f"{rule.id} {rule.title}", current="evidence", **shown)
