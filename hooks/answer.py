"""The way of one request: read, review, render. And the one place where an error becomes a card that says so."""

import logging
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, tzinfo
from time import perf_counter
from typing import Any, cast

import msgspec
from msgspec import Struct, structs

from cds.case import ReviewSettings
from cds.chart import Chart
from cds.orders import PlainOrder, Update
from cds.remedies import name_of
from cds.review import Review, review
from cds.site_codes import SiteCodes
from hooks.cards import Manner, Renderer
from hooks.fhir_access import FhirAccess
from hooks.fhir_update import Version
from hooks.fhir_write import write_order, write_update
from hooks.knowledge_version import all_knowledge, knowledge_version
from hooks.licences import leave_out_snomed
from hooks.measures import count_answer
from hooks.protocol import HOOKS, HookRequest, read_request
from hooks.records.recorder import Recorder
from hooks.records.telling import Telling
from hooks.refusals import operation_outcome
from hooks.services import Service
from hooks.settings import Settings, zone_of
from hooks.signing import Signing
from hooks.tenants import OPEN, Tenant
from hooks.terminology.sites import read_sites

log = logging.getLogger("firstline.answer")
NOTHING_KNOWN = (
    "An opioid order cannot be reviewed: neither patient nor medications nor conditions were sent, and there is no FHIR"
    " server to ask."
)
NOTHING_FETCHED = (
    "An opioid order cannot be reviewed: neither patient nor medications nor conditions were sent, and the FHIR server"
    " gave none of them."
)


class Way(Struct, frozen=True):
    """How one client is answered."""

    dialect: str | None
    explain: bool
    zone: tzinfo
    review: ReviewSettings
    site: SiteCodes | None = None


def way_of(tenant: Tenant, settings: Settings, site: SiteCodes | None = None) -> Way:
    """The client's own settings, and the site's where it has none."""
    return Way(
        dialect=tenant.dialect,
        explain=settings.explain if tenant.explain is None else tenant.explain,
        zone=settings.zone if tenant.time_zone is None else zone_of(tenant.time_zone),
        review=ReviewSettings(
            info_cards=settings.info_cards if tenant.info_cards is None else tenant.info_cards,
            numbers={name: threshold.value for name, threshold in tenant.thresholds.items()},
        ),
        site=site,
    )


