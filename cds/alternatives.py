"""Ranks what to offer this patient instead, and proposes it: only what a second review of it lets pass.

Rules ask for remedies by name (``Fires.asks``); this module turns what a card's findings ask for into proposals that
were themselves reviewed. The vocabulary of ``asks``:

``first_line``       replace the opioid draft by the best first-line order (an addition where the draft continues)
``second_class``     replace it by an agent of another class: add-on or switch
``partner``          replace it by the missing partner of a combination
``titrate``          the next titration step of an active first-line agent that is below its therapeutic minimum
``keep_first_line``  delete the draft and keep the running first-line agent until day 28
``topical``          add lidocaine 5 % (or capsaicin 8 %) for localized pain
``tramadol``         replace a strong opioid by tramadol, only where nothing speaks against it
``limit_supply``     update the draft: 14 days (7 where a safety rule asks), no repeat
``limit_acute``      update the draft for acute pain: 3 or 7 days, no repeat
``ir_instead``       replace an extended-release draft by the lowest first dose of immediate release, 7 days
``opioid_only``      replace a combination by a product of the same opioid strength alone
``lower_gabapentinoid``  a lower order of the gabapentinoid that is taken, not below its therapeutic minimum
``taper``            the first weeks of a taper in the place of a stop or a cut; text where the tablets do not allow it
``delete``           delete the draft (never a draft that continues an opioid or benzodiazepine taken >= 14 d)
``delete_partner``   delete the partner drug drafted in the same signing
``naloxone``         create naloxone nasal spray
``laxative``         create senna, else polyethylene glycol
``ecg``              create an order for an ECG
``urine_test``       create an order for a urine drug test
``referral``         create a referral: addiction service for use itself (DD-14, DD-21), else a pain specialist
``half_dose``        update the draft to half its dose
``below_50``         update the draft to stay below 50 MME a day
``to_limit``         update the draft to the labelled maximum
``start_dose``       update the draft to a start dose for an opioid-naive patient
"""

import logging
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from cds import ladder_remedies, product_remedies, remedies, supporting_remedies
from cds.case import Case
from cds.findings import Finding
from cds.ladder_remedies import LADDER_ASKS, LadderRemedies
from cds.orders import PlainOrder, Proposal, Proposals, Step, Update
from cds.product_remedies import ProductRemedies
from cds.remedies import Made, Remedies
from cds.second_review import Assess, SecondReview
from cds.supporting_remedies import SupportingRemedies, referral_of

__all__ = ["PlainOrder", "Proposal", "Proposals", "Step", "Update", "propose"]

MOST = 4
"""Suggestions of one group."""
MOST_JUDGED = 8
"""In a signing of more opioid drafts nothing is proposed that has to be reviewed again, with all of them."""
SUPPORTING = frozenset({"naloxone", "laxative", "urine_test", "referral", "ecg"})
TOO_MANY = "With so many opioid orders in one signing, no change to one of them is proposed here."
LADDER = "ladder"
ORDER = (
    "titrate", "keep_first_line", "first_line", "second_class", "partner", "tramadol", "limit_supply", "topical",
    "ir_instead", "opioid_only", "lower_gabapentinoid", "taper", "half_dose", "start_dose", "to_limit", "below_50",
    "limit_acute", "ecg", "naloxone", "delete_partner", "delete", "laxative", "urine_test", "referral",
)  # fmt: skip
"""The order of suggestions on a ladder card; the other groups keep the order of what their findings ask, with what does
not change the danger itself last."""
JOINING = ("naloxone", "laxative")
"""What stands in the card of the danger that makes it due, beside the four of its own group."""
LATE = ("laxative", "urine_test", "referral")
RUNNING = frozenset({"titrate", "keep_first_line"})
"""What goes on with the agent that is taken."""
NEW_AGENTS = frozenset({"first_line", "second_class", "partner"})
MAKERS: dict[str, tuple[type[Any], Callable[[Any, Finding], Made]]] = {
    ask: (kind, make)
    for kind, makers in (
        (Remedies, remedies.MAKERS),
        (ProductRemedies, product_remedies.MAKERS),
        (SupportingRemedies, supporting_remedies.MAKERS),
        (LadderRemedies, ladder_remedies.MAKERS),
    )
    for ask, make in makers.items()
}
"""Who makes what is asked for, and how."""
NOT_PREPARED = "A suggestion could not be prepared because of an error inside Firstline."

log = logging.getLogger("firstline.alternatives")


