"""A candidate is put on the chart in place of what it would change, and the review runs again."""

from collections.abc import Callable, Sequence

from cds.case import Case
from cds.chart import MedicationOrder
from cds.exposure import continuous_days, span
from cds.findings import Finding
from cds.offer import AGENT_CLASSES, unknown_for
from cds.outcome import INDICATORS
from cds.schedules import SCHEDULES
from cds.scope import depressant_class, is_opioid, opioids_of

Assess = Callable[[Case], Sequence[Finding]]

MILDEST = INDICATORS.index("info")
SAME_MATTER = {"DD-23": "DD-24"}
"""A rule that is what another one becomes when the danger gets less: 50 MME a day after 90."""
OF_THE_CHART = ("listed", "renal", "_present")
"""What a case knows from the chart alone: it holds for a case with other drafts as well."""


class SecondReview:
    """The review of this case with one draft gone, come or changed."""

    def __init__(self, case: Case, findings: Sequence[Finding], assess: Assess) -> None:
        self.case = case
        self.assess = assess
        self.known: dict[str, int] = {}
        for finding in findings:
            gravity = INDICATORS.index(finding.indicator)
            self.known[finding.rule] = min(gravity, self.known.get(finding.rule, MILDEST))

    def findings(self, gone: MedicationOrder | None, come: MedicationOrder | None) -> Sequence[Finding]:
        """What the rules find when one draft is deleted and another order signed in its place."""
        case = self.case
        drafts = [draft for draft in case.drafts if draft is not gone]
        asked = {draft.ref for draft in case.asked if draft is not gone}
        if come is not None:
            drafts.append(come)
            asked.add(come.ref)
        other = Case(drafts, case.chart, case.today, case.hook, frozenset(asked), case.settings)
        vars(other).update({name: vars(case)[name] for name in OF_THE_CHART if name in vars(case)})
        return self.assess(other)

    def objections(self, gone: MedicationOrder | None, come: MedicationOrder | None) -> tuple[str, ...]:
        """Rules with a warning or critical finding that was not there, or was milder. Empty: it may be proposed."""
        return self.new_among(self.findings(gone, come))

    def new_among(self, findings: Sequence[Finding]) -> tuple[str, ...]:
        return tuple(sorted({finding.rule for finding in findings if self._is_new(finding)}))

    def nothing_unknown(self, findings: Sequence[Finding]) -> bool:
        """Whether no fact was missing for what was found, nor for choosing among the agents."""
        case = self.case
        return (
            not any(finding.unknown for finding in findings)
            and not case.unrecognised
            and not case.chart.unreadable
            and not any(unknown_for(case, agent) for agent in AGENT_CLASSES)
        )

    def _is_new(self, finding: Finding) -> bool:
        before = min(self.known.get(finding.rule, MILDEST), self.known.get(SAME_MATTER.get(finding.rule, ""), MILDEST))
        return INDICATORS.index(finding.indicator) < before


def continues_taken(case: Case, draft: MedicationOrder, days: int | None = None) -> bool:
    """Whether this draft goes on with a drug that was taken for so many days (14) up to now: the same ingredient, an
    order that it replaces, or a drug of its kind that ran out by today. To delete it would be an abrupt stop.

    A drug on the list whose dates are not known counts as taken that long.
    """
    if draft.drug is None:
        return False
    least = SCHEDULES.whole("taken_days") if days is None else days
    names = opioids_of(draft) or tuple(part.name for part in draft.drug.ingredients)
    replaced = {id(replacement.old) for replacement in case.replaced_by(draft)}
    same = [
        record
        for record in (*case.listed, *case.chart.medications)
        if id(record) in replaced or (record.drug is not None and any(record.drug.has(name) for name in names))
    ]
    listed = {id(order) for order in case.listed}
    if any(id(record) in listed and span(record, case.today) is None for record in same):
        return True
    if _days_up_to_now(case, same) >= least:
        return True
    kind = _kind(draft)
    alike = [record for record in case.chart.medications if kind is not None and _kind(record) == kind]
    spans = [taken for record in alike if (taken := span(record, case.today)) is not None]
    runs_on = any(taken.end_known if taken.end is None else taken.end > case.today for taken in spans)
    return not runs_on and _days_up_to_now(case, alike) >= least


def _days_up_to_now(case: Case, records: Sequence[MedicationOrder]) -> int:
    spans = [taken for record in records if (taken := span(record, case.today)) is not None]
    return continuous_days(spans, case.today, SCHEDULES.whole("joined_gap_days"))


def _kind(order: MedicationOrder) -> str | None:
    return "opioid" if is_opioid(order) else depressant_class(order)
