"""One answer on its way to the records: what of it was seen before, how long it took, what it said."""

import logging
from collections.abc import Mapping
from functools import cache
from time import perf_counter
from typing import Any

from cds.case import ORDER_SELECT
from cds.knowledge import Knowledge
from cds.review import Review
from hooks.records.keyed import Subject, content_of
from hooks.records.record import (
    AnswerRecord,
    FindingRecord,
    cards_of,
    causes_of,
    outcomes_of,
)
from hooks.records.recorder import Recorder
from hooks.records.shown_before import NOTHING_WITHHELD, Seen, Withheld
from hooks.signing import Signing

NO_NAMES = Seen()

log = logging.getLogger("firstline.records")


class Telling:
    """Made when the request has come; ``reviewed`` and then ``told`` once the answer is there."""

    def __init__(self, recorder: Recorder, tenant: str, service: str, hook: str) -> None:
        self.recorder = recorder
        self.tenant = tenant
        self.service = service
        self.hook = hook
        self.began = perf_counter()
        self.review: Review | None = None
        self.patient_id: str | None = None
        self.seen: dict[int, Seen] = {}
        self.withheld: Withheld = NOTHING_WITHHELD

    def reviewed(self, review: Review, signing: Signing, info_cards: bool) -> Withheld:
        """The findings that make no card this time."""
        self.review = review
        self.patient_id = signing.request.patient_id
        if self.recorder.memory.on and review.findings:
            try:
                self._remember(review, signing, info_cards)
            except Exception as error:  # then everything is shown
                log.error("%s: what was shown before could not be told: %s", self.service, type(error).__name__)
        return self.withheld

    def _remember(self, review: Review, signing: Signing, info_cards: bool) -> None:
        memory, request = self.recorder.memory, signing.request
        subject = Subject(self.tenant, request.patient_id, request.user_id)

        @cache
        def content(ref: str) -> bytes | None:
            draft = signing.draft(ref)
            return content_of(draft.raw) if draft is not None and draft.raw else None

        self.seen = {id(finding): memory.names(subject, finding, content) for finding in review.findings}
        self.withheld = memory.withheld(review, self.hook, self.seen, info_cards, self.recorder.clock())

    def told(self, status: int, content: Mapping[str, Any], knowledge: Mapping[str, Knowledge], version: str) -> None:
        """Hands the record over. An answer never fails because it cannot be recorded."""
        if not self.recorder.on:
            return
        try:
            self.recorder.answered(self._record(status, content, knowledge, version))
        except Exception as error:
            self.recorder.not_recordable()
            log.error("%s: an answer could not be recorded: %s", self.service, type(error).__name__)

    def _record(
        self, status: int, content: Mapping[str, Any], knowledge: Mapping[str, Knowledge], version: str
    ) -> AnswerRecord:
        view: Mapping[str, Any] = content.get("extension", {}).get("firstline.review", {})
        review = self.review
        in_scope = len(review.in_scope) if review is not None else 0
        return AnswerRecord(
            at=self.recorder.clock(),
            tenant=self.tenant,
            service=self.service,
            hook=self.hook,
            knowledge=version,
            status=status,
            ms=round((perf_counter() - self.began) * 1000, 3),
            in_scope=in_scope,
            patient_id=self.patient_id if in_scope else None,
            outcomes=outcomes_of(review) if review is not None else (),
            causes=causes_of(view.get("notAssessed", ()) if review is None else review.not_assessed),
            cards=cards_of(content, knowledge),
            findings=self._findings(review, view) if review is not None and review.findings else (),
        )

    def _findings(self, review: Review, view: Mapping[str, Any]) -> tuple[FindingRecord, ...]:
        """Every finding of the review, in its order, which is that of the answer."""
        told = view.get("findings") or [{}] * len(review.findings)
        now = self.recorder.clock()
        rows = []
        for finding, entry in zip(review.findings, told, strict=True):
            card = entry.get("card")
            names = self.seen.get(id(finding), NO_NAMES) if card is not None else NO_NAMES
            selecting = self.hook == ORDER_SELECT
            if selecting:
                self.recorder.memory.show(names, now)
            rows.append(
                FindingRecord(
                    finding.rule,
                    finding.group,
                    finding.indicator,
                    card,
                    self.withheld.get(id(finding)),
                    names.shown if selecting else None,
                    names.finding,
                )
            )
        return tuple(rows)
