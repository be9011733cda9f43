"""Which findings make a card, which are lines, and which stay silent (CLINICAL.md sections 7 and 8)."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from cds.case import ORDER_SELECT
from cds.findings import NOT_CHECKED
from cds.knowledge import GROUPS
from cds.orders import Proposal
from cds.outcome import GRAVITY
from cds.review import Finding, Review

MOST_CARDS = 3
MOST_SUGGESTIONS = 4
LADDER, SAFETY = "ladder", "safety"
NOT_ASSESSED = "G04"
JOINING = {"SAF-01": "naloxone", "SAF-07": "laxative"}
"""Rules whose line and remedy belong to the danger that makes them due, each with what it asks for."""
INFO_CARD = frozenset({NOT_ASSESSED, "NP-09", "NP-12", "NP-14", "NP-15"})
"""Rules that may make an info card when an order is signed."""


class Plan(Struct, frozen=True):
    """One card to be: ``lead`` is its first line, ``lines`` are further findings of it, ``also`` those of groups that
    got no card. ``informing``: the one card that information alone may make."""

    group: str
    lead: Finding
    lines: tuple[Finding, ...] = ()
    also: tuple[Finding, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    informing: bool = False

    @property
    def findings(self) -> tuple[Finding, ...]:
        return (self.lead, *self.lines, *self.also)


def choose(review: Review, hook: str, info_cards: bool) -> tuple[Plan, ...]:
    """The cards of this review, in their order."""
    highest: dict[str, int] = {}
    joined: set[str] = set()
    grave = False
    for finding in review.findings:
        if finding.rule in JOINING:
            joined.add(JOINING[finding.rule])
            grave = grave or finding.indicator != "info"
        elif finding.indicator != "info":
            rank = GRAVITY[finding.indicator]
            if rank < highest.get(finding.group, len(GRAVITY)):
                highest[finding.group] = rank
    groups = [*highest]
    if len(groups) > 1:  # by their highest indicator, then in clinical order
        groups.sort(key=lambda group: (highest[group], GROUPS.index(group)))
    elif not groups and grave:
        groups = [SAFETY]
    if not groups:
        return () if hook == ORDER_SELECT else _informing(review, info_cards)
    shown = groups[:MOST_CARDS]
    host = shown[1] if shown[0] == LADDER and len(shown) > 1 else shown[0]
    plans = []
    for group in shown:
        lead, *lines = _members(review, group, host, shown[0])
        plans.append(Plan(group, lead, tuple(lines), proposals=_proposals(review, group, host, joined)))
    if len(groups) == 1:  # it holds all that is grave
        return tuple(plans)
    if LADDER in groups and LADDER not in shown:
        plans[0] = _led_by_remedy(plans[0], review)
    told = {id(finding) for plan in plans for finding in plan.findings}
    also = tuple([f for f in review.findings if f.indicator != "info" and id(f) not in told])
    if also:
        last = plans[-1]
        plans[-1] = Plan(last.group, last.lead, last.lines, also, last.proposals)
    return tuple(plans)


def _members(review: Review, group: str, host: str, first: str) -> list[Finding]:
    """The findings of one card: its group's own, then what joins the danger, then what is not known."""
    own: list[Finding] = []
    joining: list[Finding] = []
    missing: list[Finding] = []
    for finding in review.findings:
        rule, is_own = finding.rule, finding.group == group
        if rule in JOINING:
            if group == host:
                (own if is_own else joining).append(finding)
        elif rule == NOT_ASSESSED and group == first:
            (own if is_own else missing).append(finding)
        elif is_own and (rule != NOT_ASSESSED or finding.indicator != "info"):
            own.append(finding)
    if group == SAFETY and len(own) > 1:  # what joins another danger leads only where there is none
        own.sort(key=_safety_order)
    return [*own, *joining, *missing]


def _safety_order(finding: Finding) -> tuple[int, bool]:
    return GRAVITY[finding.indicator], finding.rule in JOINING


def _informing(review: Review, info_cards: bool) -> tuple[Plan, ...]:
    """The one card of information alone: led by the ladder where it has something to say, else by G04 where what is
    missing touches a critical rule."""
    candidates = [finding for finding in review.findings if finding.rule in INFO_CARD]
    ladder = [finding for finding in candidates if finding.rule != NOT_ASSESSED]
    missing = [finding for finding in candidates if finding.rule == NOT_ASSESSED]
    grave = [finding for finding in missing if finding.facts.get("touches_critical") == "yes"]
    if ladder and info_cards:
        lead = ladder[0]
        lines = [f for f in review.findings if f.group == LADDER and f is not lead]
        lines += missing
        lines += [f for f in review.findings if f.rule in JOINING]
        return (Plan(LADDER, lead, tuple(lines), proposals=_proposals(review, LADDER, LADDER, ()), informing=True),)
    if grave:
        lines = [f for f in review.findings if f.group == SAFETY and f is not grave[0]]
        return (Plan(SAFETY, grave[0], tuple(lines), informing=True),)
    if any(said.words == NOT_CHECKED for said in review.said):
        return (Plan(SAFETY, not_checked(review), informing=True),)
    return ()


def not_checked(review: Review) -> Finding:
    """A rule failed and nothing else is shown: the failure itself is the card."""
    return Finding(NOT_ASSESSED, SAFETY, "info", {}, NOT_CHECKED, review.in_scope[0], review.in_scope[1:])


def _proposals(review: Review, group: str, host: str, joined: Collection[str]) -> tuple[Proposal, ...]:
    """What the card of this group offers, each remedy once. What a joining rule asks for (``joined``) stands in the
    card of the danger that it joins, whichever finding asked first, and nowhere else."""
    by_group = review.proposals.by_group
    own = by_group.get(group, ())
    if group == LADDER:  # no danger to join: a line at most
        return _once([proposal for proposal in own if proposal.rule not in JOINING])
    if not joined:
        return _once(own)
    if group != host:
        return _once([proposal for proposal in own if proposal.ask not in joined])
    others = [made for other, made in by_group.items() if other != group]
    return _once([*own, *[proposal for made in others for proposal in made if proposal.ask in joined]], joined)


def _once(proposals: Sequence[Proposal], joined: Collection[str] = ()) -> tuple[Proposal, ...]:
    """Each remedy once, at most four; what a joining rule asks for keeps its place among them."""
    if len(proposals) < 2:
        return tuple(proposals)
    kept: dict[tuple[object, ...], Proposal] = {}
    for proposal in proposals:
        create = proposal.create
        kept.setdefault((None if create is None else create.text, proposal.update, proposal.delete), proposal)
    if len(kept) <= MOST_SUGGESTIONS:
        return tuple(kept.values())
    places = MOST_SUGGESTIONS - sum(proposal.ask in joined for proposal in kept.values())
    first = {id(proposal) for proposal in [one for one in kept.values() if one.ask not in joined][:places]}
    return tuple(proposal for proposal in kept.values() if proposal.ask in joined or id(proposal) in first)


def _led_by_remedy(first: Plan, review: Review) -> Plan:
    """The ladder has no card: its replacement leads the suggestions of the first card, for it settles the rest."""
    remedy = [p for p in review.proposals.by_group.get(LADDER, ()) if p.create is not None][:1]
    return Plan(first.group, first.lead, first.lines, first.also, _once([*remedy, *first.proposals]))
