"""Review -> cards in the client's dialect, with what a machine can read beside them."""

import logging
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from cds.findings import NOT_CHECKED
from cds.knowledge import Knowledge
from cds.outcome import CannotTell, Fires, Outcome
from cds.review import Finding, Review, Said
from hooks import card_text as text
from hooks.card_choice import Plan, choose
from hooks.dialects import DIALECTS, Dialect
from hooks.names import named
from hooks.override_reasons import reasons_for
from hooks.suggestions import Writer, write_suggestions

TOPIC_SYSTEM = "urn:firstline:rule"
NOT_CHECKED_SUMMARY = "Firstline could not check this order. Check doses and combinations by other means."
NOT_CHECKED_DETAIL = (
    "An error inside Firstline, not in the order, stopped the check. Nothing is known to be right or wrong."
)
SERVICE_LABEL = "Firstline"
NOTHING_WITHHELD: Mapping[int, str] = {}
Told = Mapping[int, dict[str, Any]]
"""By ``id()`` of a finding, what a machine reads of it."""

log = logging.getLogger("firstline.cards")


class Manner(Struct, frozen=True):
    """How this client is answered: its hook and dialect, the namespace of this call's names, the site's settings."""

    hook: str
    dialect: str
    namespace: bytes
    public_url: str | None = None
    info_cards: bool = True
    explain: bool = False
    numbers: Mapping[str, Decimal] = {}

    @property
    def speaks(self) -> Dialect:
        return DIALECTS[self.dialect]