def propose(case: Case, findings: Sequence[Finding], assess: Assess) -> Proposals:
    """What the findings of this case ask for, reviewed again by ``assess`` in the chart it is made for: a candidate
    that brings a new warning or critical finding is withdrawn. At most four candidates are tried for each ask.

    Each remedy stands in the first group, in the order of cards, that asks for it; what replaces an opioid by the
    ladder's next step stands with the ladder where that asks too; deleting a draft may stand in every group.
    """
    if not any(finding.asks for finding in findings):
        return Proposals()
    second = SecondReview(case, findings, assess)
    offering = _Remedies(case, second)
    at_the_ladder = {f.order for f in findings if f.group == LADDER and not LADDER_ASKS.isdisjoint(f.asks)}
    by_group: dict[str, list[Proposal]] = {}
    notes: dict[str, list[str]] = {}
    asked: set[tuple[str, ...]] = set()
    for finding in findings:
        for ask in finding.asks:
            if ask in LADDER_ASKS and finding.group != LADDER and finding.order in at_the_ladder:
                continue
            matter = _matter(ask, finding)
            if matter in asked:
                continue
            asked.add(matter)
            weighed = len(case.judged) <= MOST_JUDGED or ask in SUPPORTING
            made, said = _made(offering, ask, finding) if weighed else ((), (TOO_MANY,))
            by_group.setdefault(finding.group, []).extend(made)
            notes.setdefault(finding.group, []).extend(said)
    chosen = {group: _chosen(group, made) for group, made in by_group.items()}
    if LADDER in chosen and second.nothing_unknown(findings):
        chosen[LADDER] = _with_recommended(chosen[LADDER])
    return Proposals(
        by_group={group: made for group, made in chosen.items() if made},
        notes={group: tuple(dict.fromkeys(said)) for group, said in notes.items() if said},
    )


def _matter(ask: str, finding: Finding) -> tuple[str, ...]:
    if ask in ("naloxone", "laxative", "urine_test"):
        return (ask,)
    if ask == "referral":
        return (ask, referral_of(finding.rule))
    if ask == "delete":
        return (ask, finding.order, finding.group)
    return (ask, finding.order)


class _Remedies:
    """The remedies of one case, each kind made when it is first asked for."""

    def __init__(self, case: Case, second: SecondReview) -> None:
        self.case = case
        self.second = second
        self.kinds: dict[type[Any], Any] = {}

    def made(self, ask: str, finding: Finding) -> Made:
        kind, make = MAKERS[ask]
        if kind not in self.kinds:
            self.kinds[kind] = kind(self.case, self.second)
        return make(self.kinds[kind], finding)


def _made(offering: _Remedies, ask: str, finding: Finding) -> Made:
    """A remedy that fails must not cost the card: it is said, and logged without anything of the patient."""
    try:
        return offering.made(ask, finding)
    except Exception as error:
        log.error("%s of rule %s not prepared: %s", ask, finding.rule, type(error).__name__)
        return (), (NOT_PREPARED,)


def _chosen(group: str, made: list[Proposal]) -> tuple[Proposal, ...]:
    """At most four besides naloxone and a laxative, each action once, and of several doses for one draft the lowest,
    which settles what all ask for.

    Where a running agent is kept or titrated, one new agent beside it is enough.
    """
    if len(made) < 2:
        return tuple(made)
    if group == LADDER:
        made = sorted(made, key=_place)
    else:
        made = [one for one in made if one.ask not in LATE] + [one for one in made if one.ask in LATE]
    running = [proposal.delete for proposal in made if proposal.ask in RUNNING]
    changes = [proposal.update for proposal in made if proposal.update is not None]
    lowered = [(change.ref, change.dose_factor) for change in changes if change.dose_factor is not None]
    kept: list[Proposal] = []
    for proposal in made:
        beside_running = proposal.delete in running and proposal.ask in NEW_AGENTS
        if beside_running and any(p.ask in NEW_AGENTS and p.delete == proposal.delete for p in kept):
            continue
        if not _is_covered(proposal, kept) and not _is_outdone(proposal.update, lowered):
            kept.append(proposal)
    if len(kept) <= MOST:
        return tuple(kept)
    places = {id(proposal) for proposal in [one for one in kept if one.ask not in JOINING][:MOST]}
    return tuple(proposal for proposal in kept if proposal.ask in JOINING or id(proposal) in places)


def _place(proposal: Proposal) -> int:
    return ORDER.index(proposal.ask)


def _is_covered(proposal: Proposal, kept: list[Proposal]) -> bool:
    """Whether accepting one of these does what this one would do."""
    order = proposal.create and proposal.create.text
    for one in kept:
        if (
            one.delete == proposal.delete
            and one.update == proposal.update
            and (one.create and one.create.text) == order
        ):
            return True
    return False


def _is_outdone(change: Update | None, lowered: list[tuple[str, Decimal]]) -> bool:
    """Whether one of these shares of a dose is lower, of the same draft."""
    factor = None if change is None or len(lowered) < 2 else change.dose_factor
    if change is None or factor is None:
        return False
    return any(ref == change.ref and share < factor for ref, share in lowered)


def _with_recommended(made: tuple[Proposal, ...]) -> tuple[Proposal, ...]:
    """The best ladder alternative, marked: the first that takes the ladder's next step."""
    best = next((p for p in made if p.ask in LADDER_ASKS - {"topical"}), None)
    return tuple(replace(p, recommended=True) if p is best else p for p in made)
