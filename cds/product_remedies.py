"""Remedies that stay with the same drug in another order: immediate release, opioid alone, a taper, a lower
gabapentinoid."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from cds.abrupt_stop import continues_taken
from cds.breathing import is_gabapentinoid
from cds.case import Case, number
from cds.chart import MedicationOrder
from cds.findings import Finding
from cds.gabapentinoid_orders import lowered_order
from cds.offer import unknown_for
from cds.opioid_orders import (
    immediate_release_orders,
    opioid_only_order,
    opioid_only_product,
    taper_cut,
    taper_order,
)
from cds.opioid_review import NALOXONE_RULE, against_opioid
from cds.orders import PlainOrder, Proposal, as_medication
from cds.remedies import NOTHING, Made, Makers, drafts_of, name_of, taper_words
from cds.schedules import SCHEDULES
from cds.scope import is_opioid, opioids_of, stops
from cds.second_review import GABAPENTINOID_READERS, SecondReview
from cds.supporting_orders import rescue_order

REQUEST = "MedicationRequest/"
TEXT_TAPER_RULES = frozenset({"SAF-09"})
"""Rules that offer a taper by agreement, in text only."""


class ProductRemedies:
    """Makes these remedies for one case."""

    def __init__(self, case: Case, second: SecondReview) -> None:
        self.case = case
        self.second = second

    def immediate_release(self, finding: Finding) -> Made:
        """The same opioid at its lowest first dose of immediate release, in the place of an extended-release draft."""
        made: list[Proposal] = []
        said: list[str] = []
        for draft in drafts_of(self.case, finding):
            drug, names = draft.drug, opioids_of(draft)
            if drug is None or stops(draft) or drug.release not in ("ER", "TD") or len(names) != 1:
                continue
            if continues_taken(self.case, draft):
                said.append(taper_words(self.case, draft))
                continue
            reason = draft.reasons[0].name if draft.reasons else None
            candidates = immediate_release_orders(self.case, names[0], reason)
            order, also, objections = self._first_that_passes(draft, candidates)
            if order is not None:
                label = (
                    f"{names[0].capitalize()} immediate release, {_sig(order)}, {order.days} days, "
                    f"instead of {_slow(draft)}{_with_naloxone(also)}"
                )
                made.append(_swap("ir_instead", finding, label, order, draft, also))
            elif objections:
                said.append(f"Immediate-release {names[0]} is not proposed: {'; '.join(objections)}.")
            elif drug.release == "ER":
                said.append(f"No product of {names[0]} alone with immediate release is known here.")
        return made, said

    def opioid_only(self, finding: Finding) -> Made:
        """The same opioid without the second ingredient of its product."""
        made: list[Proposal] = []
        said: list[str] = []
        for draft in drafts_of(self.case, finding):
            name, drug = name_of(draft), draft.drug
            if drug is None or stops(draft) or len(drug.ingredients) < 2 or not opioids_of(draft):
                continue
            others = " and ".join(part.name for part in drug.ingredients if part.name not in opioids_of(draft))
            if opioid_only_product(draft) is None:
                said.append(f"No product of {name} in this strength without {others} is known here.")
                continue
            candidate = opioid_only_order(self.case, draft)
            order, also, objections = self._first_that_passes(draft, () if candidate is None else (candidate,))
            if order is not None:
                instead = f"instead of {name} / {others}{_with_naloxone(also)}"
                label = f"{name.capitalize()} without {others}: {_sig(order)}, {instead}"
                made.append(_swap("opioid_only", finding, label, order, draft, also))
            elif objections:
                said.append(f"{name.capitalize()} without {others} is not proposed: {'; '.join(objections)}.")
            else:
                said.append(f"Consider {name} without {others}: this order could not be rewritten.")
        return made, said

    def lower_gabapentinoid(self, finding: Finding) -> Made:
        """A lower dose of the one gabapentinoid on the list, by a new order that names the old."""
        listed = [order for order in self.case.kept if is_gabapentinoid(order)]
        if len(listed) != 1 or not listed[0].ref.startswith(REQUEST):
            return NOTHING
        running = listed[0]
        name = next((n for n in SCHEDULES.lowering if running.drug is not None and running.drug.has(n)), None)
        if name is None:
            return NOTHING
        missing = unknown_for(self.case, name)
        if missing:
            return (), (f"A lower dose of {name} is not proposed while this is not known: {', '.join(missing)}.",)
        order = lowered_order(self.case, running, name)
        if order is None:
            return NOTHING
        lowered = as_medication(order, self.case.today, running.reasons)
        objections = self.second.objections(None, lowered, readers=GABAPENTINOID_READERS)
        if objections:
            return (), (f"A lower dose of {name} is not proposed: {'; '.join(self.second.in_words(objections))}.",)
        last = order.steps[-1]
        daily = number((last.mg or last.amount) * last.times)
        label = f"Lower {name} to {daily} mg a day; stop its old order"
        return (Proposal("lower_gabapentinoid", finding.group, finding.rule, label, create=order),), ()

    def taper(self, finding: Finding) -> Made:
        """The first weeks of a taper in the place of a stop or a cut, where the tablets allow it; always as text."""
        made: list[Proposal] = []
        said: list[str] = []
        for draft in drafts_of(self.case, finding):
            olds = [replaced.old for replaced in self.case.replaced_by(draft) if is_opioid(replaced.old)]
            for old in olds:
                proposal = self._tapers(finding, draft, old) if _may_be_ordered(finding, olds) else None
                if proposal is None:
                    said.append(taper_by(old))
                else:
                    made.append(proposal)
            if not olds and is_opioid(draft):
                said.append(taper_by(draft))
        return made, said

    def _first_that_passes(
        self, draft: MedicationOrder, candidates: Iterable[PlainOrder]
    ) -> tuple[PlainOrder | None, PlainOrder | None, Sequence[str]]:
        """The first order that nothing warns of in the place of this draft, with naloxone where it must stand beside;
        and what speaks against the last where there is none."""
        olds = [replaced.old for replaced in self.case.replaced_by(draft)]
        rules: tuple[str, ...] = ()
        if len(olds) > 1 or any(not old.ref.startswith(REQUEST) for old in olds):
            return None, None, ()
        for candidate in candidates:
            order = replace(candidate, prior=olds[0].ref) if olds else candidate
            rules, also = against_opioid(self.case, self.second, draft, order)
            if not rules:
                return order, also, ()
        return None, None, self.second.in_words(rules)

    def _tapers(self, finding: Finding, draft: MedicationOrder, old: MedicationOrder) -> Proposal | None:
        """The taper as an order, with naloxone in the same suggestion where what goes on calls for it."""
        order = taper_order(self.case, old)
        if order is None:
            return None
        come = as_medication(order, self.case.today, draft.reasons)
        rules = self.second.objections(draft, come)
        also = None
        if rules == (NALOXONE_RULE,):
            also = rescue_order()
            rules = self.second.objections(draft, come, beside=as_medication(also, self.case.today))
        if rules:
            return None
        label = f"Taper {name_of(old)} instead: {_sig(order)} first{_with_naloxone(also)}"
        return Proposal("taper", finding.group, finding.rule, label, create=order, delete=draft.ref, also=also)


MAKERS: Makers[ProductRemedies] = {
    "ir_instead": ProductRemedies.immediate_release,
    "opioid_only": ProductRemedies.opioid_only,
    "lower_gabapentinoid": ProductRemedies.lower_gabapentinoid,
    "taper": ProductRemedies.taper,
}


def taper_by(order: MedicationOrder) -> str:
    """How this opioid is tapered, in a sentence."""
    cut = taper_cut(order)
    step = "10 % of the dose at the start" if cut is None else f"{number(cut)} mg a day (10 % of the dose at the start)"
    return f"Taper {name_of(order)} by {step} every 1 to 4 weeks, by agreement; never abruptly."


def _may_be_ordered(finding: Finding, olds: Sequence[MedicationOrder]) -> bool:
    return finding.rule not in TEXT_TAPER_RULES and len(olds) == 1 and olds[0].ref.startswith(REQUEST)


def _swap(
    ask: str, finding: Finding, label: str, order: PlainOrder, draft: MedicationOrder, also: PlainOrder | None
) -> Proposal:
    return Proposal(ask, finding.group, finding.rule, label, create=order, delete=draft.ref, also=also)


def _with_naloxone(also: PlainOrder | None) -> str:
    return "" if also is None else ", with naloxone"


def _sig(order: PlainOrder) -> str:
    """The first instruction without the way it is taken: "1 tablet (5 mg) every 6 hours as needed for pain"."""
    return order.steps[0].text.replace(" by mouth", "")


def _slow(draft: MedicationOrder) -> str:
    drug = draft.drug
    patch = drug is not None and drug.release == "TD"
    return f"a {name_of(draft)} patch" if patch else f"extended-release {name_of(draft)}"
