"""Asks every rule about every draft in scope, and gathers what they answered."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec import Struct

from cds.case import Case
from cds.chart import MedicationOrder
from cds.knowledge import GROUPS
from cds.outcome import GRAVITY, CannotTell, DoesNotApply, Fires, Indicator, Outcome

RuleFunction = Callable[[Case, MedicationOrder], Outcome]

log = logging.getLogger("firstline.findings")


class Rule(Struct, frozen=True):
    """A rule's id, its card group and its function."""

    id: str
    group: str
    answer: RuleFunction


class Finding(Struct, frozen=True):
    """A rule met a chart. ``order`` is the draft concerned, ``others`` further ones with the very same facts."""

    rule: str
    group: str
    indicator: Indicator
    facts: Mapping[str, str]
    words: str
    order: str
    others: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Said(Struct, frozen=True):
    """A "cannot tell" that is printed as a line of a card which is shown anyway."""

    rule: str
    group: str
    words: str
    facts: Mapping[str, str]


class Asked(Struct, frozen=True):
    """The rules that were asked about one order, and what each of them answered."""

    order: str
    rules: tuple[Rule, ...]
    answers: Sequence[Outcome]


class Assessment(Struct, frozen=True):
    """What the rules answered: ``findings`` in the order of cards (indicator, group, rule, order)."""

    findings: tuple[Finding, ...]
    said: tuple[Said, ...]
    not_assessed: tuple[str, ...]
    asked: tuple[Asked, ...]


def assess(case: Case, rules: Iterable[Rule]) -> Assessment:
    """Asks every rule about every judged draft. A rule that raises becomes a visible "not checked"."""
    rules = tuple(rules)
    told: list[tuple[Rule, MedicationOrder, Fires | CannotTell]] = []
    asked = tuple(
        [Asked(draft.ref, rules, _answers(part, draft, rules, told)) for part in case.parts for draft in part.judged]
    )
    alone = len(asked) == 1  # one draft: no rule has said anything twice
    missing: set[str] = set()
    findings: dict[tuple[object, ...], Finding] = {}
    said: dict[tuple[object, ...], Said] = {}
    for rule, draft, outcome in told:
        if isinstance(outcome, Fires):
            missing.update(outcome.unknown)
            key: tuple[object, ...] = (rule.id,) if alone else (rule.id, outcome.indicator, *_words_of(outcome))
            known = findings.get(key)
            if known is None:
                findings[key] = Finding(
                    rule.id, rule.group, outcome.indicator, outcome.facts, outcome.words, draft.ref, (),
                    outcome.asks, outcome.unknown,
                )  # fmt: skip
            elif draft.ref not in (known.order, *known.others):
                findings[key] = _with_other(known, draft.ref)
        else:
            missing.update(outcome.missing)
            if outcome.said:
                key = (rule.id,) if alone else (rule.id, *_words_of(outcome))
                said.setdefault(key, Said(rule.id, rule.group, outcome.words, outcome.facts))
    return Assessment(
        findings=tuple(sorted(findings.values(), key=_card_order)),
        said=tuple(said.values()),
        not_assessed=tuple(sorted(missing)),
        asked=asked,
    )


NOT_CHECKED = "not checked"
"""The wording of a rule that raised: the same for every rule."""


def _answers(
    case: Case,
    draft: MedicationOrder,
    rules: tuple[Rule, ...],
    told: list[tuple[Rule, MedicationOrder, Fires | CannotTell]],
) -> list[Outcome]:
    """What each rule answers; those that have something to say are added to ``told``."""
    answers: list[Outcome] = []
    for rule in rules:
        ask = rule.answer
        try:
            answer = ask(case, draft)
        except Exception as error:  # the one place: a rule that fails must never look like one that is content
            log.error("rule %s not checked: %s", rule.id, type(error).__name__)
            answer = CannotTell((f"{rule.id}: not checked",), said=True, words=NOT_CHECKED)
        answers.append(answer)
        if not isinstance(answer, DoesNotApply):
            told.append((rule, draft, answer))
    return answers


def _words_of(outcome: Fires | CannotTell) -> tuple[object, ...]:
    return outcome.words, tuple(sorted(outcome.facts.items()))


def _with_other(finding: Finding, ref: str) -> Finding:
    return Finding(
        finding.rule, finding.group, finding.indicator, finding.facts, finding.words, finding.order,
        (*finding.others, ref), finding.asks, finding.unknown,
    )  # fmt: skip


def _card_order(finding: Finding) -> tuple[int, int, str, str]:
    return GRAVITY[finding.indicator], GROUPS.index(finding.group), finding.rule, finding.order