class Renderer:
    """Writes answers from one body of knowledge (by rule id, with its version)."""

    def __init__(self, knowledge: Mapping[str, Knowledge], version: str) -> None:
        self.knowledge = knowledge
        self.version = version
        self.basis = {name: text.basis(rule) for name, rule in knowledge.items()}
        self.sources = {name: _source(rule) for name, rule in knowledge.items()}

    def render(
        self, review: Review, manner: Manner, writer: Writer, withheld: Mapping[int, str] = NOTHING_WITHHELD
    ) -> dict[str, Any]:
        """The whole answer. Nothing in it is empty but ``cards`` and ``inScope``.

        ``withheld``: by ``id()`` of a finding, why it makes no card this time ("shown before").
        """
        shown = review
        if withheld:
            left = [finding for finding in review.findings if id(finding) not in withheld]
            shown = replace(review, findings=tuple(left))
        plans = choose(shown, manner.hook, manner.info_cards)
        told = {id(finding): _finding(finding) for finding in review.findings}
        cards: list[dict[str, Any]] = []
        shown_by: dict[int, str] = {}
        alternative = _alternative(review) if plans else None
        for plan in plans:
            uuid = _card_uuid(manner, plan.group)
            findings = plan.findings
            cards.append(self._card(uuid, plan, findings, review, manner, writer, told, alternative, not cards))
            for finding in findings:
                shown_by[id(finding)] = uuid
        view = self._review(review, manner, told, shown_by, withheld)
        return {"cards": cards, "extension": {"firstline.review": view}}

    def failed(self, manner: Manner) -> dict[str, Any]:
        """The answer where the review itself broke down: visibly not checked."""
        card = {
            "uuid": _card_uuid(manner, "safety"),
            "summary": NOT_CHECKED_SUMMARY,
            "detail": f"{NOT_CHECKED_DETAIL}\n\n{text.LAST_LINE}",
            "indicator": "warning",
            "source": {"label": SERVICE_LABEL},
        }
        view = {"knowledge": self.version, "inScope": [], "notAssessed": ["review: not checked"]}
        return {"cards": [card if manner.speaks.since_2 else _before_2(card)], "extension": {"firstline.review": view}}

    # One card

    def _card(
        self,
        uuid: str,
        plan: Plan,
        findings: Sequence[Finding],
        review: Review,
        manner: Manner,
        writer: Writer,
        told: Told,
        alternative: str | None,
        first: bool,
    ) -> dict[str, Any]:
        speaks, lead = manner.speaks, plan.lead
        rule = self.knowledge[lead.rule]
        summary, opening = self._opening(lead, alternative)
        suggestions, in_text = self._suggestions(plan, manner, writer)
        ending: list[str | None] = []
        if first:
            ending += dict.fromkeys([self._said(entry) for entry in review.said])
            ending.append(text.not_recognised(review.unrecognised))
        ending.append(text.not_known(_untold(findings)))
        ending += [text.escape_sentence(note) for note in review.proposals.notes.get(plan.group, ())]
        ending += self.basis[rule.id], text.own_numbers(rule.id, manner.numbers), text.LAST_LINE
        card: dict[str, Any] = {
            "uuid": uuid,
            "summary": summary,
            "detail": text.detail(
                paragraphs=[opening, *in_text],
                lines=[self._line(finding, alternative) for finding in plan.lines],
                also=[self._line(finding, alternative) for finding in plan.also],
                ending=ending,
            ),
            "indicator": lead.indicator,
            "source": self.sources[rule.id],
        }
        if suggestions:
            card["suggestions"] = suggestions
            card["selectionBehavior"] = speaks.behaviour
        if not plan.informing:
            card["overrideReasons"] = list(reasons_for(lead.rule, plan.group, speaks.plain_codes))
        if manner.public_url:
            address = f"{manner.public_url.rstrip('/')}/evidence/{rule.id}"
            card["links"] = [{"label": f"Evidence: {rule.title}", "url": address, "type": "absolute"}]
        card["extension"] = {"firstline.findings": [told.get(id(one)) or _finding(one) for one in findings]}
        return card if speaks.since_2 else _before_2(card)

    def _opening(self, finding: Finding, alternative: str | None) -> tuple[str, str]:
        """Summary and first paragraph. A wording that cannot be filled is still said, by the rule's title."""
        if finding.words == NOT_CHECKED:
            return NOT_CHECKED_SUMMARY, NOT_CHECKED_DETAIL
        rule = self.knowledge[finding.rule]
        words = text.wording(rule, finding.words, alternative)
        try:
            offered = alternative or text.NO_ALTERNATIVE
            return (
                text.shorten(text.fill(words.summary, finding.facts, text.plain, offered)),
                text.fill(words.detail, finding.facts, text.escape_sentence, offered),
            )
        except KeyError as missing:
            log.error("rule %s: its words ask for %s, which its finding lacks", rule.id, missing)
            listed = "; ".join(
                f"{name.replace('_', ' ')}: {text.escape(value)}" for name, value in finding.facts.items()
            )
            return text.shorten(rule.title), f"{rule.title}. {listed}".strip()

    def _line(self, finding: Finding, alternative: str | None) -> str:
        rule = self.knowledge[finding.rule]
        words = text.wording(rule, finding.words, alternative)
        try:
            return text.fill(words.line, finding.facts, text.escape_sentence, alternative or text.NO_ALTERNATIVE)
        except KeyError as missing:
            log.error("rule %s: its words ask for %s, which its finding lacks", rule.id, missing)
            return f"{rule.title}."

    def _said(self, said: Said) -> str:
        rule = self.knowledge[said.rule]
        if said.words == NOT_CHECKED:
            return f"Not checked because of an error inside Firstline: {rule.title}."
        try:
            return text.fill(rule.words[said.words].line, said.facts, text.escape_sentence)
        except KeyError as missing:
            log.error("rule %s: its words lack %s", rule.id, missing)
            return f"Could not be told: {rule.title}."

    # Suggestions

    def _suggestions(self, plan: Plan, manner: Manner, writer: Writer) -> tuple[list[dict[str, Any]], list[str]]:
        """Suggestions of the card; and as text what this client cannot be offered as an order."""
        if not plan.proposals:
            return [], []
        speaks = manner.speaks
        made, told = write_suggestions(plan.proposals, speaks, writer)
        sent = []
        for at, suggestion in enumerate(made, 1):
            uuid = named(manner.namespace, f"card|{plan.group}|suggestion|{at}")
            recommended = suggestion.recommended and not plan.informing and speaks.since_2
            sent.append(suggestion.as_sent(uuid, recommended))
        return sent, [f"To consider: {text.escape_sentence(proposal.label)}" for proposal in told]

    # What a machine can read

    def _review(
        self, review: Review, manner: Manner, told: Told, shown_by: Mapping[int, str], withheld: Mapping[int, str]
    ) -> dict[str, Any]:
        orders = review.orders
        first = orders[0] if orders else None
        findings = []
        for finding in review.findings:
            at = id(finding)
            if at in shown_by:
                findings.append({**told[at], "card": shown_by[at]})
            elif at in withheld:
                findings.append({**told[at], "withheld": withheld[at]})
            else:
                findings.append(told[at])
        found: dict[str, Any] = {
            "indication": first and first.indication,
            "ladderState": first and first.ladder_state,
            "mmePerDay": review.mme_per_day,
            "mmeAtLeast": review.mme_at_least,
            "findings": findings,
            "notAssessed": list(review.not_assessed),
        }
        if len(orders) > 1 and len({(order.indication, order.ladder_state) for order in orders}) > 1:
            found["orders"] = [
                _filled({"order": o.ref, "indication": o.indication, "ladderState": o.ladder_state}) for o in orders
            ]
        if manner.explain:
            found["outcomes"] = [_outcome(*entry) for entry in review.outcomes]
        return {"knowledge": self.version, "inScope": list(review.in_scope)} | _filled(found)


