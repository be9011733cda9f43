"""The way of one request: read, review, render. And the one place where an error becomes a card that says so."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import msgspec

from cds.case import ReviewSettings
from cds.chart import Chart
from cds.orders import PlainOrder, Update
from cds.review import Review, review
from hooks.cards import Manner, Renderer
from hooks.fhir_update import Version
from hooks.fhir_write import write_order, write_update
from hooks.knowledge_version import all_knowledge, knowledge_version
from hooks.protocol import HookRequest, read_request
from hooks.refusals import operation_outcome
from hooks.services import Service
from hooks.settings import Settings
from hooks.signing import Signing

log = logging.getLogger("firstline.answer")
NOTHING_KNOWN = (
    "An opioid order cannot be reviewed: neither patient nor medications nor conditions were sent, and there is no FHIR"
    " server to ask."
)


class Answerer:
    """Answers requests of every service, with one body of knowledge and the site's settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.review_settings = ReviewSettings(info_cards=settings.info_cards)
        self.renderer = Renderer(all_knowledge(), knowledge_version())

    def answer(self, service: Service, body: bytes, now: datetime) -> tuple[int, bytes]:
        """Status and JSON. Raises ``BadRequest`` for a request that cannot be read, and nothing else."""
        request = read_request(body, (service.hook,))
        manner = Manner(
            hook=request.hook,
            dialect=service.dialect,
            namespace=request.namespace,
            public_url=self.settings.public_url,
            info_cards=self.settings.info_cards,
            explain=request.explain and self.settings.explain,
        )
        try:
            status, content = self._answer(request, manner, now)
        except Exception as error:
            log.error("%s: not checked: %s", service.id, type(error).__name__)
            status, content = 200, self.renderer.failed(manner)
        return status, msgspec.json.encode(content)

    def _answer(self, request: HookRequest, manner: Manner, now: datetime) -> tuple[int, dict[str, Any]]:
        signing = Signing(request, now.astimezone(self.settings.zone).date(), self.review_settings)
        chart = signing.chart if signing.concerned else Chart(unreadable=signing.read.unreadable)
        found = review(signing.drafts, chart, signing.today, signing.hook, signing.selected, self.review_settings)
        if found.in_scope and signing.prefetched.nothing_known and not _is_grave(found):
            return 412, operation_outcome("incomplete", NOTHING_KNOWN, "prefetch")
        return 200, self.renderer.render(found, manner, OrderWriter(signing, now))


def _is_grave(found: Review) -> bool:
    return any(finding.indicator != "info" for finding in found.findings)


class OrderWriter:
    """Writes orders and changes for the patient of one signing, in the FHIR version of its drafts."""

    def __init__(self, signing: Signing, now: datetime) -> None:
        self.signing = signing
        self.authored_on = now.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    @property
    def version(self) -> Version:
        request, drafts = self.signing.request, self.signing.read.drafts
        return cast(Version, drafts[0].version if drafts else request.default_version)

    def create(self, order: PlainOrder) -> Mapping[str, Any] | None:
        request = self.signing.request
        encounter = f"Encounter/{request.encounter_id}" if request.encounter_id else None
        subject = f"Patient/{request.patient_id}"
        return write_order(order, self.version, subject, self.authored_on, encounter, request.user_id)

    def update(self, change: Update) -> Mapping[str, Any] | None:
        draft = self.signing.draft(change.ref)
        return None if draft is None or not draft.raw else write_update(draft.raw, change, cast(Version, draft.version))
