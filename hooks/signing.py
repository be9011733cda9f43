"""One hook request, read: the drafts, the chart, the day. What a review needs, and what its answer is written with."""

from collections.abc import Mapping
from datetime import date

from cds.case import ORDER_SELECT, Case, ReviewSettings
from cds.chart import Chart, MedicationOrder
from cds.scope import in_scope, reverse_scope
from cds.site_codes import SiteCodes
from hooks.fhir_read import Draft, read_chart, read_drafts
from hooks.prefetch import complete
from hooks.prefetch_answers import Pages
from hooks.protocol import HookRequest, read_request


class Signing:
    """The drafts of one request and the chart beside them.

    ``selected`` holds the references that order-select asks about; None: all. The chart is read when it is asked for:
    an order that does not concern Firstline needs none. ``fetched`` are the answers of the FHIR server by key;
    ``site`` is what is known of the codes of whoever asks.
    """

    def __init__(
        self,
        request: HookRequest,
        today: date,
        settings: ReviewSettings | None = None,
        fetched: Mapping[str, Pages] | None = None,
        site: SiteCodes | None = None,
    ) -> None:
        self.request = request
        self.today = today
        self.settings = settings or ReviewSettings()
        self.fetched = fetched or {}
        self.site = site
        self.prefetched = complete(request.prefetch, self.fetched, site)
        self.read = read_drafts(request.draft_orders, request.default_version, self.prefetched.records)
        self.hook = request.hook
        self._chart: Chart | None = None
        self.selected = self.read.selected(request.selections) if self.hook == ORDER_SELECT else None

    @property
    def drafts(self) -> tuple[MedicationOrder, ...]:
        return self.read.orders

    @property
    def chart(self) -> Chart:
        if self._chart is None:
            sent, unreadable = self.request, self.read.unreadable
            self._chart = read_chart(self.prefetched, self.today, sent.patient_id, sent.encounter_id, unreadable)
        return self._chart

    @property
    def case(self) -> Case:
        return Case(self.drafts, self.chart, self.today, self.hook, self.selected, self.settings)

    @property
    def concerned(self) -> bool:
        """Whether any draft that is asked about may have to be reviewed."""
        return any(in_scope(order) or reverse_scope(order) for order in self.asked)

    @property
    def asked(self) -> tuple[MedicationOrder, ...]:
        """The drafts that the hook asks about."""
        return tuple(order for order in self.drafts if not self.selected or order.ref in self.selected)

    def with_fetched(self, fetched: Mapping[str, Pages]) -> "Signing":
        """The same signing, read with what came from the FHIR server since."""
        return Signing(self.request, self.today, self.settings, {**self.fetched, **fetched}, self.site)

    def draft(self, ref: str) -> Draft | None:
        """The draft of this reference as it was sent; None where two drafts share it."""
        named = [draft for draft in self.read.drafts if draft.ref == ref]
        return named[0] if len(named) == 1 else None


def read_signing(body: bytes, today: date, settings: ReviewSettings | None = None) -> Signing:
    """Reads a whole request. Raises ``BadRequest``."""
    return Signing(read_request(body), today, settings)