def _untold(findings: Sequence[Finding]) -> list[str]:
    """What was not known and stands in none of the facts."""
    unknown: list[str] = []
    for finding in findings:
        if finding.unknown:
            unknown += finding.unknown
    if unknown:
        told = "; ".join([finding.facts.get(name, "") for finding in findings for name in text.ENTRIES])
        unknown = [entry for entry in unknown if entry not in told]
    return unknown


def _alternative(review: Review) -> str | None:
    """The first-line drug that the ladder proposes, by name."""
    ladder = review.proposals.by_group.get("ladder")
    if not ladder:
        return None
    offered = [p for p in ladder if p.create is not None]
    best = next((p for p in offered if p.recommended), offered[0] if offered else None)
    if best is None or best.create is None:
        return None
    return best.create.ingredient or best.create.text


def _card_uuid(manner: Manner, group: str) -> str:
    return named(manner.namespace, f"card|{group}")


def _source(rule: Knowledge) -> dict[str, Any]:
    topic = {"system": TOPIC_SYSTEM, "code": rule.id.replace("-", ""), "display": rule.title}
    return {"label": rule.sources[0].label, "url": rule.sources[0].url, "topic": topic}


def _before_2(card: dict[str, Any]) -> dict[str, Any]:
    """The card as CDS Hooks 1.0 has it."""
    older = {name: value for name, value in card.items() if name not in ("uuid", "overrideReasons")}
    older["source"] = {name: value for name, value in card["source"].items() if name != "topic"}
    older["extension"] = {**card.get("extension", {}), "firstline.uuid": card["uuid"]}
    return older


def _finding(finding: Finding) -> dict[str, Any]:
    view: dict[str, Any] = {"rule": finding.rule, "indicator": finding.indicator, "order": finding.order}
    if finding.others:
        view["others"] = list(finding.others)
    facts = finding.facts
    if facts:
        told = dict(facts) if all(facts.values()) else {name: value for name, value in facts.items() if value}
        if told:
            view["facts"] = told
    return view


def _outcome(rule: str, order: str, outcome: Outcome) -> dict[str, Any]:
    entry: dict[str, Any] = {"rule": rule, "order": order}
    if isinstance(outcome, Fires):
        return entry | {"outcome": "fires", "indicator": outcome.indicator}
    if isinstance(outcome, CannotTell):
        return entry | _filled({"outcome": "cannot tell", "missing": list(outcome.missing)})
    return entry | {"outcome": "does not apply", "because": outcome.because}


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what is empty; nought and no are not."""
    return {name: value for name, value in values.items() if value or value == 0}