class Answerer:
    """Answers requests of every service, with one body of knowledge and the site's settings."""

    def __init__(self, settings: Settings, access: FhirAccess | None = None, recorder: Recorder | None = None) -> None:
        self.settings = settings
        self.access = access or FhirAccess(settings)
        self.recorder = recorder or Recorder(Settings())
        self.renderer = Renderer(all_knowledge(), knowledge_version())
        if not settings.snomed:
            leave_out_snomed()
        self.sites = read_sites(settings)
        self.ways: dict[str, Way] = {}

    def way(self, tenant: Tenant) -> Way:
        """How this client is answered: its own settings, and the site's where it has none."""
        if tenant.name not in self.ways:
            self.ways[tenant.name] = way_of(tenant, self.settings, self.sites.get(tenant.name))
        return self.ways[tenant.name]

    def signing(self, body: bytes, now: datetime, tenant: Tenant = OPEN) -> Signing:
        """A request of any hook as this client's answers read it. Raises ``BadRequest``."""
        return _signing(_request(body, HOOKS, tenant), now, self.way(tenant))

    def answer(self, service: Service, body: bytes, now: datetime, tenant: Tenant = OPEN) -> tuple[int, bytes]:
        """Status and JSON, from what the request brings. Raises ``BadRequest`` for a request that cannot be read, and
        nothing else."""
        telling = Telling(self.recorder, tenant.name, service.id, service.hook)
        request, way, manner = self._read(service, body, tenant)
        try:
            status, content = self._answer(_signing(request, now, way), manner, now, way, telling)
        except Exception as error:
            status, content = self._not_checked(service, manner, error)
        return self._told(telling, status, content)

    async def answered(self, service: Service, body: bytes, now: datetime, tenant: Tenant = OPEN) -> tuple[int, bytes]:
        """The same, with what the request lacks fetched from the client's FHIR server where that is allowed."""
        telling = Telling(self.recorder, tenant.name, service.id, service.hook)
        request, way, manner = self._read(service, body, tenant)
        try:
            signing = _signing(request, now, way)
            grant = self.access.granted(request, tenant)
            if grant is not None:
                signing = await self.access.complete(signing, grant)
            status, content = self._answer(signing, manner, now, way, telling)
        except Exception as error:
            status, content = self._not_checked(service, manner, error)
        return self._told(telling, status, content)

    def _told(self, telling: Telling, status: int, content: dict[str, Any]) -> tuple[int, bytes]:
        encoded = msgspec.json.encode(content)
        telling.told(status, content, self.renderer.knowledge, self.renderer.version)
        seconds = perf_counter() - telling.began
        count_answer(telling.tenant, telling.service, status, seconds, telling.review)
        if log.isEnabledFor(logging.INFO):
            log.info("answered", extra={"facts": _facts(telling, status, seconds)})
        return status, encoded

    def _read(self, service: Service, body: bytes, tenant: Tenant) -> tuple[HookRequest, Way, Manner]:
        request = _request(body, (service.hook,), tenant)
        way = self.way(tenant)
        manner = Manner(
            hook=request.hook,
            dialect=way.dialect or service.dialect,
            namespace=request.namespace,
            public_url=self.settings.public_url,
            info_cards=way.review.info_cards,
            explain=request.explain and way.explain,
            numbers=way.review.numbers,
        )
        return request, way, manner

    def _not_checked(self, service: Service, manner: Manner, error: Exception) -> tuple[int, dict[str, Any]]:
        log.error("%s: not checked: %s", service.id, type(error).__name__)
        return 200, self.renderer.failed(manner)

    def _answer(
        self, signing: Signing, manner: Manner, now: datetime, way: Way, telling: Telling
    ) -> tuple[int, dict[str, Any]]:
        chart = signing.chart if signing.concerned else Chart(unreadable=signing.read.unreadable)
        found = review(signing.drafts, chart, signing.today, signing.hook, signing.selected, way.review)
        withheld = telling.reviewed(found, signing, manner.info_cards)
        if found.in_scope and signing.prefetched.nothing_known and not _is_grave(found):
            why = NOTHING_FETCHED if signing.fetched else NOTHING_KNOWN
            return 412, operation_outcome("incomplete", why, "prefetch")
        return 200, self.renderer.render(found, manner, OrderWriter(signing, now), withheld)


def _facts(telling: Telling, status: int, seconds: float) -> dict[str, object]:
    """One answer as the log tells it: who asked for which service, what fired, how long it took."""
    facts: dict[str, object] = {
        "tenant": telling.tenant, "service": telling.service, "status": status, "ms": round(seconds * 1000, 2),
    }  # fmt: skip
    review = telling.review
    if review is not None and review.in_scope:
        facts["inScope"] = len(review.in_scope)
        facts["findings"] = [f"{finding.rule} {finding.indicator}" for finding in review.findings]
        facts["notAssessed"] = len(review.not_assessed)
    return facts


def _request(body: bytes, hooks: Collection[str], tenant: Tenant) -> HookRequest:
    request = read_request(body, hooks)
    return request if tenant.fhir_version is None else structs.replace(request, fhir_version=tenant.fhir_version)


def _signing(request: HookRequest, now: datetime, way: Way) -> Signing:
    return Signing(request, now.astimezone(way.zone).date(), way.review, site=way.site)


def _is_grave(found: Review) -> bool:
    return any(finding.indicator != "info" for finding in found.findings)


class OrderWriter:
    """Writes orders and changes for the patient of one signing, in the FHIR version of its drafts."""

    def __init__(self, signing: Signing, now: datetime) -> None:
        self.signing = signing
        self.now = now
        request, drafts = signing.request, signing.read.drafts
        self.version = cast(Version, drafts[0].version if drafts else request.default_version)
        self.subject = f"Patient/{request.patient_id}"
        self.encounter = f"Encounter/{request.encounter_id}" if request.encounter_id else None
        self.authored_on: str | None = None

    def create(self, order: PlainOrder) -> Mapping[str, Any] | None:
        if self.authored_on is None:
            self.authored_on = self.now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        signer = self.signing.request.user_id
        return write_order(order, self.version, self.subject, self.authored_on, self.encounter, signer)

    def named(self, ref: str) -> str | None:
        draft = self.signing.draft(ref)
        return None if draft is None else name_of(draft.order)

    def update(self, change: Update) -> Mapping[str, Any] | None:
        draft = self.signing.draft(change.ref)
        return None if draft is None or not draft.raw else write_update(draft.raw, change, cast(Version, draft.version))
