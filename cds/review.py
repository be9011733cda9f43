"""The review of one signing: all rules, what is to be said of their answers, and what is proposed."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date
from functools import lru_cache

from msgspec import Struct

from cds.alternatives import Proposals, propose
from cds.case import ORDER_SELECT, Case, ReviewSettings
from cds.chart import Chart, MedicationOrder
from cds.findings import Asked, Assessment, Finding, Rule, RuleFunction, Said, assess
from cds.outcome import Outcome
from cds.rules import dose, first_opioid, interaction, ladder, long_term, organ, safety, sedation
from cds.scope import is_opioid, reverse_scope
from cds.totals import shown
from cds.trials import ladder_of

__all__ = ["RULES", "Finding", "OrderView", "Review", "Rule", "RuleFunction", "Said", "review"]

RULES: tuple[Rule, ...] = tuple(
    Rule(name, group, answer)
    for group, rules in (
        ("sedation", sedation.RULES),
        ("interaction", interaction.RULES),
        ("organ", organ.RULES),
        ("dose", dose.RULES),
        ("safety", safety.RULES + long_term.RULES + first_opioid.RULES),
        ("ladder", ladder.RULES),
    )
    for name, answer in rules
)
"""Every rule, in clinical order."""


class OrderView(Struct, frozen=True):
    """What the ladder made of one draft in scope; None where the ladder does not concern it."""

    ref: str
    indication: str | None
    ladder_state: str | None


class Review(Struct, frozen=True):
    """Everything the review has to say. ``findings`` are in the order of cards: indicator, group, rule, order.

    ``mme_per_day`` is a decimal text, cut to two decimals; where part of the dose cannot be told it is None and
    ``mme_at_least`` holds the known sum. ``unrecognised`` names what is on the list or drafted but was not recognised.
    """

    in_scope: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    said: tuple[Said, ...] = ()
    not_assessed: tuple[str, ...] = ()
    orders: tuple[OrderView, ...] = ()
    mme_per_day: str | None = None
    mme_at_least: str | None = None
    proposals: Proposals = Proposals()
    unrecognised: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()

    @property
    def outcomes(self) -> tuple[tuple[str, str, Outcome], ...]:
        """What each rule answered about each order: rule, order and answer."""
        return tuple(
            (rule.id, asked.order, answer)
            for asked in self.asked
            for rule, answer in zip(asked.rules, asked.answers, strict=True)
        )


DOUBTS = {"disagreement": "codings disagree", "spelling": "name cut or misspelt"}
"""What is said of a drug that was recognised in this way (``Drug.how``)."""


def review(
    drafts: Iterable[MedicationOrder],
    chart: Chart,
    today: date,
    hook: str = "order-sign",
    selected: frozenset[str] | None = None,
    settings: ReviewSettings | None = None,
) -> Review:
    """Reviews all drafts of one signing together. No clock, no I/O; the same facts give the same review.

    ``selected`` holds the references that order-select asks about (None or none of them drafted: all).
    """
    case = Case(drafts, chart, today, hook, selected, settings)
    missing = {f"drug of {draft.ref}: not recognised" for draft in case.asked if draft.drug is None}
    missing.update([f"{ref}: unreadable" for ref in chart.unreadable])
    unrecognised = {draft.name for draft in case.asked if draft.drug is None and draft.name}
    if not case.judged:
        if case.partner_of_unknown_list:
            missing.add(case.missing("medications"))
        if any(reverse_scope(draft) for draft in case.asked):  # what was not recognised may be the opioid
            missing.update(f"drug of {order.ref}: not recognised" for order in case.unrecognised)
        return Review((), not_assessed=tuple(sorted(missing)), unrecognised=tuple(sorted(unrecognised)))
    assessment = _at_this_hook(case, assess(case, RULES))
    mme = case.mme_after
    mme_known = mme.total is not None and case.medications_known
    missing.update(assessment.not_assessed)
    missing.update(case.history_not_seen)
    if case.unrecognised:
        not_recognised = [order for order in case.unrecognised if order.ref not in chart.unreadable]
        missing.update([f"drug of {order.ref}: not recognised" for order in not_recognised])
        unrecognised.update([order.name for order in not_recognised if order.name])
    for order in (*case.asked, *case.listed):
        if order.drug is not None and order.drug.how in DOUBTS:
            missing.add(f"drug of {order.ref}: {DOUBTS[order.drug.how]}")
    missing.update([f"dose of {part.ref}: text and fields disagree" for part in mme.parts if part.disagrees])
    missing.update([f"dose of {part.ref}: {part.reason}" for part in (*mme.unknown, *mme.not_counted)])
    return Review(
        in_scope=tuple([asked.order for asked in assessment.asked]),
        findings=assessment.findings,
        said=assessment.said,
        not_assessed=tuple(sorted(missing)),
        orders=tuple([_view(case, draft) for draft in case.judged if is_opioid(draft)]),
        mme_per_day=shown(mme.at_least) if mme_known else None,
        mme_at_least=shown(mme.at_least) if mme.at_least and not mme_known else None,
        proposals=propose(case, assessment.findings, _found_again),
        unrecognised=tuple(sorted(unrecognised)),
        asked=assessment.asked,
    )


def _found_again(case: Case, asked: Collection[str]) -> Sequence[Finding]:
    """What the rules of these groups, or of these ids, find in a case that a suggestion would make."""
    return assess(case, _rules_of(frozenset(asked))).findings


@lru_cache(maxsize=64)
def _rules_of(asked: frozenset[str]) -> tuple[Rule, ...]:
    return tuple(rule for rule in RULES if rule.group in asked or rule.id in asked)


def _view(case: Case, draft: MedicationOrder) -> OrderView:
    indication = case.indication(draft)
    judged = indication.grade in ("definite", "probable") and case.exclusion(draft).because is None
    return OrderView(draft.ref, indication.grade, ladder_of(case, draft).state if judged else None)


def _at_this_hook(case: Case, assessment: Assessment) -> Assessment:
    """order-select asks for nothing that is not there yet: what cannot be told is not said on a card."""
    if case.hook != ORDER_SELECT:
        return assessment
    return Assessment(assessment.findings, (), assessment.not_assessed, assessment.asked)
